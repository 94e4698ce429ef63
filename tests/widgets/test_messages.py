"""Whatever a page sends, the answer is a change that it may make or one sentence."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from widgets import messages
from widgets.documents import Documents
from widgets.histograms import Histograms
from widgets.recipe import RecipeForm
from widgets.state import BenchState
from widgets.view import View, handle_message
from workbench.errors import InputError
from workbench.recipe.model import Recipe

BAD: list[Any] = [
    None,
    True,
    [],
    {},
    "",
    "x" * 10_000,
    "<img src=x>",
    -1,
    10**400,
    float("nan"),
    float("inf"),
    {"a": {}},
]


@pytest.mark.parametrize("value", BAD)
def test_a_number_is_a_finite_number(value: Any) -> None:
    if value == -1:
        assert messages.number({"v": value}, "v") == -1
        return
    with pytest.raises(InputError, match="v must be a number, got"):
        messages.number({"v": value}, "v")


@pytest.mark.parametrize("value", BAD)
def test_a_whole_number_lies_in_its_range(value: Any) -> None:
    with pytest.raises(InputError, match=r"v must be a whole number in 0\.\.5, got"):
        messages.integer({"v": value}, "v", 0, 5)


@pytest.mark.parametrize("value", BAD)
def test_a_name_is_one_of_those_shown(value: Any) -> None:
    with pytest.raises(InputError, match="v must be one of those shown, got"):
        messages.known({"v": value}, "v", ["a", "b"])


@pytest.mark.parametrize("value", [*BAD, 3.0])
def test_a_flag_is_true_or_false(value: Any) -> None:
    if value is True:
        assert messages.flag({"v": value}, "v")
        return
    with pytest.raises(InputError, match="v must be true or false, got"):
        messages.flag({"v": value}, "v")


def test_a_text_has_a_limit() -> None:
    assert messages.text({"v": "abc"}, "v") == "abc"
    with pytest.raises(InputError, match="v must be text of at most 200 characters, got 'xxx"):
        messages.text({"v": "x" * 201}, "v")
    with pytest.raises(InputError, match="got 5"):
        messages.text({"v": 5}, "v")


def test_what_is_missing_is_off() -> None:
    assert messages.optional_number({}, "v") is None
    assert messages.optional_integer({}, "v", 0, 5) is None
    assert messages.optional_known({"v": None}, "v", ["a"]) is None
    assert messages.optional_text({"v": "  "}, "v") is None
    assert messages.optional_text({"v": " a "}, "v") == "a"


def test_names_are_known_and_each_counts_once() -> None:
    assert messages.names({"v": ["b", "a", "b"]}, "v", ["a", "b", "c"]) == ("b", "a")
    with pytest.raises(InputError, match="v must be a list of names shown"):
        messages.names({"v": ["a"] * 4}, "v", ["a", "b", "c"])
    with pytest.raises(InputError, match="v must be one of those shown"):
        messages.names({"v": ["a", 3]}, "v", ["a", "b", "c"])


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (None, "no message"),
        ([1, 2], "no message"),
        ({}, "unknown message 'None'"),
        ({"type": ["drag"]}, "unknown message"),
        ({"type": "__class__"}, "unknown message '__class__'"),
        ({"type": "<script>" * 20}, "unknown message '<script>"),
    ],
)
def test_an_unknown_message_is_ignored_and_said(content: object, sentence: str) -> None:
    heard: list[str] = []
    handle_message(content, {"ok": lambda content: None}, heard.append)
    assert len(heard) == 1
    assert sentence in heard[0]


def test_a_fault_of_ours_becomes_a_sentence_too() -> None:
    heard: list[str] = []

    def fail(content: object) -> None:
        raise ZeroDivisionError("division by zero")

    handle_message({"type": "go"}, {"go": fail}, heard.append)
    assert heard[-1] == "this failed inside the bench (ZeroDivisionError: division by zero); please report it"


@pytest.fixture
def heard() -> list[str]:
    return []


Make = Callable[[], View]


@pytest.fixture
def views(state: BenchState, heard: list[str], tmp_path: Path) -> dict[str, View]:
    made: dict[str, View] = {
        "histograms": Histograms(state, heard.append),
        "documents": Documents(state, heard.append),
        "recipe": RecipeForm(state, heard.append, say=lambda sentence: None, root=tmp_path),
    }
    for view in made.values():
        view.is_shown = True
        view.refresh()
    return made


HOSTILE: list[tuple[str, dict[str, Any]]] = [
    ("histograms", {"type": "drag", "score": "n_tokens", "side": "low", "place": 1e9}),
    ("histograms", {"type": "drag", "score": "n_tokens", "side": "low", "place": "5"}),
    ("histograms", {"type": "drag", "score": "n_tokens", "side": "middle", "place": 5}),
    ("histograms", {"type": "drag", "score": "__dict__", "side": "low", "place": 5}),
    ("histograms", {"type": "drag", "score": ["n_tokens"], "side": "low", "place": 5}),
    ("histograms", {"type": "drag", "score": "language", "side": "low", "place": 5}),
    ("histograms", {"type": "cube", "score": "n_tokens", "side": "low", "charts": ["<b>"]}),
    ("histograms", {"type": "cube", "score": "n_tokens", "side": "low", "charts": "n_tokens"}),
    ("histograms", {"type": "cube", "score": "language", "side": "low", "charts": []}),
    ("histograms", {"type": "scale", "score": "n_tokens", "kind": "log1p"}),
    ("histograms", {"type": "scale", "score": "language", "kind": "linear"}),
    ("histograms", {"type": "paint", "paint": "<b>", "roots": False}),
    ("histograms", {"type": "paint", "paint": "kept", "roots": 1}),
    ("histograms", {"type": "sources", "search": "x" * 201}),
    ("histograms", {"type": "switch", "index": 0, "on": False}),
    ("histograms", {"type": "move", "index": 0, "by": 1}),
    ("histograms", {"type": "remove", "index": -1}),
    ("histograms", {"type": "count", "index": 0}),
    ("histograms", {"type": "add", "select": "os.system"}),
    ("histograms", {"type": "add", "score": "n_chars"}),
    ("histograms", {"type": "value", "score": "n_tokens", "side": "low", "value": "12"}),
    ("histograms", {"type": "value", "score": "n_tokens", "side": "low", "value": float("nan")}),
    ("histograms", {"type": "quantile", "score": "n_tokens", "on": "yes"}),
    ("histograms", {"type": "category", "score": "language", "label": "<b>", "on": True}),
    ("histograms", {"type": "category", "score": "n_tokens", "label": "en", "on": True}),
    ("histograms", {"type": "open", "score": "n_tokens", "side": 3}),
    ("histograms", {"type": "drag", "score": "n_tokens", "side": "low", "place": 5, "gesture": ["x"]}),
    ("documents", {"type": "read", "row": 30}),
    ("documents", {"type": "read", "row": -1}),
    ("documents", {"type": "read", "row": True}),
    ("documents", {"type": "more", "row": 0, "offset": 10**12}),
    ("documents", {"type": "query", "show": "everything", "search": "", "page": 0}),
    ("documents", {"type": "query", "show": "all", "search": "x" * 10_000, "page": 0}),
    ("documents", {"type": "query", "show": "all", "search": "", "page": -1}),
    ("documents", {"type": "query", "show": "all", "search": "", "page": 0, "source": "no such source"}),
    ("documents", {"type": "query", "show": "all", "search": "", "page": 0, "step": 9}),
    ("documents", {"type": "query", "show": "all", "search": "", "page": 0, "near": "perplexity"}),
    ("recipe", {"type": "param", "index": 5, "name": "low", "value": 3}),
    ("recipe", {"type": "remove", "index": 0}),
    ("recipe", {"type": "move", "index": 0, "by": 1}),
    ("recipe", {"type": "add", "select": "os.system"}),
    ("recipe", {"type": "seed", "seed": -1}),
    ("recipe", {"type": "seed", "seed": 2.5}),
    ("recipe", {"type": "import", "json": "{"}),
    ("recipe", {"type": "import", "json": "x" * 2_000_000}),
    ("recipe", {"type": "import", "json": '{"format": "selection-recipe/1", "steps": [{"select": "band"}]}'}),
    ("recipe", {"type": "save", "path": "../outside.json"}),
    ("recipe", {"type": "save", "path": "/etc/passwd.json"}),
    ("recipe", {"type": "save", "path": "recipe.py"}),
    ("recipe", {"type": "open", "path": "https://example.com/x.json"}),
    ("recipe", {"type": "open", "path": "absent.json"}),
]


@pytest.mark.parametrize(("view", "content"), HOSTILE)
def test_a_hostile_message_changes_nothing_and_is_answered_by_one_sentence(
    views: dict[str, View], state: BenchState, heard: list[str], view: str, content: dict[str, Any]
) -> None:
    before = state.recipe
    heard.clear()
    views[view]._receive(views[view], content, [])
    assert state.recipe == before == Recipe()
    assert len(heard) == 2, heard
    assert heard[0] == ""
    assert heard[1]
    assert "inside the bench" not in heard[1]
    assert "\n" not in heard[1]


def test_each_move_is_answered_by_its_ticket_even_if_it_fails(
    views: dict[str, View], monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[Any] = []
    view = views["histograms"]
    monkeypatch.setattr(view, "send", sent.append)
    view._receive(
        view, {"type": "drag", "score": "n_tokens", "side": "low", "place": 300, "ticket": "c:1"}, []
    )
    view._receive(view, {"type": "drag", "score": "nothing", "ticket": "c:2"}, [])
    view._receive(view, {"type": "drag", "ticket": 5}, [])
    view._receive(view, "no message", [])
    assert sent == [{"type": "done", "ticket": "c:1"}, {"type": "done", "ticket": "c:2"}]
