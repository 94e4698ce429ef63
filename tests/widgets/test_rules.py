"""From a lasso to a step of the recipe: tried first, confirmed where it is poor."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import polars as pl
import pytest

from tests.widgets.sending import Held, ask, complain, send
from widgets.audits import evidence
from widgets.map import Map
from widgets.state import BenchState
from widgets.trials import Trials
from workbench.corpus import Sample
from workbench.corpus.design import Design, Stratum
from workbench.engine.region import make_rule, try_rule
from workbench.engine.select import select
from workbench.engine.table import Table
from workbench.errors import InputError
from workbench.models.load import Models
from workbench.recipe.schema import parse_recipe

N = 120
FORM = {"variant": "centroids", "keep": "inside", "name": "<img src=x>"}


@pytest.fixture
def table() -> Table:
    """Three topics that are far apart, whose place on the map says nothing of them."""
    rng = np.random.default_rng(0)
    topic = np.arange(N) % 3
    embedding = 9 * np.eye(6)[topic] + rng.normal(size=(N, 6))
    ids = [f"d{i:03d}" for i in range(N)]
    frame = pl.DataFrame({"doc_id": ids, "text": ids, "source": [f"topic {t}" for t in topic]})
    strata = {f"topic {t}": Stratum(40, 40, 40, 1.0) for t in range(3)}
    columns = {
        "embedding": embedding.astype(np.float32),
        "map_x": rng.normal(size=N).astype(np.float32),
        "map_y": rng.normal(size=N).astype(np.float32),
    }
    return Table(Sample(frame, Design("source", 0, strata, "0" * 64, 0)), Models(), columns)


@pytest.fixture
def state(table: Table) -> BenchState:
    state = BenchState()
    state.load(table)
    return state


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def view(state: BenchState, said: list[str]) -> Map:
    view = Map(state, said.append, show=lambda: None, read=lambda row: None, compute=lambda names: None)
    view.is_shown = True
    view.refresh()
    return view


def rule(view: Map) -> dict[str, Any]:
    json.dumps(view._panel.state, allow_nan=False)
    shown: dict[str, Any] = view._panel.state["rule"]
    return shown


def test_a_legend_entry_becomes_a_rule_that_keeps_its_documents(
    view: Map, state: BenchState, table: Table
) -> None:
    send(view._panel, type="pick", index=1)
    assert rule(view)["name"] == "topic 1"
    assert rule(view)["tried"] is None
    for variant in ("centroids", "probe"):
        ask(view._panel, view._rules._aside, type="try", **{**FORM, "variant": variant})
        expected = try_rule(table, state.selection, variant=variant)  # type: ignore[arg-type]  # one of two
        tried = rule(view)["tried"]
        assert tried["precision"][0] == expected.precision.value == 1
        assert tried["recall"][1:] == [expected.recall.low, 1, 20, 20]
        assert not tried["isPoor"]
    ask(view._panel, view._rules._aside, type="add", **FORM, confirmed=False)
    assert rule(view)["tried"] is None, "another variant was tried"
    ask(view._panel, view._rules._aside, type="try", **FORM)
    # A message is made of strings of its own.
    ask(view._panel, view._rules._aside, type="add", **json.loads(json.dumps(FORM)), confirmed=False)
    assert rule(view)["added"] == 1
    params = state.recipe.steps[0].params
    assert params == make_rule(table, state.selection, name="<img src=x>")
    keep = select(parse_recipe(json.dumps(state.recipe.to_json())), table).keep
    np.testing.assert_array_equal(keep, np.arange(N) % 3 == 1)
    np.testing.assert_array_equal(state.keep, keep)
    state.undo()
    assert state.keep.all()


def test_a_poor_rule_is_added_only_when_that_is_confirmed(
    view: Map, state: BenchState, said: list[str]
) -> None:
    state.select_rows(np.arange(0, N, 4))
    ask(view._panel, view._rules._aside, type="try", **{**FORM, "keep": "outside"})
    assert rule(view)["tried"]["isPoor"]
    ask(view._panel, view._rules._aside, type="add", **FORM, confirmed=False)
    assert "below 0.8; confirm that you want it" in said[-1]
    assert state.recipe.steps == ()
    ask(view._panel, view._rules._aside, type="add", **{**FORM, "keep": "outside"}, confirmed=True)
    assert said[-1] == ""
    assert state.recipe.steps[0].params.keep == "outside"


def test_the_trial_of_a_rule_is_evidence_for_as_long_as_the_recipe_has_it(
    view: Map, state: BenchState, table: Table
) -> None:
    send(view._panel, type="pick", index=1)
    ask(view._panel, view._rules._aside, type="try", **FORM)
    ask(view._panel, view._rules._aside, type="add", **FORM, confirmed=False)
    tried = try_rule(table, state.selection, variant="centroids")
    (found,) = json.loads(json.dumps(evidence(state), allow_nan=False))
    assert (found["kind"], found["step"], found["name"]) == ("held_out_region", 1, "<img src=x>")
    assert found["sample"] == table.sample.fingerprint
    assert (found["n_fitted"], found["n_held_out"]) == (tried.n_fitted, tried.n)
    assert found["recall"]["low"] == tried.recall.low
    saved, other = state.saved_parts["trials"].to_json(), Trials()
    other.load_json(json.loads(json.dumps(saved)))
    assert other.evidence(state.recipe) == [found]
    state.undo()
    assert evidence(state) == other.evidence(state.recipe) == []


@pytest.mark.parametrize(
    "broken",
    [
        {"n_fitted": -1},
        {"rule": 3},
        {"sample": "0" * 65},
        {"precision": {"value": 0.5, "low": 0.6, "high": 1, "n_found": 0, "n": 1}},
        {"recall": {"value": None, "low": 0, "high": 1, "n_found": 2, "n": 1}},
        {"recall": {"value": 0.5}},
    ],
)
def test_saved_trials_of_a_wrong_form_change_nothing(
    view: Map, state: BenchState, broken: dict[str, Any]
) -> None:
    send(view._panel, type="pick", index=1)
    ask(view._panel, view._rules._aside, type="try", **FORM)
    ask(view._panel, view._rules._aside, type="add", **FORM, confirmed=False)
    trials = state.saved_parts["trials"]
    before = trials.to_json()
    with pytest.raises(InputError):
        trials.load_json({"trials": [{**before["trials"][0], **broken}]})
    assert trials.to_json() == before


def test_what_was_tried_holds_for_the_documents_chosen_then(
    view: Map, state: BenchState, said: list[str]
) -> None:
    ask(view._panel, view._rules._aside, type="add", **FORM, confirmed=True)
    assert "wasn't tried" in said[-1]
    send(view._panel, type="pick", index=0)
    ask(view._panel, view._rules._aside, type="try", **FORM)
    assert rule(view)["tried"]
    send(view._panel, type="pick", index=2)
    assert rule(view)["tried"] is None
    ask(view._panel, view._rules._aside, type="add", **FORM, confirmed=True)
    assert "wasn't tried" in said[-1]
    state.select_rows(np.arange(5))
    assert rule(view)["hint"] == "A rule needs at least 20 documents."
    ask(view._panel, view._rules._aside, type="try", **FORM)
    assert "got 5 and 115; choose more documents" in said[-1]


def test_a_rule_is_not_added_for_documents_that_are_no_longer_chosen(state: BenchState) -> None:
    held = Held()
    view = Map(state, held.said.append, show=print, read=print, compute=print, jobs=held.jobs)
    view.is_shown = True
    view.refresh()
    send(view._panel, type="pick", index=1)
    held.go.set()
    ask(view._panel, view._rules._aside, type="try", **FORM)
    held.go.clear()
    send(view._panel, type="add", **FORM, confirmed=False)
    held.until_it_works()
    assert rule(view)["isBusy"]
    state.select_rows(np.arange(40))
    held.let_go()
    assert held.said[-1] == "other documents are chosen by now; try the rule on them first"
    assert state.recipe.steps == ()
    assert not rule(view)["isBusy"]


@pytest.mark.parametrize(
    "wrong",
    [{"variant": "svm"}, {"keep": None}, {"name": 3}, {"name": "x" * 61}, {"confirmed": "yes"}],
)
def test_a_message_that_is_no_form_changes_nothing(
    view: Map, state: BenchState, said: list[str], wrong: dict[str, object]
) -> None:
    state.select_rows(np.arange(0, N, 4))
    ask(view._panel, view._rules._aside, type="try", **FORM)
    ask(view._panel, view._rules._aside, type="add", **{**FORM, "confirmed": True, **wrong})
    assert "must be" in said[-1]
    assert state.recipe.steps == ()


def test_without_an_embedding_the_form_says_so(state: BenchState, table: Table) -> None:
    bare = {name: column for name, column in table.scores.items() if name != "embedding"}
    state.load(Table(table.sample, Models(), bare))
    view = Map(state, complain, show=lambda: None, read=lambda row: None, compute=lambda names: None)
    view.is_shown = True
    view.refresh()
    assert rule(view)["hint"] == "A rule reads the embedding, which isn't computed."
