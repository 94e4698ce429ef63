"""The Budget tab: what it solves is the best that any threshold or share gives, and applying it is one edit."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tests.widgets.conftest import N
from tests.widgets.sending import ask, complain, send
from widgets import bands
from widgets.ask import Ask, Rule, amounts
from widgets.budget import Budget
from widgets.solution import changed_steps
from widgets.solving import solve
from widgets.state import BenchState
from workbench.engine.export import expectations
from workbench.engine.select import select
from workbench.engine.table import Table
from workbench.errors import InputError
from workbench.recipe.model import Recipe, Step
from workbench.recipe.schema import parse_step
from workbench.selectors.average import average_rank
from workbench.selectors.base import Quantile

COUNTED = [(unit, of) for unit in ("documents", "tokens") for of in ("sample", "corpus")]


def kept_amount(recipe: Recipe, table: Table, amount: Any) -> float:
    return float((amount * select(recipe, table).weight).sum())


@pytest.mark.parametrize(("unit", "of"), COUNTED)
@pytest.mark.parametrize("side", ["low", "high"])
@pytest.mark.parametrize("score", ["perplexity", "compression_ratio", "n_tokens"])
def test_no_place_of_a_handle_comes_nearer_to_a_budget(
    state: BenchState, table: Table, unit: Any, of: Any, side: Any, score: str
) -> None:
    state.thresholds.set("n_tokens", 30.0, None)
    state.thresholds.set("compression_ratio", None, 0.8)
    amount = amounts(state, unit, of)
    low, high = bands.bounds(state.recipe, score)
    values = np.unique(table.scores[score][~np.isnan(table.scores[score])])
    places = [None, *(float(value) for value in values)]
    reachable = set()
    for place in places:
        pair = (place, high) if side == "low" else (low, place)
        if None in pair or pair[0] <= pair[1]:
            moved = bands.with_bounds(state.recipe, score, *pair)
            reachable.add(kept_amount(moved, table, amount))
    for share in (0.02, 0.3, 0.55, 0.95):
        target = round(share * float(amount.sum()))
        found = solve(state, Ask(amount=str(target), unit=unit, of=of, score=score, side=side))
        assert found.reached == kept_amount(found.recipe, table, amount)
        reachable.discard(0.0)  # nothing kept is no answer
        within = [a for a in reachable if a <= target]
        assert found.reached == (max(within) if within else min(reachable))
        assert found.is_met == (bool(within) and max(reachable) >= target)


def test_where_a_later_step_compares_documents_the_whole_recipe_is_tried(
    state: BenchState, table: Table
) -> None:
    state.edit(Recipe((parse_step({"select": "rank", "score": "perplexity", "keep_fraction": 0.5}),)))
    found = solve(state, Ask(amount="7", unit="documents", score="n_tokens", side="low"))
    assert [step.select for step in found.recipe.steps] == ["band", "rank"]
    n_kept = int(select(found.recipe, table).keep.sum())
    assert found.reached == n_kept <= 7
    tried = {
        int(select(bands.with_bounds(state.recipe, "n_tokens", float(v), None), table).keep.sum())
        for v in table.scores["n_tokens"]
    }
    assert n_kept == max(n for n in tried if n <= 7)


@pytest.mark.parametrize(("unit", "of"), COUNTED)
def test_a_mix_keeps_the_longest_beginning_of_its_order_that_fits(
    state: BenchState, table: Table, unit: Any, of: Any
) -> None:
    state.thresholds.set("compression_ratio", 0.2, None)
    rows = np.flatnonzero(state.keep)
    columns = {
        name: column[rows]
        for name, column in table.columns(("n_tokens", "perplexity", "design_weight")).items()
    }
    average = average_rank(columns, ("n_tokens", "perplexity"), (1.0, -3.0))
    order = rows[np.lexsort((columns["doc_id"], -np.round(average, 12)))]
    amount = amounts(state, unit, of)
    used = np.r_[0, np.cumsum(amount[order])]
    for target in (0, 3, 40, 333, 1000, 2500):
        ask = Ask(str(target), unit, of, "mix", scores=("n_tokens", "perplexity"), weights=(1.0, -3.0))
        found = solve(state, ask)
        assert [step.select for step in found.recipe.steps] == ["band", "rank_average"]
        assert found.reached == kept_amount(found.recipe, table, amount) == used[used <= target].max()


def test_a_solved_mix_replaces_the_one_before(state: BenchState, table: Table) -> None:
    ask = Ask("12", "documents", "sample", "mix", scores=("perplexity",), weights=(1.0,))
    for asked in (
        ask,
        replace(ask, amount="9", draw="gumbel", temperature=0.3),
        replace(ask, scores=(), weights=()),
    ):
        found = solve(state, asked)
        state.edit(found.recipe)
        assert len(state.recipe.steps) == 1
        assert state.count().kept == found.reached == float(asked.amount)


def test_rules_by_source_hold_and_repeats_count(state: BenchState, table: Table) -> None:
    rules = {"a": Rule(floor=0.3), "<b>c</b>": Rule(cap=0.25, repeat=2.0), "b": Rule()}
    ask = Ask("40 %", "tokens", "corpus", "mix", scores=("n_tokens",), weights=(1.0,), rules=rules)
    found = solve(state, ask)
    step = found.recipe.steps[-1]
    assert step.params.sources == ("a", "<b>c</b>")
    amount = amounts(state, "tokens", "corpus")
    outcome = select(found.recipe, table)
    assert set(np.unique(outcome.weight[outcome.keep])) <= {1.0, 2.0}
    assert found.reached == (amount * outcome.weight).sum() <= 0.4 * amount.sum()
    shares = {s: (amount * outcome.weight)[table.source == s].sum() / found.target for s in rules}
    assert shares["<b>c</b>"] <= 0.25 + 1e-9
    kept_all_of_a = outcome.keep[table.source == "a"].all()
    assert kept_all_of_a or shares["a"] >= 0.3 - 1e-2


@pytest.fixture
def view(state: BenchState) -> Budget:
    view = Budget(state, complain)
    view.is_shown = True
    view.refresh()
    return view


ASKED: dict[str, Any] = {
    "amount": "10", "unit": "documents", "of": "sample", "how": "handle", "score": "perplexity", "side": "high",
    "scores": [], "weights": [], "draw": "top", "temperature": 0.1, "fill": "best", "rules": [],
}  # fmt: skip


def test_a_solution_is_looked_at_first_and_applied_as_one_edit(
    view: Budget, state: BenchState, table: Table
) -> None:
    ask(view, view._aside, type="solve", **ASKED)
    json.dumps(view.state, allow_nan=False)
    shown = view.state["solution"]
    assert (shown["kept"], shown["now"], shown["isMet"]) == (10, N, True)
    assert state.recipe.steps == ()
    send(view, type="apply")
    assert state.count().kept == 10
    assert view.state["solution"] is None
    totals = expectations(table, select(state.recipe, table)).all
    rows = {unit: row for unit, *row in shown["rows"]}
    for unit in ("documents", "tokens"):
        of = totals[f"n_{unit}"]
        assert rows[unit][1:] == [of.value, of.low, of.high]
    state.undo()
    assert state.recipe.steps == ()


def test_what_can_not_be_met_is_said_with_the_nearest_that_can(view: Budget, state: BenchState) -> None:
    state.thresholds.set("n_tokens", None, 100.0)
    ask(view, view._aside, type="solve", **{**ASKED, "amount": "20"})
    assert view.state["solution"]["sentences"] == [
        "20 documents of the sample can't be met: the most that is left to keep is 10, the nearest."
    ]
    ask(view, view._aside, type="solve", **{**ASKED, "amount": "5", "unit": "tokens"})
    assert view.state["solution"]["sentences"] == [
        "5 tokens of the sample can't be met: the least that this can keep is 10, the nearest."
    ]
    ask(view, view._aside, type="solve", **{**ASKED, "amount": "35", "unit": "tokens"})
    assert (
        view.state["solution"]["sentences"][0]
        == "Keeps 30 of the 35 tokens of the sample that were asked for."
    )
    assert "would keep 60" in view.state["solution"]["sentences"][1]


def test_a_floor_that_can_not_be_met_is_said(view: Budget) -> None:
    asked = {"how": "mix", "unit": "tokens", "amount": "50 %", "scores": ["n_tokens"], "weights": [1]}
    rules = [{"source": "a", "floor": 0.9, "cap": 1, "repeat": 1}]
    ask(view, view._aside, type="solve", **{**ASKED, **asked, "rules": rules})
    assert any(
        "The floor of 0.9 for a can't be met: all of it" in s for s in view.state["solution"]["sentences"]
    )


def test_a_change_of_the_recipe_takes_the_solution_away(view: Budget, state: BenchState) -> None:
    ask(view, view._aside, type="solve", **ASKED)
    state.thresholds.set("n_tokens", 50.0, None)
    assert view.state["solution"] is None
    assert "solve again" in view.state["note"]


@pytest.mark.parametrize(
    ("given", "match"),
    [
        ({"amount": "lots"}, "the budget must be a number such as"),
        ({"score": "<img>"}, "score must be one of those shown"),
        ({"score": None}, "choose a score whose threshold may move"),
        ({"weights": [1]}, "weights must be a list of 0 numbers"),
        ({"how": "mix", "temperature": None}, "temperature must be a number"),
        ({"rules": [{"source": "nobody", "floor": 0, "cap": 1, "repeat": 1}]}, "source must be one of those"),
        ({"rules": [7]}, "rules must be a list"),
        (
            {"how": "mix", "rules": [{"source": "a", "floor": 2, "cap": 1, "repeat": 1}]},
            r"floors must lie in 0\.\.1",
        ),
    ],
)
def test_what_a_page_sends_is_checked(state: BenchState, given: dict[str, Any], match: str) -> None:
    said: list[str] = []
    view = Budget(state, said.append)
    view.is_shown = True
    ask(view, view._aside, type="solve", **{**ASKED, **given})
    assert match.replace("\\", "") in said[-1]
    assert state.recipe.steps == ()


def test_without_documents_or_scores_it_says_what_to_do_first(table: Table) -> None:
    empty = BenchState()
    view = Budget(empty, complain)
    assert view.state == {}
    view.is_shown = True
    view.refresh()
    assert view.state["hint"] == "Load documents on the Load tab first."
    empty.load(replace(table, scores={}))
    assert view.state["hint"].startswith("Compute a score")


def test_a_band_that_is_off_is_not_moved(state: BenchState) -> None:
    step = parse_step({"select": "band", "score": "n_tokens", "low": 5})
    state.edit(Recipe((Step(step.select, step.params, off=True),)))
    with pytest.raises(InputError, match="the band on n_tokens is off"):
        solve(state, Ask(score="n_tokens"))


@pytest.mark.parametrize("side", ["low", "high"])
@pytest.mark.parametrize("score", ["perplexity", "compression_ratio"])
def test_a_quantile_that_is_solved_stays_one_and_keeps_what_the_constant_keeps(
    state: BenchState, table: Table, score: str, side: Any
) -> None:
    asked = Ask(amount="11", unit="documents", score=score, side=side)
    constant = solve(state, asked)
    assert isinstance(bands.bounds(constant.recipe, score)[bands.SIDES.index(side)], float)
    state.thresholds.show_quantiles(score, True)
    found = solve(state, asked)
    bound = bands.bounds(found.recipe, score)[bands.SIDES.index(side)]
    assert isinstance(bound, Quantile)
    assert len(f"{bound.quantile:g}") <= 5
    np.testing.assert_array_equal(select(found.recipe, table).keep, constant.outcome.keep)
    assert found.reached == constant.reached == 11
    assert "quantile" in changed_steps(state, found)
    assert "constant" in changed_steps(state, constant)


def test_only_the_side_that_is_a_quantile_stays_one(state: BenchState) -> None:
    state.thresholds.set("perplexity", 5.0, Quantile(0.9))
    state.thresholds.sync_quantiles()
    for side, kind in (("low", float), ("high", Quantile)):
        found = solve(state, Ask(amount="9", unit="documents", score="perplexity", side=side))  # type: ignore[arg-type]  # a Side
        assert isinstance(bands.bounds(found.recipe, "perplexity")[bands.SIDES.index(side)], kind)  # type: ignore[arg-type]


def test_a_solved_quantile_stands_in_the_manifest_with_its_constant(state: BenchState) -> None:
    state.thresholds.set("perplexity", None, Quantile(0.9))
    found = solve(state, Ask(amount="9", unit="documents", score="perplexity"))
    state.edit(found.recipe)
    high = state.resolved.to_json()["steps"][0]["high"]
    assert set(high) == {"quantile", "value"}
    assert state.count().kept == 9
