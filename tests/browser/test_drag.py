"""A handle dragged by the mouse: the page counts by itself, and Python agrees when the handle is let go."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, WebSocket

import workbench as wb
from tests.browser.bench_page import BenchPage
from tests.browser.pages import Notebook
from tests.browser.serving import Kind, Server

pytestmark = pytest.mark.browser

CELL = """
import workbench as wb
from widgets import Bench
bench = Bench(wb.sample_corpus(), store="store")
bench.load(300).score(["n_tokens", "n_bytes", "compression_ratio"]).set_band("n_tokens", 20)
bench.tab("scores")
"""


def test_a_drag_asks_nobody_and_ends_in_what_python_keeps(
    page: Page, served: Callable[[Kind, str], Server], tmp_path: Path
) -> None:
    sent: list[str] = []

    def listen(socket: WebSocket) -> None:
        socket.on("framesent", lambda payload: sent.append(str(payload)))

    page.on("websocket", listen)
    bench = BenchPage.wait(Notebook.open(page, served("app", CELL)))
    kept, moving = bench.find(".wb-kept-documents"), bench.find(".wb-histograms[data-moving=exact]")
    handle = bench.find(".wb-bstep .wb-handle[data-score=n_tokens][data-side=low]")
    bench.see(bench.find(".wb-totals tr").first)
    sample = wb.read(wb.sample_corpus()).sample(300, by="source", seed=0)
    table = wb.score(sample, ["n_tokens", "n_bytes", "compression_ratio"], store=tmp_path)
    band = {"select": "band", "score": "n_tokens", "low": 20, "unscored": "drop"}
    assert int(kept.get_attribute("data-n") or -1) == n_kept(table, band)

    box = handle.bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + 20
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 5, y)
    bench.see(moving)
    n_sent, seen = len(sent), []
    for step in range(1, 30):
        page.mouse.move(x + 5 + 8 * step, y)
        seen.append(int(kept.get_attribute("data-n") or -1))
    assert len(sent) == n_sent, "a drag sends nothing"
    assert len(set(seen)) > 5
    assert seen == sorted(seen, reverse=True)
    at_end = {
        row.get_attribute("data-source"): row.get_attribute("data-n")
        for row in bench.find(".wb-sources tbody tr").all()
    }
    page.mouse.up()
    bench.see(bench.find(".wb-histograms:not([data-moving])"))
    bench.wait_until_kept(seen[-1])
    assert int(kept.get_attribute("data-n") or -1) == seen[-1]
    assert len([message for message in sent[n_sent:] if '"drag"' in message]) == 1

    # One drag is one undo, and the recipe keeps what was counted while it moved, of each source too.
    recipe = wb.parse_recipe(json.loads(bench.recipe_json()))
    outcome = wb.select(recipe, table)
    assert int(outcome.keep.sum()) == seen[-1]
    assert at_end == {
        source: str(int(outcome.keep[table.source == source].sum())) for source in set(table.source)
    }
    bench.find(".wb-undo").click()
    bench.wait_until_kept(n_kept(table, band))


def n_kept(table: wb.Table, step: dict[str, object]) -> int:
    recipe = wb.parse_recipe({"format": "selection-recipe/1", "seed": 0, "steps": [step]})
    return int(wb.select(recipe, table).keep.sum())
