"""The Budget tab: so many tokens or documents, solved for a handle or a mix of scores, looked at and then applied."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from widgets import messages
from widgets.reader import step_name
from widgets.solving import Ask, Rule, Solution, solve
from widgets.state import BenchState
from widgets.view import Report, View, script, style
from workbench.checks import FloatArray
from workbench.engine.export import corpus_totals, expectation_basis
from workbench.engine.solve_budget import Side
from workbench.errors import InputError
from workbench.plots.colors import category_colors
from workbench.recipe.model import readable_scores
from workbench.selectors import SELECTORS
from workbench.selectors.source_budget import SourceBudgetParams

MAX_SOURCES = 50
"""Sources that have a line of their own, the largest; a recipe can hold rules for any."""

_MAX_NUMBER = 1e9
_SIDES: dict[str, Side] = {"low": "low", "high": "high"}


class Budget(View):
    """The form, and what its solution would keep."""

    _esm = script("budget")
    _css = style("budget")

    def __init__(self, bench: BenchState, report: Report) -> None:
        self._bench = bench
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
                self._note = "The recipe has changed since; solve again."
            self._solution = None
            self.refresh()

    def _take(self, solution: Solution | None, note: str = "") -> None:
        self._solution, self._note = solution, note
        self.refresh()

    # ---- messages ------------------------------------------------------------------------------------------------

    def _solve(self, content: Mapping[str, object]) -> None:
        self._take(None)
        self._ask = self._asked(content)
        self._version += 1
        self._take(solve(self._bench, self._ask))

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
                "solution": None if self._solution is None else self._shown(self._solution),
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

    def _shown(self, solution: Solution) -> dict[str, Any]:
        bench, outcome = self._bench, solution.outcome
        tokens = bench.groups.tokens
        weight = repeat_weights(bench, solution)
        amounts = {"n_documents": weight}
        if tokens is not None:
            amounts["n_tokens"] = tokens * weight
        totals = corpus_totals(bench.loaded, outcome.keep, amounts)
        return {
            "isMet": solution.is_met,
            "target": solution.target,
            "reached": solution.reached,
            "sentences": sentences(bench, solution),
            "step": changed_steps(bench, solution),
            "kept": int(outcome.keep.sum()),
            "keptTokens": None if tokens is None else int(tokens[outcome.keep].sum()),
            "now": int(bench.keep.sum()),
            "rows": [
                [name.removeprefix("n_"), float(amount[outcome.keep].sum()), *_triple(totals.all[name])]
                for name, amount in amounts.items()
            ],
            "bySource": self._by_source(solution),
            "isUpperBound": expectation_basis(bench.loaded, outcome.fitted.recipe) == "upper_bound",
        }

    def _by_source(self, solution: Solution) -> list[list[object]]:
        """[source, share of all, share of what is kept, floor, cap, repeat] of the largest sources."""
        groups, shown = self._bench.groups, self._sources()
        before, after = (shares_by_source(self._bench, solution, w) for w in (None, solution.outcome.weight))
        place = {name: i for i, name in enumerate(groups.names)}
        rules = solution.ask.rules if solution.ask.how == "mix" else {}
        lines: list[list[object]] = []
        for name in shown:
            rule = rules.get(name, Rule())
            lines.append([name, before[place[name]], after[place[name]], rule.floor, rule.cap, rule.repeat])
        return lines


def _numbers(content: Mapping[str, object], name: str, n: int) -> tuple[float, ...]:
    """A list of n numbers."""
    value = content.get(name)
    if not isinstance(value, list) or len(value) != n:
        raise InputError(f"{name} must be a list of {n} numbers; reload the page")
    return tuple(messages.number({name: item}, name) for item in value)


def repeat_weights(bench: BenchState, solution: Solution) -> FloatArray:
    """How often each document is or would be repeated, float64 (n,): what is dropped by the rule of its source."""
    ask, names = solution.ask, bench.groups.names
    rules = ask.rules if ask.how == "mix" else {}
    by_source = np.array([rules.get(name, Rule()).repeat for name in names])
    kept: FloatArray = np.where(solution.outcome.keep, solution.outcome.weight, by_source[bench.groups.codes])
    return kept


def _triple(estimate: Any) -> tuple[float, float, float]:
    return estimate.value, estimate.low, estimate.high


def shares_by_source(bench: BenchState, solution: Solution, weight: FloatArray | None) -> list[float]:
    """The share of each source in all documents (or tokens, as asked for), or in those kept with their repeats."""
    groups = bench.groups
    amount = bench.loaded.weights.copy()
    if solution.ask.unit == "tokens" and groups.tokens is not None:
        amount = amount * groups.tokens
    if weight is not None:
        amount = amount * weight
    found = np.bincount(groups.codes, weights=amount, minlength=len(groups.names))
    total = float(found.sum())
    return [float(value) for value in (found / total if total else found)]


def sentences(bench: BenchState, solution: Solution) -> list[str]:
    """What the solution reaches, and what of the wishes can't be met, each with the nearest that can."""
    ask = solution.ask
    what = f"{ask.unit} of the {ask.of}"
    reached, target = f"{solution.reached:,.0f}", f"{solution.target:,.0f}"
    if solution.is_met:
        found = [f"Keeps {reached} of the {target} {what} that were asked for."]
        if solution.following is not None and solution.reached < solution.target:
            found.append(
                f"The next step towards more would keep {solution.following:,.0f}: documents come whole, and those "
                "with equal scores together."
            )
    elif solution.reached > solution.target:
        found = [f"{target} {what} can't be met: the least that this can keep is {reached}, the nearest."]
    else:
        caps = (
            " under these caps"
            if ask.how == "mix" and any(rule.cap < 1 for rule in ask.rules.values())
            else ""
        )
        found = [
            f"{target} {what} can't be met: the most that is left to keep{caps} is {reached}, the nearest."
        ]
    if ask.how == "mix":
        found += _unmet_floors(bench, solution)
    return found


def _unmet_floors(bench: BenchState, solution: Solution) -> list[str]:
    params = solution.recipe.steps[-1].params
    if not isinstance(params, SourceBudgetParams) or not params.floors:
        return []
    place = {name: i for i, name in enumerate(bench.groups.names)}
    shares = shares_by_source(bench, solution, solution.outcome.weight)
    found = []
    for name, floor in zip(params.sources, params.floors, strict=True):
        kept = bool(solution.outcome.keep.any())
        all_kept = _left_of(bench, solution, place[name]) == 0
        if kept and all_kept and shares[place[name]] < floor:
            found.append(
                f"The floor of {floor:.4g} for {name} can't be met: all of it that the other steps leave is kept, "
                f"which makes {shares[place[name]]:.4g}; that is the nearest."
            )
    return found


def _left_of(bench: BenchState, solution: Solution, source: int) -> int:
    """Documents of a source that only the budget's own step drops."""
    last = len(solution.recipe.steps) - 1
    return int(((solution.outcome.step == last) & (bench.groups.codes == source)).sum())


def changed_steps(bench: BenchState, solution: Solution) -> str:
    """Which step the solution changes, adds or takes away, in a few words."""
    now, then = bench.recipe.steps, solution.recipe.steps
    for index, step in enumerate(then):
        if index >= len(now) or step != now[index]:
            verb = "sets" if len(then) == len(now) else "adds"
            given = step.to_json()
            numbers = {k: v for k, v in given.items() if k in ("low", "high", "keep_fraction", "scores")}
            details = ", ".join(f"{k} {v}" for k, v in numbers.items())
            return f"{verb} step {step_name(index, given)} ({details})"
    if len(then) < len(now):
        return "takes a band away, since both sides are open"
    return "changes nothing"
