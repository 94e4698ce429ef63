"""The Map tab: the plot, and beside it colours, legend, what is lassoed and the rule that it becomes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal, cast

import ipywidgets
import numpy as np

from widgets import messages
from widgets.aside import Aside
from widgets.jobs import Jobs
from widgets.map_colors import MapColors
from widgets.map_plot import MapPlot
from widgets.rules import RuleMaker
from widgets.state import BenchState, Change
from widgets.view import Report, View, script, style
from workbench.checks import IntArray

_NEEDS = ("map_x", "map_y", "cluster")
_CARD_CHARS = 700

Combine = Literal["replace", "add", "subtract"]


class MapPanel(View):
    """What stands beside the map: colours, legend, lasso."""

    _esm = script("unanswered", "map")
    _css = style("map")


class Map(ipywidgets.HBox):  # type: ignore[misc]  # ipywidgets ships no types
    """The map and its panel.

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
    jobs
        Where rules are fitted; None for one of its own.
    """

    def __init__(
        self,
        bench: BenchState,
        report: Report,
        *,
        show: Callable[[], None],
        read: Callable[[int], None],
        compute: Callable[[tuple[str, ...]], None],
        jobs: Jobs | None = None,
    ) -> None:
        self._bench = bench
        self._colors = MapColors(bench)
        self._mode = "panZoom"
        self._combine: Combine = "replace"
        self._clicked: int | None = None
        self._rules = RuleMaker(bench, Aside(bench, report, jobs, self.refresh))
        self.is_shown = False
        self._plot = MapPlot(self._clicked_on, self._lassoed)
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
        super().__init__([self._plot, self._panel])
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
        self._plot.set_mode(self._mode)
        self.refresh()

    def _theme(self, content: Mapping[str, object]) -> None:
        """Take the page's background."""
        self._plot.set_background(
            tuple(messages.integer(content, name, 0, 255) / 255 for name in ("red", "green", "blue"))
        )

    def _clicked_on(self, row: int) -> None:
        # The document is shown, and what is chosen stays.
        self._plot.mark(self._bench.selection)
        self._look_at(row)

    def _lassoed(self, rows: IntArray) -> None:
        chosen = combined(self._bench.selection, rows, self._combine)
        if self._combine != "replace":
            self._plot.mark(chosen)
        self._bench.select_rows(chosen)

    def _select(self, rows: IntArray) -> None:
        self._plot.mark(rows, is_new=True)
        self._bench.select_rows(rows)

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
            self._plot.clear()
            hint = "The map is not computed yet. It takes the embeddings of all documents, then UMAP and clusters."
            self._panel.show({"hint": hint, "canCompute": True})
            return
        x, y = (bench.table.scores[name] for name in _NEEDS[:2])
        self._plot.draw(x, y, self._colors.coloring, bench.selection)
        self._panel.show(self._panel_state())

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
            "unplaced": len(bench.loaded) - len(self._plot.placed),
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
