"""The strip of confounds: what it shows, when it measures, and which sentences it says."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from scipy.stats import spearmanr

from tests.widgets.sending import complain, send
from widgets import confounds
from widgets.confounds import Confounds, warnings
from widgets.state import BenchState
from workbench.corpus import Sample
from workbench.engine.table import Table
from workbench.models.load import Models
from workbench.recipe.schema import parse_recipe
from workbench.stats.association import weighted_spearman
from workbench.stats.confounds import Association


@pytest.fixture
def view(state: BenchState) -> Confounds:
    view = Confounds(state, complain)
    state.touch()
    return view


def rows(view: Confounds) -> dict[str, list[float | None]]:
    json.dumps(view.state, allow_nan=False)
    return {name: values for name, *values in view.state["rows"]}


def test_a_band_on_length_is_called_so_with_its_step(
    view: Confounds, state: BenchState, table: Table
) -> None:
    state.edit(parse_recipe({"format": "selection-recipe/1", "steps": [
        {"select": "random", "fraction": 0.9}, {"select": "band", "score": "n_tokens", "low": 155}]}))  # fmt: skip
    send(view, type="measure")
    shown = rows(view)
    expected = weighted_spearman(state.keep.astype(float), table.scores["n_tokens"], table.weights)
    assert shown["what is kept"][0] == pytest.approx(expected)
    assert expected > 0.5
    said = dict(view.state["warnings"])
    first = said[f"what is kept goes with length ({expected:+.2f})"]
    assert first.startswith(f"What is kept goes with length (rank correlation {expected:+.2f} with n_tokens)")
    assert "longer documents are kept; step 2. band n_tokens does most of it." in first
    assert list(shown)[1:3] == ["1. random fraction 0.9", "2. band n_tokens"]


def test_nothing_is_measured_until_the_page_asks(
    view: Confounds, state: BenchState, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert view.state == {"isStale": True}
    send(view, type="measure")
    assert not view.state["isStale"]
    before, sent = rows(view), []
    view.observe(lambda change: sent.append(change["new"]), "state")
    for low in (50, 100, 150):
        state.thresholds.move("n_tokens", "low", low, gesture="g")
    assert len(sent) == 1, "a drag sends one word, however long"
    assert sent[0]["isStale"]
    assert rows(view) == before
    send(view, type="measure")
    assert rows(view)["what is kept"][0] != before["what is kept"][0]
    n_sent = len(sent)
    send(view, type="measure")
    assert len(sent) == n_sent, "there is nothing new to measure"


def test_all_scores_are_measured_once_it_is_open_and_each_only_once(
    view: Confounds, state: BenchState, table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    state.thresholds.set("perplexity", 10.0, None)
    send(view, type="measure")
    assert set(rows(view)) == {"what is kept", "1. band perplexity", "perplexity"}
    send(view, type="open", open=True)
    assert set(table.scores) <= set(rows(view))
    i = np.arange(30)
    assert rows(view)["perplexity"][0] == pytest.approx(1)
    scored = i != 7
    equal = spearmanr(table.scores["compression_ratio"][scored], i[scored]).statistic
    assert rows(view)["compression_ratio"][0] == pytest.approx(equal)
    calls: list[object] = []
    monkeypatch.setattr(confounds, "score_association", lambda *given, **more: calls.append(given))
    state.thresholds.set("perplexity", 20.0, None)
    send(view, type="measure")
    assert not calls
    assert not view.state["isStale"]


def test_a_step_that_is_off_and_documents_that_are_gone_say_nothing(
    view: Confounds, state: BenchState
) -> None:
    steps = [{"select": "band", "score": "n_tokens", "low": 155, "off": True}]
    state.edit(parse_recipe({"format": "selection-recipe/1", "steps": steps}))
    send(view, type="measure")
    assert rows(view) == {"what is kept": [None, None]}
    assert view.state["warnings"] == []
    state.edit(parse_recipe({"format": "selection-recipe/1", "steps": [{"select": "dpp"}]}))
    assert "rows" not in view.state, "a recipe that can't run has no confounds"
    send(view, type="measure")


def test_without_a_count_of_tokens_length_is_in_characters(
    view: Confounds, state: BenchState, sample: Sample
) -> None:
    values = np.array([len(text) for text in sample.texts], dtype=np.float32)
    state.load(Table(sample, Models(), {"perplexity": -values}))
    state.thresholds.set("perplexity", -40.0, None)
    send(view, type="measure")
    assert view.state["lengthName"] == "characters"
    assert rows(view)["perplexity"][0] == pytest.approx(-1)
    state.set_table(Table(sample, Models(), {"perplexity": -values, "n_bytes": 9 - values}))
    send(view, type="measure")
    assert (view.state["lengthName"], rows(view)["perplexity"][0]) == ("n_bytes", pytest.approx(1))


def test_large_samples_rank_a_fixed_draw(
    view: Confounds, state: BenchState, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(confounds, "MAX_ROWS", 12)
    state.thresholds.set("perplexity", 10.0, None)
    send(view, type="measure")
    assert (view.state["documents"], view.state["ranked"]) == (30, 12)
    assert rows(view)["perplexity"][0] == pytest.approx(1)


def test_sentences_are_said_above_the_limit_only() -> None:
    nan = math.nan
    small = Association(0.3, 0.3)
    assert warnings(small, [("1. a", small)], {"s": (small, "1. a")}, "n_tokens") == []
    none = Association(nan, nan)
    assert warnings(none, [("1. a", none)], {"s": (none, "1. a")}, "n_tokens") == []
    steps = [("1. long", Association(0.6, 0.1)), ("2. short", Association(-0.4, 0.5)), ("3. none", none)]
    found = warnings(Association(-0.31, 0.32), steps, {"s": (Association(-0.5, 0.4), "2. short")}, "n_chars")
    assert [short for short, _ in found] == [
        "what is kept goes with source (0.32)",
        "what is kept goes with length (-0.31)",
        "s goes with length (-0.50) and source (0.40)",
    ]
    source, length, score = (sentence for _, sentence in found)
    assert "shorter documents are kept; step 2. short does most of it." in length
    assert "with n_chars" in length
    assert "Cramér's V 0.32" in source
    assert "step 2. short does most of it" in source
    assert score.startswith("s, which step 2. short reads, goes with length (-0.50) and source (0.40)")
    itself = {"n_chars": (Association(1.0, 0.2), "1. long")}
    assert warnings(small, steps, itself, "n_chars") == []
