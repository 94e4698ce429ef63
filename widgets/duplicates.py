"""The Duplicates tab: what each cut between near-copies keeps, and the pairs just above and below it side by side."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from widgets import messages
from widgets.aside import Aside, is_still
from widgets.copies import (
    METHODS,
    N_PLACES,
    Links,
    Method,
    candidate_curve,
    is_found,
    lacks,
    links,
    reaching,
    step_in,
    with_cut,
)
from widgets.difference import difference
from widgets.jobs import Jobs
from widgets.state import BenchState
from widgets.view import Report, View, script, style
from workbench.errors import InputError, WorkbenchError

AT_ONCE = 20_000
"""Documents up to which a curve is made without being asked for, where the recipe has no such step."""

_SIDES = ("above", "below")
_MAX_PAIR = 10**9
_TICKS = {
    "epsilon": (0.0, 0.01, 0.05, 0.1, 0.2, 0.4, 0.7, 1.0),
    "min_similarity": (0.0, 0.2, 0.4, 0.6, 0.8, 1.0),
}


class Duplicates(View):
    """A curve to click on, and a pair to read.

    Parameters
    ----------
    bench
        The shared state.
    jobs
        Where near-copies are looked for; None for the view's own.
    """

    _esm = script("unanswered", "duplicates")
    _css = style("duplicates")

    def __init__(self, bench: BenchState, report: Report, jobs: Jobs | None = None) -> None:
        self._bench = bench
        self._aside = Aside(bench, report, jobs, self.refresh)
        self._method = METHODS["semdedup"]
        self._side, self._pair = "above", 0
        self._links: Links | None = None
        self._wanted: set[str] = set()
        self._failed: tuple[BenchState, Method] | None = None
        self.is_shown = False
        handlers = {
            "method": self._choose,
            "compute": lambda content: self._compute(),
            "place": self._place,
            "value": self._value,
            "pair": self._show_pair,
        }
        super().__init__(handlers, report)
        bench.listen(self._changed)

    def _changed(self, change: str) -> None:
        if change == "table":
            self._wanted.clear()
        if change in ("table", "recipe"):
            self._pair, self._links = 0, None
            self.refresh()

    # ---- messages ------------------------------------------------------------------------------------------------

    def _choose(self, content: Mapping[str, object]) -> None:
        self._method = METHODS[messages.known(content, "method", METHODS)]
        self._pair, self._links = 0, None
        self.refresh()

    def _compute(self) -> None:
        self._wanted.add(self._method.select)
        self._failed = None
        self._look()

    def _look(self) -> None:
        """Look for near-copies; those of a recipe that has changed meanwhile are looked for anew."""
        method = self._method

        def done(found: Links, then: BenchState) -> None:
            if is_still(self._bench, then) and method == self._method:
                self._links = found

        def failed(then: BenchState) -> None:
            self._failed = then, method

        self._aside.start(lambda then: links(then, method), done, failed, what="looking for near-copies")

    @property
    def _has_failed(self) -> bool:
        """Whether the search that would begin now is the one that failed or was stopped."""
        if self._failed is None:
            return False
        then, method = self._failed
        return is_still(self._bench, then) and method == self._method

    def _place(self, content: Mapping[str, object]) -> None:
        self._cut(self._method.value_at(messages.integer(content, "place", 0, N_PLACES)))

    def _value(self, content: Mapping[str, object]) -> None:
        value = messages.number(content, "value")
        if not 0 <= value <= 1:
            raise InputError(f"{self._method.param} must lie in 0..1, got {value:g}; give a fraction")
        self._cut(value)

    def _cut(self, value: float) -> None:
        self._bench.edit(with_cut(self._bench.recipe, self._method, value))

    def _show_pair(self, content: Mapping[str, object]) -> None:
        self._side = messages.known(content, "side", _SIDES)
        self._pair = messages.integer(content, "pair", 0, _MAX_PAIR)
        self.refresh()

    # ---- what is shown -------------------------------------------------------------------------------------------

    def refresh(self) -> None:
        """Show the state as it is; while the tab is hidden nothing is sent."""
        bench, method = self._bench, self._method
        if not self.is_shown:
            return
        common = {
            "methods": [[name, other.title] for name, other in METHODS.items()],
            "method": method.select,
            "about": method.about,
            "param": method.param,
            "hint": "",
            "ask": "",
        }
        if bench.table is None:
            self.show({**common, "hint": "Load documents on the Load tab first."})
            return
        if self._aside.is_busy:
            self.show({**common, "hint": "Looking for near-copies …"})
            return
        index = step_in(bench.recipe, method)
        n = len(reaching(bench, index))
        try:
            if self._links is None and (lacks(bench, method) or is_found(bench, method)):
                self._links = links(bench, method)
        except WorkbenchError as error:
            self.show({**common, "hint": str(error)})
            return
        if self._links is not None:
            self.show({**common, **self._curve(self._links), **self._pairs(self._links)})
            return
        is_many = index is None and n > AT_ONCE and method.select not in self._wanted
        if is_many or self._has_failed or not self._aside.may_start:
            self.show({**common, "ask": f"Compute the curve for {n:,} documents"})
            return
        self._look()

    def _curve(self, found: Links) -> dict[str, Any]:
        method, n = found.method, len(found.rows)
        n_kept = found.n_kept(found.value)
        step = None if found.index is None else self._bench.recipe.steps[found.index]
        share = None if step is None else getattr(step.params, "keep_fraction", None)
        chances = candidate_curve(self._bench.loaded) if method.select == "minhash" else []
        return {
            "curve": found.curve(),
            "chances": chances,
            "ticks": [[method.place_of(value), f"{value:g}"] for value in _TICKS[method.param]],
            "value": found.value,
            "place": method.place_of(found.value),
            "step": None if found.index is None else found.index + 1,
            "byShare": share,
            "documents": n,
            "kept": n_kept,
            "places": N_PLACES,
        }

    def _pairs(self, found: Links) -> dict[str, Any]:
        sides = dict(zip(_SIDES, found.pairs(), strict=True))
        if not len(sides[self._side]) and len(sides["below" if self._side == "above" else "above"]):
            self._side = "below" if self._side == "above" else "above"
        chosen = sides[self._side]
        self._pair = min(self._pair, max(len(chosen) - 1, 0))
        return {
            "counts": {side: len(pairs) for side, pairs in sides.items()},
            "side": self._side,
            "pair": self._pair,
            "shown": self._shown(found, int(chosen[self._pair])) if len(chosen) else None,
        }

    def _shown(self, found: Links, place: int) -> dict[str, Any]:
        """Both documents of a pair, the one that it is held against first."""
        places = (int(found.twin[place]), place)
        sample = self._bench.loaded.sample
        texts = [sample.texts[int(found.rows[p])] for p in places]
        told = difference(*texts)
        tokens = self._bench.groups.tokens
        return {
            "similarity": float(found.similarity[place]),
            "isCopy": bool(found.method.is_copy(found.similarity[place : place + 1], found.value)[0]),
            "sameWords": sum(len(run.split()) for side, run in told.runs if side == "both"),
            "isWhole": told.is_whole,
            "documents": [
                {
                    "row": (row := int(found.rows[p])),
                    "id": sample.doc_ids[row],
                    "source": sample.sources[row],
                    "kept": bool(found.keep[p]),
                    "chars": len(sample.texts[row]),
                    "tokens": None if tokens is None else int(tokens[row]),
                    "spans": [
                        ["same" if side == "both" else "only", run]
                        for side, run in told.runs
                        if side != other
                    ],
                }
                for p, other in zip(places, ("second", "first"), strict=True)
            ],
        }
