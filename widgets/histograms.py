"""The Scores tab: a histogram a score with two handles, and beside them what is kept, live."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import traitlets

from widgets import bands, messages
from widgets.state import BenchState
from widgets.view import Report, View, script, style
from workbench.checks import check_fraction
from workbench.plots.axis import N_POSITIONS, short
from workbench.plots.colors import category_colors
from workbench.scores import SCORES
from workbench.selectors.base import Quantile, Threshold
from workbench.selectors.category import CategoryParams

_MAX_NUDGE = N_POSITIONS


class Histograms(View):
    """All histograms in one widget, since each widget instance sends its module again.

    `state` holds what stays while thresholds move, `live` what follows every move.
    """

    _esm = script("histograms")
    _css = style("histograms")
    live = traitlets.Dict().tag(sync=True)

    def __init__(self, bench: BenchState, report: Report) -> None:
        self._bench = bench
        self._seen: object = None
        self.is_shown = False
        handlers = {"drag": self._drag, "nudge": self._nudge, "value": self._value, "open": self._open}
        super().__init__(handlers | {"quantile": self._quantile, "category": self._category}, report)
        bench.listen(lambda change: self.refresh())

    def _receive(self, widget: object, content: Any, buffers: object) -> None:
        super()._receive(widget, content, buffers)
        # The view sends its next move only when this one is answered, so a drag never queues up: hence also on errors.
        ticket = content.get("ticket") if isinstance(content, Mapping) else None
        if isinstance(ticket, str) and len(ticket) <= messages.MAX_TEXT:
            self.send({"type": "done", "ticket": ticket})

    # ---- messages ------------------------------------------------------------------------------------------

    def _target(self, content: Mapping[str, object]) -> tuple[str, bands.Side, str | None]:
        score = messages.known(content, "score", self._bench.bins.charts)
        side: bands.Side = "low" if messages.known(content, "side", bands.SIDES) == "low" else "high"
        return score, side, messages.optional_text(content, "gesture")

    def _drag(self, content: Mapping[str, object]) -> None:
        score, side, gesture = self._target(content)
        self._bench.thresholds.drag(
            score, side, messages.integer(content, "place", 0, N_POSITIONS), gesture=gesture
        )

    def _nudge(self, content: Mapping[str, object]) -> None:
        score, side, gesture = self._target(content)
        steps = messages.integer(content, "steps", -_MAX_NUDGE, _MAX_NUDGE)
        if steps:
            self._bench.thresholds.nudge(score, side, steps, gesture=gesture)

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

    def _category(self, content: Mapping[str, object]) -> None:
        bench = self._bench
        score = messages.known(content, "score", bench.bins.charts)
        label = messages.known(content, "label", bench.chart(score).labels)
        codes = bench.loaded.scores[score]
        present = [SCORES[score].labels[int(i)] for i in np.unique(codes[np.isfinite(codes)])]
        kept = self._kept_labels(score)
        wanted = set(present if kept is None else kept)
        (wanted.add if messages.flag(content, "on") else wanted.discard)(label)
        values = tuple(name for name in present if name in wanted)
        bench.edit(
            bands.with_categories(bench.recipe, score, None if len(values) == len(present) else values)
        )

    def _kept_labels(self, score: str) -> tuple[str, ...] | None:
        index = bands.find_step(self._bench.recipe, "category", score)
        if index is None:
            return None
        params: CategoryParams = self._bench.recipe.steps[index].params
        return params.values

    # ---- what is shown -------------------------------------------------------------------------------------

    def refresh(self) -> None:
        """Show the state as it is; while the tab is hidden nothing is sent."""
        bench = self._bench
        if not self.is_shown:
            return
        if bench.table is None:
            self.show(
                {"charts": [], "sources": {}, "hint": "Load documents and score them on the Load tab first."}
            )
            return
        if self._seen is not bench.bins:
            self._seen = bench.bins
            charts = [chart.to_json() for chart in bench.bins.charts.values()]
            hint = "" if charts else "No score is computed yet: tick some on the Load tab and press Score."
            self.show({"charts": charts, "sources": category_colors(bench.groups.names), "hint": hint})
        self.live = self._live()

    def _live(self) -> dict[str, Any]:
        bench = self._bench
        return {
            "bounds": {score: self._bounds(score) for score in bench.bins.charts},
            "kept": bench.bins.kept(bench.keep),
            "count": bench.count().to_json(),
            "sources": [count.to_json() for count in bench.groups.by_source(bench.keep)],
        }

    def _bounds(self, score: str) -> dict[str, Any]:
        axis = self._bench.chart(score).axis
        if axis is None:
            values = self._kept_labels(score)
            return {"labels": None if values is None else list(values)}
        given = bands.bounds(self._bench.recipe, score)
        out: dict[str, Any] = {"quantile": score in self._bench.thresholds.as_quantile}
        for side, bound, value in zip(bands.SIDES, given, self._bench.thresholds.values(score), strict=True):
            field = bound.quantile if isinstance(bound, Quantile) else bound
            out[side] = {
                "place": None if value is None else round(axis.position(value), 5),
                "field": "" if field is None else f"{field:.10g}",
                "text": "open" if value is None else short(value),
            }
        return out
