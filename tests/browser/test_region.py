"""The map's rule and the strip of confounds as a person uses them: what they show is what plain Python gives."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page

import workbench as wb
from tests.browser.bench_page import BenchPage
from tests.browser.pages import Notebook
from tests.browser.serving import Kind
from workbench.corpus import read_sample
from workbench.engine.region import try_rule
from workbench.engine.table import Table
from workbench.models.load import Models
from workbench.stats.association import weighted_spearman

pytestmark = pytest.mark.browser

N = 240
CELL = """
import numpy as np
from widgets import Bench
from workbench.corpus import read_sample
from workbench.engine.table import Table
from workbench.models.load import Models
folder = {folder!r}
bench = Bench(read_sample(folder + "/sample.parquet"), store=folder + "/store")
bench.state.set_table(Table(bench.table.sample, Models(), dict(np.load(folder + "/scores.npz"))))
bench
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sample with scores made by hand: embeddings that follow the source a little, and places that follow them."""
    folder = tmp_path_factory.mktemp("scored")
    sample = wb.read(wb.sample_corpus()).sample(N, by="source", seed=0)
    sample.write(folder / "sample.parquet")
    rng = np.random.default_rng(0)
    source = np.unique(sample.sources, return_inverse=True)[1]
    embedding = 1.5 * rng.normal(size=(source.max() + 1, 8))[source] + rng.normal(size=(N, 8))
    columns = {
        "n_tokens": np.array([len(text.split()) for text in sample.texts]),
        "embedding": embedding,
        "map_x": embedding[:, 0],
        "map_y": embedding[:, 1],
    }
    np.savez(folder / "scores.npz", **{name: column.astype(np.float32) for name, column in columns.items()})
    return folder


def test_a_group_of_the_map_becomes_a_rule_and_a_cut_on_length_is_called_so(
    page: Page, open_notebook: Callable[[Kind, str], Notebook], folder: Path
) -> None:
    scores = dict(np.load(folder / "scores.npz"))
    table = Table(read_sample(folder / "sample.parquet"), Models(), scores)
    bench = BenchPage.wait(open_notebook("app", CELL.format(folder=str(folder))))
    bench.tab("map")
    entries = bench.find(".wb-legend-entry")
    entries.first.wait_for()
    labels = bench.find(".wb-legend-label").all_text_contents()
    counts = {label: int((table.source == label).sum()) for label in labels}
    chosen = sorted(counts, key=lambda label: counts[label])[-2:]
    entries.nth(labels.index(chosen[0])).click()
    bench.see(bench.find(f".wb-lassoed[data-selected='{counts[chosen[0]]}']"))
    bench.find(".wb-combine[data-how=add]").click()
    bench.find(".wb-combine[data-how=add][aria-pressed=true]").wait_for()
    entries.nth(labels.index(chosen[1])).click()
    rows = np.flatnonzero(np.isin(table.source.astype(str), chosen))
    bench.see(bench.find(f".wb-lassoed[data-selected='{len(rows)}']"))

    bench.find(".wb-rule-variant").select_option("centroids")
    bench.find(".wb-rule-try").click()
    bench.see(bench.find(".wb-rule-precision"))
    held_out = try_rule(table, rows, variant="centroids")
    for name, share in (("precision", held_out.precision), ("recall", held_out.recall)):
        shown = float(bench.find(f".wb-rule-{name}").get_attribute("data-value") or "nan")
        assert shown == pytest.approx(share.value)
    add = bench.find(".wb-rule-add")
    if add.is_disabled():
        bench.find(".wb-rule-confirm").check()
    add.click()
    bench.see(bench.find(".wb-rule-added"))
    recipe = json.loads(bench.recipe_json())
    keep = wb.select(wb.parse_recipe(recipe), table).keep
    assert 0 < keep.sum() < N
    bench.wait_until_kept(int(keep.sum()))

    recipe["steps"] = [{"select": "band", "score": "n_tokens", "low": float(np.median(scores["n_tokens"]))}]
    bench.find(".wb-recipe-json").fill(json.dumps(recipe))
    bench.find(".wb-recipe-import").click()
    keep = wb.select(wb.parse_recipe(recipe), table).keep
    bench.wait_until_kept(int(keep.sum()))
    found = weighted_spearman(keep.astype(float), scores["n_tokens"], table.weights)
    assert found > 0.3
    line = bench.find(".wb-confounds summary")
    line.get_by_text("what is kept goes with").wait_for()
    line.click()
    sentence = bench.find(".wb-confound-warnings li").filter(
        has_text=f"rank correlation +{found:.2f} with n_tokens"
    )
    assert "longer documents are kept; step 1. band n_tokens does it" in (sentence.text_content() or "")
    kept_row = bench.find(".wb-confounds tr[data-row=kept] td").nth(1)
    assert kept_row.text_content() == f"+{found:.2f}"
    assert page.locator(".wb-confounds").is_visible()
