"""The Map tab: jupyter-scatter over the sample's map, and beside it colours, legend and what is lassoed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Literal, cast

import ipywidgets
import numpy as np

from widgets import messages
from widgets.map_colors import MapColors
from widgets.rules import RuleMaker
from widgets.state import BenchState, Change
from widgets.view import Report, View, script, style
from workbench.checks import Array, IntArray
from workbench.plots.map import Coloring

_NEEDS = ("map_x", "map_y", "cluster")
_HEIGHT = 560
_LATE_CLICK_S = 0.7
_CARD_CHARS = 700

Combine = Literal["replace", "add", "subtract"]


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
    read
        Called with the row of a document that is to be read in full.
    compute
        Called with the scores that the map needs.
    """

    def __init__(
        self,
        bench: BenchState,
        report: Report,
        *,
        show: Callable[[], None],
        read: Callable[[int], None],
        compute: Callable[[tuple[str, ...]], None],
    ) -> None:
        self._bench = bench
        self._colors = MapColors(bench)
        self._background: tuple[float, ...] = (1.0, 1.0, 1.0)
        self._mode = "panZoom"
        self._combine: Combine = "replace"
        self._clicked: int | None = None
        self._rules = RuleMaker(bench)
        self.is_shown = False
        self._scatter: Any = None
        self._placed: IntArray = np.zeros(0, dtype=np.int64)
        self._drawn: Array | None = None
        self._painted: Coloring | None = None
        self._lassoed_at = float("-inf")
        self._is_own = False
        handlers = {
            "color": self._color,
            "pick": self._pick,
            "mode": self._set_mode,
            "theme": self._theme,
            "combine": self._set_combine,
            "grey": self._set_grey,
            "clear": lambda content: self._select(np.zeros(0, dtype=np.int64)),
            "show": lambda content: show(),
            "read": lambda content: read(messages.integer(content, "row", 0, len(bench.loaded) - 1)),
            "close": lambda content: self._look_at(None),
            "rule": lambda content: self._after(self._rules.set, content),
            "try": lambda content: self._after(self._rules.try_out, content),
            "add": lambda content: self._after(self._rules.add, content),
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
            self._clicked = None
        if change != "selection":
            self._colors.changed(change)
        self.refresh()

    # ---- messages ------------------------------------------------------------------------------------------

    def _color(self, content: Mapping[str, object]) -> None:
        self._colors.choose(messages.known(content, "by", [value for value, _ in self._colors.choices()]))
        self._bench.touch("work")

    def _set_combine(self, content: Mapping[str, object]) -> None:
        self._combine = cast(Combine, messages.known(content, "how", ("replace", "add", "subtract")))
        self.refresh()

    def _set_grey(self, content: Mapping[str, object]) -> None:
        self._colors.grey_dropped(messages.flag(content, "on"))
        self._bench.touch("work")

    def _after(self, act: Callable[[Mapping[str, object]], None], content: Mapping[str, object]) -> None:
        try:
            act(content)
        finally:
            self.refresh()

    def _look_at(self, row: int | None) -> None:
        self._clicked = row
        self.refresh()

    def _pick(self, content: Mapping[str, object]) -> None:
        coloring = self._colors.coloring
        index = messages.integer(content, "index", 0, len(coloring.labels) - 1)
        self._rules.suggest(coloring.labels[index])
        self._select(combined(self._bench.selection, np.flatnonzero(coloring.codes == index), self._combine))

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
        if self._is_own:
            return
        points = np.asarray([] if change["new"] is None else change["new"]).ravel()
        now = time.monotonic()
        # A late click event of the same pointer would replace the lasso by one point.
        if len(points) == 1 and now - self._lassoed_at < _LATE_CLICK_S:
            return
        if points.dtype.kind not in "ui":
            points = np.zeros(0, dtype=np.int64)
        points = points[points < len(self._placed)].astype(np.int64)
        rows = self._placed[points[points >= 0]]
        if self._mode == "panZoom" and len(rows) == 1:
            # A click: the document is shown, and what is chosen stays.
            self._mark(self._bench.selection)
            self._look_at(int(rows[0]))
            return
        self._lassoed_at = now
        chosen = combined(self._bench.selection, rows, self._combine)
        if self._combine != "replace":
            self._mark(chosen)
        self._bench.select_rows(chosen)

    def _select(self, rows: IntArray) -> None:
        self._lassoed_at = time.monotonic()
        self._mark(rows)
        self._bench.select_rows(rows)

    def _mark(self, rows: IntArray) -> None:
        """Show on the map which documents are chosen."""
        if self._scatter is None:
            return
        chosen = np.zeros(len(self._bench.loaded), dtype=bool)
        chosen[rows] = True
        points = np.flatnonzero(chosen[self._placed])
        with self._own():
            self._scatter.selection(points if len(points) else None)

    @contextmanager
    def _own(self) -> Iterator[None]:
        """What the plot is told here isn't taken for a lasso."""
        self._is_own = True
        try:
            yield
        finally:
            self._is_own = False

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
            self._scatter = None
        coloring = self._colors.coloring
        if self._scatter is None:
            self._scatter = _make_scatter(x[self._placed], y[self._placed], self._background)
            self._painted = None
        if coloring is not self._painted:
            self._painted = coloring
            self._paint(coloring)
        if self._box.children != (self._scatter.widget,):
            self._scatter.mouse(mode=self._mode)
            self._scatter.widget.observe(self._lassoed, "selection")
            self._box.children = [self._scatter.widget]
            self._mark(self._bench.selection)

    def _paint(self, coloring: Coloring) -> None:
        """Colour the points. jscatter numbers the categories that some point has, so only those are given."""
        import pandas as pd

        codes = coloring.codes[self._placed]
        present = np.flatnonzero(np.bincount(codes, minlength=len(coloring.colors)))
        place = np.zeros(len(coloring.colors), dtype=np.int64)
        place[present] = np.arange(len(present))
        by = pd.Categorical.from_codes(place[codes], categories=range(len(present)))
        self._scatter.color(by=by, map=[coloring.colors[i] for i in present])

    def _panel_state(self) -> dict[str, Any]:
        bench, coloring, selection = self._bench, self._colors.coloring, self._bench.selection
        tokens = bench.groups.tokens
        legend = zip(coloring.labels, coloring.colors, coloring.counts, strict=True)
        return {
            "hint": "",
            "canCompute": False,
            "choices": [list(choice) for choice in self._colors.choices()],
            "by": self._colors.by,
            "mode": self._mode,
            "combine": self._combine,
            "grey": self._colors.is_grey,
            "rule": self._rules.to_json(),
            "card": None if self._clicked is None else self._card(self._clicked),
            "legend": [[label, color, count] for label, color, count in legend],
            "unplaced": len(bench.loaded) - len(self._placed),
            "selected": len(selection),
            "selectedKept": int(bench.keep[selection].sum()),
            "selectedTokens": None if tokens is None else int(tokens[selection].sum()),
        }

    def _card(self, row: int) -> dict[str, Any]:
        """The document that was clicked: its beginning, and why it was dropped if it was."""
        bench, sample = self._bench, self._bench.loaded.sample
        text, is_kept = sample.texts[row], bool(bench.keep[row])
        return {
            "row": row,
            "id": sample.doc_ids[row],
            "source": sample.sources[row],
            "text": text[:_CARD_CHARS],
            "isCut": len(text) > _CARD_CHARS,
            "kept": is_kept,
            "reason": None if is_kept or bench.outcome is None else bench.outcome.reason(row),
        }


def combined(chosen: IntArray, rows: IntArray, how: Combine) -> IntArray:
    """What is chosen after a lasso around `rows`, ascending, int64."""
    if how == "add":
        return np.union1d(chosen, rows)
    if how == "subtract":
        return np.setdiff1d(chosen, rows)
    return np.unique(rows)


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
