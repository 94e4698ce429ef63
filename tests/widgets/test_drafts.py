"""Drafts and their histories: names, parents, undo each for itself, and what a file may hold."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.widgets.sending import complain, send
from widgets.changes import describe
from widgets.draft import MAX_DRAFTS
from widgets.draft_bar import DraftBar
from widgets.drafts import Drafts
from widgets.history import DEPTH, History
from widgets.state import BenchState
from workbench.errors import InputError, WorkbenchError
from workbench.recipe.model import Recipe
from workbench.recipe.schema import parse_recipe


def recipe(*steps: dict[str, object], seed: int = 0) -> Recipe:
    return parse_recipe({"format": "selection-recipe/1", "seed": seed, "steps": list(steps)})


def band(score: str = "n_tokens", **bounds: object) -> dict[str, object]:
    return {"select": "band", "score": score, "unscored": "drop", **bounds}


RANDOM: dict[str, object] = {"select": "random", "fraction": 0.5}
EXACT: dict[str, object] = {"select": "exact"}


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ([band(low=50)], [band(low=120)], "n_tokens: low from 50 to 120"),
        (
            [band(low=50)],
            [band(low=50, high={"quantile": 0.95})],
            "n_tokens: high from open to quantile 0.95",
        ),
        ([], [band(low=50, high=99.5)], "n_tokens added (low 50, high 99.5)"),
        ([band(low=50), EXACT], [EXACT], "n_tokens removed"),
        ([band(low=50)], [{**band(low=50), "off": True}], "n_tokens switched off"),
        ([band(low=50), EXACT, RANDOM], [EXACT, RANDOM, band(low=50)], "n_tokens moved down"),
        ([band(low=50), EXACT, RANDOM], [RANDOM, band(low=50), EXACT], "random moved up"),
        (
            [band(low=1), RANDOM],
            [band(low=2), EXACT],
            "n_tokens: low from 1 to 2; random removed; exact added",
        ),
        ([RANDOM], [{**RANDOM, "fraction": 0.25}], "random: fraction from 0.5 to 0.25"),
        ([], [EXACT, RANDOM, band(low=1), band("n_bytes", low=1)], "another recipe of 4 steps"),
    ],
)
def test_a_change_is_told_in_words(before: list[Any], after: list[Any], words: str) -> None:
    assert describe(recipe(*before), recipe(*after)) == words


def test_a_changed_seed_is_told_too() -> None:
    assert describe(recipe(EXACT), recipe(EXACT, seed=7)) == "seed from 0 to 7"


EDITS = st.lists(
    st.one_of(
        st.tuples(st.just("edit"), st.integers(0, 5), st.sampled_from([None, "a", "b"])),
        st.tuples(st.sampled_from(["undo", "redo"]), st.just(0), st.none()),
        st.tuples(st.just("jump"), st.integers(0, 30), st.none()),
    ),
    max_size=30,
)


@settings(deadline=None, max_examples=60)
@given(EDITS)
def test_the_history_is_that_of_two_stacks(edits: list[tuple[str, int, str | None]]) -> None:
    """The twin: a list before, the recipe, a list behind."""
    history = History(Recipe(seed=100))
    before: list[int] = []
    now, behind, gesture = 100, list[int](), None
    for kind, value, given_gesture in edits:
        if kind == "edit":
            history.edit(Recipe(seed=value), given_gesture)
            if given_gesture is None or given_gesture != gesture:
                before.append(now)
            now, behind, gesture = value, [], given_gesture
        elif kind == "jump":
            line = [*before, now, *behind]
            to = value % len(line)
            if history.jump(to):
                gesture = None
            before, now, behind = line[:to], line[to], line[to + 1 :]
        else:
            history.undo() if kind == "undo" else history.redo()
            if kind == "undo" and before:
                behind.insert(0, now)
                now, gesture = before.pop(), None
            elif kind == "redo" and behind:
                before.append(now)
                now, gesture = behind.pop(0), None
        assert [r.seed for r in history.recipes] == [*before, now, *behind]
        assert (history.recipe.seed, history.position) == (now, len(before))
        assert (history.can_undo, history.can_redo) == (bool(before), bool(behind))
        assert history.words[0] == ""
        pairs = zip(history.recipes[:-1], history.recipes[1:], history.words[1:], strict=True)
        assert all(describe(one, other) == words for one, other, words in pairs)


def test_the_history_forgets_what_is_too_old() -> None:
    history = History(Recipe(seed=0))
    for seed in range(1, DEPTH + 20):
        history.edit(Recipe(seed=seed))
    assert len(history.recipes) == DEPTH + 1
    assert history.recipes[0].seed == 19
    assert history.words[:2] == ("", "seed from 19 to 20")
    while history.undo():
        pass
    assert history.recipe.seed == 19


def test_each_draft_has_its_own_undo(state: BenchState) -> None:
    state.thresholds.set("n_tokens", 50.0, None)
    state.drafts.branch("strict")
    assert not state.can_undo
    state.thresholds.set("n_tokens", 200.0, None)
    strict = state.count().kept
    state.drafts.switch("draft 1")
    loose = state.count().kept
    assert (strict, loose) == (11, 26)
    state.undo()
    assert state.count().kept == 30
    state.drafts.switch("strict")
    assert state.count().kept == strict
    state.undo()
    assert state.count().kept == loose


def test_a_duplicate_brings_its_history_and_goes_its_own_way(state: BenchState) -> None:
    state.thresholds.set("n_tokens", 50.0, None)
    state.drafts.duplicate()
    assert state.drafts.current.name == "draft 1 copy 2"
    assert state.drafts.current.parent is None
    state.undo()
    assert state.count().kept == 30
    state.drafts.switch("draft 1")
    assert state.count().kept == 26


def test_handles_show_quantiles_where_the_draft_has_them(state: BenchState) -> None:
    state.drafts.branch("by share")
    state.thresholds.show_quantiles("n_tokens", on=True)
    state.thresholds.move("n_tokens", "low", 150.0)
    assert state.thresholds.as_quantile == {"n_tokens"}
    state.drafts.switch("draft 1")
    assert state.thresholds.as_quantile == set()
    state.drafts.switch("by share")
    assert state.thresholds.as_quantile == {"n_tokens"}


def test_a_deleted_draft_comes_back_with_its_place_and_its_family() -> None:
    drafts = Drafts(Recipe())
    drafts.branch("b")
    drafts.branch("c")
    drafts.delete("b")
    assert drafts.names == ("draft 1", "c")
    assert drafts["c"].parent is drafts["draft 1"]
    assert drafts.restore().name == "b"
    assert drafts.names == ("draft 1", "b", "c")
    assert drafts["c"].parent is drafts["b"] is drafts.current
    assert drafts.deleted is None
    with pytest.raises(InputError, match="no draft was deleted"):
        drafts.restore()


def test_a_draft_whose_name_was_taken_meanwhile_comes_back_under_another() -> None:
    drafts = Drafts(Recipe())
    drafts.branch("b")
    drafts.delete("b")
    drafts.branch("b")
    assert drafts.restore().name == "b 2"


def test_names_are_checked() -> None:
    drafts = Drafts(Recipe())
    for name in ("", "  ", "x" * 81, "a\nb", "a\0", "\u202edraft"):
        with pytest.raises(InputError, match="a draft's name has 1 to 80 characters"):
            drafts.branch(name)
    with pytest.raises(InputError, match="there is a draft 'draft 1' already"):
        drafts.branch(" draft 1 ")
    with pytest.raises(InputError, match="is the only draft"):
        drafts.delete("draft 1")
    with pytest.raises(InputError, match="there is no draft 'x'"):
        drafts.switch("x")
    for _ in range(MAX_DRAFTS - 1):
        drafts.branch()
    assert len(set(drafts.names)) == MAX_DRAFTS
    with pytest.raises(InputError, match="there are 50 drafts already"):
        drafts.branch()


OPERATIONS = st.lists(
    st.tuples(
        st.sampled_from(["branch", "duplicate", "delete", "restore", "edit", "undo", "switch", "rename"]),
        st.integers(0, 50),
    ),
    max_size=25,
)


def play(operations: list[tuple[str, int]]) -> Drafts:
    drafts = Drafts(recipe(band(low=1)))
    for kind, n in operations:
        name = drafts.names[n % len(drafts)]
        try:
            if kind == "edit":
                drafts.current.history.edit(recipe(band(low=n)))
            elif kind == "undo":
                drafts.current.history.undo()
            elif kind == "rename":
                drafts.rename(name, f"name {n}")
            elif kind in ("delete", "switch"):
                getattr(drafts, kind)(name)
            else:
                getattr(drafts, kind)()
        except InputError:
            continue
    return drafts


@settings(deadline=None, max_examples=60)
@given(OPERATIONS)
def test_drafts_are_the_same_after_a_file(operations: list[tuple[str, int]]) -> None:
    drafts = play(operations)
    written = json.loads(json.dumps(drafts.to_json()))
    read = Drafts(Recipe())
    read.load_json(written)
    assert read.to_json() == drafts.to_json()
    assert [d.history.words for d in map(read.__getitem__, read.names)] == [
        d.history.words for d in map(drafts.__getitem__, drafts.names)
    ]


def spoiled(spoil: str) -> dict[str, Any]:
    drafts = Drafts(recipe(band(low=1)))
    drafts.branch("b")
    value = copy.deepcopy(drafts.to_json())
    first, second = value["drafts"]
    changes: dict[str, dict[str, Any]] = {
        "an unknown key": {"x": 1},
        "no draft": {"drafts": []},
        "no list": {"drafts": 3},
        "another current": {"current": "x"},
        "a key in a draft": {"drafts": [{**first, "path": "/etc"}, second]},
        "a name twice": {"drafts": [first, {**second, "name": "draft 1"}]},
        "a blank name": {"drafts": [{**first, "name": " "}, second]},
        "an unknown parent": {"drafts": [first, {**second, "parent": "x"}]},
        "a circle": {"drafts": [{**first, "parent": "b"}, second]},
        "a place beyond": {"drafts": [{**first, "position": 1}, second]},
        "no recipe": {"drafts": [{**first, "recipes": []}, second]},
        "too many recipes": {"drafts": [{**first, "recipes": first["recipes"] * (DEPTH + 2)}, second]},
        "a bad recipe": {
            "drafts": [{**first, "recipes": [{"format": "selection-recipe/1", "run": "x"}]}, second]
        },
        "too many drafts": {"drafts": [{**first, "name": f"d{i}"} for i in range(MAX_DRAFTS + 1)]},
    }
    return {**value, **changes[spoil]}


@pytest.mark.parametrize(
    "spoil",
    [
        "an unknown key", "no draft", "no list", "another current", "a key in a draft", "a name twice", "a blank name",
        "an unknown parent", "a circle", "a place beyond", "no recipe", "too many recipes", "a bad recipe",
        "too many drafts",
    ],
)  # fmt: skip
def test_a_spoiled_file_changes_nothing(spoil: str) -> None:
    drafts = Drafts(Recipe(seed=5))
    before = drafts.to_json()
    with pytest.raises(WorkbenchError):
        drafts.load_json(spoiled(spoil))
    assert drafts.to_json() == before


def test_the_bar_does_what_its_buttons_say(state: BenchState) -> None:
    bar = DraftBar(state, complain)
    state.thresholds.set("n_tokens", 50.0, None)
    send(bar, type="branch", name="draft 1", to="strict")
    assert (bar.state["current"], bar.state["parent"]) == ("strict", "draft 1")
    assert bar.state["changes"] == []
    send(bar, type="open", open=True)
    state.thresholds.set("n_tokens", 120.0, None)
    assert bar.state["changes"] == ["the beginning", "n_tokens: low from 50 to 120"]
    send(bar, type="jump", position=0)
    assert (bar.state["position"], state.count().kept) == (0, 26)
    send(bar, type="rename", name="strict", to="stricter")
    send(bar, type="delete", name="stricter")
    assert (bar.state["names"], bar.state["deleted"]) == (["draft 1"], "stricter")
    send(bar, type="restore")
    send(bar, type="duplicate", name="stricter", to="")
    assert bar.state["names"] == ["draft 1", "stricter", "stricter copy 2"]
    send(bar, type="switch", name="draft 1")
    assert state.drafts.current.name == "draft 1"


def test_the_bar_refuses_what_no_button_sends(state: BenchState) -> None:
    said: list[str] = []
    bar = DraftBar(state, said.append)
    for content in (
        {"type": "switch", "name": "x"},
        {"type": "jump", "position": 1},
        {"type": "jump", "position": -1},
        {"type": "branch", "to": 3},
        {"type": "rename", "name": "draft 1", "to": "a\nb"},
        {"type": "delete", "name": "draft 1"},
    ):
        said.clear()
        send(bar, **content)
        assert said[-1] != "", content
    assert state.drafts.names == ("draft 1",)
