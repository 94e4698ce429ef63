"""The map of a sample: where documents lie, and their colours by source, cluster, score or what is kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from workbench.checks import Array, BoolArray, FloatArray, IntArray
from workbench.plots.axis import Axis, bin_codes, bin_edges, fit_axis, short
from workbench.plots.base import inline, plain
from workbench.plots.colors import DROPPED, KEPT, PALETTE, category_colors

# Viridis (Smith and van der Walt 2015), which is even in lightness and colour-blind safe, without its palest end.
_SEQUENCE = (
    "#440154", "#482475", "#414487", "#355f8d", "#2a788e", "#21918c", "#22a884", "#44bf70", "#7ad151", "#bddf26",
)  # fmt: skip
_UNSCORED = "#9a9a9a"
# Documents at either end that mustn't take more than half of the colours.
_OUTLIERS, _STRETCHED = 0.01, 0.5


@dataclass(frozen=True)
class Coloring:
    """A colour for each document.

    Attributes
    ----------
    codes
        Which of `colors` each document has, int64 (n,).
    colors, labels
        One an entry of the legend.
    is_ordered
        Whether the entries are ranges of one score, to be shown as a scale.
    """

    codes: IntArray
    colors: tuple[str, ...]
    labels: tuple[str, ...]
    is_ordered: bool = False

    @property
    def counts(self) -> list[int]:
        """Documents of each entry."""
        return [int(n) for n in np.bincount(self.codes, minlength=len(self.colors))]


def color_by_name(names: Sequence[str] | Array) -> Coloring:
    """A colour a name (source, language), the same in every chart."""
    labels, codes = np.unique(np.asarray(names, dtype=object), return_inverse=True)
    return color_by_code(codes.astype(np.int64), [str(label) for label in labels])


def color_by_code(codes: IntArray, labels: Sequence[str]) -> Coloring:
    """`color_by_name` where it is known already which of the sorted names each document has."""
    colors = category_colors(labels)
    return Coloring(codes, tuple(colors[label] for label in labels), tuple(labels))


def grey_dropped(coloring: Coloring, keep: BoolArray) -> Coloring:
    """The same colours for kept documents; dropped ones are grey, and have an entry of their own."""
    return Coloring(
        np.where(keep, coloring.codes, len(coloring.colors)),
        (*coloring.colors, DROPPED),
        (*coloring.labels, "dropped"),
        coloring.is_ordered,
    )


def color_by_cluster(clusters: FloatArray, names: Mapping[int, str]) -> Coloring:
    """A colour a cluster, the largest first; noise (-1) and documents without a cluster are grey.

    Parameters
    ----------
    clusters
        Cluster codes, (n,).
    names
        Keyword label by code.
    """
    whole = np.where(np.isfinite(clusters), clusters, -1).astype(np.int64)
    present, code_of = np.unique(whole, return_inverse=True)
    inside = [int(code) for code in present if code >= 0]
    colors = [PALETTE[i % len(PALETTE)] for i in range(len(inside))]
    labels = [names.get(code, f"cluster {code}") for code in inside]
    if len(inside) < len(present):
        inside.append(-1)
        colors.append(DROPPED)
        labels.append("noise")
    place = {code: i for i, code in enumerate(inside)}
    entry = np.asarray([place[int(code)] for code in present], dtype=np.int64)
    return Coloring(entry[code_of], tuple(colors), tuple(labels))


def color_by_kept(keep: BoolArray) -> Coloring:
    """Dropped documents pale, kept ones strong."""
    return Coloring(keep.astype(np.int64), (DROPPED, KEPT), ("dropped", "kept"))


def color_by_score(values: FloatArray) -> Coloring:
    """Ten steps over the score's axis, logarithmic where it is heavy-tailed; documents without the score are grey.

    Where a hundredth of the documents at either end takes half of the axis, they share the outermost steps.
    """
    axis, shown = _inner_axis(values)
    if axis is None:
        return Coloring(np.zeros(len(values), dtype=np.int64), (_UNSCORED,), ("not scored",))
    edges = bin_edges(axis, len(_SEQUENCE))
    codes, n = bin_codes(shown, edges), len(edges) - 1
    colors = tuple(_SEQUENCE[round(i * (len(_SEQUENCE) - 1) / max(n - 1, 1))] for i in range(n))
    labels = _step_labels(axis, edges)
    if shown is not values:
        labels = (f"up to {labels[0].split()[-1]}", *labels[1:-1], f"{labels[-1].split()[0]} and more")
    if (codes < n).all():
        return Coloring(codes, colors, labels, is_ordered=True)
    return Coloring(codes, (*colors, _UNSCORED), (*labels, "not scored"), is_ordered=True)


def _step_labels(axis: Axis, edges: FloatArray) -> tuple[str, ...]:
    """What each step holds; of whole numbers the first and the last one."""
    if not axis.is_integral:
        ends = [short(axis.snap(edge)) for edge in edges.tolist()]
        return tuple(f"{low} to {high}" for low, high in pairwise(ends))
    first = np.ceil(edges[:-1]) + 0.0  # no minus zero
    last = np.r_[first[1:] - 1, np.floor(axis.high)]
    return tuple(
        short(a) if a == b else f"{short(a)} to {short(b)}" for a, b in zip(first, last, strict=True)
    )


def _inner_axis(values: FloatArray) -> tuple[Axis | None, FloatArray]:
    """An axis that a few outliers don't stretch, and the values held to it; the very values where there are none."""
    axis, finite = fit_axis(values), values[np.isfinite(values)]
    if axis is None:
        return None, values
    ends = np.quantile(finite, (_OUTLIERS, 1 - _OUTLIERS))
    if np.ptp(axis.positions(ends)) > _STRETCHED or ends[0] == ends[1]:
        return axis, values
    held = np.where(np.isfinite(values), np.clip(values, *ends), np.nan)
    return fit_axis(held), held


def map_data(x: FloatArray, y: FloatArray, coloring: Coloring) -> dict[str, list[Any]]:
    """The documents that have a place, as columns x, y and group."""
    placed = np.flatnonzero(np.isfinite(x) & np.isfinite(y))
    return {
        "x": np.asarray(x, dtype=np.float64)[placed].tolist(),
        "y": np.asarray(y, dtype=np.float64)[placed].tolist(),
        "group": [coloring.labels[code] for code in coloring.codes[placed]],
    }


def map_chart(data: Mapping[str, list[Any]], coloring: Coloring, title: str = "") -> Any:
    """An altair chart of `map_data`; axes carry no numbers, since distances between far groups mean nothing."""
    import altair as alt

    rows = [
        {"x": x, "y": y, "group": plain(group)}
        for x, y, group in zip(*(data[k] for k in ("x", "y", "group")), strict=True)
    ]
    blank = alt.Axis(labels=False, ticks=False, title=None, grid=False)
    return (
        alt.Chart(inline(rows), title=plain(title))
        .mark_circle(size=14, opacity=0.6)
        .encode(
            alt.X("x:Q", axis=blank, scale=alt.Scale(zero=False)),
            alt.Y("y:Q", axis=blank, scale=alt.Scale(zero=False)),
            alt.Color(
                "group:N",
                scale=alt.Scale(
                    domain=[plain(label) for label in coloring.labels], range=list(coloring.colors)
                ),
                title=None,
            ),
        )
        .properties(width=520, height=420)
    )
