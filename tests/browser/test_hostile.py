"""Documents that attack their reader: in every tab and chart, in both servers, they are text and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Page

import workbench as wb
from tests.browser.bench_page import BenchPage
from tests.browser.conftest import Watch, write_notebook
from tests.browser.hostile import FLAG, INTRUDERS, PAYLOADS, write_hostile_corpus
from tests.browser.pages import Notebook
from tests.browser.serving import Kind, Server, serve

pytestmark = pytest.mark.browser
both = pytest.mark.parametrize("kind", ["lab", "app"])

SCORES = ["n_tokens", "n_bytes", "compression_ratio", "map_x", "map_y", "cluster"]
N = 500

CELL = f"""
import os
import workbench as wb
from widgets import Bench
from widgets.servers.offline import enable_offline
enable_offline()
bench = Bench(wb.read(os.environ["WORKBENCH_CORPUS"]), store=os.environ["WORKBENCH_STORE"], n={N})
bench.load().score({SCORES!r})
bench.set_band("n_tokens", low=14)
bench
"""

CHARTS = """
from IPython.display import display
from workbench.plots.composition import composition, composition_chart
from workbench.plots.map import color_by_name, map_chart, map_data
table, outcome = bench.table, bench.outcome
coloring = color_by_name(table.sample.sources)
display(composition_chart(composition(table.sample.sources, outcome.keep, table.weights)))
display(map_chart(map_data(table.scores["map_x"], table.scores["map_y"], coloring), coloring))
display(table.sample.frame, bench.kept)
print(*table.sample.texts)
print("the last cell ran")
"""


@dataclass(frozen=True)
class Hostile:
    """The corpus, its whole as a sample, and a store with all scores, so that no kernel need compute any."""

    corpus: Path
    store: Path
    sample: wb.Sample


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Hostile:
    folder = tmp_path_factory.mktemp("hostile")
    corpus = write_hostile_corpus(folder / "corpus")
    sample = wb.read(corpus).sample(N, by="source", seed=0)
    wb.score(sample, SCORES, store=folder / "store")
    return Hostile(corpus, folder / "store", sample)


@pytest.fixture(scope="module")
def servers(
    hostile: Hostile, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[Kind, str], Server]]:
    contexts = []

    def start(kind: Kind, *cells: str) -> Server:
        folder = tmp_path_factory.mktemp(f"hostile-{kind}")
        notebook = write_notebook(folder / "hostile.ipynb", *cells)
        env = {"WORKBENCH_CORPUS": str(hostile.corpus), "WORKBENCH_STORE": str(hostile.store)}
        context = serve(kind, notebook, folder, env)
        contexts.append(context)
        return context.__enter__()

    yield start
    for context in contexts:
        context.__exit__(None, None, None)


@pytest.fixture
def dialogs(page: Page) -> list[str]:
    """What pages asked in dialogs; a script that ran might."""
    seen: list[str] = []
    page.on("dialog", lambda dialog: (seen.append(dialog.message), dialog.dismiss()))
    return seen


def check_nothing_ran(page: Page, dialogs: list[str], where: str) -> None:
    assert page.evaluate(f"() => window.{FLAG} === undefined"), where
    assert page.evaluate(INTRUDERS) == [], where
    assert dialogs == [], where
    assert len(page.context.pages) == 1, where


@both
def test_hostile_text_is_text_in_every_tab(
    page: Page, servers: Callable[..., Server], hostile: Hostile, kind: Kind, dialogs: list[str]
) -> None:
    bench = BenchPage.wait(Notebook.open(page, servers(kind, CELL)))

    bench.tab("load")
    for payload in PAYLOADS[:2]:
        bench.find(".wb-load-summary th").get_by_text(payload, exact=True).wait_for()
    assert "2 rows could not be read" in (bench.find(".wb-quarantine").text_content() or "")
    check_nothing_ran(page, dialogs, "load")

    look_at_the_map(bench)
    check_nothing_ran(page, dialogs, "map")

    bench.tab("scores").find(".wb-handle[data-score=n_tokens][data-side=low]").wait_for()
    bench.press("n_tokens", "low", "ArrowRight", 1)
    assert PAYLOADS[0] in (bench.find(".wb-panel-scores").text_content() or "")
    check_nothing_ran(page, dialogs, "scores")

    bench.tab("budget").find(".wb-budget-how[data-how=mix]").click()
    bench.find(".wb-budget-more summary").click()
    bench.find(".wb-budget-rules td").get_by_text(PAYLOADS[0], exact=True).wait_for()
    bench.find(".wb-budget-solve").click()
    bench.find(".wb-budget-sources td").get_by_text(PAYLOADS[0], exact=True).wait_for()
    check_nothing_ran(page, dialogs, "budget")

    read_every_document(bench, hostile.sample)
    check_nothing_ran(page, dialogs, "documents")

    bench.tab("recipe").find(".wb-step-card").first.wait_for()
    bench.tab("export").find(".wb-expected tbody th").get_by_text(PAYLOADS[0], exact=True).wait_for()
    bench.find(".wb-export-path").fill(PAYLOADS[0].replace("/", ""))
    bench.find(".wb-export-button").click()
    bench.root.locator(
        ".wb-written:not([hidden]), .wb-message[data-kind=error]:not([hidden])"
    ).first.wait_for()
    check_nothing_ran(page, dialogs, "export")


def look_at_the_map(bench: BenchPage) -> None:
    """Each colouring with its legend, and the pointer over the points, which may show a tooltip."""
    bench.tab("map")
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


# In the page, since a click from outside waits for a frame or two, and there are a hundred documents.
READ_PAGE = """async (root, rows) => {
  const found = [];
  for (const row of [...root.querySelectorAll(rows)].map((node) => node.dataset.row)) {
    root.querySelector(`${rows}[data-row="${row}"]`).click();
    const shown = () => root.querySelector(`.wb-reader[data-row="${row}"]`);
    while (!shown()) await new Promise((go) => setTimeout(go, 5));
    const reader = shown();
    const part = (name) => reader.querySelector(name).textContent;
    found.push([Number(row), part(".wb-text"), part(".wb-doc-source"), part(".wb-doc-id")]);
  }
  return found;
}"""


def read_every_document(bench: BenchPage, sample: wb.Sample) -> None:
    """Every document of every page of the list: what is shown is what the corpus holds, to the character."""
    bench.tab("documents").find(".wb-show[data-show=all]").click()
    bench.find(f".wb-page[data-found='{len(sample)}']").wait_for()
    read = set()
    while True:
        shown = bench.root.evaluate(READ_PAGE, ".wb-row")
        for row, text, source, doc_id in shown:
            assert (text, source, doc_id) == (sample.texts[row], sample.sources[row], sample.doc_ids[row])
            read.add(row)
        if not bench.find(".wb-next").is_enabled():
            break
        first = bench.find(f".wb-row[data-row='{shown[0][0]}']")
        bench.find(".wb-next").click()
        first.wait_for(state="detached")
    assert read == set(range(len(sample)))
    assert {p for p in PAYLOADS for row in read if sample.texts[row].startswith(p)} == set(PAYLOADS)


@both
def test_hostile_text_is_text_in_charts_tables_and_prints(
    page: Page, servers: Callable[..., Server], kind: Kind, dialogs: list[str]
) -> None:
    notebook = Notebook.open(page, servers(kind, CELL, CHARTS))
    last = page.get_by_text("the last cell ran", exact=False)
    notebook.see(page.locator(".vega-embed canvas, .vega-embed svg").nth(1))
    last.last.wait_for(state="attached")
    for chart in page.locator(".vega-embed").all():
        chart.scroll_into_view_if_needed()
        box = chart.bounding_box()
        assert box is not None
        for i in range(1, 10):
            page.mouse.move(box["x"] + box["width"] * i / 10, box["y"] + box["height"] * i / 10)
    check_nothing_ran(page, dialogs, "charts")


def test_markup_that_got_through_would_be_noticed(
    page: Page, servers: Callable[..., Server], dialogs: list[str], watch: Watch
) -> None:
    # The check's own check: the same payloads, shown in the one way that is forbidden here.
    cell = f"""
from IPython.display import HTML, display
for payload in {[PAYLOADS[0], PAYLOADS[6]]!r}:
    display(HTML(payload))
print("the last cell ran")
"""
    notebook = Notebook.open(page, servers("app", cell))
    notebook.see(page.get_by_text("the last cell ran"))
    page.wait_for_function(f"() => window.{FLAG} === 1")
    with pytest.raises(AssertionError):
        check_nothing_ran(page, dialogs, "control")
    assert page.evaluate(INTRUDERS)
    watch.refused.clear()
