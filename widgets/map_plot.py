"""The map's plot: jupyter-scatter over the documents that have a place, and the lassos that come from its page."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import ipywidgets
import numpy as np

from workbench.checks import Array, IntArray
from workbench.plots.map import Coloring

_HEIGHT = 560
_LATE_CLICK_S = 0.7


class MapPlot(ipywidgets.VBox):  # type: ignore[misc]  # ipywidgets ships no types
    """The plot. It is made when it is first drawn, since its module has 2 MB.

    Parameters
    ----------
    clicked
        Called with the row of a point that was clicked on.
    lassoed
        Called with the rows that a person drew around, int64.

    Attributes
    ----------
    placed
        Rows of the sample that have a place on the map, int64.
    """

    children: Any

    def __init__(self, clicked: Callable[[int], None], lassoed: Callable[[IntArray], None]) -> None:
        self.placed: IntArray = np.zeros(0, dtype=np.int64)
        self._tell_click = clicked
        self._tell_lasso = lassoed
        self._background: tuple[float, ...] = (1.0, 1.0, 1.0)
        self._mode = "panZoom"
        self._scatter: Any = None
        self._drawn: Array | None = None
        self._painted: Coloring | None = None
        self._n = 0
        self._lassoed_at = float("-inf")
        self._is_own = False
        super().__init__([])
        self.add_class("wb-map-plot")

    def draw(self, x: Array, y: Array, coloring: Coloring, selection: IntArray) -> None:
        """Show the documents at (x, y), NaN where one has no place, in these colours."""
        if self._drawn is not x:
            self._drawn, self._n = x, len(x)
            self.placed = np.flatnonzero(np.isfinite(x) & np.isfinite(y))
            self._scatter = None
        if self._scatter is None:
            self._scatter = _make_scatter(x[self.placed], y[self.placed], self._background)
            self._painted = None
        if coloring is not self._painted:
            self._painted = coloring
            self._paint(coloring)
        if self.children != (self._scatter.widget,):
            self._scatter.mouse(mode=self._mode)
            self._scatter.widget.observe(self._lassoed, "selection")
            self.children = [self._scatter.widget]
            self.mark(selection)

    def clear(self) -> None:
        """Show nothing."""
        self.children = []

    def set_mode(self, mode: str) -> None:
        """What the pointer does: "panZoom" or "lasso"."""
        self._mode = mode
        if self._scatter is not None:
            self._scatter.mouse(mode=mode)

    def set_background(self, color: tuple[float, ...]) -> None:
        """Take the page's background, each part in 0..1, so that the plot doesn't stand out in a dark theme."""
        self._background = color
        if self._scatter is not None:
            # The traits and not jscatter's own method, which would bring its legend and axes back.
            self._scatter.widget.background_color = [*color, 1.0]
            self._scatter.widget.opacity_unselected = _faint(color)

    def mark(self, rows: IntArray, *, is_new: bool = False) -> None:
        """Show which documents are chosen; `is_new`: just now, so that a click which comes late isn't one."""
        if is_new:
            self._lassoed_at = time.monotonic()
        if self._scatter is None:
            return
        chosen = np.zeros(self._n, dtype=bool)
        chosen[rows] = True
        points = np.flatnonzero(chosen[self.placed])
        with self._own():
            self._scatter.selection(points if len(points) else None)

    def _lassoed(self, change: Mapping[str, Any]) -> None:
        """Take the page's selection: row numbers of points, which may be anything that a visitor sends."""
        if self._is_own:
            return
        points = np.asarray([] if change["new"] is None else change["new"]).ravel()
        now = time.monotonic()
        # A late click event of the same pointer would replace the lasso by one point.
        if len(points) == 1 and now - self._lassoed_at < _LATE_CLICK_S:
            return
        if points.dtype.kind not in "ui":
            points = np.zeros(0, dtype=np.int64)
        points = points[points < len(self.placed)].astype(np.int64)
        rows = self.placed[points[points >= 0]]
        if self._mode == "panZoom" and len(rows) == 1:
            self._tell_click(int(rows[0]))
            return
        self._lassoed_at = now
        self._tell_lasso(rows)

    @contextmanager
    def _own(self) -> Iterator[None]:
        """What the plot is told here isn't taken for a lasso."""
        self._is_own = True
        try:
            yield
        finally:
            self._is_own = False

    def _paint(self, coloring: Coloring) -> None:
        """Colour the points. jscatter numbers the categories that some point has, so only those are given."""
        import pandas as pd

        codes = coloring.codes[self.placed]
        present = np.flatnonzero(np.bincount(codes, minlength=len(coloring.colors)))
        place = np.zeros(len(coloring.colors), dtype=np.int64)
        place[present] = np.arange(len(present))
        by = pd.Categorical.from_codes(place[codes], categories=range(len(present)))
        self._scatter.color(by=by, map=[coloring.colors[i] for i in present])


def _faint(background: tuple[float, ...]) -> float:
    """The opacity of what isn't chosen; on a dark page dark colours are lost sooner."""
    return 0.35 if sum(background) > 1.5 else 0.6


def _make_scatter(x: Array, y: Array, background: tuple[float, ...]) -> Any:
    import jscatter
    import pandas as pd

    frame = pd.DataFrame({"x": x.astype(np.float32), "y": y.astype(np.float32)})
    # Opacity is given here since a later call would leave it set by density.
    return jscatter.Scatter(
        data=frame,
        x="x",
        y="y",
        height=_HEIGHT,
        axes=False,
        legend=False,
        tooltip=False,
        size=4,
        opacity=0.8,
        opacity_by=None,
        opacity_unselected=_faint(background),
        color_selected="#000000",
        background_color=background,
    )
