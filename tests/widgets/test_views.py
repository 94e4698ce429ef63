"""What the views are told, and what their messages do."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.widgets.sending import complain, send
from widgets.documents import Documents
from widgets.histograms import Histograms
from widgets.load import Draw, Load, is_default, quarantine_reasons, sample_summary, score_families
from widgets.pages import READ_CHARS, Query
from widgets.recipe import RecipeForm
from widgets.shell import Shell
from widgets.state import BenchState
from workbench.corpus import Sample
from workbench.corpus.types import Quarantined
from workbench.engine.select import select
from workbench.engine.table import Table
from workbench.scores import SCORES


def test_views_hold_plain_json(state: BenchState) -> None:
    """NaN has no form in JSON, and a page that is sent one shows nothing at all."""
    state.thresholds.set("compression_ratio", 0.3, None)
    histograms, documents = Histograms(state, complain), Documents(state, complain)
    for view in (histograms, documents):
        view.is_shown = True
        view.refresh()
        json.dumps(view.state, allow_nan=False)
    json.dumps(histograms.live, allow_nan=False)


def test_no_view_ever_makes_markup() -> None:
    for path in (Path(__file__).parents[2] / "widgets" / "static").glob("*.js"):
        code = path.read_text(encoding="utf-8")
        for word in (
            "innerHTML",
            "outerHTML",
            "insertAdjacentHTML",
            "document.write",
            "eval(",
            "http://",
            "https://",
        ):
            assert word not in code.replace("http://www.w3.org/2000/svg", ""), f"{path.name}: {word}"


@pytest.fixture
def histograms(state: BenchState) -> Histograms:
    view = Histograms(state, complain)
    view.is_shown = True
    view.refresh()
    return view


def test_a_drag_shows_the_engines_count_per_source(
    histograms: Histograms, state: BenchState, table: Table
) -> None:
    send(histograms, type="drag", score="n_tokens", side="low", place=600, gesture="g")
    keep = select(state.recipe, table).keep
    assert histograms.live["count"]["kept"] == keep.sum()
    shown = {row["name"]: row["kept"] for row in histograms.live["sources"]}
    assert shown == {source: int(keep[table.source == source].sum()) for source in shown}
    assert (
        histograms.live["bounds"]["n_tokens"]["low"]["text"] == f"{state.thresholds.values('n_tokens')[0]:g}"
    )


def test_a_hidden_view_is_sent_nothing(state: BenchState) -> None:
    view = Histograms(state, complain)
    state.thresholds.move("n_tokens", "low", 50)
    assert (view.state, view.live) == ({}, {})


def test_a_typed_value_is_taken_as_it_is(histograms: Histograms, state: BenchState) -> None:
    send(histograms, type="value", score="perplexity", side="high", value=123.456789)
    assert state.thresholds.values("perplexity") == (None, 123.456789)
    assert histograms.live["bounds"]["perplexity"]["high"]["field"] == "123.456789"
    send(histograms, type="value", score="perplexity", side="high", value=None)
    assert state.recipe.steps == ()


def test_a_typed_quantile_is_a_quantile(histograms: Histograms, state: BenchState) -> None:
    send(histograms, type="quantile", score="n_tokens", on=True)
    send(histograms, type="value", score="n_tokens", side="high", value=0.75)
    assert state.recipe.to_json()["steps"][0]["high"] == {"quantile": 0.75}
    bound = histograms.live["bounds"]["n_tokens"]
    assert (bound["quantile"], bound["high"]["field"]) == (True, "0.75")


def test_unticked_labels_are_dropped_and_ticking_all_removes_the_step(
    histograms: Histograms, state: BenchState, table: Table
) -> None:
    send(histograms, type="category", score="language", label="de", on=False)
    assert state.recipe.to_json()["steps"] == [{"select": "category", "score": "language", "values": ["en"]}]
    assert state.count().kept == 20
    assert histograms.live["bounds"]["language"] == {"labels": ["en"]}
    send(histograms, type="category", score="language", label="de", on=True)
    assert state.recipe.steps == ()


def test_the_cross_opens_both_sides(histograms: Histograms, state: BenchState) -> None:
    state.thresholds.set("n_tokens", 20.0, 100.0)
    send(histograms, type="open", score="n_tokens", side="low")
    assert state.thresholds.values("n_tokens") == (None, 100)
    send(histograms, type="open", score="n_tokens", side=None)
    assert state.recipe.steps == ()


@pytest.fixture
def documents(state: BenchState) -> Documents:
    state.thresholds.set("n_tokens", 50.0, 250.0)
    view = Documents(state, complain)
    view.is_shown = True
    view.refresh()
    return view


def ask(view: Documents, **query: object) -> dict[str, Any]:
    send(view, **{"type": "query", "show": "all", "search": "", "page": 0, **query})
    shown: dict[str, Any] = view.state
    return shown


def test_dropped_documents_come_first_with_their_reason(documents: Documents, state: BenchState) -> None:
    assert documents.state["found"] == 9
    send(documents, type="read", row=2)
    reader = documents.state["reader"]
    assert reader["step"] == "1. band n_tokens"
    assert reader["reason"] == state.outcome.reason(2) == "n_tokens 30 is below 50"  # type: ignore[union-attr]
    assert reader["text"].endswith("<img src=x onerror=alert(2)>")
    assert ["compression_ratio", "not scored", None] not in reader["scores"]
    send(documents, type="read", row=7)
    assert documents.state["reader"]["reason"] is None
    assert ["compression_ratio", "not scored", None] in documents.state["reader"]["scores"]
    assert ["language", "en", None] in documents.state["reader"]["scores"]


def test_queries_filter_and_page(documents: Documents, state: BenchState) -> None:
    assert ask(documents)["found"] == 30
    assert len(documents.state["rows"]) == 20
    assert len(ask(documents, page=1)["rows"]) == 10
    assert ask(documents, page=7)["query"]["page"] == 1
    assert ask(documents, source="b", show="kept")["found"] == 9
    assert ask(documents, search="DOCUMENT 2")["found"] == 11
    assert ask(documents, step=0)["found"] == 9
    state.select_rows(np.asarray([4, 5]))
    assert ask(documents, show="selection")["found"] == 2
    assert documents.state["selected"] == 2


def test_near_the_threshold_lists_values_of_both_sides(documents: Documents) -> None:
    shown = ask(documents, near="n_tokens")
    assert {row["value"] for row in shown["rows"][:2]} == {"50", "250"}
    assert {row["kept"] for row in shown["rows"][:6]} == {True, False}


def test_a_filter_that_lost_its_step_is_dropped(documents: Documents, state: BenchState) -> None:
    ask(documents, step=0, near="n_tokens")
    state.undo()
    assert documents.state["query"]["step"] is None
    assert documents.state["query"]["near"] is None
    assert documents.state["found"] == 30


def test_long_texts_come_in_pieces(
    documents: Documents, state: BenchState, monkeypatch: pytest.MonkeyPatch
) -> None:
    state.loaded.sample.texts[3] = "x" * (READ_CHARS + 7)
    sent: list[Any] = []
    monkeypatch.setattr(documents, "send", sent.append)
    send(documents, type="read", row=3)
    assert (len(documents.state["reader"]["text"]), documents.state["reader"]["total"]) == (
        READ_CHARS,
        READ_CHARS + 7,
    )
    send(documents, type="more", row=3, offset=READ_CHARS)
    assert sent == [{"type": "more", "row": 3, "offset": READ_CHARS, "text": "x" * 7}]


@pytest.fixture
def form(state: BenchState, tmp_path: Path) -> RecipeForm:
    view = RecipeForm(state, complain, say=lambda sentence: None, root=tmp_path)
    view.is_shown = True
    view.refresh()
    return view


def test_the_form_edits_adds_moves_and_removes_steps(form: RecipeForm, state: BenchState) -> None:
    send(form, type="add", select="band")
    send(form, type="add", select="random")
    send(form, type="param", index=0, name="low", value=120)
    send(form, type="param", index=1, name="fraction", value=0.25)
    send(form, type="move", index=1, by=-1)
    assert [step["select"] for step in state.recipe.to_json()["steps"]] == ["random", "band"]
    steps = form.state["steps"]
    assert [step["name"] for step in steps] == ["1. random fraction 0.25", "2. band n_bytes"]
    assert sum(step["documents"] for step in steps) == 30 - state.count().kept
    assert json.loads(form.state["json"]) == state.recipe.to_json()
    send(form, type="remove", index=0)
    send(form, type="seed", seed=5)
    assert (len(state.recipe.steps), state.recipe.seed) == (1, 5)


def test_the_form_shows_what_a_quantile_resolves_to(form: RecipeForm, state: BenchState) -> None:
    send(form, type="add", select="band")
    send(form, type="param", index=0, name="high", value={"quantile": 0.5})
    assert form.state["steps"][0]["resolved"] == {"high": state.thresholds.values("n_bytes")[1]}
    assert "n_bytes" in state.thresholds.as_quantile


def test_a_recipe_is_saved_and_opened(form: RecipeForm, state: BenchState, tmp_path: Path) -> None:
    state.thresholds.move("n_tokens", "low", 70)
    saved = state.recipe
    send(form, type="save", path="a/recipe.json")
    send(form, type="save", path="a/recipe.json")
    state.undo()
    send(form, type="open", path="a/recipe.json")
    assert state.recipe == saved
    state.undo()
    send(form, type="import", json=json.dumps(saved.to_json()))
    assert state.recipe == saved


def test_nothing_but_a_recipe_is_written_over(state: BenchState, tmp_path: Path) -> None:
    heard: list[str] = []
    form = RecipeForm(state, heard.append, say=heard.append, root=tmp_path)
    (tmp_path / "settings.json").write_text('{"theme": "dark"}')
    send(form, type="save", path="settings.json")
    assert (tmp_path / "settings.json").read_text() == '{"theme": "dark"}'
    assert "a recipe has no 'theme'" in heard[-1]


def test_the_head_counts_and_tells(state: BenchState) -> None:
    chosen: list[str] = []
    shell = Shell(state, chosen.append)
    assert shell.state["count"]["kept"] == 30
    state.thresholds.move("n_tokens", "low", 155)
    assert (shell.state["count"]["kept"], shell.state["nUndo"]) == (15, 1)
    send(shell, type="undo")
    assert (shell.state["count"]["kept"], shell.state["canRedo"]) == (30, True)
    send(shell, type="redo")
    send(shell, type="tab", name="map")
    assert (chosen, shell.state["active"]) == (["map"], "map")
    send(shell, type="tab", name="admin")
    assert shell.state["kind"] == "error"
    assert "name must be one of those shown, got 'admin'" in shell.state["message"]
    shell.say("done")
    send(shell, type="dismiss")
    assert shell.state["message"] == ""


def test_a_summary_counts_rates_and_quarantined_rows(sample: Sample) -> None:
    rows = tuple(Quarantined("x.jsonl", i, "not JSON" if i else "no text", "<b>") for i in range(4))
    summary = sample_summary(Sample(sample.frame, sample.design, rows))
    assert (summary["documents"], summary["corpus"]) == (30, 83)
    assert [row["rate"] for row in summary["sources"]] == [0.25, 0.5, 1.0]
    assert sum(row["chars"] for row in summary["sources"]) == summary["chars"]
    assert quarantine_reasons(Sample(sample.frame, sample.design, rows)) == [
        {"reason": "not JSON", "n": 3, "first": "x.jsonl, row 1"},
        {"reason": "no text", "n": 1, "first": "x.jsonl, row 0"},
    ]


def test_every_score_is_in_one_family_and_quick_ones_are_ticked(table: Table) -> None:
    rows = [row for part in score_families(table) for row in part["scores"]]
    assert sorted(row["name"] for row in rows) == sorted(SCORES)
    assert {row["name"] for row in rows if row["computed"]} == set(table.scores)
    assert is_default("perplexity")
    assert not is_default("embedding")


def test_the_load_form_hands_on_what_was_asked(state: BenchState) -> None:
    asked: list[Any] = []
    buttons: dict[str, Any] = {
        "draw": asked.append,
        "score": asked.append,
    }
    view = Load(state, complain, form=Draw("corpus"), given=None, **buttons)
    columns = {"text_column": "", "id_column": "id", "source_column": ""}
    form = {"path": "x", "n": 5, "by_source": False, "seed": 1, **columns}
    send(view, type="draw", **form)
    send(view, type="score", scores=["perplexity", "n_tokens"])
    assert asked == [Draw("x", 5, False, 1, "text", "id", None), ("n_tokens", "perplexity")]


def test_the_documents_tab_can_be_told_what_to_list(documents: Documents, state: BenchState) -> None:
    state.select_rows(np.asarray([1]))
    documents.look_at(Query(show="selection"))
    assert [row["row"] for row in documents.state["rows"]] == [1]
