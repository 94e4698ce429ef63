from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.widgets.sending import complain, send
from widgets.map import Map, combined
from widgets.state import BenchState
from workbench.engine.table import Table
from workbench.plots.colors import DROPPED, category_colors


@pytest.fixture
def map_view(state: BenchState, table: Table) -> Map:
    rng = np.random.default_rng(0)
    table.scores["map_x"], table.scores["map_y"] = rng.normal(size=(2, 30)).astype(np.float32)
    table.scores["map_x"][11] = np.nan
    table.scores["cluster"] = (np.arange(30) % 3 - 1).astype(np.float32)
    table.scores["embedding"] = np.random.default_rng(1).normal(size=(30, 4)).astype(np.float32)
    state.set_table(table)
    view = Map(state, complain, show=lambda: None, read=lambda row: None, compute=lambda names: None)
    view.is_shown = True
    view.refresh()
    return view


def lasso(view: Map, points: object) -> None:
    view._plot._lassoed({"new": points})


def drawn_colors(view: Map) -> list[tuple[float, ...]]:
    """The colour in which the page draws each point: its code, and the colour of that number."""
    widget = view._plot._scatter.widget
    column = {"valueA": 2, "valueB": 3}[widget.color_by]
    codes = widget.points[:, column].astype(int)
    return [tuple(widget.color[code][:3]) for code in codes]


def to_rgb(color: str) -> tuple[float, ...]:
    return tuple(int(color[i : i + 2], 16) / 255 for i in (1, 3, 5))


def test_a_lasso_names_documents_not_points(map_view: Map, state: BenchState) -> None:
    lasso(map_view, np.asarray([10, 11, 12], dtype=np.uint32))
    assert state.selection.tolist() == [10, 12, 13]
    assert map_view._panel.state["selected"] == 3
    assert map_view._panel.state["card"] is None
    lasso(map_view, np.asarray([5], dtype=np.uint32))
    assert state.selection.tolist() == [10, 12, 13], "a late click takes no lasso away"


@pytest.mark.parametrize(
    "points", [None, np.asarray([1e9, 29]), np.asarray([4_000_000_000]), np.asarray(["x"]), [[-5, -6]]]
)
def test_a_hostile_lasso_selects_nothing(map_view: Map, state: BenchState, points: object) -> None:
    lasso(map_view, points)
    assert state.selection.tolist() == []


def test_colours_follow_source_cluster_score_and_kept(map_view: Map, state: BenchState) -> None:
    panel = map_view._panel
    assert [row[0] for row in panel.state["legend"]] == ["<b>c</b>", "a", "b"]
    assert panel.state["unplaced"] == 1
    send(panel, type="color", by="cluster")
    assert [row[2] for row in panel.state["legend"]] == [10, 10, 10]
    send(panel, type="color", by="kept")
    state.thresholds.set("n_tokens", 155.0, None)
    assert [row[2] for row in panel.state["legend"]] == [15, 15]
    for by in ("n_tokens", "language"):
        send(panel, type="color", by=by)
        assert sum(row[2] for row in panel.state["legend"]) == 30
    send(panel, type="mode", mode="lasso")
    send(panel, type="theme", red=17, green=17, blue=17)
    assert panel.state["mode"] == "lasso"


def test_a_legend_entry_selects_its_documents(map_view: Map, state: BenchState) -> None:
    send(map_view._panel, type="pick", index=1)
    assert state.selection.tolist() == [0, 1, 2, 3, 4]
    assert map_view._panel.state["selectedKept"] == 5
    send(map_view._panel, type="clear")
    assert len(state.selection) == 0


def test_without_a_map_a_button_computes_it(state: BenchState) -> None:
    asked: list[object] = []
    view = Map(state, complain, show=lambda: None, read=lambda row: None, compute=asked.append)
    view.is_shown = True
    view.refresh()
    assert view._panel.state["canCompute"]
    send(view._panel, type="compute")
    assert asked == [("map_x", "map_y", "cluster")]


def test_a_lasso_adds_takes_away_or_begins_anew(map_view: Map, state: BenchState) -> None:
    panel = map_view._panel
    lasso(map_view, np.asarray([1, 2, 3], dtype=np.uint32))
    send(panel, type="combine", how="add")
    lasso(map_view, np.asarray([3, 4], dtype=np.uint32))
    assert state.selection.tolist() == [1, 2, 3, 4]
    assert map_view._plot._scatter.selection().tolist() == [1, 2, 3, 4], "the map shows what is chosen in all"
    send(panel, type="combine", how="subtract")
    lasso(map_view, np.asarray([2, 9], dtype=np.uint32))
    assert state.selection.tolist() == [1, 3, 4]
    send(panel, type="pick", index=1)
    assert state.selection.tolist() == [], "the legend's source a is rows 0 to 4"
    send(panel, type="combine", how="replace")
    lasso(map_view, np.asarray([7, 8], dtype=np.uint32))
    assert state.selection.tolist() == [7, 8]


@given(*[st.sets(st.integers(0, 9))] * 2)
def test_lassos_combine_as_sets(chosen: set[int], rows: set[int]) -> None:
    one, other = (np.array(sorted(s), dtype=np.int64) for s in (chosen, rows))
    assert set(combined(one, other, "add").tolist()) == chosen | rows
    assert set(combined(one, other, "subtract").tolist()) == chosen - rows
    assert set(combined(one, other, "replace").tolist()) == rows


def test_a_click_shows_its_document_and_leaves_what_is_chosen(
    map_view: Map, state: BenchState, monkeypatch: pytest.MonkeyPatch
) -> None:
    panel, read = map_view._panel, []
    state.thresholds.set("n_tokens", 155.0, None)
    lasso(map_view, np.asarray([1, 2, 3], dtype=np.uint32))
    map_view._plot._lassoed_at = float("-inf")
    lasso(map_view, np.asarray([11], dtype=np.uint32))
    card = panel.state["card"]
    assert (card["row"], card["id"], card["source"], card["kept"]) == (12, "d12", "b", False)
    assert card["text"] == state.loaded.sample.texts[12]
    assert card["reason"] == state.outcome.reason(12) if state.outcome else False
    assert state.selection.tolist() == [1, 2, 3]
    monkeypatch.setitem(panel._handlers, "read", lambda content: read.append(content["row"]))
    send(panel, type="read", row=12)
    assert read == [12]
    send(panel, type="close")
    assert panel.state["card"] is None


def test_dropped_documents_turn_grey_and_back(map_view: Map, state: BenchState) -> None:
    panel = map_view._panel
    send(panel, type="grey", on=True)
    state.thresholds.set("n_tokens", 155.0, None)
    assert [[label, n] for label, _, n in panel.state["legend"]] == [
        ["<b>c</b>", 15], ["a", 0], ["b", 0], ["dropped", 15]
    ]  # fmt: skip
    kept = state.keep[map_view._plot.placed]
    expected = [category_colors(["a", "b", "<b>c</b>"])["<b>c</b>"] if k else DROPPED for k in kept]
    assert drawn_colors(map_view) == [to_rgb(color) for color in expected]
    send(panel, type="color", by="kept")
    assert [label for label, _, _ in panel.state["legend"]] == ["dropped", "kept"]
    send(panel, type="color", by="source")
    send(panel, type="grey", on=False)
    assert [n for _, _, n in panel.state["legend"]] == [16, 5, 9]
