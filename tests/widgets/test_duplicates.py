"""The Duplicates tab: its curve is what the engine keeps at each cut, and its pairs lie on both sides of it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tests.widgets.conftest import N
from tests.widgets.sending import ask, complain, send
from widgets.copies import METHODS, N_PLACES, candidate_curve, links, with_cut
from widgets.duplicates import Duplicates
from widgets.state import BenchState
from workbench.engine.passes import params_json
from workbench.engine.select import select
from workbench.engine.table import Table
from workbench.errors import InputError
from workbench.models.geometry.rows import unit_rows
from workbench.recipe.model import Recipe
from workbench.recipe.schema import parse_step
from workbench.scores.minhash import MinhashParams


@pytest.fixture
def table(table: Table) -> Table:
    """Documents in families of near-copies, by vectors and by signatures."""
    rng = np.random.default_rng(0)
    family = rng.integers(0, 9, N)
    far = rng.normal(size=(9, 8))[family]
    vectors = unit_rows(
        (far + rng.normal(size=(N, 8)) * rng.choice([0.02, 0.2, 0.6], (N, 1))).astype(np.float32)
    )
    vectors[5] = np.nan
    signature = rng.integers(0, 9, (9, 256))[family]
    other = rng.random((N, 256)) < rng.choice([0.02, 0.2, 0.5], (N, 1))
    signature = np.where(other, rng.integers(10, 99, (N, 256)), signature).astype(np.uint32)
    bands = np.stack([family + 1, rng.integers(1, 7, N)], axis=1).astype(np.uint64)
    scores = {**table.scores, "embedding": vectors, "minhash_bands": bands, "minhash_signature": signature}
    definitions = {"minhash_bands": {"params": params_json(MinhashParams())}}
    return replace(table, scores=scores, definitions=definitions)


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize("before", [(), ({"select": "band", "score": "n_tokens", "low": 60},)])
def test_the_curve_is_what_the_engine_keeps_at_each_cut(
    state: BenchState, table: Table, name: str, before: tuple[Any, ...]
) -> None:
    method = METHODS[name]
    state.edit(Recipe(tuple(parse_step(step) for step in before)))
    found = links(state, method)
    reach = select(state.recipe, table).keep
    if name == "semdedup":
        reach = reach & np.isfinite(table.scores["embedding"]).all(axis=1)
    assert found.rows.tolist() == np.flatnonzero(reach).tolist()
    seen = set()
    for place in range(0, N_PLACES + 1, 50):
        value = method.value_at(place)
        outcome = select(with_cut(state.recipe, method, value), table)
        assert found.n_kept(value) == outcome.keep.sum()
        seen.add(found.n_kept(value))
    assert len(seen) > 5
    assert dict(found.curve())[0.5] == found.n_kept(method.value_at(500)) / len(found.rows)


@pytest.mark.parametrize("name", METHODS)
def test_pairs_are_told_from_the_cut_outward(state: BenchState, table: Table, name: str) -> None:
    method = METHODS[name]
    state.edit(with_cut(state.recipe, method, 0.2 if name == "semdedup" else 0.6))
    found = links(state, method)
    above, below = found.pairs()
    assert len(above) > 2
    assert len(below) > 2
    limit = 0.8 if name == "semdedup" else 0.6
    assert (np.diff(found.similarity[above]) >= 0).all()
    assert (np.diff(found.similarity[below]) <= 0).all()
    assert found.similarity[above].min() >= limit > found.similarity[below].max()
    keep = select(state.recipe, table).keep
    assert found.keep.tolist() == keep[found.rows].tolist()
    assert len(found.rows) - len(above) == keep.sum() == found.n_kept(found.value)
    for place in (*above, *below):
        one, other = found.rows[place], found.rows[found.twin[place]]
        assert one != other
        if name == "semdedup":
            exact = float(table.scores["embedding"][one] @ table.scores["embedding"][other])
        else:
            signature = table.scores["minhash_signature"]
            exact = float((signature[one] == signature[other]).mean())
        assert found.similarity[place] == pytest.approx(exact, abs=1e-5)


def test_a_cut_replaces_a_share(state: BenchState) -> None:
    state.edit(Recipe((parse_step({"select": "semdedup", "keep_fraction": 0.5, "n_clusters": 3}),)))
    state.edit(with_cut(state.recipe, METHODS["semdedup"], 0.1))
    assert state.recipe.to_json()["steps"][0] == {
        "select": "semdedup", "epsilon": 0.1, "n_clusters": 3, "keep": "hard", "n_iterations": 100,
    }  # fmt: skip


def test_pairs_share_a_band_as_often_as_the_banding_says(table: Table) -> None:
    curve = dict(candidate_curve(table))
    assert curve[0.0] == 0
    assert curve[1.0] == 1
    assert curve[0.75] == pytest.approx(1 - (1 - 0.75**8) ** 14)


@pytest.fixture
def view(state: BenchState) -> Duplicates:
    view = Duplicates(state, complain)
    view.is_shown = True
    view.refresh()
    view._aside.wait(60)
    return view


def test_a_click_on_the_curve_adds_the_step_and_a_second_one_moves_it(
    view: Duplicates, state: BenchState
) -> None:
    json.dumps(view.state, allow_nan=False)
    assert view.state["step"] is None
    ask(view, view._aside, type="place", place=500)
    assert [(s.select, s.params.epsilon) for s in state.recipe.steps] == [("semdedup", 0.25)]
    assert view.state["kept"] == state.count().kept
    send(view, type="value", value=0.013)
    assert [(s.select, s.params.epsilon) for s in state.recipe.steps] == [("semdedup", 0.013)]
    assert (view.state["step"], view.state["value"]) == (1, 0.013)
    assert view.state["place"] == pytest.approx(0.013**0.5)
    ask(view, view._aside, type="method", method="minhash")
    ask(view, view._aside, type="place", place=640)
    assert [s.select for s in state.recipe.steps] == ["semdedup", "minhash"]
    assert view.state["kept"] == state.count().kept
    state.undo()
    assert [s.select for s in state.recipe.steps] == ["semdedup"]


def test_a_pair_shows_both_texts_with_their_difference(view: Duplicates, table: Table) -> None:
    ask(view, view._aside, type="place", place=600)
    for side in ("above", "below"):
        send(view, type="pair", side=side, pair=1)
        shown = view.state["shown"]
        assert (view.state["side"], view.state["pair"]) == (side, 1)
        assert shown["isCopy"] == (side == "above")
        for one in shown["documents"]:
            assert "".join(text for _, text in one["spans"]) == table.sample.texts[one["row"]]
            assert one["id"] == table.sample.doc_ids[one["row"]]
        assert shown["documents"][1]["kept"] == (side == "below")
    send(view, type="pair", side="above", pair=10**6)
    assert view.state["pair"] == view.state["counts"]["above"] - 1


def test_many_documents_are_not_compared_unasked(state: BenchState, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("widgets.duplicates.AT_ONCE", N - 1)
    view = Duplicates(state, complain)
    view.is_shown = True
    view.refresh()
    assert view.state["ask"] == f"Compute the curve for {N} documents"
    assert "curve" not in view.state
    ask(view, view._aside, type="compute")
    assert view.state["documents"] == N - 1


def test_without_scores_it_says_what_to_compute(state: BenchState, table: Table, view: Duplicates) -> None:
    rest = {name: column for name, column in table.scores.items() if name != "minhash_signature"}
    state.set_table(replace(table, scores=rest))
    ask(view, view._aside, type="method", method="minhash")
    assert view.state["hint"] == "MinHash: by words needs minhash_signature; compute it on the Load tab"
    with pytest.raises(InputError, match="needs minhash_signature"):
        links(state, METHODS["minhash"])


@pytest.mark.parametrize(
    "content",
    [{"type": "place", "place": 1001}, {"type": "value", "value": 1.5}, {"type": "pair", "side": "x", "pair": 0},
     {"type": "pair", "side": "above", "pair": -1}, {"type": "method", "method": "exact"}],
)  # fmt: skip
def test_what_a_page_sends_is_checked(state: BenchState, content: dict[str, Any]) -> None:
    said: list[str] = []
    view = Duplicates(state, said.append)
    view.is_shown = True
    send(view, **content)
    assert "must" in said[-1]
    assert state.recipe.steps == ()
