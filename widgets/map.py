"""The Map tab: jupyter-scatter over the sample's map, and beside it colours, legend and what is lassoed."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

import ipywidgets
import numpy as np

from widgets import messages
from widgets.state import BenchState, Change
from widgets.view import Report, View, script, style
from workbench.checks import Array, IntArray
from workbench.plots.map import Coloring, color_by_cluster, color_by_kept, color_by_name, color_by_score
from workbench.scores import SCORES

_NEEDS = ("map_x", "map_y", "cluster")
_HEIGHT = 560
_LATE_CLICK_S = 0.7


class MapPanel(View):
    """What stands beside the map: colours, legend, lasso."""

    _esm = script("map")
    _css = style("map")


class Map(ipywidgets.HBox):  # type: ignore[misc]  # ipywidgets ships no types
    """The map and its panel. The scatter plot is made when the tab is first shown, since its module has 2 MB.

    Parameters
    ----------
    bench
        The shared state.
    show
        Called when the lassoed documents are to be listed.
    compute
        Called with the scores that the map needs.
    """

    def __init__(
        self,
        bench: BenchState,
        report: Report,
        *,
        show: Callable[[], None],
        compute: Callable[[tuple[str, ...]], None],
    ) -> None:
        self._bench = bench
        self._by = "source"
        self._background: tuple[float, ...] = (1.0, 1.0, 1.0)
        self._mode = "panZoom"
        self.is_shown = False
        self._scatter: Any = None
        self._placed: IntArray = np.zeros(0, dtype=np.int64)
        self._drawn: Array | None = None
        self._coloring: Coloring | None = None
        self._names: tuple[Array | None, dict[int, str]] = (None, {})
        self._lassoed_at = float("-inf")
        handlers = {
            "color": self._color,
            "pick": self._pick,
            "mode": self._set_mode,
            "theme": self._theme,
            "clear": lambda content: self._select(np.zeros(0, dtype=np.int64)),
            "show": lambda content: show(),
            "compute": lambda content: compute(_NEEDS),
        }
        self._panel = MapPanel(handlers, report)
        self._box = ipywidgets.VBox([])
        self._box.add_class("wb-map-plot")
        super().__init__([self._box, self._panel])
        self.add_class("wb-map-row")
        bench.listen(self._changed)

    def _changed(self, change: Change) -> None:
        if change == "table":
            self._coloring = None
        if change != "selection" and self._by == "kept":
            self._coloring = None
        self.refresh()

    # ---- messages ------------------------------------------------------------------------------------------

    def _color(self, content: Mapping[str, object]) -> None:
        self._by = messages.known(content, "by", [value for value, _ in self._choices()])
        self._coloring = None
        self.refresh()

    def _pick(self, content: Mapping[str, object]) -> None:
        coloring = self._colored()
        index = messages.integer(content, "index", 0, len(coloring.labels) - 1)
        self._select(np.flatnonzero(coloring.codes == index))

    def _set_mode(self, content: Mapping[str, object]) -> None:
        self._mode = messages.known(content, "mode", ("panZoom", "lasso"))
        if self._scatter is not None:
            self._scatter.mouse(mode=self._mode)
        self.refresh()

    def _theme(self, content: Mapping[str, object]) -> None:
        """Take the page's background, so that the plot doesn't stand out from it in a dark theme."""
        self._background = tuple(
            messages.integer(content, name, 0, 255) / 255 for name in ("red", "green", "blue")
        )
        if self._scatter is not None:
            # The trait and not jscatter's own method, which would bring its legend and axes back.
            self._scatter.widget.background_color = [*self._background, 1.0]

    def _lassoed(self, change: Mapping[str, Any]) -> None:
        """Take the page's selection: row numbers of points, which may be anything that a visitor sends."""
        points = np.asarray([] if change["new"] is None else change["new"]).ravel()
        now = time.monotonic()
        # A late click event of the same pointer would replace the lasso by one point.
        if len(points) == 1 and now - self._lassoed_at < _LATE_CLICK_S:
            return
        self._lassoed_at = now
        if points.dtype.kind not in "ui":
            points = np.zeros(0, dtype=np.int64)
        points = points[points < len(self._placed)].astype(np.int64)
        self._bench.select_rows(self._placed[points[points >= 0]])

    def _select(self, rows: IntArray) -> None:
        self._bench.select_rows(rows)
        if self._scatter is not None:
            self._lassoed_at = time.monotonic()
            points = np.flatnonzero(np.isin(self._placed, rows))
            self._scatter.selection(points if len(points) else None)

    # ---- what is shown -------------------------------------------------------------------------------------

    def refresh(self) -> None:
        """Show the state as it is; while the tab is hidden nothing is sent."""
        bench = self._bench
        if not self.is_shown:
            return
        if bench.table is None:
            self._panel.show({"hint": "Load documents on the Load tab first.", "canCompute": False})
            return
        if any(name not in bench.table.scores for name in _NEEDS[:2]):
            self._box.children = []
            hint = "The map is not computed yet. It takes the embeddings of all documents, then UMAP and clusters."
            self._panel.show({"hint": hint, "canCompute": True})
            return
        self._draw()
        self._panel.show(self._panel_state())

    def _draw(self) -> None:
        x, y = (self._bench.loaded.scores[name] for name in _NEEDS[:2])
        if self._drawn is not x:
            self._drawn = x
            self._placed = np.flatnonzero(np.isfinite(x) & np.isfinite(y))
            self._coloring = None
            self._scatter = None
        is_new = self._coloring is None
        coloring = self._colored()
        if self._scatter is None:
            self._scatter = _make_scatter(x[self._placed], y[self._placed], self._background)
            self._scatter.color(by=self._categories(coloring), map=list(coloring.colors))
            self._scatter.mouse(mode=self._mode)
            self._scatter.widget.observe(self._lassoed, "selection")
            self._box.children = [self._scatter.widget]
        elif is_new:
            self._scatter.color(by=self._categories(coloring), map=list(coloring.colors))
        if not self._box.children:
            self._box.children = [self._scatter.widget]

    def _categories(self, coloring: Coloring) -> Any:
        import pandas as pd

        return pd.Categorical.from_codes(coloring.codes[self._placed], categories=range(len(coloring.colors)))

    def _choices(self) -> list[tuple[str, str]]:
        table = self._bench.loaded
        scores = [name for name in SCORES if name in table.scores and not SCORES[name].vector]
        scores = [name for name in scores if name not in _NEEDS]
        cluster = [("cluster", "cluster")] if "cluster" in table.scores else []
        return [
            ("source", "source"),
            *cluster,
            ("kept", "kept / dropped"),
            *((name, name) for name in scores),
        ]

    def _colored(self) -> Coloring:
        if self._coloring is None:
            self._coloring = self._color_by(self._by)
        return self._coloring

    def _color_by(self, by: str) -> Coloring:
        table = self._bench.loaded
        if by == "kept":
            return color_by_kept(self._bench.keep)
        if by == "cluster" and "cluster" in table.scores:
            return color_by_cluster(table.scores["cluster"], self._keywords(table.scores["cluster"]))
        if by in table.scores:
            values, labels = table.scores[by], SCORES[by].labels
            return (
                color_by_name([labels[int(v)] if np.isfinite(v) else "none" for v in values])
                if labels
                else color_by_score(values)
            )
        self._by = "source"
        return color_by_name(table.sample.sources)

    def _keywords(self, clusters: Array) -> dict[int, str]:
        from workbench.scores.keywords import keyword_labels

        if self._names[0] is not clusters:
            self._names = (clusters, keyword_labels(self._bench.loaded.sample.texts, clusters))
        return self._names[1]

    def _panel_state(self) -> dict[str, Any]:
        bench, coloring, selection = self._bench, self._colored(), self._bench.selection
        tokens = bench.groups.tokens
        legend = zip(coloring.labels, coloring.colors, coloring.counts, strict=True)
        return {
            "hint": "",
            "canCompute": False,
            "choices": [list(choice) for choice in self._choices()],
            "by": self._by,
            "mode": self._mode,
            "legend": [[label, color, count] for label, color, count in legend],
            "unplaced": len(bench.loaded) - len(self._placed),
            "selected": len(selection),
            "selectedKept": int(bench.keep[selection].sum()),
            "selectedTokens": None if tokens is None else int(tokens[selection].sum()),
        }


def _make_scatter(x: Array, y: Array, background: tuple[float, ...]) -> Any:
    import jscatter
    import pandas as pd

    frame = pd.DataFrame({"x": x.astype(np.float32), "y": y.astype(np.float32)})
    # Opacity is given here since a later call would leave it set by density; what isn't lassoed stays in sight.
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
        opacity_unselected=0.35,
        color_selected="#000000",
        background_color=background,
    )
