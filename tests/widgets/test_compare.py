"""The Compare tab: its numbers are those of plain loops, and what it loads may be anyone's."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import workbench as wb
from tests.widgets.sending import complain, send
from tests.widgets.test_cube import random_table
from widgets.compare import Compare
from widgets.comparison import MAX_POINTS, ScoreSides, picture
from widgets.drafts import Drafts
from widgets.load import Draw
from widgets.state import BenchState
from widgets.work import Work
from workbench.engine.table import Table
from workbench.recipe.model import Recipe
from workbench.recipe.schema import parse_recipe
from workbench.stats.compare import score_shift

SCORES = ("n_tokens", "compression_ratio", "perplexity")


def recipe(low: float | dict[str, float]) -> Recipe:
    step = {"select": "band", "score": "n_tokens", "low": low, "unscored": "drop"}
    return parse_recipe({"format": "selection-recipe/1", "seed": 0, "steps": [step]})


@pytest.fixture
def view(state: BenchState) -> Compare:
    """A keeps documents 4 to 29, B documents 11 to 19."""
    state.edit(recipe(50))
    state.drafts.branch("strict")
    state.thresholds.set("n_tokens", 120.0, 200.0)
    view = Compare(state, complain, root=None)
    view.is_shown = True
    view.refresh()
    return view


def parts(view: Compare) -> dict[str, Any]:
    return {row["part"]: row for row in view.state["overlap"]["rows"]}


def test_b_is_the_current_draft_and_a_its_parent(view: Compare) -> None:
    assert (view.state["a"], view.state["b"]) == ("draft:draft 1", "draft:strict")
    assert {name: row["documents"] for name, row in parts(view).items()} == {
        "both": 9, "only_a": 17, "only_b": 0, "neither": 4, "a": 26, "b": 9,
    }  # fmt: skip
    tokens = [10 * (i + 1) for i in range(30)]
    assert parts(view)["only_a"]["tokens"] == sum(tokens[4:11] + tokens[20:])
    json.dumps(view.state, allow_nan=False)


def test_the_corpus_is_extrapolated_by_the_rates(view: Compare, table: Table) -> None:
    value, low, high = parts(view)["both"]["corpusDocuments"]
    assert value == pytest.approx(table.weights[11:20].sum())
    assert low < value < high
    weights = table.weights
    assert view.state["overlap"]["jaccard"][0] == pytest.approx(weights[11:20].sum() / weights[4:].sum())


def test_shifts_are_those_of_a_loop(view: Compare, table: Table) -> None:
    rows = {name: rest for name, *rest in view.state["sources"]["rows"]}
    for source, (n, n_a, n_b, _, share_a, share_b) in rows.items():
        inside = [i for i in range(30) if table.sample.sources[i] == source]
        assert (n, n_a, n_b) == (len(inside), sum(i >= 4 for i in inside), sum(11 <= i < 20 for i in inside))
        kept = sum(table.weights[i] for i in inside if i >= 4)
        assert share_a == pytest.approx(kept / table.weights[4:].sum())
        kept = sum(table.weights[i] for i in inside if 11 <= i < 20)
        assert share_b == pytest.approx(kept / table.weights[11:20].sum())
    scores = {row["name"]: row for row in view.state["scores"]}
    assert set(scores) == {"n_chars", "n_tokens", "n_bytes", "compression_ratio", "perplexity"}
    mean_a = np.average(table.scores["n_tokens"][4:], weights=table.weights[4:])
    assert float(scores["n_tokens"]["values"][0]) == pytest.approx(mean_a, rel=1e-3)
    differences = [abs(row["difference"]) for row in view.state["scores"]]
    assert differences == sorted(differences, reverse=True)


def test_documents_of_a_part_are_read_with_both_verdicts(view: Compare) -> None:
    assert view.state["part"] == "only_a"  # only B has none
    send(view, type="list", part="only_a", page=0)
    assert [row["row"] for row in view.state["rows"]] == [*range(4, 11), *range(20, 30)]
    send(view, type="read", row=4)
    reader = view.state["reader"]
    assert [v["kept"] for v in reader["verdicts"]] == [True, False]
    assert reader["verdicts"][1]["reason"] == "n_tokens 50 is below 120"
    assert reader["text"].startswith("Document 4 of a")
    sent: list[Any] = []
    view.send = sent.append
    send(view, type="more", row=4, offset=9)
    assert sent[0]["text"] == view._bench.loaded.sample.texts[4][9:]


def test_swapping_swaps_and_keeps_looking_at_the_same_documents(view: Compare) -> None:
    send(view, type="list", part="only_a", page=0)
    before = view.state["rows"]
    send(view, type="swap")
    assert (view.state["a"], view.state["part"]) == ("draft:strict", "only_b")
    assert view.state["rows"] == before


def test_the_numbers_follow_the_draft(view: Compare, state: BenchState) -> None:
    state.thresholds.set("n_tokens", 50.0, None)
    assert parts(view)["both"]["documents"] == parts(view)["a"]["documents"] == 26
    state.undo()
    assert parts(view)["both"]["documents"] == 9
    state.edit(parse_recipe({"format": "selection-recipe/1", "steps": [
        {"select": "band", "score": "n_chars", "low": 3, "unscored": "drop"}]}))  # fmt: skip
    assert view.state["hint"].startswith("B can't run: the recipe reads n_chars, not computed yet")


def test_a_draft_compared_with_itself_says_what_to_do(state: BenchState) -> None:
    view = Compare(state, complain, root=None)
    view.is_shown = True
    view.refresh()
    assert "Branch the draft above" in view.state["hint"]
    assert parts(view)["both"]["documents"] == 30


def test_a_removed_draft_is_no_longer_compared(view: Compare, state: BenchState) -> None:
    send(view, type="choose", side="a", key="draft:draft 1")
    state.drafts.delete("draft 1")
    assert (view.state["a"], view.state["b"]) == ("draft:strict", "draft:strict")


def test_a_recipe_and_saved_work_are_loaded_from_files(view: Compare, tmp_path: Path) -> None:
    path = tmp_path / "r.json"
    path.write_text(json.dumps(recipe(100).to_json()))
    send(view, type="load", path=str(path))
    assert view.state["labels"] == ["r.json", "strict"]
    assert parts(view)["a"]["documents"] == 21
    drafts = Drafts(recipe(10))
    drafts.branch("two").history.edit(recipe(290))
    work = tmp_path / "other.bench.json"
    work.write_bytes(Work(Draw(None), parts={"drafts": drafts.to_json()}).to_bytes())
    send(view, type="load", path=str(work))
    assert view.state["labels"][0] == "other.bench.json: two"
    assert [label for _, label in view.state["choices"]] == [
        "draft 1", "strict", "r.json", "other.bench.json: two", "other.bench.json: draft 1",
    ]  # fmt: skip
    assert parts(view)["a"]["documents"] == 2


def test_a_manifest_is_compared_by_the_constants_it_froze(
    view: Compare, state: BenchState, table: Table, tmp_path: Path
) -> None:
    """Its quantile is not resolved anew."""
    sample = replace(table.sample, frame=table.sample.frame.head(14))
    strata = {
        s: replace(x, n_sample=n) for (s, x), n in zip(sample.design.strata.items(), (5, 9, 0), strict=True)
    }
    sample = replace(sample, design=replace(sample.design, strata=strata))
    small = wb.score(sample, ["n_tokens", "n_bytes"], store=tmp_path / "store")
    out = wb.export(small, recipe({"quantile": 0.5}), tmp_path / "x.manifest")
    frozen = json.loads((out / "manifest.json").read_text())["steps"][0]["params"]["low"]["value"]
    for path in (out, out / "manifest.json"):
        send(view, type="load", path=str(path))
        assert view.state["labels"][0] == "x.manifest"
        assert parts(view)["a"]["documents"] == int((table.scores["n_tokens"] >= frozen).sum())


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", "it is no JSON"),
        ("[]", "its format is None"),
        ('{"format": "x/1"}', "its format is 'x/1'"),
        ('{"format": "selection-recipe/1", "steps": [{"select": "os"}]}', "there is no selector"),
        ('{"format": "selection-manifest/1"}', "manifest.json: "),
        ('{"format": "bench-state/1"}', "saved work must be an object of"),
        (None, "there is no file"),
    ],
)
def test_a_bad_file_is_one_sentence(
    state: BenchState, tmp_path: Path, content: str | None, said: str
) -> None:
    told: list[str] = []
    view = Compare(state, told.append, root=tmp_path)
    if content is not None:
        (tmp_path / "f.json").write_text(content)
    send(view, type="load", path="f.json")
    assert said in told[-1]
    assert "\n" not in told[-1]


def test_no_file_beyond_the_root_is_read(state: BenchState, tmp_path: Path) -> None:
    told: list[str] = []
    inside = tmp_path / "app"
    inside.mkdir()
    (tmp_path / "r.json").write_text(json.dumps(recipe(1).to_json()))
    (inside / "link.json").symlink_to(tmp_path / "r.json")
    view = Compare(state, told.append, root=inside)
    for path in ("../r.json", str(tmp_path / "r.json"), "link.json", "file:///etc/passwd"):
        send(view, type="load", path=path)
        assert "is outside of this app's folder" in told[-1]
    for content in (
        {"type": "choose", "side": "c", "key": "draft:draft 1"},
        {"type": "choose", "side": "a", "key": "file:0"},
        {"type": "list", "part": "x", "page": 0},
        {"type": "read", "row": 30},
    ):
        told.clear()
        send(view, **content)
        assert told[-1] != ""


def test_the_map_has_one_scale_for_both_axes_and_says_who_is_unplaced(
    state: BenchState, table: Table
) -> None:
    x = np.linspace(-3, 5, 30).astype(np.float32)
    y = np.linspace(0, 2, 30).astype(np.float32)
    x[3] = math.nan
    table.scores.update({"map_x": x, "map_y": y, "cluster": np.zeros(30, dtype=np.float32)})
    points = picture(table)
    assert points is not None
    places = np.frombuffer(points.places, dtype="<u2").reshape(-1, 2)
    assert points.rows.tolist() == [i for i in range(30) if i != 3]
    assert points.unplaced == 1
    assert places[:, 0].min() == 0
    assert places[:, 0].max() == 65535
    assert places[-1, 1] - places[0, 1] == pytest.approx(65535 * 2 / 8, abs=2)
    state.set_table(table)
    state.drafts.branch()
    state.thresholds.set("n_tokens", 250.0, None)
    view = Compare(state, complain, root=None)
    view.is_shown = True
    view.refresh()
    assert view.places == points.places
    assert list(view.parts) == [3 if i >= 24 else 1 for i in points.rows]
    assert view.state["map"] == {"points": 29, "most": MAX_POINTS, "unplaced": 1}
    assert [row[1:4] for row in view.state["clusters"]["rows"]] == [[30, 30, 6]]
    assert "map_x" not in {row["name"] for row in view.state["scores"]}


def test_a_large_map_is_drawn_from_the_same_documents_each_time(
    table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("widgets.comparison.MAX_POINTS", 7)
    at = np.arange(30, dtype=np.float32)
    table.scores.update({"map_x": at, "map_y": at})
    first, second = picture(table), picture(table)
    assert first is not None
    assert second is not None
    assert len(set(first.rows.tolist())) == 7
    assert first.rows.tolist() == second.rows.tolist()
    assert first.places == second.places


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=30, deadline=None)
def test_what_is_remembered_of_a_selection_is_what_a_fresh_count_gives(seed: int) -> None:
    rng = np.random.default_rng(seed)
    table = random_table(rng, int(rng.integers(1, 40)))
    n_chars = rng.integers(0, 9, len(table)).astype(float)
    sides, masks = ScoreSides(table, n_chars), rng.random((3, len(table))) < 0.5
    for keep in masks[rng.integers(0, 3, 8)]:
        for name, side in sides.of(keep).items():
            shift = score_shift(
                keep, keep, n_chars if name == "n_chars" else table.scores[name], table.weights
            )
            expected = (shift.mean_a, shift.median_a, shift.unscored_a)
            np.testing.assert_equal((side.mean, side.median, side.unscored), expected)


def test_of_many_documents_a_change_is_compared_when_the_page_asks(
    view: Compare, state: BenchState, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("widgets.compare.AT_ONCE", 29)
    before = parts(view)
    state.thresholds.set("n_tokens", 120.0, 250.0)
    assert view.state["isStale"]
    assert parts(view) == before
    send(view, type="compare")
    assert not view.state["isStale"]
    assert parts(view)["b"]["documents"] == state.count().kept != before["b"]["documents"]
