"""Methods side by side: what they keep in common, and what they keep of short and long documents."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from workbench.checks import BoolArray, FloatArray
from workbench.plots.base import inline
from workbench.plots.map import color_by_kept, map_chart, map_data
from workbench.stats.confounds import LengthConfound

_CELL = 44


def overlap_chart(
    names: Sequence[str], overlaps: FloatArray, what: Literal["kept", "dropped"] = "kept"
) -> Any:
    """An altair chart of `workbench.stats.compare.overlaps`: darker where methods agree."""
    import altair as alt

    rows = [
        {"a": a, "b": b, "overlap": None if math.isnan(value) else value, "shown": _percent(value)}
        for i, a in enumerate(names)
        for j, b in enumerate(names)
        for value in [float(overlaps[i, j])]
    ]
    base = alt.Chart(inline(rows)).encode(
        alt.X("b:N", sort=list(names), title=None, axis=alt.Axis(labelAngle=-40)),
        alt.Y("a:N", sort=list(names), title=None),
        tooltip=["a:N", "b:N", alt.Tooltip("shown:N", title="in common")],
    )
    cells = base.mark_rect().encode(
        alt.Color("overlap:Q", scale=alt.Scale(domain=[0, 1], scheme="blues"), legend=None)
    )
    words = base.mark_text(fontSize=11).encode(
        alt.Text("shown:N"),
        color=alt.condition("datum.overlap > 0.6", alt.value("white"), alt.value("black")),
    )
    size = _CELL * len(names)
    return (cells + words).properties(
        width=size, height=size, title=f"{what} by both, of what is {what} by either"
    )


def _percent(value: float) -> str:
    return "–" if math.isnan(value) else f"{value:.0%}"


def length_chart(confounds: Mapping[str, LengthConfound]) -> Any:
    """An altair chart: the share that each method keeps of the shortest tenth of the documents up to the longest.

    A flat line has nothing to do with length.
    """
    import altair as alt

    rows = [
        {"method": name, "tenth": tenth + 1, "kept": share}
        for name, found in confounds.items()
        for tenth, share in enumerate(found.kept_by_decile.tolist())
        if not math.isnan(share)
    ]
    return (
        alt.Chart(inline(rows))
        .mark_line(point=True)
        .encode(
            alt.X("tenth:O", title="documents by length, shortest tenth first", axis=alt.Axis(labelAngle=0)),
            alt.Y("kept:Q", title="share kept", scale=alt.Scale(domain=[0, 1]), axis=alt.Axis(format="%")),
            alt.Color("method:N", title=None, sort=list(confounds)),
            tooltip=["method:N", "tenth:O", alt.Tooltip("kept:Q", format=".1%")],
        )
        .properties(width=380, height=240)
    )


def kept_maps(x: FloatArray, y: FloatArray, keeps: Mapping[str, BoolArray], columns: int = 3) -> Any:
    """An altair chart: the map of the sample once for each method, kept documents strong and dropped ones pale.

    Parameters
    ----------
    x, y
        The map's coordinates, (n,); documents without them aren't shown.
    keeps
        bool (n,) by the name of the method.
    columns
        Maps in a row.
    """
    import altair as alt

    maps = []
    for name, keep in keeps.items():
        coloring = color_by_kept(keep)
        title = f"{name}: {keep.mean():.0%} kept" if len(keep) else name
        maps.append(
            map_chart(map_data(x, y, coloring), coloring, title=title).properties(width=230, height=190)
        )
    return alt.concat(*maps, columns=columns)


def rule_chart(failing: Mapping[str, Mapping[str, float]]) -> Any:
    """An altair chart: which share of each source every rule drops, the darker the more.

    Parameters
    ----------
    failing
        By rule and source, 0..1.
    """
    import altair as alt

    rows = [
        {"rule": rule, "source": source, "share": share, "shown": f"{share:.0%}"}
        for rule, shares in failing.items()
        for source, share in shares.items()
    ]
    base = alt.Chart(inline(rows)).encode(
        alt.X("source:N", title=None, axis=alt.Axis(labelAngle=-40)),
        alt.Y("rule:N", title=None, sort=list(failing)),
        tooltip=["rule:N", "source:N", alt.Tooltip("share:Q", format=".1%", title="dropped")],
    )
    cells = base.mark_rect().encode(
        alt.Color("share:Q", scale=alt.Scale(domain=[0, 1], scheme="oranges"), legend=None)
    )
    words = base.mark_text(fontSize=10).encode(alt.Text("shown:N"))
    n_sources = len({row["source"] for row in rows})
    return (cells + words).properties(
        width=_CELL * n_sources, height=20 * len(failing), title="share dropped"
    )
