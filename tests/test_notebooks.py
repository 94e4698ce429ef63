from __future__ import annotations

import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import nbformat
import polars as pl
import pytest
from jupyter_client.manager import KernelManager
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook

import workbench as wb
from tests.browser.hostile import MARK, write_hostile_corpus

ROOT = Path(__file__).resolve().parent.parent
IN_ORDER = ("01_look", "02_score", "03_select", "05_apply", "app")  # 05 reads what 03 writes
PAPERS = tuple(sorted(f"papers/{path.stem}" for path in (ROOT / "notebooks" / "papers").glob("*.ipynb")))
N = 260


@pytest.fixture(params=IN_ORDER + PAPERS)
def committed(request: pytest.FixtureRequest) -> Any:
    return json.loads((ROOT / "notebooks" / f"{request.param}.ipynb").read_text())


def code_of(notebook: Any) -> list[str]:
    return ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]


def test_every_notebook_is_listed_here() -> None:
    assert sorted(path.stem for path in (ROOT / "notebooks").glob("*.ipynb")) == sorted(IN_ORDER)


def test_no_output_is_committed(committed: Any) -> None:
    for cell in committed["cells"]:
        assert not cell.get("outputs")
        assert cell.get("execution_count") is None
    assert committed["metadata"]["kernelspec"]["name"] == "python3"
    nbformat.validate(nbformat.from_dict(committed))


def test_no_cell_shows_text_as_markup(committed: Any) -> None:
    # What these show of a corpus would be run by the browser; polars' frames, print and our widgets show text.
    for code in code_of(committed):
        assert not re.search(r"\bHTML\b|\bMarkdown\b|HTMLMath|\.style\b|display\(|to_html|unsafe", code)


def test_the_app_only_places_the_bench() -> None:
    code = code_of(json.loads((ROOT / "notebooks" / "app.ipynb").read_text()))
    assert len(code) == 1
    assert len(re.findall(r"^\S", code[0], re.MULTILINE)) <= 8
    assert not re.search(r"\b(def|for|if|while|lambda)\b", code[0])


@pytest.fixture(scope="module")
def executed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """All notebooks, run one after the other as a reader does, on a small corpus with hostile documents in it."""
    folder = tmp_path_factory.mktemp("notebooks")
    corpus = write_hostile_corpus(folder / "corpus")
    real = wb.read(wb.sample_corpus()).sample(250, seed=1).frame
    short = real.filter(pl.col("text").str.len_chars() < 2000)  # so that the models are quick
    short.write_parquet(corpus / "real.parquet")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WORKBENCH_CORPUS", str(corpus))
        patch.setenv("WORKBENCH_OUT", str(folder / "out"))
        patch.setenv("WORKBENCH_N", str(N))
        done = {}
        # One kernel, whose names are forgotten after each: to import torch and the rest takes longer than most cells.
        kernel = KernelManager(kernel_name="python3")
        kernel.start_kernel(cwd=str(folder))
        try:
            for name in IN_ORDER + PAPERS:
                notebook = nbformat.read(ROOT / "notebooks" / f"{name}.ipynb", as_version=4)
                client = NotebookClient(notebook, km=kernel, timeout=240)
                client.execute()
                done[name] = {"notebook": notebook, "widgets": client.widget_state}
                NotebookClient(new_notebook(cells=[new_code_cell("%reset -f")]), km=kernel).execute()
        finally:
            kernel.shutdown_kernel(now=True)
        yield done


def outputs(notebook: Any) -> list[Any]:
    return [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]


def printed(notebook: Any) -> str:
    return "".join(output.text for output in outputs(notebook) if output.output_type == "stream")


@pytest.mark.slow
@pytest.mark.timeout(900)  # of ten notebooks, all run by the fixture
def test_the_notebooks_run_from_the_first_look_to_a_manifest_that_holds(executed: dict[str, Any]) -> None:
    assert f"{N:,} of " in printed(executed["01_look"]["notebook"])
    assert "rows that couldn't be read: 2" in printed(executed["01_look"]["notebook"])
    assert re.search(rf"kept \d+ of {N} documents", printed(executed["03_select"]["notebook"]))
    assert printed(executed["05_apply"]["notebook"]).strip().endswith("\nholds")
    assert executed["app"]["widgets"]


@pytest.mark.slow
@pytest.mark.parametrize("name", PAPERS)
def test_a_gallery_shows_each_of_its_charts(executed: dict[str, Any], name: str) -> None:
    cells = [cell for cell in executed[name]["notebook"].cells if cell.cell_type == "code"]
    charts = [
        cell for cell in cells if re.search(r"_(chart|maps)\(.*\)$|alt\.Chart", cell.source, re.MULTILINE)
    ]
    assert len(charts) >= 2
    for cell in charts:
        assert any("widget-view" in mime for output in cell.outputs for mime in output.get("data", {})), (
            cell.source
        )


class Elements(HTMLParser):
    """Every element of a page, as a browser would make it."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


@pytest.mark.slow
def test_what_the_notebooks_show_of_a_hostile_corpus_is_text(executed: dict[str, Any]) -> None:
    pages = [
        output.get("data", {})
        for name in IN_ORDER + PAPERS
        for output in outputs(executed[name]["notebook"])
        if output.get("data")
    ]
    assert not any("text/markdown" in page for page in pages)
    tables = [page["text/html"] for page in pages if "text/html" in page]
    assert any(MARK in table for table in tables)  # the hostile documents were among those shown
    for table in tables:
        for tag, attributes in Elements(table).found:
            assert tag in {"div", "style", "small", "table", "thead", "tbody", "tr", "th", "td"}
            assert attributes.keys() <= {"border", "class"}
