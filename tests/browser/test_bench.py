"""The bench as a person uses it, in JupyterLab and in voila: what it shows is what plain Python gives."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pytest
from playwright.sync_api import Page

import workbench as wb
from tests.browser.bench_page import BenchPage
from tests.browser.conftest import ROOT, write_notebook
from tests.browser.pages import Notebook
from tests.browser.serving import Kind, Server, serve
from workbench.plots.axis import fit_axis
from workbench.selectors import SELECTORS

pytestmark = pytest.mark.browser
both = pytest.mark.parametrize("kind", ["lab", "app"])

N = 240
SCORES = ("n_tokens", "compression_ratio")
PICTURED = {
    "format": "selection-recipe/1",
    "steps": [
        {"select": "band", "score": "n_tokens", "low": 20, "unscored": "drop"},
        {"select": "band", "score": "compression_ratio", "high": {"quantile": 0.98}, "unscored": "drop"},
        {"select": "exact"},
        {"select": "band", "score": "perplexity", "high": {"quantile": 0.9}, "unscored": "drop"},
    ],
}
CELL = """
import os
import workbench as wb
from widgets import Bench
env = os.environ
Bench(env["WORKBENCH_CORPUS"], store=os.path.join(env["WORKBENCH_OUT"], "store"), n=int(env["WORKBENCH_N"]))
"""


@dataclass(frozen=True)
class Truth:
    """The same sample and scores, without a widget."""

    corpus: Path
    table: wb.Table

    def outcome(self, recipe_json: str) -> wb.Outcome:
        return wb.select(wb.parse_recipe(json.loads(recipe_json)), self.table)


@pytest.fixture(scope="module")
def truth(tmp_path_factory: pytest.TempPathFactory) -> Truth:
    folder = tmp_path_factory.mktemp("truth")
    corpus = folder / "corpus"
    corpus.mkdir()
    wb.read(wb.sample_corpus()).sample(400, seed=3).frame.write_parquet(corpus / "part.parquet")
    sample = wb.read(corpus).sample(N, by="source", seed=0)
    return Truth(corpus, wb.score(sample, SCORES, store=folder / "store"))


@pytest.fixture(scope="module")
def servers(truth: Truth, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[Kind], Server]]:
    """The committed app for voila, a notebook with the same bench for JupyterLab; started on first use."""
    running: dict[Kind, tuple[object, Server]] = {}
    contexts = []

    def start(kind: Kind) -> Server:
        if kind not in running:
            folder = tmp_path_factory.mktemp(kind)
            notebook = folder / "bench.ipynb"
            if kind == "app":
                shutil.copy(ROOT / "notebooks" / "app.ipynb", notebook)
            else:
                write_notebook(notebook, CELL)
            env = {"WORKBENCH_CORPUS": str(truth.corpus), "WORKBENCH_N": str(N)}
            context = serve(kind, notebook, folder, env)
            running[kind] = (context, context.__enter__())
            contexts.append(context)
        return running[kind][1]

    yield start
    for context in contexts:
        context.__exit__(None, None, None)


@both
def test_what_is_moved_by_hand_keeps_what_python_keeps_is_exported_and_undone(
    page: Page, servers: Callable[[Kind], Server], truth: Truth, kind: Kind, tmp_path: Path
) -> None:
    """One page for all of it, since to open one takes longer than the rest."""
    server = servers(kind)
    bench = BenchPage.wait(Notebook.open(page, server))
    assert bench.load() == N
    bench.score(SCORES)
    assert bench.kept() == N

    bench.tab("scores").press("n_tokens", "low", "PageUp", 4)
    bench.press("n_tokens", "low", "ArrowRight", 3)
    bench.press("compression_ratio", "high", "PageDown", 3)
    recipe = bench.recipe_json()
    outcome = truth.outcome(recipe)
    n_kept = int(outcome.keep.sum())
    assert 0 < n_kept < N
    bench.wait_until_kept(n_kept)

    check_a_dropped_document(bench, truth, outcome)
    manifest = export(bench, server)
    check_manifest(manifest, truth, outcome)
    check_undo(bench)
    check_a_share(bench, truth)
    check_pictures(bench, Path(os.environ.get("WORKBENCH_PICTURES", tmp_path)))


def check_a_dropped_document(bench: BenchPage, truth: Truth, outcome: wb.Outcome) -> None:
    """The first of the list, opened by keyboard: its text, the step that dropped it, and why."""
    bench.tab("documents").find(".wb-show[data-show=dropped]").click()
    n_dropped = int((~outcome.keep).sum())
    bench.find(f".wb-page[data-found='{n_dropped}']").wait_for()
    first = bench.find(".wb-row").first
    row = int(first.get_attribute("data-row") or -1)
    first.press("Enter")
    reader = bench.find(f".wb-reader[data-row='{row}']")
    reader.wait_for()
    assert not outcome.keep[row]
    assert reader.locator(".wb-verdict").get_attribute("data-kept") == "false"
    assert reader.locator(".wb-reason").text_content() == outcome.reason(row)
    step = outcome.fitted.recipe.steps[int(outcome.step[row])]
    assert step.params.score in (reader.locator(".wb-step").text_content() or "")
    assert reader.locator(".wb-doc-id").text_content() == truth.table.sample.doc_ids[row]
    shown = reader.locator(".wb-text").text_content() or ""
    text = truth.table.sample.texts[row]
    assert shown
    assert text.startswith(shown)


def export(bench: BenchPage, server: Server) -> Path:
    name = f"by-hand-{server.kind}.manifest"
    manifest = bench.tab("export").find(".wb-output[data-kind=manifest]")
    manifest.locator(".wb-export-path").fill(name)
    manifest.locator(".wb-export-button").click()
    bench.see(bench.root.locator(".wb-written", has_text=name))
    return server.log.parent / name


def check_manifest(manifest: Path, truth: Truth, outcome: wb.Outcome) -> None:
    """It expects what was shown, and applied to the sample itself it keeps exactly the documents that were shown."""
    content = json.loads((manifest / "manifest.json").read_text())
    assert content["input"]["fingerprint"] == truth.table.sample.fingerprint
    assert [step["select"] for step in content["steps"]] == ["band", "band"]
    sample = manifest.parent / "sample.parquet"
    truth.table.sample.frame.write_parquet(sample)
    out = manifest.parent / f"{manifest.name}-applied"
    wb.apply(manifest, wb.read(sample), out)
    kept = pl.read_parquet(out / "kept" / "*.parquet")["doc_id"]
    expected = {doc for doc, keep in zip(truth.table.sample.doc_ids, outcome.keep, strict=True) if keep}
    assert set(kept) == expected
    assert kept.len() == len(expected)


def check_undo(bench: BenchPage) -> None:
    """Each press takes a move back, until nothing is dropped."""
    while bench.find(".wb-undo").is_enabled():
        left = int(bench.find(".wb-undo").get_attribute("data-left") or 0)
        bench.find(".wb-undo").click()
        bench.find(f".wb-undo[data-left='{left - 1}']").wait_for()
    bench.wait_until_kept(N)


def check_pictures(bench: BenchPage, folder: Path) -> None:
    """Pictures of all tabs: voila's light, JupyterLab's dark. `make pictures` keeps them, with more to see."""
    is_kept = "WORKBENCH_PICTURES" in os.environ
    if is_kept:
        bench.score((*SCORES, "gopher_n_words", "perplexity", "map_x", "map_y", "cluster"))
        bench.tab("recipe").find(".wb-recipe-json").fill(json.dumps(PICTURED))
        bench.find(".wb-recipe-import").click()
        bench.find(".wb-draft-branch").click()
        bench.find(".wb-draft-name").fill("strict")
        bench.find(".wb-draft-name").press("Enter")
        bench.tab("scores").press("perplexity", "high", "PageDown", 2)
        bench.find(".wb-message-close").click()
    is_lab = bench.notebook.server.kind == "lab"
    if is_lab:
        bench.darken()
    for picture in bench.take_pictures(folder, "dark" if is_lab else "light", whole=is_kept):
        assert picture.read_bytes().startswith(b"\x89PNG")


def check_a_share(bench: BenchPage, truth: Truth) -> None:
    """A recipe put in as text, its share moved by its slider, and what is told of its method."""
    step = {"select": "rank", "score": "n_tokens", "keep_fraction": 0.5, "unit": "tokens"}
    recipe = json.dumps({"format": "selection-recipe/1", "seed": 0, "steps": [step]})
    bench.tab("recipe").find(".wb-recipe-json").fill(recipe)
    bench.find(".wb-recipe-import").click()
    bench.wait_until_kept(int(truth.outcome(recipe).keep.sum()))
    about = bench.find(".wb-step-about")
    about.locator("summary").click()
    about.get_by_text(SELECTORS["rank"].about).wait_for()
    slider = bench.find(".wb-param-slider")
    for fraction in (0.51, 0.52, 0.53):
        # Each answered before the next: a form that is drawn anew in between would take the slider back.
        slider.press("ArrowRight")
        asked = {**json.loads(recipe), "steps": [{**step, "keep_fraction": fraction}]}
        bench.wait_until_kept(int(truth.outcome(json.dumps(asked)).keep.sum()))
        bench.notebook.page.wait_for_function(
            "([area, text]) => area.value.includes(text)",
            arg=[bench.find(".wb-recipe-json").element_handle(), f'"keep_fraction": {fraction}'],
        )
    moved = bench.recipe_json()
    assert json.loads(moved)["steps"][0]["keep_fraction"] == 0.53
    bench.wait_until_kept(int(truth.outcome(moved).keep.sum()))
    # It stays open, though the form was drawn anew.
    assert about.get_by_text(SELECTORS["rank"].about).is_visible()


def test_documents_near_a_cut_are_read_and_voted_on_by_keyboard_and_precision_is_plain_pythons(
    page: Page, servers: Callable[[Kind], Server], truth: Truth
) -> None:
    bench = BenchPage.wait(Notebook.open(page, servers("app")))
    bench.load()
    bench.score(SCORES)
    bench.tab("scores").press("n_tokens", "low", "PageUp", 4)
    recipe = bench.recipe_json()
    outcome, values = truth.outcome(recipe), truth.table.scores["n_tokens"]

    bench.tab("documents").find(".wb-order").select_option("near:n_tokens")
    bench.find(".wb-row-value").first.wait_for()
    place, low = fit_axis(values), json.loads(recipe)["steps"][0]["low"]
    assert place is not None
    apart = [abs(place.position(float(v)) - place.position(low)) for v in values]
    rows = [int(row.get_attribute("data-row") or -1) for row in bench.find(".wb-row").all()]
    assert [apart[row] for row in rows] == pytest.approx(sorted(apart)[: len(rows)])
    assert {bool(outcome.keep[row]) for row in rows} == {True, False}

    bench.tab("votes").find(".wb-draw-n").fill("8")
    bench.find(".wb-draw-votes").click()
    shown = bench.find(".wb-ballot-text")
    texts, said = truth.table.sample.texts, {}
    for at in range(8):
        bench.find(f".wb-ballot-text[data-at='{at}']").wait_for()
        text = shown.text_content() or ""
        row = next(i for i, other in enumerate(texts) if text and other.startswith(text) and i not in said)
        said[row] = len(text) % 3 > 0
        page.keyboard.press("k" if said[row] else "d")
        if at == 2:
            bench.find(".wb-ballot-text[data-at='3']").wait_for()
            page.keyboard.press("u")
            bench.find(".wb-ballot-text[data-at='2']").wait_for()
            page.keyboard.press("k" if said[row] else "d")
    precision = bench.find(".wb-precision")
    bench.see(precision)
    kept = [row for row in said if outcome.keep[row]]
    assert len(kept) == 4
    weights = truth.table.weights
    expected = sum(weights[row] * said[row] for row in kept) / sum(weights[row] for row in kept)
    assert float(precision.get_attribute("data-value") or "nan") == pytest.approx(expected)
    wrong = {int(line.get_attribute("data-row") or -1) for line in bench.find(".wb-wrong-row").all()}
    assert wrong == {row for row in said if said[row] != outcome.keep[row]}
