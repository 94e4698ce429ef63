from __future__ import annotations

import numpy as np
import pytest

from tests.widgets.sending import complain, send
from widgets.map import Map
from widgets.state import BenchState
from workbench.engine.table import Table


@pytest.fixture
def map_view(state: BenchState, table: Table) -> Map:
    rng = np.random.default_rng(0)
    table.scores["map_x"], table.scores["map_y"] = rng.normal(size=(2, 30)).astype(np.float32)
    table.scores["map_x"][11] = np.nan
    table.scores["cluster"] = (np.arange(30) % 3 - 1).astype(np.float32)
    state.set_table(table)
    view = Map(state, complain, show=lambda: None, compute=lambda names: None)
    view.is_shown = True
    view.refresh()
    return view


def lasso(view: Map, points: object) -> None:
    view._lassoed({"new": points})


def test_a_lasso_names_documents_not_points(map_view: Map, state: BenchState) -> None:
    lasso(map_view, np.asarray([10, 11, 12], dtype=np.uint32))
    assert state.selection.tolist() == [10, 12, 13]
    assert map_view._panel.state["selected"] == 3
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
    view = Map(state, complain, show=lambda: None, compute=asked.append)
    view.is_shown = True
    view.refresh()
    assert view._panel.state["canCompute"]
    send(view._panel, type="compute")
    assert asked == [("map_x", "map_y", "cluster")]
