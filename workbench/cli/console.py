"""What the commands print: tables, counts, JSON. Text from a corpus stays text: no markup, no control character."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
import typer

if TYPE_CHECKING:
    from workbench.progress import Progress

QUARANTINED = 3
"""Exit code: done, but some rows could not be read."""

VERIFICATION_FAILED = 4

AMOUNTS = ("n_documents", "n_tokens", "n_bytes")


def print_json(value: object) -> None:
    """Print one JSON value, in ASCII, which any locale can take; what isn't finite becomes null."""
    typer.echo(json.dumps(orjson.loads(orjson.dumps(value)), indent=2))


def progress_shown(*, as_json: bool) -> Progress:
    """Bars on a terminal, nothing elsewhere."""
    from workbench.progress import Silent, Terminal

    return Terminal() if sys.stderr.isatty() and not as_json else Silent()


def end(n_quarantined: int, where: Path | None) -> None:
    """Name what was quarantined, and leave with the exit code for it."""
    if n_quarantined:
        place = f"; see {where}" if where else ""
        typer.echo(f"{n_quarantined:,} rows could not be used{place}", err=True)
        raise typer.Exit(QUARANTINED)


def printable(text: str) -> str:
    """Without control characters, which a terminal would obey."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)


def print_table(
    head: tuple[str, ...],
    rows: Mapping[str, tuple[object, ...]] | Sequence[tuple[object, ...]],
    *,
    of_words: bool = False,
) -> None:
    """Print a table; numbers get separators and stand right, and where it is too wide the names are folded.

    A mapping's keys are the first column. One of words stands left, and what is folded is all but its names.
    """
    from rich.console import Console
    from rich.table import Table as RichTable
    from rich.text import Text

    table = RichTable(box=None, pad_edge=False)
    for i, title in enumerate(head):
        if of_words:
            table.add_column(title, overflow="fold", no_wrap=i == 0)
        else:
            table.add_column(title, justify="right" if i else "left", overflow="fold", no_wrap=i > 0)
    for row in [(name, *cells) for name, cells in rows.items()] if isinstance(rows, Mapping) else rows:
        table.add_row(*(Text(printable(_cell(cell))) for cell in row))
    # Into a file or a pipe nothing is folded.
    Console(markup=False, highlight=False, width=None if sys.stdout.isatty() else 10_000).print(table)


def _cell(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, int):
        return f"{value:,}"
    return "" if value is None else str(value)


def print_scores(summary: Mapping[str, Any]) -> None:
    """Print quantiles of each score, or of a categorical one the commonest labels."""
    rows = {
        name: (s["n_documents"], *(f"{label} {count:,}" for label, count in [*s["labels"].items()][:3]))
        if "labels" in s
        else tuple(s.get(key) for key in ("n_documents", "p05", "p50", "p95"))
        for name, s in summary.items()
    }
    print_table(("score", "documents", "5 %", "median", "95 %"), rows)


def print_selection(summary: Mapping[str, Any]) -> None:
    """Print what is kept in all and per source, what each step drops, and what the corpus will keep."""
    rows = {"all": summary["all"], **summary["by_source"]}
    print_table(
        ("kept", *(name[2:] for name in AMOUNTS)),
        {n: tuple(f"{r['kept'][a]:,} of {r['total'][a]:,}" for a in AMOUNTS) for n, r in rows.items()},
    )
    steps = {
        f"{i} {s['select']}": (s["n_documents"], s["n_tokens"]) for i, s in enumerate(summary["by_step"], 1)
    }
    print_table(("step", "documents dropped", "tokens dropped"), steps)
    corpus = summary["corpus"]
    typer.echo(f"of the corpus: {expected(corpus['basis'], corpus['kept']['n_documents'])}")


def expected(basis: str, e: Mapping[str, float]) -> str:
    """An expectation in words; of a corpus with copies only its upper bound says something."""
    if basis == "exact":
        return f"{e['value']:,.0f} documents"
    if basis == "upper_bound":
        return f"at most {e['high']:,.0f} documents, fewer by the copies that the sample doesn't show"
    return f"{e['low']:,.0f} to {e['high']:,.0f} documents (95 % interval)"
