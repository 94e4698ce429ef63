"""What the Export tab writes, and whether something else is at that place already; no widget is needed for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from workbench.engine.export import expectations, export, used_scores
from workbench.engine.select import fit, select
from workbench.engine.table import Table
from workbench.errors import InputError
from workbench.files import written_aside
from workbench.recipe.compile import to_polars, to_sql, write_ids
from workbench.recipe.manifest import other_manifest
from workbench.recipe.model import Recipe

Evidence = Sequence[Mapping[str, Any]]
Write = Callable[[Path, Table, Recipe, Evidence], str]
"""Writes to a path what a recipe does to a table that has the scores for it; returns a sentence. Only a manifest and
a report hold evidence."""


@dataclass(frozen=True)
class Output:
    """One thing that can be written.

    Attributes
    ----------
    title
        For people.
    name
        Suggested at first.
    endings
        How the path must end. They are an export's own, so that none can take the place of a corpus or a notebook, and
        none can be imported in the place of a Python module.
    needs
        The scores that it takes.
    """

    title: str
    name: str
    endings: tuple[str, ...]
    needs: Callable[[Recipe], tuple[str, ...]]
    write: Write

    def check(self, path: str) -> None:
        """Raise InputError if the path ends otherwise."""
        if self.endings and not path.lower().endswith(self.endings):
            raise InputError(
                f"{self.title} ends in {' or '.join(self.endings)}, got {Path(path).name!r}; let the name end so"
            )


def _manifest(path: Path, table: Table, recipe: Recipe, evidence: Evidence) -> str:
    return f"The manifest was written to {export(table, recipe, path, evidence)}"


def _ids(path: Path, table: Table, recipe: Recipe, _: Evidence) -> str:
    outcome = select(recipe, table)
    n = write_ids(path, table.sample.doc_ids, table.sample.sources, outcome.weight, outcome.keep)
    return f"{n:,} ids of the sample's kept documents were written to {path}"


def _code(compiled: Callable[[Recipe], str]) -> Write:
    def write(path: Path, table: Table, recipe: Recipe, _: Evidence) -> str:
        with written_aside(path) as aside:
            aside.write_text(compiled(fit(recipe, table).recipe), encoding="utf-8")
        return f"Written to {path}"

    return write


def _report(path: Path, table: Table, recipe: Recipe, evidence: Evidence) -> str:
    # It reaches for altair, and a bench that never writes a report needn't wait for it.
    from workbench.report import write_report

    outcome = select(recipe, table)
    expected = expectations(table, outcome)
    written = write_report(path, table, outcome, expected=expected, evidence=evidence)
    return f"The report was written to {written}"


def _plots(kind: Any) -> Write:
    def write(path: Path, table: Table, recipe: Recipe, _: Evidence) -> str:
        from workbench.pictures import write_pictures

        written = write_pictures(path, table, select(recipe, table), kind)
        return f"{', '.join(p.name for p in written)} were written to {path}"

    return write


def _read(recipe: Recipe) -> tuple[str, ...]:
    return recipe.score_needs


OUTPUTS: dict[str, Output] = {
    "manifest": Output("manifest folder", "selection.manifest", (), used_scores, _manifest),
    "ids": Output("kept ids", "selection.ids.parquet", (".ids.parquet", ".ids.csv", ".ids.txt"), _read, _ids),
    "polars": Output("polars expression", "selection.polars.py", (".polars.py",), _read, _code(to_polars)),
    "sql": Output("DuckDB SQL", "selection.sql", (".sql",), _read, _code(to_sql)),
    "report": Output("report", "selection.report.html", (".report.html",), used_scores, _report),
    "svg": Output("plots, SVG", "selection.svg.plots", (".plots",), _read, _plots("svg")),
    "png": Output("plots, PNG", "selection.png.plots", (".plots",), _read, _plots("png")),
}


def at_stake(kind: str, path: Path, recipe: Recipe) -> str:
    """What writing would replace, in a sentence; "" if nothing, or only a manifest of the very same recipe.

    Parameters
    ----------
    recipe
        With its quantiles resolved.
    """
    if not path.exists():
        return ""
    if kind != "manifest":
        when = datetime.fromtimestamp(path.stat().st_mtime, UTC)
        return f"{path.name} is there already, written {when:%Y-%m-%d %H:%M} UTC"
    return other_manifest(path, recipe)
