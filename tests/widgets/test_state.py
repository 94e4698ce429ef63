from __future__ import annotations

import numpy as np
import pytest

from widgets import bands
from widgets.pages import Query
from widgets.state import BenchState
from workbench.engine.select import select
from workbench.engine.table import Table
from workbench.errors import InputError, RecipeError
from workbench.plots.axis import N_POSITIONS
from workbench.recipe.model import Recipe
from workbench.recipe.schema import parse_recipe
from workbench.selectors.base import Quantile


def band(score: str, low: object = None, high: object = None) -> dict[str, object]:
    step = {"select": "band", "score": score, "low": low, "high": high, "unscored": "drop"}
    return {name: value for name, value in step.items() if value is not None}


def recipe(*steps: dict[str, object]) -> Recipe:
    return parse_recipe({"format": "selection-recipe/1", "seed": 0, "steps": list(steps)})


def test_without_a_table_a_sentence_says_where_to_load() -> None:
    with pytest.raises(InputError, match="load a corpus on the Load tab"):
        BenchState().loaded  # noqa: B018 - reading it is what fails


def test_moving_a_threshold_keeps_exactly_what_the_engine_keeps(state: BenchState, table: Table) -> None:
    state.thresholds.set("n_tokens", 50.0, None)
    state.thresholds.set("compression_ratio", 0.2, 0.8)
    assert state.outcome is not None
    expected = select(state.recipe, table)
    assert (state.outcome.keep == expected.keep).all()
    assert (state.outcome.step == expected.step).all()
    assert state.count().kept == int(expected.keep.sum()) < 30
    tokens = table.scores["n_tokens"]
    assert state.count().kept_tokens == int(tokens[expected.keep].sum())


def test_counts_stay_the_engines_over_many_moves_with_steps_that_compare_documents(
    state: BenchState, table: Table
) -> None:
    state.edit(recipe(band("n_tokens", 20), {"select": "exact"}, {"select": "random", "fraction": 0.8}))
    for place in range(0, N_POSITIONS, 37):
        state.thresholds.drag("perplexity", "high", place)
        state.thresholds.drag("n_tokens", "low", place)
        expected = select(state.recipe, table)
        assert (state.keep == expected.keep).all()
        assert [state.outcome.reason(i) for i in range(30)] == [expected.reason(i) for i in range(30)]  # type: ignore[union-attr]


def test_a_moved_band_is_a_step_with_constants_that_drops_unscored_documents(state: BenchState) -> None:
    state.thresholds.move("compression_ratio", "low", 0.25)
    assert state.recipe.to_json()["steps"] == [band("compression_ratio", 0.25)]
    assert not state.keep[7]


def test_opening_both_sides_takes_the_step_out_and_unscored_documents_back(state: BenchState) -> None:
    state.thresholds.move("compression_ratio", "low", 0.25)
    state.thresholds.move("compression_ratio", "low", None)
    assert state.recipe.steps == ()
    assert state.keep.all()


def test_a_new_band_comes_before_the_steps_that_compare_documents(state: BenchState) -> None:
    state.edit(recipe({"select": "random", "fraction": 0.5}, {"select": "exact"}))
    state.thresholds.move("n_tokens", "low", 50)
    assert [step.select for step in state.recipe.steps] == ["random", "band", "exact"]


def test_a_handle_is_held_at_the_other_one(state: BenchState) -> None:
    state.thresholds.set("n_tokens", None, 100.0)
    state.thresholds.move("n_tokens", "low", 250)
    assert state.thresholds.values("n_tokens") == (100.0, 100.0)


def test_dragging_to_the_outer_end_opens_a_side(state: BenchState) -> None:
    state.thresholds.drag("perplexity", "low", 400)
    state.thresholds.drag("perplexity", "high", 700)
    assert None not in state.thresholds.values("perplexity")
    state.thresholds.drag("perplexity", "low", 0)
    state.thresholds.drag("perplexity", "high", N_POSITIONS)
    assert state.thresholds.values("perplexity") == (None, None)


def test_the_recipe_holds_the_snapped_value(state: BenchState) -> None:
    axis = state.chart("perplexity").axis
    assert axis is not None
    state.thresholds.drag("perplexity", "low", 333)
    assert state.thresholds.values("perplexity")[0] == axis.snapped(333)


def test_low_above_high_is_refused_and_the_recipe_stays(state: BenchState) -> None:
    state.thresholds.set("n_tokens", 20.0, 100.0)
    before = state.recipe
    with pytest.raises(InputError, match="low must be below high, got low=200, high=100; swap them"):
        state.thresholds.set("n_tokens", 200.0, 100.0)
    assert state.recipe == before
    assert state.thresholds.values("n_tokens") == (20.0, 100.0)


def test_a_recipe_that_cannot_decide_is_refused(state: BenchState) -> None:
    with pytest.raises(InputError, match="compression_ratio is not defined \\(NaN\\)"):
        state.edit(recipe({"select": "band", "score": "compression_ratio", "low": 0.2}))
    assert state.recipe == Recipe()


def test_a_recipe_on_scores_not_computed_is_kept_and_the_problem_named(state: BenchState) -> None:
    state.edit(recipe(band("n_chars", 5)))
    assert not state.outcome
    assert "the recipe reads n_chars, not computed yet" in str(state.problem)
    assert state.keep.all()
    state.undo()
    assert not state.problem
    assert state.outcome


def test_undo_and_redo_walk_through_the_recipes(state: BenchState) -> None:
    assert not state.can_undo
    state.undo()
    state.thresholds.move("n_tokens", "low", 50)
    state.thresholds.move("perplexity", "high", 900)
    both = state.recipe
    state.undo()
    assert state.thresholds.values("perplexity") == (None, None)
    state.undo()
    assert state.recipe == Recipe()
    assert not state.can_undo
    state.redo()
    state.redo()
    assert state.recipe == both
    assert not state.can_redo
    assert state.outcome is not None
    assert state.outcome.fitted.recipe == both


def test_a_drag_is_undone_at_once(state: BenchState) -> None:
    state.thresholds.move("n_tokens", "low", 30)
    for place in range(100, 200):
        state.thresholds.drag("n_tokens", "low", place, gesture="first")
    for place in range(200, 300):
        state.thresholds.drag("n_tokens", "low", place, gesture="second")
    state.undo()
    assert state.thresholds.values("n_tokens")[0] == state.chart("n_tokens").axis.snapped(199)  # type: ignore[union-attr]
    state.undo()
    assert state.thresholds.values("n_tokens")[0] == 30


def test_an_edit_after_undo_forgets_the_future(state: BenchState) -> None:
    state.thresholds.move("n_tokens", "low", 50)
    state.undo()
    state.thresholds.move("n_tokens", "low", 60)
    assert not state.can_redo


def test_as_quantile_stores_the_quantile_and_shows_the_constant(state: BenchState, table: Table) -> None:
    state.thresholds.move("n_tokens", "low", 120)
    state.thresholds.show_quantiles("n_tokens", True)
    low, _ = bands.bounds(state.recipe, "n_tokens")
    # 11 documents lie below: 5 of weight 2 and 6 of weight 1, of 10 + 9 + 64 in all.
    assert low == Quantile(round(16 / 83, 3))
    value = state.thresholds.values("n_tokens")[0]
    assert value in table.scores["n_tokens"]
    state.thresholds.show_quantiles("n_tokens", False)
    assert bands.bounds(state.recipe, "n_tokens")[0] == value


def test_quantiles_of_a_loaded_recipe_show_as_quantiles(state: BenchState) -> None:
    state.edit(recipe(band("n_tokens", {"quantile": 0.1}), band("perplexity", 3)))
    state.thresholds.sync_quantiles()
    assert state.thresholds.as_quantile == {"n_tokens"}


def test_listeners_hear_what_changed(state: BenchState, table: Table) -> None:
    heard: list[str] = []
    state.listen(heard.append)
    state.thresholds.move("n_tokens", "low", 50)
    state.select_rows(np.asarray([3]))
    state.set_table(table)
    assert heard == ["recipe", "selection", "table"]


def test_a_lasso_keeps_only_rows_of_the_sample(state: BenchState) -> None:
    state.select_rows(np.asarray([29, 30, -1, 4, 4]))
    assert state.selection.tolist() == [4, 29]


def test_documents_near_a_threshold_come_from_both_sides(state: BenchState) -> None:
    state.thresholds.set("n_tokens", 155.0, None)
    rows = state.reading.find(Query(near="n_tokens")).rows
    assert set(rows[:4].tolist()) == {13, 14, 15, 16}
    with pytest.raises(InputError, match="perplexity has no threshold to be near to"):
        state.reading.find(Query(near="perplexity"))


def test_unscored_documents_are_near_no_threshold(state: BenchState) -> None:
    state.thresholds.set("compression_ratio", 0.3, 0.6)
    assert 7 not in state.reading.find(Query(near="compression_ratio")).rows


def test_a_threshold_on_a_category_is_refused(state: BenchState) -> None:
    with pytest.raises(InputError, match="language has categories, not a range"):
        state.thresholds.drag("language", "low", 10)


def test_a_score_without_histogram_is_named(state: BenchState) -> None:
    with pytest.raises(InputError, match="'n_chars' has no histogram"):
        state.chart("n_chars")


def test_the_seed_is_part_of_the_recipe(state: BenchState) -> None:
    state.reseed(7)
    assert state.recipe.seed == 7
    state.undo()
    assert state.recipe.seed == 0


def test_an_unknown_selector_is_refused_by_the_schema() -> None:
    with pytest.raises(RecipeError, match="there is no selector"):
        recipe({"select": "<script>"})
