"""The distribution of a score, kept documents drawn over all of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from workbench.checks import BoolArray, FloatArray
from workbench.plots.axis import N_BINS, Axis, bin_codes, bin_edges, fit_axis, ticks
from workbench.plots.base import inline
from workbench.plots.colors import DROPPED, KEPT


@dataclass(frozen=True)
class Distribution:
    """The histogram of one score.

    Attributes
    ----------
    edges
        (k + 1,), in the score's unit.
    counts, kept
        All documents and the kept ones in each bin, (k,).
    n_unscored
        Documents that have no such score.
    """

    score: str
    axis: Axis
    edges: tuple[float, ...]
    counts: tuple[int, ...]
    kept: tuple[int, ...]
    n_unscored: int

    def rows(self) -> list[dict[str, float]]:
        """One row a bin, for a table or a chart."""
        bins = zip(self.edges[:-1], self.edges[1:], self.counts, self.kept, strict=True)
        return [{"low": low, "high": high, "documents": n, "kept": kept} for low, high, n, kept in bins]


def distribution(
    score: str, values: FloatArray, keep: BoolArray | None = None, n_bins: int = N_BINS
) -> Distribution | None:
    """Bin a score.

    Parameters
    ----------
    score
        Its name.
    values
        (n,); NaN where a document has none.
    keep
        bool (n,); None for all.

    Returns
    -------
    Distribution or None
        None if no document has the score.
    """
    axis = fit_axis(values)
    if axis is None:
        return None
    edges = bin_edges(axis, n_bins)
    codes = bin_codes(values, edges)
    counts = np.bincount(codes, minlength=len(edges))
    kept = counts if keep is None else np.bincount(codes[keep], minlength=len(edges))
    return Distribution(
        score,
        axis,
        tuple(edges.tolist()),
        tuple(counts[:-1].tolist()),
        tuple(kept[:-1].tolist()),
        int(counts[-1]),
    )


def distribution_chart(data: Distribution, thresholds: Sequence[float] = (), unit: str = "") -> Any:
    """An altair chart of a distribution, with a rule at each threshold.

    The bins are drawn on the axis' own places, 0..1, and labelled with its ticks: a log axis of the chart library
    couldn't show log(1 + x).
    """
    import altair as alt

    axis = data.axis
    bars = [
        {
            "x": axis.position(row["low"]),
            "x2": axis.position(row["high"]),
            "y": row[key],
            "y0": 0,
            "what": what,
        }
        for key, what in (("documents", "dropped"), ("kept", "kept"))
        for row in data.rows()
    ]
    marks = [(place, text) for place, text in ticks(axis)]
    # Vega's own expression language: the labels are numbers that we formatted, never text of a corpus.
    labels = " : ".join(f"abs(datum.value - {place!r}) < 1e-9 ? '{text}'" for place, text in marks) + " : ''"
    scale = alt.Axis(values=[place for place, _ in marks], labelExpr=labels, grid=False)
    title = f"{data.score} ({unit})" if unit else data.score
    base = (
        alt.Chart(inline(bars))
        .mark_bar()
        .encode(
            alt.X("x:Q", axis=scale, scale=alt.Scale(domain=[0, 1]), title=title),
            alt.X2("x2:Q"),
            alt.Y("y:Q", title="documents"),
            alt.Y2("y0:Q"),
            alt.Color(
                "what:N",
                scale=alt.Scale(domain=["kept", "dropped"], range=[KEPT, DROPPED]),
                title=None,
                # Where nothing is dropped there is nothing to tell apart.
                legend=alt.Undefined if data.kept != data.counts else None,
            ),
        )
    )
    rules = (
        alt.Chart(inline([{"x": axis.position(value)} for value in thresholds]))
        .mark_rule()
        .encode(alt.X("x:Q"))
    )
    return alt.layer(base, rules).properties(width=420, height=180)
