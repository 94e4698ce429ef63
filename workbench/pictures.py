"""The plots of a selection as files: SVG or PNG, drawn without a browser or a network."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from workbench.engine.export import thresholds
from workbench.engine.select import Outcome
from workbench.engine.table import Table
from workbench.files import written_aside
from workbench.plots.composition import composition, composition_chart
from workbench.plots.distribution import distribution, distribution_chart
from workbench.plots.map import color_by_kept, map_chart, map_data
from workbench.scores import SCORES

Kind = Literal["svg", "png"]
KINDS: tuple[Kind, ...] = ("svg", "png")
_PNG_SCALE = 2  # 144 dots an inch, sharp on paper and on a dense screen


def write_pictures(folder: Path, table: Table, outcome: Outcome, kind: Kind = "svg") -> list[Path]:
    """Write each plot into `folder`: the sources' shares, a histogram for each score with a threshold, the map if it is
    scored.

    The names are `sources`, `histogram_<score>` and `map`; files of these names are replaced.

    Raises
    ------
    StoreError
        If a file can't be written.
    """
    written = []
    for name, chart in _charts(table, outcome).items():
        path = folder / f"{name}.{kind}"
        with written_aside(path) as aside:
            chart.save(str(aside), format=kind, **({"scale_factor": _PNG_SCALE} if kind == "png" else {}))
        written.append(path)
    return written


def _charts(table: Table, outcome: Outcome) -> dict[str, Any]:
    """An altair chart by name."""
    charts = {"sources": composition_chart(composition(table.sample.sources, outcome.keep, table.weights))}
    for score, bands in thresholds(outcome.fitted.recipe).items():
        data = distribution(score, table.scores[score], outcome.keep)
        if data is not None:
            ends = [end for band in bands for end in band if end is not None]
            charts[f"histogram_{score}"] = distribution_chart(data, ends, SCORES[score].unit)
    if "map_x" in table.scores and "map_y" in table.scores:
        coloring = color_by_kept(outcome.keep)
        charts["map"] = map_chart(map_data(table.scores["map_x"], table.scores["map_y"], coloring), coloring)
    return charts
