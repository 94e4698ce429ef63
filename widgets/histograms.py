"""The Scores tab: the recipe's steps with their histograms and handles, all other scores, and what is kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, cast

import traitlets

from widgets import bands, messages
from widgets.catalogue import catalogue
from widgets.cube import make_cube, pack_cube
from widgets.forms import new_step, present_labels
from widgets.looks import Looks
from widgets.marginals import Marginals, is_by_row
from widgets.rows import bound_json, labels_kept, step_rows
from widgets.sources import SourceTable, stacked
from widgets.state import BenchState
from widgets.totals import totals_json
from widgets.view import Report, View, handle_message, script, style
from workbench.checks import check_fraction
from workbench.plots.axis import N_POSITIONS, Kind
from workbench.recipe.schema import parse_step
from workbench.scores import SCORES
from workbench.selectors import SELECTORS
from workbench.selectors.base import Quantile, Threshold

MAX_CHARTS = 24
"""Charts whose bars follow a handle: more don't fit on a screen."""


class Histograms(View):
    """All histograms in one widget, since each widget instance sends its module again.

    `state` holds what stays while thresholds move, `live` what follows every move, `rows` the recipe's steps, `totals`
    what is said of the corpus, which the page asks for when nothing moves. While a handle moves the page counts by
    itself, from the cube that it asked for when the pointer came near.

    Parameters
    ----------
    edit
        Opens the Recipe tab, where the form of each step is.
    """

    _esm = script("cube", "handle", "charts", "steps", "summary", "histograms")
    _css = style("histograms")
    live = traitlets.Dict().tag(sync=True)
    rows = traitlets.Dict().tag(sync=True)
    totals = traitlets.Dict().tag(sync=True)

    def __init__(self, bench: BenchState, report: Report, edit: Callable[[], None] = lambda: None) -> None:
        self._bench = bench
        self._marginals = Marginals(bench)
        self._sources: SourceTable | None = None
        self._seen: object = None
        self._looks = Looks()
        bench.saved_parts["looks"] = self._looks
        # Which state the page shows: a cube is of one version, and only moves of its own handle leave it as it is.
        self._version, self._moved = 0, ""
        # What steps drop is told after what is kept, for which a person waits with the handle in hand.
        self._is_answering = self._owes_rows = False
        self.is_shown = False
        handlers = {
            "cube": self._cube,
            "drag": self._drag,
            "value": self._value,
            "open": self._open,
            "quantile": self._quantile,
            "category": self._category,
            "scale": self._scale,
            "paint": self._paint,
            "sources": self._search_sources,
            "count": self._count,
            "totals": self._show_totals,
            "switch": self._switch,
            "move": self._move,
            "remove": self._remove,
            "add": self._add,
            "edit": lambda content: edit(),
        }
        super().__init__(handlers, report)
        bench.listen(self._changed)

    def _receive(self, widget: object, content: Any, buffers: object) -> None:
        self._is_answering = True
        super()._receive(widget, content, buffers)
        self._is_answering = False
        if self._owes_rows:
            handle_message({"type": "rows"}, {"rows": lambda _: self._show_rows()}, self._complain)

    def _complain(self, sentence: str) -> None:
        """Report a fault; what the answer before it reported stays."""
        if sentence:
            self._report(sentence)

    def _changed(self, change: str) -> None:
        if change != "selection":
            self._version += 1
            self.refresh()
        self._moved = ""

    # ---- handles -------------------------------------------------------------------------------------------

    def _target(self, content: Mapping[str, object]) -> tuple[str, bands.Side, str | None]:
        score = messages.known(content, "score", self._bench.bins.charts)
        side: bands.Side = "low" if messages.known(content, "side", bands.SIDES) == "low" else "high"
        return score, side, messages.optional_text(content, "gesture")

    def _cube(self, content: Mapping[str, object]) -> None:
        """Answer with what is kept at each place of a handle; no answer where the recipe can't run."""
        bench = self._bench
        score, side, _ = self._target(content)
        charts = messages.names(content, "charts", bench.bins.charts)[:MAX_CHARTS]
        if bench.outcome is None:
            return
        handle = bench.thresholds.handle(score, side)
        cube = make_cube(handle, bench.groups, bench.bins, charts, self._source_table().places)
        about, raw = pack_cube(cube, handle)
        fixed = not is_by_row(bench.outcome)
        self.send(
            {"type": "cube", "key": f"{score}:{side}", "version": self._version, "fixed": fixed, **about},
            [raw],
        )

    def _drag(self, content: Mapping[str, object]) -> None:
        score, side, gesture = self._target(content)
        self._moved = f"{score}:{side}"
        self._bench.thresholds.drag(
            score, side, messages.integer(content, "place", 0, N_POSITIONS), gesture=gesture
        )

    def _value(self, content: Mapping[str, object]) -> None:
        score, side, _ = self._target(content)
        value = messages.optional_number(content, "value")
        bound: Threshold = value
        if value is not None and score in self._bench.thresholds.as_quantile:
            bound = Quantile(check_fraction("quantile", value))
        low, high = bands.bounds(self._bench.recipe, score)
        self._bench.thresholds.set(score, *((bound, high) if side == "low" else (low, bound)))

    def _open(self, content: Mapping[str, object]) -> None:
        score = messages.known(content, "score", self._bench.bins.charts)
        side = messages.optional_known(content, "side", bands.SIDES)
        low, high = bands.bounds(self._bench.recipe, score)
        self._bench.thresholds.set(score, None if side != "high" else low, None if side != "low" else high)
        if side is None:
            self._bench.edit(bands.with_categories(self._bench.recipe, score, None))

    def _quantile(self, content: Mapping[str, object]) -> None:
        score = messages.known(content, "score", self._bench.bins.charts)
        self._bench.thresholds.show_quantiles(score, messages.flag(content, "on"))
        self._version += 1
        self.refresh()

    def _category(self, content: Mapping[str, object]) -> None:
        bench = self._bench
        score = messages.known(content, "score", bench.bins.charts)
        label = messages.known(content, "label", bench.chart(score).labels)
        present = present_labels(score, bench.loaded)
        kept = labels_kept(bench, score)
        wanted = set(present if kept is None else kept)
        (wanted.add if messages.flag(content, "on") else wanted.discard)(label)
        values = tuple(name for name in present if name in wanted)
        bench.edit(
            bands.with_categories(bench.recipe, score, None if len(values) == len(present) else values)
        )

    def _scale(self, content: Mapping[str, object]) -> None:
        score = messages.known(content, "score", self._bench.bins.charts)
        kind = cast(Kind, messages.known(content, "kind", self._bench.chart(score).kinds))
        self._looks.scales[score] = kind
        self._bench.touch("work")

    def _paint(self, content: Mapping[str, object]) -> None:
        self._looks.take(content)
        self._bench.touch("work")

    # ---- steps ---------------------------------------------------------------------------------------------

    def _index(self, content: Mapping[str, object]) -> int:
        return messages.integer(content, "index", 0, len(self._bench.recipe.steps) - 1)

    def _count(self, content: Mapping[str, object]) -> None:
        self._marginals.count(self._index(content))
        self._show_rows()

    def _show_totals(self, content: Mapping[str, object]) -> None:
        if self._bench.table is not None:
            places = self._source_table().places
            self.totals = {"version": self._version, **totals_json(self._bench, places)}

    def _switch(self, content: Mapping[str, object]) -> None:
        on = messages.flag(content, "on")
        self._bench.edit(bands.switched_step(self._bench.recipe, self._index(content), on))

    def _move(self, content: Mapping[str, object]) -> None:
        by = messages.integer(content, "by", -1, 1)
        self._bench.edit(bands.moved_step(self._bench.recipe, self._index(content), by))

    def _remove(self, content: Mapping[str, object]) -> None:
        self._bench.edit(bands.without_step(self._bench.recipe, self._index(content)))

    def _add(self, content: Mapping[str, object]) -> None:
        """A step by its selector, or the band (of labels: the category) of a score."""
        bench, score = self._bench, messages.optional_known(content, "score", self._bench.bins.charts)
        if score is None:
            step = new_step(messages.known(content, "select", SELECTORS), bench.table)
        elif SCORES[score].labels:
            values = present_labels(score, bench.loaded)
            step = parse_step({"select": "category", "score": score, "values": values})
        else:
            step = parse_step({"select": "band", "score": score, "unscored": "drop"})
        bench.edit(bands.with_new(bench.recipe, step))

    def _search_sources(self, content: Mapping[str, object]) -> None:
        self._sources = SourceTable(self._bench.groups, messages.text(content, "search"))
        self._version += 1
        self.refresh()

    # ---- what is shown -------------------------------------------------------------------------------------

    def refresh(self) -> None:
        """Show the state as it is; while the tab is hidden nothing is sent."""
        bench = self._bench
        if not self.is_shown:
            return
        if bench.table is None:
            self.show(
                {
                    "charts": [],
                    "catalogue": [],
                    "hint": "Load documents and score them on the Load tab first.",
                }
            )
            return
        self._looks.apply(bench)
        if self._seen is not bench.bins:
            self._seen = bench.bins
            charts = [chart.to_json() for chart in bench.bins.charts.values()]
            hint = "" if charts else "No score is computed yet: tick some on the Load tab and press Score."
            self.show({"charts": charts, "catalogue": catalogue(bench), "hint": hint})
        self.live = self._live()
        self._owes_rows = self._is_answering
        if not self._owes_rows:
            self._show_rows()

    def _live(self) -> dict[str, Any]:
        bench = self._bench
        tally = bench.tally
        sources = self._source_table()
        # A cube of this handle holds after its own move too, unless a step that compares documents decides anew.
        holds = self._moved if bench.outcome is not None and is_by_row(bench.outcome) else ""
        return {
            "version": self._version,
            "holds": holds,
            "bounds": {score: bound_json(bench, score) for score in bench.bins.charts},
            "kept": {score: counts.tolist() for score, counts in tally.bins.items()},
            "stacks": stacked(bench.bins, bench.groups, bench.keep) if self._looks.paint == "source" else {},
            "looks": self._looks.shown(),
            "count": bench.count().to_json(),
            "sources": sources.rows(tally.kept),
            "nSources": len(bench.groups.names),
            "search": sources.search,
        }

    def _source_table(self) -> SourceTable:
        groups = self._bench.groups
        if self._sources is None or self._sources.groups is not groups:
            self._sources = SourceTable(groups)
        return self._sources

    def _show_rows(self) -> None:
        self._owes_rows = False
        self.rows = {"steps": step_rows(self._bench, self._marginals), "documents": len(self._bench.loaded)}
