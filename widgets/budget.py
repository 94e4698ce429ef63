"""The Budget tab: so many tokens or documents, solved for a handle or a mix of scores, looked at and then applied."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from widgets import messages
from widgets.aside import Aside, is_still
from widgets.ask import Ask, Rule
from widgets.jobs import Jobs
from widgets.solution import shown
from widgets.solving import Solution, solve
from widgets.state import BenchState
from widgets.view import Report, View, script, style
from workbench.engine.solve_budget import Side
from workbench.errors import InputError
from workbench.plots.colors import category_colors
from workbench.recipe.model import readable_scores
from workbench.selectors import SELECTORS

MAX_SOURCES = 50
"""Sources that have a line of their own, the largest; a recipe can hold rules for any."""

_MAX_NUMBER = 1e9
_SIDES: dict[str, Side] = {"low": "low", "high": "high"}
_CHANGED = "The recipe has changed since; solve again."


class Budget(View):
    """The form, and what its solution would keep.

    Parameters
    ----------
    bench
        The shared state.
    jobs
        Where a budget is solved; None for the view's own.
    """

    _esm = script("budget")
    _css = style("budget")

    def __init__(self, bench: BenchState, report: Report, jobs: Jobs | None = None) -> None:
        self._bench = bench
        self._aside = Aside(bench, report, jobs, self.refresh)
        self._ask = Ask()
        self._solution: Solution | None = None
        self._note = ""
        self._version = 0
        self.is_shown = False
        handlers = {
            "solve": self._solve,
            "apply": lambda content: self._apply(),
            "discard": lambda content: self._take(None),
        }
        super().__init__(handlers, report)
        bench.listen(self._changed)

    def _changed(self, change: str) -> None:
        if change in ("table", "recipe"):
            if self._solution is not None:
                self._note = _CHANGED
            self._solution = None
            self.refresh()

    def _take(self, solution: Solution | None, note: str = "") -> None:
        self._solution, self._note = solution, note
        self.refresh()

    # ---- messages ------------------------------------------------------------------------------------------------

    def _solve(self, content: Mapping[str, object]) -> None:
        self._take(None)
        ask = self._ask = self._asked(content)
        self._version += 1

        def done(solution: Solution, then: BenchState) -> None:
            self._take(*((solution,) if is_still(self._bench, then) else (None, _CHANGED)))

        self._aside.start(lambda then: solve(then, ask), done, what="solving the budget")

    def _apply(self) -> None:
        solution = self._solution
        if solution is None:
            raise InputError("there is nothing to apply; solve a budget first")
        self._solution = None
        self._bench.edit(solution.recipe)
        self._take(None, "Applied; Undo takes it back.")

    def _asked(self, content: Mapping[str, object]) -> Ask:
        scores = self._scores()
        names = messages.names(content, "scores", scores)
        return Ask(
            amount=messages.text(content, "amount", at_most=40),
            unit=messages.known(content, "unit", ("documents", "tokens")),  # type: ignore[arg-type]  # a Unit
            of=messages.known(content, "of", ("sample", "corpus")),  # type: ignore[arg-type]  # an Of
            how=messages.known(content, "how", ("handle", "mix")),  # type: ignore[arg-type]  # one of its values
            score=messages.optional_known(content, "score", scores),
            side=_SIDES[messages.known(content, "side", _SIDES)],
            scores=names,
            weights=_numbers(content, "weights", len(names)),
            draw=messages.known(content, "draw", ("top", "gumbel")),  # type: ignore[arg-type]  # one of its values
            temperature=messages.number(content, "temperature"),
            fill=messages.known(content, "fill", ("best", "proportional")),  # type: ignore[arg-type]
            rules=self._rules(content.get("rules")),
        )

    def _rules(self, given: object) -> dict[str, Rule]:
        known = self._sources()
        if not isinstance(given, list) or len(given) > len(known):
            raise InputError("rules must be a list with one entry a source; reload the page")
        rules = {}
        for entry in given:
            if not isinstance(entry, Mapping):
                raise InputError("rules must be a list with one entry a source; reload the page")
            name = messages.known(entry, "source", known)
            rules[name] = Rule(*(messages.number(entry, key) for key in ("floor", "cap", "repeat")))
        return rules

    # ---- what is shown -------------------------------------------------------------------------------------------

    def _scores(self) -> list[str]:
        """The computed scores that hold numbers."""
        table = self._bench.loaded
        return [name for name in readable_scores(SELECTORS["band"]) if name in table.scores]

    def _sources(self) -> list[str]:
        """The largest sources of the corpus, first the largest."""
        groups = self._bench.groups
        size = groups.whole.documents * groups.weights
        return [groups.names[i] for i in np.argsort(-size, kind="stable")[:MAX_SOURCES]]

    def refresh(self) -> None:
        """Show the state as it is; while the tab is hidden nothing is sent."""
        bench = self._bench
        if not self.is_shown:
            return
        if bench.table is None:
            self.show({"hint": "Load documents on the Load tab first."})
            return
        if not self._scores():
            self.show(
                {"hint": "Compute a score on the Load tab first: a budget is met by moving its threshold."}
            )
            return
        ask, sources = self._ask, self._sources()
        self.show(
            {
                "hint": "",
                "version": self._version,
                "ask": {**vars(ask), "rules": {name: vars(rule) for name, rule in ask.rules.items()}},
                "scores": self._scores(),
                "sources": sources,
                "moreSources": len(bench.groups.names) - len(sources),
                "colors": category_colors(bench.groups.names),
                "hasTokens": bench.groups.tokens is not None,
                "totals": self._totals(),
                "note": self._note,
                "isSolving": self._aside.is_busy,
                "solution": None if self._solution is None else shown(bench, self._solution, sources),
            }
        )

    def _totals(self) -> dict[str, dict[str, float]]:
        """All that there is, by what is counted and of what."""
        groups = self._bench.groups
        counts = {"documents": np.ones(len(groups.codes))}
        if groups.tokens is not None:
            counts["tokens"] = groups.tokens.astype(np.float64)
        return {
            unit: {"sample": float(count.sum()), "corpus": float((count * self._bench.loaded.weights).sum())}
            for unit, count in counts.items()
        }


def _numbers(content: Mapping[str, object], name: str, n: int) -> tuple[float, ...]:
    """A list of n numbers."""
    value = content.get(name)
    if not isinstance(value, list) or len(value) != n:
        raise InputError(f"{name} must be a list of {n} numbers; reload the page")
    return tuple(messages.number({name: item}, name) for item in value)
