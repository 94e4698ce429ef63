"""What the Documents tab does with what its page sends: strata, comparisons, the language model."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np
import pytest

from tests.widgets.sending import complain, send
from widgets.documents import Documents
from widgets.reader import SURPRISE_CHARS
from widgets.state import BenchState
from workbench.errors import ModelError
from workbench.models.base import Surprisal
from workbench.models.load import Models

ASK = {"type": "query", "show": "all", "search": "", "page": 0}


def shown(state: BenchState, report: Callable[[str], None] = complain) -> Documents:
    view = Documents(state, report)
    view.is_shown = True
    view.refresh()
    return view


def test_strata_are_asked_for_by_message_and_shown_as_plain_json(state: BenchState) -> None:
    table = state.loaded
    table.scores["cluster"] = (np.arange(30) % 3 - 1).astype(np.float32)
    table.scores["embedding"] = np.random.default_rng(0).normal(size=(30, 4)).astype(np.float32)
    state.set_table(table)
    state.thresholds.set("n_tokens", 50.0, 250.0)
    state.thresholds.set("perplexity", 5.0, None)
    view = shown(state)
    send(view, **ASK, step=0, only=True)
    only = [row["row"] for row in view.state["rows"]]
    assert only == state.reading.only_by(0).nonzero()[0].tolist()
    assert 0 < len(only) < state.groups.dropped_by_step(state.dropped_by, 2)[0][0]
    send(view, **ASK, disagree=["n_tokens", "compression_ratio"])
    assert view.state["found"] == 29
    assert view.state["rows"][0]["value"].count(" : ") == 1
    send(view, **ASK, draw=4, cluster=-1)
    assert sorted(row["row"] for row in view.state["rows"]) == list(range(0, 30, 3))
    send(view, type="read", row=0)
    send(view, type="compare", other=3)
    assert view.state["reader"]["compared"]["other"] == 3
    send(view, type="compare", other=None)
    assert view.state["reader"]["compared"] is None
    json.dumps(view.state, allow_nan=False)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ({**ASK, "disagree": ["n_tokens"]}, "two scores can disagree"),
        ({**ASK, "disagree": ["language", "n_tokens"]}, "disagree must be one of those shown"),
        ({**ASK, "cluster": 5}, "there is no cluster 5"),
        ({**ASK, "draw": 0.5}, "draw must be a whole number"),
        ({**ASK, "only": "yes"}, "only must be true or false"),
        ({**ASK, "reach": 10**9}, "reach must be a whole number"),
        ({"type": "compare", "other": 30}, "other must be a whole number in 0..29"),
        ({"type": "surprise", "row": -1}, "row must be a whole number in 0..29"),
    ],
)
def test_what_a_page_may_not_ask_is_refused(
    state: BenchState, content: dict[str, Any], sentence: str
) -> None:
    heard: list[str] = []
    view = shown(state, heard.append)
    send(view, **content)
    assert sentence in heard[-1]


class Reader:
    """A language model to which each word brings as many bits as it has letters; it notes what the page shows."""

    seen: ClassVar[list[bool]] = []
    view: ClassVar[Documents]

    def surprisal(self, text: str, progress: Any) -> Surprisal:
        self.seen.append(self.view.state["reader"]["reading"])
        ends = np.cumsum([len(word) + 1 for word in text.split(" ")])
        return Surprisal(np.minimum(ends, len(text)), np.diff(ends, prepend=0) - 1.0)


def test_the_language_model_colours_what_it_read(state: BenchState, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Models, "lm", property(lambda models: Reader()))
    state.loaded.sample.texts[3] = "a <b>bold</b> word"
    view = Reader.view = shown(state)
    send(view, type="read", row=3)
    assert view.state["reader"]["colours"] is None
    send(view, type="surprise", row=3)
    view._jobs.wait(60)
    assert Reader.seen == [True]
    reader = view.state["reader"]
    assert reader["colours"] == [["a ", 1.0], ["<b>bold</b> ", 11.0], ["word", 4.0]]
    assert not reader["reading"]
    send(view, type="read", row=4)
    assert view.state["reader"]["colours"] is None


def test_no_model_and_too_long_a_document_are_told_in_a_sentence(
    state: BenchState, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(models: Models) -> Any:
        raise ModelError("model 'x' isn't on this machine")

    monkeypatch.setattr(Models, "lm", property(missing))
    heard: list[str] = []
    view = shown(state, heard.append)
    send(view, type="read", row=3)
    send(view, type="surprise", row=3)
    view._jobs.wait(60)
    assert heard[-1] == "model 'x' isn't on this machine"
    assert not view.state["reader"]["reading"]
    state.loaded.sample.texts[3] = "x" * (SURPRISE_CHARS + 1)
    send(view, type="surprise", row=3)
    assert "has 1,000,001 characters" in heard[-1]
