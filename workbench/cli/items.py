"""Which items of an evaluation set to keep."""

from __future__ import annotations

import tempfile
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from workbench.cli.app import app
from workbench.cli.console import end, print_json, print_table, progress_shown
from workbench.cli.documents import write_quarantined
from workbench.cli.options import Json, ModelFiles, Reading, takes_groups
from workbench.errors import InputError

if TYPE_CHECKING:
    from workbench.checks import FloatArray, IntArray
    from workbench.corpus import Sample


class By(StrEnum):
    """How items are chosen."""

    variance = "variance"
    difficulty = "difficulty"
    consistency = "consistency"
    diffdisc = "diffdisc"
    information = "information"
    smart = "smart"


@app.command()
@takes_groups
def items(
    evaluation: Annotated[str, typer.Argument(help="File with an item a row: text, and columns a system.")],
    by: Annotated[
        By,
        typer.Option(
            help="What tells systems apart: variance, difficulty or consistency of scores; diffdisc or information of "
            "an item response model; smart drops what is easy, contaminated or like another item."
        ),
    ],
    systems: Annotated[
        str,
        typer.Option(
            help="Names of the systems, parted by commas: a column of scores each; for smart NAME_correct and "
            "NAME_probability (and NAME_blind_correct, NAME_blind_probability without the question)."
        ),
    ],
    out: Annotated[
        Path, typer.Option(help="Parquet file to write: all items, with keep, utility and reason.")
    ],
    reading: Reading,
    choice: ModelFiles,
    n: Annotated[int | None, typer.Option("--n", help="Items to keep; not for smart.", min=0)] = None,
    similar: Annotated[
        bool, typer.Option(help="For smart: embed the items and drop half of those that are alike.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Choose items of an evaluation set by what several systems make of them.

    Example: workbench items mmlu.parquet --by diffdisc --systems gpt2,llama,qwen --n 500 --out small.parquet
    """
    import polars as pl

    from workbench.engine.items import choose_items
    from workbench.files import written_aside

    sample = reading.corpus([evaluation]).whole(progress_shown(as_json=as_json))
    if not len(sample):
        raise InputError(f"{evaluation} holds no item that can be used; give another file")
    if similar and by is not By.smart:
        raise InputError(f"only smart looks for similar items, not {by.value}; leave --similar out")
    names = [name.strip() for name in systems.split(",") if name.strip()]
    near = _neighbours(sample, choice) if similar else None
    found = choose_items(sample.frame, names, by.value, n, near=near)
    table = sample.frame.with_columns(
        pl.Series("keep", found.keep),
        pl.Series("utility", found.utility).fill_nan(None),
        pl.Series("reason", found.reason),
    )
    with written_aside(out) as aside:
        table.write_parquet(aside)
    quarantine = write_quarantined(sample, out.parent / f"{out.stem}.quarantine")
    dropped = {reason: found.reason.count(reason) for reason in sorted(set(found.reason) - {""})}
    by_reason = dropped if by is By.smart else {}
    if as_json:
        told = {
            "n_items": len(sample),
            "n_kept": int(found.keep.sum()),
            "dropped": by_reason,
            "out": str(out),
        }
        print_json(told)
    else:
        if by_reason:
            print_table(("dropped as", "items"), {reason: (count,) for reason, count in by_reason.items()})
        typer.echo(f"{int(found.keep.sum()):,} of {len(sample):,} items kept; all of them written to {out}")
    end(len(sample.quarantined), quarantine)


def _neighbours(sample: Sample, choice: ModelFiles) -> tuple[IntArray, FloatArray]:
    """The nearest other items by the embedder, and their cosine distances."""
    import numpy as np

    from workbench.engine.items import NEIGHBOURS
    from workbench.engine.score import score
    from workbench.models.geometry.neighbours import neighbours
    from workbench.models.load import Models
    from workbench.models.locate import DEFAULT_EMBEDDER

    if len(sample) < 3:
        raise InputError(f"similar items need at least 3 items, got {len(sample)}; leave --similar out")
    with tempfile.TemporaryDirectory() as folder:
        table = score(
            sample, ["embedding"], store=folder, models=Models(embedder=choice.embedder or DEFAULT_EMBEDDER)
        )
    found = neighbours(table.scores["embedding"], min(NEIGHBOURS, len(sample) - 1))
    distance = np.maximum(1 - found.similarity.astype(np.float64), 0)
    return found.indices, np.maximum.accumulate(distance, axis=1)
