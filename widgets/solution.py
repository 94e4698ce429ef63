"""What a solved budget would keep, in numbers and words: what a person looks at before applying it. No widget."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from widgets.ask import Rule
from widgets.reader import step_name
from widgets.solving import Solution
from widgets.state import BenchState
from workbench.checks import FloatArray
from workbench.engine.export import corpus_totals, expectation_basis
from workbench.recipe.model import Step
from workbench.selectors.base import Quantile
from workbench.selectors.source_budget import SourceBudgetParams
from workbench.stats.share import Estimate


def shown(bench: BenchState, solution: Solution, sources: Sequence[str]) -> dict[str, Any]:
    """For the view; `sources` have a line of their own."""
    outcome, tokens = solution.outcome, bench.groups.tokens
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
        "bySource": _by_source(bench, solution, sources),
        "isUpperBound": expectation_basis(bench.loaded, outcome.fitted.recipe) == "upper_bound",
    }


def _by_source(bench: BenchState, solution: Solution, sources: Sequence[str]) -> list[list[object]]:
    """[source, share of all, share of what is kept, floor, cap, repeat] of each of these sources."""
    before, after = (shares_by_source(bench, solution, w) for w in (None, solution.outcome.weight))
    place = {name: i for i, name in enumerate(bench.groups.names)}
    rules = solution.ask.rules if solution.ask.how == "mix" else {}
    lines: list[list[object]] = []
    for name in sources:
        rule = rules.get(name, Rule())
        lines.append([name, before[place[name]], after[place[name]], rule.floor, rule.cap, rule.repeat])
    return lines


def repeat_weights(bench: BenchState, solution: Solution) -> FloatArray:
    """How often each document is or would be repeated, float64 (n,): what is dropped by the rule of its source."""
    ask, names = solution.ask, bench.groups.names
    rules = ask.rules if ask.how == "mix" else {}
    by_source = np.array([rules.get(name, Rule()).repeat for name in names])
    kept: FloatArray = np.where(solution.outcome.keep, solution.outcome.weight, by_source[bench.groups.codes])
    return kept


def _triple(estimate: Estimate) -> tuple[float, float, float]:
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
    now, then = bench.recipe.steps, solution.outcome.fitted.recipe.steps
    for index, step in enumerate(solution.recipe.steps):
        if index >= len(now) or step != now[index]:
            verb = "sets" if len(then) == len(now) else "adds"
            return f"{verb} step {step_name(index, step.to_json())} ({_details(then[index])})"
    if len(then) < len(now):
        return "takes a band away, since both sides are open"
    return "changes nothing"


def _details(step: Step) -> str:
    """The numbers of a resolved step, and of each threshold whether it is a quantile or a constant."""
    found = []
    for name in ("low", "high", "keep_fraction", "scores"):
        value = getattr(step.params, name, None)
        if isinstance(value, Quantile):
            found.append(f"{name}: quantile {value.quantile:.6g} of the sample, now {value.value:.6g}")
        elif value is not None and name in ("low", "high"):
            found.append(f"{name}: the constant {value:.6g}")
        elif name == "scores" and value:
            found.append(f"scores: {', '.join(value)}")
        elif value is not None and name != "scores":
            found.append(f"{name} {value:.6g}")
    return "; ".join(found)
