"""Documents that attack their reader: in every tab, chart, table and report they are text and nothing else.

One kernel a server: what starting one takes is most of what these tests cost, so each looks at all payloads at once.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Page, Playwright

import workbench as wb
from tests.browser.bench_page import BenchPage
from tests.browser.conftest import ROOT, Watch, browser, write_notebook
from tests.browser.hostile import BROKEN_LAYOUT, FLAG, INTRUDERS, PAYLOADS, write_hostile_corpus
from tests.browser.pages import Notebook
from tests.browser.serving import Kind, serve
from widgets.draft import MAX_NAME

pytestmark = pytest.mark.browser

SCORES = ["n_tokens", "n_bytes", "compression_ratio"]
N = 500
LAST = "the last cell ran"

# The map's columns are made up, since UMAP and the embeddings would take longer than all the rest, and so are the names
# of its clusters, which are words of the texts and would lose all marks. Each payload is one.
BENCH = f"""
import os
from dataclasses import replace
import numpy as np
import workbench as wb
import workbench.scores.keywords
from tests.browser.hostile import PAYLOADS
from widgets import Bench
from widgets.servers.offline import enable_offline
enable_offline()
bench = Bench(wb.read(os.environ["WORKBENCH_CORPUS"]), store=os.environ["WORKBENCH_STORE"], n={N})
bench.load().score({SCORES!r})
n, table = len(bench.table), bench.table
code = (np.arange(n) % len(PAYLOADS)).astype(np.float32)
made = dict(map_x=np.cos(code), map_y=np.sin(code) * np.arange(n, dtype=np.float32), cluster=code)
bench.state.set_table(replace(table, scores={{**table.scores, **made}}))
names = dict(enumerate(PAYLOADS))
workbench.scores.keywords.keyword_labels = lambda texts, clusters: names
bench.set_band("n_tokens", low=14)
for i, payload in enumerate(p for p in PAYLOADS[:40] if p.isprintable()):
    bench.drafts.branch(f"{{i}} {{payload}}"[:{MAX_NAME}])
bench.drafts.switch("draft 1")
bench
"""

CHARTS = f"""
from IPython.display import display
import polars as pl
from workbench.plots.composition import composition, composition_chart
from workbench.plots.map import color_by_cluster, color_by_name, map_chart, map_data
table, outcome = bench.table, bench.outcome
display(composition_chart(composition(table.sample.sources, outcome.keep, table.weights)))
for coloring in (color_by_name(table.sample.sources), color_by_cluster(table.scores["cluster"], names)):
    title = " ".join(PAYLOADS[:3]) + " ".join(p for p in PAYLOADS if "constructor" in p)
    display(map_chart(map_data(table.scores["map_x"], table.scores["map_y"], coloring), coloring, title))
with pl.Config(tbl_cols=-1, tbl_rows=-1, fmt_str_lengths=1000):
    display(table.sample.frame, bench.kept)
print(*table.sample.texts)
print({LAST!r})
"""


@dataclass
class Opened:
    """The bench on the hostile corpus in a browser.

    Attributes
    ----------
    bench
        On its page, with the charts below it.
    sample
        The whole corpus.
    dialogs
        What pages asked in dialogs; a script that ran might.
    watch
        What pages asked for, tried and logged.
    """

    bench: BenchPage
    sample: wb.Sample
    dialogs: list[str]
    watch: Watch

    def check(self, where: str, page: Page | None = None) -> None:
        """Nothing of the corpus became an element or ran, and the bench stands as it stood."""
        page = page or self.bench.notebook.page
        assert page.evaluate(f"() => window.{FLAG} === undefined"), where
        assert page.evaluate(INTRUDERS) == [], where
        assert self.dialogs == [], where
        assert len(page.context.pages) == 1, where

    def check_tab(self, where: str) -> None:
        """The same, and that no text broke the layout."""
        self.check(where)
        assert self.bench.notebook.page.evaluate(BROKEN_LAYOUT) == [], where


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With the corpus; both servers keep what they score in its store."""
    folder = tmp_path_factory.mktemp("hostile")
    write_hostile_corpus(folder / "corpus")
    return folder


@contextmanager
def opened(kind: Kind, playwright: Playwright, folder: Path) -> Iterator[Opened]:
    """Open the notebook of bench and charts; at the end nothing may have left the machine or been refused."""
    sample = wb.read(folder / "corpus").sample(N, by="source", seed=0)
    notebook = write_notebook(folder / "hostile.ipynb", BENCH, CHARTS)
    env = {
        "WORKBENCH_CORPUS": str(folder / "corpus"),
        "WORKBENCH_STORE": str(folder / "store"),
        "PYTHONPATH": str(ROOT),
    }
    watch = Watch()
    with serve(kind, notebook, folder, env) as server, browser(playwright, watch) as context:
        page, dialogs = context.pages[0], []
        page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
        yield Opened(BenchPage.wait(Notebook.open(page, server)), sample, dialogs, watch)


@pytest.fixture(scope="module")
def app(playwright: Playwright, folder: Path) -> Iterator[Opened]:
    """In voila, on one page for all tests of this file."""
    with opened("app", playwright, folder) as found:
        yield found


def test_the_load_tab_shows_names_as_text(app: Opened) -> None:
    bench = app.bench.tab("load")
    shown = bench.find(".wb-load-summary th").all_text_contents()
    assert set(app.sample.sources) <= set(shown)
    assert "2 rows could not be read" in (bench.find(".wb-quarantine").text_content() or "")
    app.check_tab("load")


def test_the_map_shows_sources_and_clusters_as_text(app: Opened) -> None:
    """Each colouring with its legend, and the pointer over the points, which may show a tooltip."""
    bench = app.bench.tab("map")
    panel = bench.find(".wb-panel-map")
    panel.locator("canvas").first.wait_for()
    panel.get_by_text(PAYLOADS[0], exact=True).first.wait_for()
    box = panel.locator("canvas").first.bounding_box()
    assert box is not None
    for i in range(1, 12):
        bench.notebook.page.mouse.move(
            box["x"] + box["width"] * i / 12, box["y"] + box["height"] * (i % 4 + 1) / 5
        )
    choice = panel.locator("select").first
    for value in choice.locator("option").evaluate_all("options => options.map((o) => o.value)"):
        choice.select_option(value)
        app.check_tab(f"map by {value}")
    choice.select_option("cluster")
    panel.get_by_text(PAYLOADS[2], exact=True).first.wait_for()
    app.check_tab("map by cluster")


def test_the_scores_tab_shows_sources_as_text(app: Opened) -> None:
    bench = app.bench.tab("scores")
    bench.find(".wb-handle[data-score=n_tokens][data-side=low]").wait_for()
    bench.press("n_tokens", "low", "ArrowRight", 1)
    assert PAYLOADS[0] in (bench.find(".wb-panel-scores").text_content() or "")
    app.check_tab("scores")


# In the page, since a click from outside waits for a frame or two, and there are a hundred documents.
READ_PAGE = """async (root, rows) => {
  const found = [];
  for (const row of [...root.querySelectorAll(rows)].map((node) => node.dataset.row)) {
    root.querySelector(`${rows}[data-row="${row}"]`).click();
    const shown = () => root.querySelector(`.wb-reader[data-row="${row}"]`);
    while (!shown()) await new Promise((go) => setTimeout(go, 5));
    const reader = shown();
    const part = (name) => reader.querySelector(name).textContent;
    const wide = reader.scrollWidth > reader.clientWidth + 1;
    found.push([Number(row), part(".wb-text"), part(".wb-doc-source"), part(".wb-doc-id"), wide]);
  }
  return found;
}"""


def test_every_document_is_read_to_the_character(app: Opened) -> None:
    """Every document of every page of the list: what is shown is what the corpus holds."""
    bench, sample = app.bench, app.sample
    bench.tab("documents").find(".wb-show[data-show=all]").click()
    bench.find(f".wb-page[data-found='{len(sample)}']").wait_for()
    read = set()
    while True:
        shown = bench.root.evaluate(READ_PAGE, ".wb-row")
        for row, text, source, doc_id, wide in shown:
            assert (text, source, doc_id) == (sample.texts[row], sample.sources[row], sample.doc_ids[row])
            assert not wide, f"{text!r} makes its reader scroll sideways"
            read.add(row)
        app.check_tab("documents")
        if not bench.find(".wb-next").is_enabled():
            break
        first = bench.find(f".wb-row[data-row='{shown[0][0]}']")
        bench.find(".wb-next").click()
        first.wait_for(state="detached")
    assert read == set(range(len(sample)))
    assert {p for p in PAYLOADS for row in read if sample.texts[row].startswith(p)} == set(PAYLOADS)


def test_the_budget_tab_shows_sources_as_text(app: Opened) -> None:
    bench = app.bench.tab("budget")
    bench.find(".wb-budget-how[data-how=mix]").click()
    bench.find(".wb-budget-more summary").click()
    bench.find(".wb-budget-rules td").get_by_text(PAYLOADS[0], exact=True).wait_for()
    bench.find(".wb-budget-solve").click()
    bench.find(".wb-budget-sources td").get_by_text(PAYLOADS[0], exact=True).wait_for()
    app.check_tab("budget")


def test_drafts_of_hostile_names_are_compared_as_text(app: Opened) -> None:
    """A draft whose name is a payload, next to its parent: sources, and a document with both verdicts."""
    bench = app.bench
    bench.find(".wb-draft-branch").click()
    bench.find(".wb-draft-name").fill(PAYLOADS[0][:MAX_NAME])
    bench.find(".wb-draft-name").press("Enter")
    bench.see(bench.find(".wb-draft-parent"))
    bench.tab("compare").find(".wb-shift-source th").get_by_text(PAYLOADS[0], exact=True).wait_for()
    bench.find(".wb-panel-compare .wb-row").first.click()
    bench.find(".wb-panel-compare .wb-reader[data-row]").wait_for()
    app.check_tab("compare")


REFUSED = """async (root, recipes) => {
  const found = [];
  for (const [i, recipe] of recipes.entries()) {
    root.querySelector(".wb-recipe-json").value = recipe;
    root.querySelector(".wb-recipe-import").click();
    const told = () => root.querySelector(".wb-message[data-kind=error] .wb-message-text")?.textContent ?? "";
    while (!told().includes(`payload ${i}:`)) await new Promise((go) => setTimeout(go, 5));
    found.push(told());
  }
  return found;
}"""


def test_a_recipe_that_is_refused_is_told_as_text(app: Opened) -> None:
    bench = app.bench.tab("recipe")
    bench.find(".wb-step-card").first.wait_for()
    kept = bench.kept()
    steps = [[{"select": "band", "score": f"payload {i}:{p}"}] for i, p in enumerate(PAYLOADS)]
    recipes = [json.dumps({"format": "selection-recipe/1", "seed": 0, "steps": each}) for each in steps]
    told = bench.root.evaluate(REFUSED, recipes)
    assert all(repr(payload)[1:40] in sentence for payload, sentence in zip(PAYLOADS, told, strict=True))
    app.check_tab("recipe")
    assert bench.kept() == kept


def test_the_export_tab_shows_sources_and_paths_as_text(app: Opened) -> None:
    bench = app.bench.tab("export")
    bench.find(".wb-expected tbody th").get_by_text(PAYLOADS[0], exact=True).wait_for()
    for kind, ending, says in (
        ("manifest", "", "The manifest was written"),
        ("report", ".report.html", "The report was written"),
        ("svg", ".plots", "sources.svg"),
    ):
        output = bench.find(f".wb-output[data-kind={kind}]")
        output.locator(".wb-export-path").fill(PAYLOADS[0].replace("/", "") + ending)
        output.locator(".wb-export-button").click()
        bench.see(bench.root.locator(".wb-written", has_text=says))
        app.check_tab(f"export of {kind}")


def look_at_charts_and_tables(opened: Opened) -> None:
    page = opened.bench.notebook.page
    opened.bench.notebook.see(page.locator(".vega-embed canvas, .vega-embed svg").nth(2))
    page.get_by_text(LAST, exact=False).last.wait_for(state="attached")
    for chart in page.locator(".vega-embed").all():
        chart.scroll_into_view_if_needed()
        box = chart.bounding_box()
        assert box is not None
        for i in range(1, 10):
            page.mouse.move(box["x"] + box["width"] * i / 10, box["y"] + box["height"] * i / 10)
    opened.check("charts")


def test_charts_tables_and_prints_show_text(app: Opened) -> None:
    look_at_charts_and_tables(app)


def test_jupyterlab_shows_text_as_voila_does(playwright: Playwright, folder: Path) -> None:
    """The bench's views are the same code in both; how outputs of cells are shown is JupyterLab's own."""
    with opened("lab", playwright, folder) as lab:
        lab.check_tab("load")
        lab.bench.tab("documents").find(".wb-show[data-show=all]").click()
        lab.bench.find(f".wb-page[data-found='{len(lab.sample)}']").wait_for()
        for row, text, *_ in lab.bench.root.evaluate(READ_PAGE, ".wb-row:nth-child(-n+10)"):
            assert text == lab.sample.texts[row]
        lab.check_tab("documents")
        look_at_charts_and_tables(lab)


def test_the_report_and_the_plots_show_text(app: Opened, folder: Path) -> None:
    """As the Export tab wrote them; of the report all that a printed page would show, each plot by itself."""
    page = app.bench.notebook.page
    (report,) = folder.glob("*.report.html")
    plots = list(folder.glob("*.plots/*.svg"))
    assert {plot.stem for plot in plots} == {"sources", "histogram_n_tokens", "map"}
    for file in (report, *plots):
        page.goto(file.as_uri())
        app.check(file.name, page)
    page.goto(report.as_uri())
    assert PAYLOADS[0] in page.locator("body").inner_text()
    assert page.evaluate("() => document.documentElement.scrollWidth <= document.documentElement.clientWidth")


def test_markup_that_got_through_would_be_noticed(app: Opened) -> None:
    # The check's own check: the same payloads, shown in the one way that is forbidden here.
    assert app.watch.errors == [], "until here nothing was made to fail"
    page = app.bench.notebook.page
    page.goto("about:blank")
    page.evaluate(
        """(payloads) => payloads.forEach((payload) =>
             document.body.append(document.createRange().createContextualFragment(payload)))""",
        [PAYLOADS[0], PAYLOADS[6]],
    )
    page.wait_for_function(f"() => window.{FLAG} === 1")
    with pytest.raises(AssertionError):
        app.check("control")
    assert page.evaluate(INTRUDERS)
    page.evaluate(
        """() => new Promise((resolve) => {
             console.error("an error");
             setTimeout(() => { setTimeout(resolve); throw new Error("another"); });
           })"""
    )
    page.goto("about:blank")
    heard = " ".join(app.watch.errors)
    assert "an error" in heard
    assert "another" in heard
    app.watch.errors.clear()
