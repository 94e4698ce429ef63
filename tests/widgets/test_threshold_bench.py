"""The Scores tab as a threshold bench: rows of steps, marginals, cubes on demand, and input that is bad."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.widgets.sending import complain, send
from tests.widgets.test_cube import random_recipe, random_table
from widgets.histograms import Histograms
from widgets.marginals import Marginals
from widgets.sources import AT_MOST, shown_sources, stacked
from widgets.state import BenchState
from widgets.totals import totals_json
from workbench.corpus import Sample
from workbench.corpus.design import Design, Stratum
from workbench.engine.export import expectations
from workbench.engine.select import select
from workbench.engine.table import Table
from workbench.models.load import Models
from workbench.recipe.model import Recipe
from workbench.recipe.schema import parse_recipe


def recipe(*steps: dict[str, Any]) -> Recipe:
    return parse_recipe({"format": "selection-recipe/1", "seed": 0, "steps": list(steps)})


def band(score: str, low: float | None = None, high: float | None = None) -> dict[str, Any]:
    step = {"select": "band", "score": score, "low": low, "high": high, "unscored": "drop"}
    return {name: value for name, value in step.items() if value is not None}


@pytest.fixture
def view(state: BenchState) -> Histograms:
    view = Histograms(state, complain)
    view.is_shown = True
    view.refresh()
    return view


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=40, deadline=None)
def test_marginals_are_those_of_recipes_without_the_step_and_of_it_alone(seed: int) -> None:
    rng = np.random.default_rng(seed)
    state = BenchState()
    state.load(random_table(rng, int(rng.integers(1, 50))))
    state.edit(random_recipe(rng, state))
    tokens, keep, known = state.groups.tokens, state.keep, Marginals(state).known()
    assert tokens is not None
    for index, step in enumerate(state.recipe.steps):
        if step.off:
            assert index not in known
            continue
        others = tuple(other for i, other in enumerate(state.recipe.steps) if i != index)
        alone = ~select(Recipe((step,)), state.loaded).keep
        only = select(Recipe(others), state.loaded).keep & ~keep
        assert known[index].alone == (alone.sum(), tokens[alone].sum())
        assert known[index].only == (only.sum(), tokens[only].sum())


def test_steps_that_compare_documents_are_counted_when_asked_for(view: Histograms, state: BenchState) -> None:
    state.edit(recipe(band("n_tokens", 100), {"select": "random_budget", "keep_fraction": 0.5}))
    assert [step["counted"] for step in view.rows["steps"]] == [False, False]
    send(view, type="count", index=0)
    send(view, type="count", index=1)
    first, second = view.rows["steps"]
    budget_alone = select(Recipe(state.recipe.steps[1:]), state.loaded).keep
    assert first["alone"][0] == 9
    assert second["alone"][0] == (~budget_alone).sum()
    assert first["only"][0] == (budget_alone & ~state.keep).sum()
    assert second["only"][0] == 21 - state.keep.sum()
    state.thresholds.move("n_tokens", "low", 110)
    assert [step["counted"] for step in view.rows["steps"]] == [False, False]


def test_a_step_that_others_can_not_do_without_says_so(view: Histograms, state: BenchState) -> None:
    strict = {"select": "band", "score": "compression_ratio", "low": 0.2}
    state.edit(recipe(band("n_tokens", 100), strict, {"select": "random_budget", "keep_fraction": 0.5}))
    send(view, type="count", index=0)
    assert "compression_ratio is not defined" in view.rows["steps"][0]["fault"]


def test_rows_are_switched_moved_removed_and_added(view: Histograms, state: BenchState) -> None:
    send(view, type="add", score="perplexity")
    send(view, type="add", select="exact")
    send(view, type="add", score="language")
    assert [step["name"] for step in view.rows["steps"]] == [
        "1. band perplexity",
        "2. category language",
        "3. exact",
    ]
    assert [step["score"] for step in view.rows["steps"]] == ["perplexity", "language", None]
    assert state.keep.all()
    send(view, type="switch", index=2, on=False)
    assert view.rows["steps"][2]["off"]
    send(view, type="move", index=2, by=-1)
    send(view, type="remove", index=0)
    assert [step["name"] for step in view.rows["steps"]] == ["1. exact", "2. category language"]
    assert state.recipe.to_json()["steps"][1]["values"] == ["de", "en"]


def test_what_can_be_added_says_what_is_not_computed(view: Histograms, state: BenchState) -> None:
    entries = {entry["name"]: entry for entry in view.state["catalogue"]}
    assert entries["perplexity"]["lacks"] == ""
    assert entries["n_chars"]["lacks"] == "not computed: tick it on the Load tab"
    assert entries["semdedup"]["kind"] == "selector"
    assert "embedding" not in entries


def test_a_cube_is_sent_when_asked_for_and_holds_after_its_own_move(
    view: Histograms, state: BenchState, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[tuple[dict[str, Any], Any]] = []
    monkeypatch.setattr(view, "send", lambda content, buffers=None: sent.append((content, buffers)))
    send(view, type="cube", score="n_tokens", side="low", charts=["perplexity", "n_tokens"])
    content, (raw,) = sent[0]
    assert (content["key"], content["version"]) == ("n_tokens:low", view.live["version"])
    assert not content["fixed"]
    assert len(raw) < 20_000
    json.dumps(content, allow_nan=False)
    send(view, type="drag", score="n_tokens", side="low", place=400)
    assert view.live["holds"] == "n_tokens:low"
    assert view.live["version"] == content["version"] + 1
    send(view, type="value", score="n_tokens", side="low", value=50)
    assert view.live["holds"] == ""
    state.edit(recipe({"select": "random_budget", "keep_fraction": 0.5}))
    send(view, type="cube", score="n_tokens", side="low", charts=[])
    assert sent[-1][0]["fixed"]
    send(view, type="drag", score="n_tokens", side="low", place=400)
    assert view.live["holds"] == ""


def test_a_handle_is_answered_before_it_is_counted_what_steps_drop(
    view: Histograms, state: BenchState, monkeypatch: pytest.MonkeyPatch
) -> None:
    state.edit(recipe(band("n_tokens", 100)))
    before, kept, seen = view.rows, state.count().kept, []
    monkeypatch.setattr(view, "send", lambda content: seen.append((view.live["count"]["kept"], view.rows)))
    send(view, type="drag", score="n_tokens", side="low", place=900, ticket="t")
    assert seen == [(state.count().kept, before)] != [(kept, before)]
    assert view.rows["steps"][0]["inOrder"][0] == len(state.loaded) - state.count().kept
    assert len(seen) == 1


def test_no_cube_of_a_recipe_that_cannot_run(
    view: Histograms, state: BenchState, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[Any] = []
    monkeypatch.setattr(view, "send", lambda *given: sent.append(given))
    state.edit(recipe(band("n_chars", 5)))
    send(view, type="cube", score="n_tokens", side="low", charts=[])
    assert sent == []


def test_totals_are_the_exports_expectations(view: Histograms, state: BenchState) -> None:
    state.thresholds.set("n_tokens", 55.0, None)
    send(view, type="totals")
    expected = expectations(state.loaded, state.outcome).all["n_tokens"]  # type: ignore[arg-type]
    assert view.totals["kept"]["n_tokens"] == [expected.value, expected.low, expected.high]
    assert view.totals["version"] == view.live["version"]
    # Fewer than 20 documents of each source are known.
    assert view.totals["mix"] == [None, None, None]
    kept = expectations(state.loaded, state.outcome).all["n_documents"]  # type: ignore[arg-type]
    assert view.totals["mean"][1][0] == pytest.approx(expected.value / kept.value)
    json.dumps(view.totals, allow_nan=False)
    del state.loaded.scores["n_bytes"]
    assert "Compute n_bytes on the Load tab" in totals_json(state, [0])["hint"]


def test_bars_by_source_add_up_to_the_kept_bars(view: Histograms, state: BenchState) -> None:
    state.thresholds.set("n_tokens", 55.0, 222.0)
    send(view, type="paint", paint="source", roots=False)
    for score, parts in view.live["stacks"].items():
        assert np.sum([counts for _, counts in parts], axis=0).tolist() == view.live["kept"][score]
    parts = stacked(state.bins, state.groups, state.keep, at_most=1)["n_tokens"]
    assert len(parts) == 2
    assert np.sum([counts for _, counts in parts]) == state.count().kept


BAD_COLUMNS = {
    "NaN everywhere": np.full(30, np.nan),
    "constant": np.full(30, 7.0),
    "infinite": np.where(np.arange(30) % 2, np.inf, -np.inf),
    "half missing": np.where(np.arange(30) % 2, np.nan, np.arange(30)),
    "one value infinite": np.where(np.arange(30) == 3, np.inf, np.arange(30)),
    "tiny and huge": np.where(np.arange(30) % 2, 1e-38, 3e38),
    "negative": -np.arange(30.0),
}


@pytest.mark.parametrize("what", BAD_COLUMNS)
def test_bad_columns_are_shown_and_moved_or_left_out(table: Table, what: str) -> None:
    table.scores["perplexity"] = BAD_COLUMNS[what].astype(np.float32)
    state = BenchState()
    state.load(table)
    view = Histograms(state, complain)
    view.is_shown = True
    view.refresh()
    is_shown = bool(np.isfinite(table.scores["perplexity"]).any())
    assert ("perplexity" in state.bins.charts) == is_shown
    for kind in state.chart("perplexity").kinds if is_shown else ():
        send(view, type="scale", score="perplexity", kind=kind)
        for side in ("low", "high"):
            for place in (0, 1, 500, 999, 1000):
                handle = state.thresholds.handle("perplexity", side)
                assert handle.codes.max(initial=0) <= 1000
                send(view, type="drag", score="perplexity", side=side, place=place)
                assert view.live["count"]["kept"] == select(state.recipe, table).keep.sum()
        json.dumps([view.state, view.live, view.rows], allow_nan=False)


def sourced(names: list[str]) -> Table:
    n = len(names)
    frame = pl.DataFrame({"doc_id": [f"d{i}" for i in range(n)], "text": ["x"] * n, "source": names})
    strata = {name: Stratum(4, names.count(name), 9, 0.5) for name in dict.fromkeys(names)}
    tokens = np.arange(1, n + 1, dtype=np.float32)
    return Table(
        Sample(frame, Design("source", 0, strata, "0" * 64, 0)),
        Models(),
        {"n_tokens": tokens, "n_bytes": tokens},
    )


def test_of_many_sources_the_largest_are_shown_and_the_rest_is_one_row() -> None:
    state = BenchState()
    state.load(sourced([f"s{i:04d}" for i in range(5000)] + ["big", "big"]))
    view = Histograms(state, complain)
    view.is_shown = True
    view.refresh()
    rows = view.live["sources"]
    assert len(rows) == AT_MOST + 1
    assert "big" in {row["name"] for row in rows}
    assert (rows[-1]["name"], rows[-1]["color"]) == (f"{5001 - AT_MOST:,} further sources", "")
    state.thresholds.set("n_tokens", 2500.0, None)
    rows = view.live["sources"]
    assert sum(row["kept"] for row in rows) == state.count().kept
    assert sum(row["keptShare"] for row in rows) == pytest.approx(1)
    send(view, type="sources", search="S0017")
    assert [row["name"] for row in view.live["sources"]] == ["s0017", "5,000 further sources"]
    assert shown_sources(state.groups, "no such source") == []
    send(view, type="totals")
    assert len(view.totals["mix"]) == 1


@pytest.mark.parametrize("names", [["one"], ["<img src=x>"] * 3, ["x" * 5000, "\u202eelif"]])
def test_one_document_one_source_and_names_that_are_markup_long_or_backwards(names: list[str]) -> None:
    state = BenchState()
    state.load(sourced(names))
    view = Histograms(state, complain)
    view.is_shown = True
    view.refresh()
    send(view, type="cube", score="n_tokens", side="low", charts=["n_tokens"])
    send(view, type="drag", score="n_tokens", side="low", place=500)
    send(view, type="totals")
    assert view.live["count"]["kept"] == select(state.recipe, state.loaded).keep.sum()
    assert max(len(row["name"]) for row in view.live["sources"]) <= 200
    json.dumps([view.state, view.live, view.rows, view.totals], allow_nan=False)
