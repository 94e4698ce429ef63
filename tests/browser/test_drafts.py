"""Drafts, Compare and saved work as a person uses them, in voila: a branch, a move, a comparison, a reload."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

import workbench as wb
from tests.browser.bench_page import BenchPage
from tests.browser.conftest import ROOT
from tests.browser.pages import Notebook
from tests.browser.serving import Server, serve
from workbench.checks import BoolArray

pytestmark = pytest.mark.browser

N = 240
SCORES = ("n_tokens", "compression_ratio")
FILE = "work.bench.json"


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("corpus")
    wb.read(wb.sample_corpus()).sample(400, seed=3).frame.write_parquet(folder / "part.parquet")
    return folder


@pytest.fixture(scope="module")
def app(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("drafts")
    shutil.copy(ROOT / "notebooks" / "app.ipynb", folder / "bench.ipynb")
    env = {"WORKBENCH_CORPUS": str(corpus), "WORKBENCH_N": str(N)}
    with serve("app", folder / "bench.ipynb", folder, env) as server:
        yield server


def overlap(bench: BenchPage) -> dict[str, int]:
    """What the Compare tab shows, once it shows."""
    rows = bench.tab("compare").find(".wb-overlap tbody tr")
    bench.see(rows.first)
    return {
        str(rows.nth(i).get_attribute("data-part")): int(rows.nth(i).get_attribute("data-documents") or -1)
        for i in range(rows.count())
    }


def test_a_branched_draft_is_compared_and_is_there_after_a_reload(
    page: Page, app: Server, corpus: Path
) -> None:
    bench = BenchPage.wait(Notebook.open(page, app))
    bench.load()
    bench.find(".wb-saved-path").fill(FILE)
    bench.find(".wb-saved-save").click()
    bench.see(bench.find(f".wb-saved-status[data-path='{FILE}']"))
    bench.score(SCORES)
    bench.tab("scores").press("n_tokens", "low", "PageUp", 1)
    bench.find(".wb-draft-branch").click()
    bench.find(".wb-draft-name").fill("strict <b>")
    bench.find(".wb-draft-name").press("Enter")
    bench.see(bench.find(".wb-draft-parent").get_by_text("branched from draft 1"))
    bench.press("n_tokens", "low", "PageUp", 2)
    bench.press("compression_ratio", "high", "PageDown", 1)

    seen = overlap(bench)
    sample = wb.read(corpus).sample(N, by="source", seed=0)
    table = wb.score(sample, SCORES, store=app.log.parent / "store")
    drafts = wait_until_saved(page, app.log.parent / FILE, table, seen["b"])
    a, b = (keep(draft, table) for draft in drafts)
    assert seen == {
        "both": int((a & b).sum()),
        "only_a": int((a & ~b).sum()),
        "only_b": int((~a & b).sum()),
        "neither": int((~a & ~b).sum()),
        "a": int(a.sum()),
        "b": int(b.sum()),
    }
    assert 0 < seen["b"] < seen["a"] < N
    read_what_only_a_keeps(bench, a & ~b)

    # The address names the file by now, so the page itself brings the work back.
    page.reload(wait_until="domcontentloaded")
    assert page.url.endswith(f"?state={FILE}")
    bench.wait_until_kept(seen["b"])
    assert bench.find(".wb-draft").input_value() == "strict <b>"
    assert overlap(bench) == seen
    go_back_in_the_history(bench, len(drafts[1]["recipes"]), int(a.sum()))


def keep(draft: dict[str, Any], table: wb.Table) -> BoolArray:
    """What the current recipe of a saved draft keeps."""
    return wb.select(wb.parse_recipe(draft["recipes"][draft["position"]]), table).keep


def wait_until_saved(page: Page, saved: Path, table: wb.Table, n_kept: int) -> list[dict[str, Any]]:
    """The drafts in the file, which is written within a second or so of the last change."""
    for _ in range(200):
        drafts: list[dict[str, Any]] = json.loads(saved.read_text())["parts"]["drafts"]["drafts"]
        if len(drafts) == 2 and keep(drafts[1], table).sum() == n_kept:
            return drafts
        page.wait_for_timeout(100)
    raise AssertionError(f"the draft that keeps {n_kept} documents wasn't saved: {drafts}")


def read_what_only_a_keeps(bench: BenchPage, wanted: BoolArray) -> None:
    """By keyboard: the first of them, with both verdicts."""
    bench.find(".wb-panel-compare .wb-compare-part[data-part=only_a]").click()
    first = bench.find(".wb-panel-compare .wb-row").first
    row = int(first.get_attribute("data-row") or -1)
    assert wanted[row]
    first.press("Enter")
    reader = bench.find(f".wb-panel-compare .wb-reader[data-row='{row}']")
    reader.wait_for()
    assert [reader.locator(".wb-verdict").nth(i).get_attribute("data-kept") for i in range(2)] == [
        "true",
        "false",
    ]


def go_back_in_the_history(bench: BenchPage, n_changes: int, n_kept: int) -> None:
    """The beginning of the branch keeps what its parent keeps."""
    bench.find(".wb-history-open").click()
    changes = bench.find(".wb-change")
    bench.see(changes.first)
    assert changes.count() == n_changes
    assert "compression_ratio" in (changes.first.text_content() or "")
    changes.last.click()
    bench.wait_until_kept(n_kept)
