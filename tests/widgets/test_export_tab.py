"""The Export tab: what is expected, what is written, and that nothing of another recipe is replaced without asking."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import polars as pl
import pytest

from tests.widgets.sending import send
from widgets.export import Export
from widgets.outputs import OUTPUTS
from widgets.state import BenchState
from workbench.engine.table import Table
from workbench.errors import InputError
from workbench.pictures import write_pictures
from workbench.recipe.compile import to_polars, to_sql
from workbench.selectors.base import Quantile

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def complaints() -> list[str]:
    return []


@pytest.fixture
def started() -> list[tuple[str, ...]]:
    """The scores that each export asked for."""
    return []


@pytest.fixture
def view(
    state: BenchState, table: Table, tmp_path: Path, complaints: list[str], started: list[tuple[str, ...]]
) -> Export:
    """Shown, with all work done at once."""

    def start(needs: tuple[str, ...], work: Callable[[Table], Any], done: Callable[[Any], None]) -> None:
        started.append(needs)
        done(work(table))
        view.ended()

    view = Export(state, lambda sentence: complaints.append(sentence) if sentence else None, start, tmp_path)
    view.is_shown = True
    state.thresholds.set("n_tokens", Quantile(0.25), None)
    return view


def test_expectations_stand_beside_what_can_be_written(state: BenchState, table: Table, view: Export) -> None:
    state.thresholds.set("n_tokens", 55.0, None)
    rows = {row[0]: row[1] for row in view.state["rows"]}
    assert rows["b"] == [9, 9, 9]
    value, low, high = rows["<b>c</b>"]
    assert low <= value <= high
    assert "95 % intervals" in view.state["basis"]
    assert [kind for kind, *_ in view.state["outputs"]] == list(OUTPUTS)
    del table.scores["n_bytes"]
    state.set_table(table)
    assert "Expectations need n_bytes" in view.state["hint"]


def test_ids_are_those_that_the_bench_keeps(
    state: BenchState, table: Table, view: Export, tmp_path: Path, started: list[tuple[str, ...]]
) -> None:
    send(view, type="export", kind="ids", path="x.ids.parquet")
    kept = [doc for doc, keep in zip(table.sample.doc_ids, state.keep, strict=True) if keep]
    assert 0 < len(kept) < len(table)
    assert pl.read_parquet(tmp_path / "x.ids.parquet")["doc_id"].to_list() == kept
    assert (
        view.state["written"]
        == f"{len(kept)} ids of the sample's kept documents were written to {tmp_path}/x.ids.parquet"
    )
    assert started == [("n_tokens",)]
    assert not view.state["busy"]
    state.undo()
    assert view.state["written"] == ""


def test_the_code_shown_is_the_code_written_and_holds_constants(
    state: BenchState, view: Export, tmp_path: Path
) -> None:
    for kind, compiled, name in (("polars", to_polars, "a.polars.py"), ("sql", to_sql, "a.sql")):
        send(view, type="export", kind=kind, path=name)
        shown = view.state["code"][kind]
        assert (tmp_path / name).read_text() == shown == compiled(state.resolved)
        assert "quantile" not in shown


def test_a_recipe_that_can_not_be_said_is_refused_where_the_code_would_stand(
    state: BenchState, view: Export, complaints: list[str], tmp_path: Path
) -> None:
    from workbench.recipe.schema import parse_recipe

    state.edit(parse_recipe({"format": "selection-recipe/1", "seed": 0, "steps": [{"select": "exact"}]}))
    assert view.state["code"] == {"refused": view.state["code"]["refused"]}
    assert "step 1 (exact) looks beyond" in view.state["code"]["refused"]


def test_what_is_there_is_told_and_replaced_only_when_asked_to(view: Export, tmp_path: Path) -> None:
    there = tmp_path / "x.ids.txt"
    there.write_text("precious")
    send(view, type="export", kind="ids", path="x.ids.txt")
    assert view.state["ask"]["sentence"].startswith("x.ids.txt is there already, written 2")
    assert there.read_text() == "precious"
    send(view, type="keep")
    assert view.state["ask"] is None
    send(view, type="export", kind="ids", path="x.ids.txt", replace=True)
    assert there.read_text().startswith("d")
    assert view.state["ask"] is None


def test_a_changed_recipe_takes_the_question_back(state: BenchState, view: Export, tmp_path: Path) -> None:
    (tmp_path / "x.sql").write_text("precious")
    send(view, type="export", kind="sql", path="x.sql")
    assert view.state["ask"]
    state.thresholds.set("n_tokens", 50.0, None)
    assert view.state["ask"] is None


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (
            {"kind": "ids", "path": "corpus.parquet"},
            "kept ids ends in .ids.parquet or .ids.csv or .ids.txt, got",
        ),
        ({"kind": "polars", "path": "polars.py"}, "polars expression ends in .polars.py, got 'polars.py'"),
        ({"kind": "report", "path": "../x.report.html"}, "outside of this app's folder"),
        ({"kind": "shell", "path": "x"}, "kind must be one of those shown"),
        ({"kind": "sql", "path": "x.sql", "replace": 1}, "replace must be true or false"),
        ({"kind": "sql", "path": ["x.sql"]}, "path must be text"),
    ],
)
def test_a_page_writes_only_what_is_an_exports(
    view: Export, complaints: list[str], content: dict[str, Any], says: str, tmp_path: Path
) -> None:
    send(view, type="export", **content)
    assert says in complaints[-1]
    assert list(tmp_path.iterdir()) == []


def test_work_that_can_not_begin_leaves_the_buttons_free(state: BenchState, complaints: list[str]) -> None:
    def busy(*_: object) -> None:
        raise InputError("something is being computed already")

    view = Export(state, complaints.append, busy, None)
    view.is_shown = True
    send(view, type="export", kind="sql", path="x.sql")
    assert complaints[-1] == "something is being computed already"
    assert not view.state["busy"]


def test_each_plot_is_a_picture_without_markup_of_the_corpus(
    state: BenchState, view: Export, tmp_path: Path
) -> None:
    table = state.loaded
    table.scores["map_x"] = table.scores["map_y"] = np.arange(len(table), dtype=np.float32)
    send(view, type="export", kind="svg", path="p.plots")
    names = {path.name for path in (tmp_path / "p.plots").iterdir()}
    assert names == {"sources.svg", "histogram_n_tokens.svg", "map.svg"}
    for path in (tmp_path / "p.plots").iterdir():
        kinds = {node.tag for node in ElementTree.parse(path).iter()}
        assert kinds <= {
            f"{SVG}{kind}"
            for kind in ("svg", "g", "path", "text", "rect", "line", "defs", "clipPath", "tspan")
        }
    texts = [node.text for node in ElementTree.parse(tmp_path / "p.plots" / "sources.svg").iter(f"{SVG}text")]
    assert "<b>c</b>" in texts
    assert state.outcome is not None
    for path in write_pictures(tmp_path / "png", table, state.outcome, "png"):
        assert path.read_bytes().startswith(b"\x89PNG")


def test_the_report_says_what_is_kept(view: Export, tmp_path: Path) -> None:
    send(view, type="export", kind="report", path="x.report.html")
    assert "Selection report" in (tmp_path / "x.report.html").read_text()
