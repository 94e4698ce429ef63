"""A budget that a person asks for, solved on the shared state: which recipe meets it. No widget."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from widgets import bands
from widgets.ask import Ask, Rule, amounts, target_of
from widgets.state import BenchState
from workbench.checks import Array, BoolArray, FloatArray, IntArray
from workbench.engine.fitting import complete
from workbench.engine.select import Outcome, decide
from workbench.engine.solve_budget import (
    Cut,
    Side,
    largest_fillable,
    levels,
    solve_fraction,
    solve_level,
    solve_threshold,
)
from workbench.errors import InputError
from workbench.progress import current, shown
from workbench.recipe.model import Recipe, Step
from workbench.selectors.base import Columns, Quantile, Threshold
from workbench.selectors.rank_average import RankAverageParams
from workbench.selectors.source_budget import SourceBudgetParams

_TRIALS = 40
"""About so many shares are tried until two are one to a selector."""

BUDGET_STEPS = ("rank_average", "source_budget")
"""What a solved mix is; the last step of a recipe is replaced if it is one of these."""


@dataclass(frozen=True)
class Solution:
    """The recipe that meets a budget as nearly as can be.

    Attributes
    ----------
    target, reached
        In the unit that was asked for, repeats included.
    following
        What the next step towards more would keep, above the target; None where none is known.
    is_met
        Whether the budget lies within reach.
    """

    ask: Ask
    recipe: Recipe
    outcome: Outcome
    target: float
    reached: float
    following: float | None
    is_met: bool


def solve(state: BenchState, ask: Ask) -> Solution:
    """The recipe that keeps the most that doesn't exceed the budget.

    Raises
    ------
    InputError
        If the amount can't be read, a score isn't computed, or no score is named.
    WorkbenchError
        If the recipe can't run.
    """
    amount = amounts(state, ask.unit, ask.of)
    target = target_of(ask, amount)
    found = _handle(state, ask, amount, target) if ask.how == "handle" else _mix(state, ask, amount, target)
    recipe, outcome, cut = found
    reached = float((amount * outcome.weight).sum())
    is_met = cut.is_met or math.isclose(reached, target)
    return Solution(ask, recipe, outcome, target, reached, cut.following, is_met)


Found = tuple[Recipe, Outcome, Cut]


# ---- a handle ----------------------------------------------------------------------------------------------------


def _handle(state: BenchState, ask: Ask, amount: FloatArray, target: float) -> Found:
    score, values = ask.score, state.loaded.scores.get(ask.score or "")
    if score is None or values is None:
        raise InputError(
            "choose a score whose threshold may move; compute one on the Load tab if there is none"
        )
    recipe = state.recipe
    index = bands.find_step(recipe, "band", score)
    if index is not None and recipe.steps[index].off:
        raise InputError(f"the band on {score} is off; switch it on first, or choose another score")

    def moved(value: Threshold) -> Recipe:
        low, high = bands.bounds(recipe, score)
        return bands.with_bounds(recipe, score, *((value, high) if ask.side == "low" else (low, value)))

    # At a value that no document lies beyond: the band's place in the recipe, and what it does without the score.
    start = moved(-np.inf if ask.side == "low" else np.inf)
    place = bands.find_step(start, "band", score)
    assert place is not None
    before = state.trial(start)
    later = [step for step in start.steps[place + 1 :] if not step.off]
    if all(step.spec.scope == "row" for step in later):
        base = float(amount[before.keep & np.isnan(values)].sum())
        cut = solve_threshold(values, amount, before.keep, ask.side, target, base=base)
    else:
        cut = _by_trial(state, ask, amount, target, moved, _reaching(before, place), values)
    outcome = state.trial(moved(cut.value))
    most = float((amount * outcome.weight).sum())
    least = levels(values, _reaching(before, place), ask.side)
    if cut.value is None and len(least) and most > target >= cut.reached:
        # With both sides open the band goes, and documents without the score come back: too many.
        cut = replace(cut, value=float(least[-1]), following=most, is_met=True)
    solved = moved(_as_asked(state, score, ask.side, cut.value))
    return solved, state.trial(solved), cut


def _as_asked(state: BenchState, score: str, side: Side, value: float | None) -> Threshold:
    """The threshold as a quantile of the sample where that side is one, or is open and the handles set quantiles.

    Both keep the very same documents of the sample; of another corpus a quantile keeps its share.
    """
    before = bands.bounds(state.recipe, score)[bands.SIDES.index(side)]
    wants = score in state.thresholds.as_quantile if before is None else isinstance(before, Quantile)
    if value is None or not wants or not math.isfinite(value):
        return value
    return bands.exact_quantile(value, side, state.loaded.scores[score], state.loaded.weights) or value


def _reaching(outcome: Outcome, place: int) -> BoolArray:
    """The documents that no step before `place` and not that step itself drops, bool (n,)."""
    reached: BoolArray = (outcome.step < 0) | (outcome.step > place)
    return reached


def _by_trial(
    state: BenchState,
    ask: Ask,
    amount: FloatArray,
    target: float,
    moved: Callable[[Threshold], Recipe],
    eligible: BoolArray,
    values: Array,
) -> Cut:
    """Where later steps compare documents, each threshold is tried on the whole recipe."""
    found = levels(values, eligible, ask.side)
    if not len(found):
        raise InputError(
            f"no document that reaches the band on {ask.score} has the score; choose another one"
        )

    progress = current()

    def run(k: int) -> float:
        progress.advance(1)
        return float((amount * state.trial(moved(float(found[k]))).weight).sum())

    with shown(progress, "trying thresholds", math.ceil(math.log2(len(found))) + 2):
        return solve_level(run, found, ask.side, target)


# ---- a mix of scores -----------------------------------------------------------------------------------------------


def _mix(state: BenchState, ask: Ask, amount: FloatArray, target: float) -> Found:
    table, recipe = state.loaded, state.recipe
    steps = recipe.steps
    if steps and steps[-1].select in BUDGET_STEPS:
        steps = steps[:-1]
    before = state.trial(replace(recipe, steps=steps))
    alive = np.flatnonzero(before.keep)
    step = mix_step(ask, 0.5)
    step.check_score("the mix")
    lacking = [
        name for name in step.needs if name not in table.scores and name not in ("source", "design_weight")
    ]
    if lacking:
        raise InputError(f"the mix reads {', '.join(lacking)}, not computed yet; compute it on the Load tab")
    columns: Columns = {name: column[alive] for name, column in table.columns(step.needs).items()}
    scan = state.fits.scan(table, step, {}, recipe.seed, alive)
    given = (amount * before.weight)[alive]
    at_most = _fillable(state, ask, step, columns, alive) if ask.rules else 1.0

    progress = current()

    def run(share: float) -> float:
        progress.advance(1)
        selection = decide(mix_step(ask, share), columns, {}, recipe.seed, scan)
        weight = 1.0 if selection.weight is None else selection.weight
        return float((given * selection.keep * weight).sum())

    with shown(progress, "trying shares", _TRIALS):
        cut = solve_fraction(run, target, at_most=at_most)
    assert cut.value is not None
    solved = replace(recipe, steps=(*steps, mix_step(ask, cut.value)))
    return solved, state.trial(solved), cut


def _fillable(state: BenchState, ask: Ask, step: Step, columns: Columns, alive: IntArray) -> float:
    """The largest share that the sources can fill under their caps: beyond it, a cap would be of what isn't there."""
    groups, rows = state.groups, alive[complete(step, columns)]
    rules = [ask.rules.get(name, Rule()) for name in groups.names]
    amount = amounts(state, ask.unit, "corpus")[rows]
    sizes = np.bincount(groups.codes[rows], weights=amount, minlength=len(rules))
    sizes = sizes * np.array([rule.repeat for rule in rules])
    caps = np.array([rule.cap for rule in rules])
    if caps[sizes > 0].sum() < 1 - 1e-9 and sizes.any():
        raise InputError(
            f"the caps of all sources that are left make {caps[sizes > 0].sum():.4g} of the budget together, "
            "at least 1 is needed to fill it; raise one"
        )
    return largest_fillable(sizes, caps) / float(sizes.sum()) if sizes.any() else 1.0


def mix_step(ask: Ask, share: float) -> Step:
    """The step that keeps a share by a mix: `rank_average` where that can say it, else `source_budget`."""
    rules = {name: rule for name, rule in ask.rules.items() if rule != Rule()}
    if ask.scores and ask.draw == "top" and not rules and ask.fill == "best":
        return Step("rank_average", RankAverageParams(ask.scores, ask.weights, share, ask.unit))
    sources = tuple(rules)
    params = SourceBudgetParams(
        keep_fraction=share,
        unit=ask.unit,
        scores=ask.scores,
        weights=ask.weights,
        draw=ask.draw if ask.scores else "top",
        temperature=ask.temperature,
        fill=ask.fill,
        sources=sources,
        floors=_column(rules, "floor", 0.0),
        caps=_column(rules, "cap", 1.0),
        repeats=_column(rules, "repeat", 1.0),
    )
    return Step("source_budget", params)


def _column(rules: Mapping[str, Rule], name: str, default: float) -> tuple[float, ...]:
    """One number a source; nothing where each is the default, so that the recipe stays short."""
    found = tuple(float(getattr(rule, name)) for rule in rules.values())
    return found if any(value != default for value in found) else ()
