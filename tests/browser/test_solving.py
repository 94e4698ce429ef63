"""A budget that is set and a curve that is clicked on in the browser keep what plain Python keeps."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from playwright.sync_api import Locator

import workbench as wb
from tests.browser.bench_page import BenchPage
from tests.browser.pages import Notebook
from tests.browser.serving import Kind

pytestmark = pytest.mark.browser

N_TOKENS = 20_000
SCORES = ("n_tokens", "n_bytes", "compression_ratio", "embedding")
PAYLOAD = "<img src=x onerror=window.ran=1> "


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """Documents of the sample with vectors of their own, many of them near-copies, each text hostile."""
    frame = wb.read(wb.sample_corpus()).sample(120, seed=5).frame
    rng = np.random.default_rng(0)
    near = rng.normal(size=(30, 16))[rng.integers(0, 30, len(frame))]
    vectors = near + rng.normal(size=near.shape) * rng.choice([0.05, 0.3, 1.0], (len(frame), 1))
    frame.with_columns(
        text=PAYLOAD + pl.col("text"), vector=pl.Series(vectors.astype(np.float32).tolist())
    ).write_parquet(tmp_path / "part.parquet")
    return tmp_path / "part.parquet"


def outcome(bench: BenchPage, table: wb.Table) -> wb.Outcome:
    """What the recipe that the page shows does, without a widget."""
    return wb.select(wb.parse_recipe(json.loads(bench.recipe_json())), table)


def number(node: Locator, name: str) -> int:
    return int(node.get_attribute(name) or -1)


def test_a_solved_budget_and_a_click_on_the_curve_keep_what_python_keeps(
    open_notebook: Callable[[Kind, str], Notebook], corpus: Path, tmp_path: Path
) -> None:
    code = f"""
import workbench as wb
from widgets import Bench
models = wb.Models(embedder="column:vector")
Bench(wb.read({str(corpus)!r}).whole(), store={str(tmp_path / "shown")!r}, models=models).score({SCORES!r})
"""
    sample, models = wb.read(corpus).whole(), wb.Models(embedder="column:vector")
    table = wb.score(sample, SCORES, store=tmp_path / "store", models=models)
    bench = BenchPage.wait(open_notebook("app", code))

    bench.tab("budget").find(".wb-budget-amount").fill("20k")
    bench.find(".wb-budget-score").select_option("compression_ratio")
    bench.find(".wb-budget-solve").click()
    solution = bench.find(".wb-budget-solution[data-met=true]")
    bench.see(solution)
    n_kept = number(solution, "data-kept")
    assert number(bench.find(".wb-total"), "data-kept") == len(table), "nothing changes before it is applied"
    bench.find(".wb-budget-apply").click()
    bench.wait_until_kept(n_kept)
    found = outcome(bench, table)
    tokens, ratio = table.scores["n_tokens"], table.scores["compression_ratio"]
    assert n_kept == found.keep.sum()
    assert tokens[found.keep].sum() <= N_TOKENS
    one_more = ratio <= ratio[~found.keep].min()
    assert tokens[one_more].sum() > N_TOKENS

    plot = bench.tab("duplicates").find(".wb-copies-plot[data-kept]")
    bench.see(plot)
    assert number(plot, "data-documents") == n_kept
    box = plot.bounding_box()
    assert box is not None
    plot.click(position={"x": box["width"] * 0.45, "y": box["height"] / 2})
    bench.see(bench.find(".wb-copies-plot[data-set=true]"))
    n_left = number(plot, "data-kept")
    bench.wait_until_kept(n_left)
    bench.find(".wb-copies-side[data-side=above]").click()
    texts = bench.find(".wb-copies-text")
    assert [PAYLOAD.strip() in text for text in texts.all_text_contents()] == [True, True]
    assert bench.find(".wb-copies-verdict").last.get_attribute("data-kept") == "false"
    found = outcome(bench, table)
    assert [step.select for step in found.fitted.recipe.steps] == ["band", "semdedup"]
    assert n_left == found.keep.sum() < n_kept
    assert bench.notebook.page.evaluate("window.ran") is None
