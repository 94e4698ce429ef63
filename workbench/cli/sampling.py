"""Drawing a sample and scoring it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from workbench.cli.app import app
from workbench.cli.console import end, print_json, print_scores, print_table, printable, progress_shown
from workbench.cli.documents import read_documents, read_target, write_quarantined
from workbench.cli.options import (
    Json,
    ModelChoice,
    Reading,
    SampleFile,
    StoreFolder,
    TargetFile,
    takes_groups,
)
from workbench.errors import InputError


@app.command()
@takes_groups
def sample(
    corpus: Annotated[str, typer.Argument(help="A file, a folder or a glob; local or a URL.")],
    n: Annotated[int, typer.Option("--n", help="Documents to draw.", min=1)],
    out: Annotated[Path, typer.Option(help="Parquet file to write.")],
    reading: Reading,
    by: Annotated[
        str | None, typer.Option(help='Stratify by "source"; "none" draws over everything.')
    ] = "source",
    seed: Annotated[
        int, typer.Option(help="Same seed, same documents, in whatever order the files are.")
    ] = 0,
    as_json: Json = False,
) -> None:
    """Draw a sample of a corpus that remembers how it was drawn.

    Example: workbench sample corpus/ --n 5000 --by source --seed 0 --out sample.parquet
    """
    from workbench.summary import sample_summary

    progress = progress_shown(as_json=as_json)
    drawn = reading.corpus([corpus]).sample(n, by=None if by == "none" else by, seed=seed, progress=progress)
    drawn.write(out)
    quarantine = write_quarantined(drawn, out.parent / f"{out.stem}.quarantine")
    summary = sample_summary(drawn)
    if as_json:
        print_json({**summary, "out": str(out), "quarantine": str(quarantine) if quarantine else None})
    else:
        rows = {
            s: (v["n_sample"], v["n_corpus"], f"{v['rate']:.4f}") for s, v in summary["by_source"].items()
        }
        print_table(("source", "drawn", "in the corpus", "rate"), rows)
        typer.echo(f"{len(drawn):,} documents written to {out}")
    end(len(drawn.quarantined), quarantine)


@app.command()
@takes_groups
def score(
    sample: SampleFile,
    scores: Annotated[
        str, typer.Option(help="Names of scores with commas between; `workbench methods` lists them.")
    ],
    store: StoreFolder,
    choice: ModelChoice,
    reading: Reading,
    also_lm: Annotated[
        list[str] | None,
        typer.Option(help="A further causal LM to score with in the same call; may be given several times."),
    ] = None,
    target: TargetFile = None,
    seed: Annotated[int, typer.Option(help="For what is fitted on the sample.")] = 0,
    as_json: Json = False,
) -> None:
    """Compute scores of a sample into a store; stopped and run again, it goes on where it was.

    Example: workbench score sample.parquet --scores n_tokens,perplexity,embedding --store store
    """
    from workbench.engine.several import score_with_models
    from workbench.summary import score_summary

    names = [name.strip() for name in scores.split(",") if name.strip()]
    if not names:
        raise InputError("--scores needs at least one name; `workbench methods` lists them all")
    documents, quarantine = read_documents(reading, sample, store)
    progress = progress_shown(as_json=as_json)
    models = [choice.models(), *(replace(choice, lm=lm).models() for lm in also_lm or ())]
    compared = read_target(reading, target, store)
    tables = score_with_models(
        documents, names, models, store=store, seed=seed, progress=progress, target=compared
    )
    summaries, n_quarantined = [score_summary(table) for table in tables], len(documents.quarantined)
    if as_json:
        also = {"also": dict(zip(also_lm, summaries[1:], strict=True))} if also_lm else {}
        print_json(
            {"n_documents": len(documents), "n_quarantined": n_quarantined, "scores": summaries[0], **also}
        )
    else:
        print_scores(summaries[0])
        for lm, summary in zip(also_lm or (), summaries[1:], strict=True):
            typer.echo(f"with {printable(lm)}:")
            print_scores(summary)
        typer.echo(f"stored in {store}")
    end(n_quarantined, quarantine)
