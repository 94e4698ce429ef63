"""The whole bench on a small corpus, without a kernel."""

from __future__ import annotations

from pathlib import Path

import pytest

from widgets import Bench
from widgets.progress import NotebookProgress
from workbench.corpus import read
from workbench.engine.select import select
from workbench.errors import InputError, ManifestError
from workbench.selectors.base import Quantile

SCORES = ["n_tokens", "n_bytes", "compression_ratio"]


@pytest.fixture
def bench(tiny_corpus: Path, in_tmp_path: Path) -> Bench:
    return Bench(str(tiny_corpus), store="store", n=25)


def message(bench: Bench) -> str:
    text: str = bench._shell.state["message"]
    return text


def click(bench: Bench, view: str, **content: object) -> None:
    widget = bench._views[view]
    widget._receive(widget, content, [])
    bench._jobs.wait(60)


DRAW = {"type": "draw", "n": 20, "seed": 0, "by_source": True, "text_column": "text"}


def test_buttons_and_cells_share_one_state(bench: Bench, tiny_corpus: Path) -> None:
    click(bench, "load", **DRAW, path=str(tiny_corpus))
    assert len(bench.table) == 20
    click(bench, "load", type="score", scores=SCORES)
    assert set(SCORES) <= set(bench.table.scores)
    assert message(bench) == "3 scores ready; set thresholds on the Scores tab."
    bench.set_band("n_tokens", low=30)
    bench.tab("scores")
    assert bench._histograms.live["count"]["kept"] == bench.kept.height == int(bench.state.keep.sum())
    click(bench, "scores", type="drag", score="n_tokens", side="low", place=700)
    assert bench.recipe.steps[0].params.low != 30
    assert bench.kept.height == select(bench.recipe, bench.table).keep.sum()
    bench.undo().undo().redo()
    assert bench.recipe.steps[0].params.low == 30


def test_a_manifest_is_exported_by_button_and_by_cell(bench: Bench) -> None:
    bench.load().score(["compression_ratio"]).set_band("compression_ratio", None, {"quantile": 0.8})
    bench.tab("export")
    click(bench, "export", type="export", path="by_button.manifest")
    assert Path("by_button.manifest/manifest.json").is_file()
    assert "by_button.manifest" in bench._export.state["written"]
    assert not bench._export.state["busy"]
    assert bench.export("by_cell.manifest") == Path("by_cell.manifest")
    first, second = (Path(f"by_{x}.manifest/manifest.json").read_bytes() for x in ("button", "cell"))
    assert first == second
    assert bench.recipe.steps[0].params.high == Quantile(0.8)


def test_the_manifest_of_another_recipe_is_replaced_only_when_asked_to(bench: Bench) -> None:
    bench.load().score(["compression_ratio"]).set_band("compression_ratio", None, {"quantile": 0.8})
    bench.tab("export")
    held = Path("a.manifest/manifest.json")
    click(bench, "export", type="export", path="a.manifest")
    first = held.read_bytes()
    click(bench, "export", type="export", path="a.manifest")
    assert bench._export.state["ask"] is None
    bench.set_band("compression_ratio", None, {"quantile": 0.6})
    click(bench, "export", type="export", path="a.manifest")
    sentence = bench._export.state["ask"]["sentence"]
    assert sentence.startswith("a.manifest holds the manifest of another recipe (band; about ")
    assert held.read_bytes() == first
    with pytest.raises(ManifestError, match=r"holds the manifest of another recipe .*give replace=True"):
        bench.export("a.manifest")
    assert held.read_bytes() == first
    click(bench, "export", type="export", path="a.manifest", replace=True)
    second = held.read_bytes()
    assert second != first
    assert bench.export("a.manifest").joinpath("manifest.json").read_bytes() == second
    bench.set_band("compression_ratio", None, {"quantile": 0.8}).export("a.manifest", replace=True)
    assert held.read_bytes() == first


def test_what_is_wrong_with_a_corpus_is_one_sentence(bench: Bench) -> None:
    click(bench, "load", **DRAW, path="absent.parquet")
    assert bench._shell.state["kind"] == "error"
    assert "absent.parquet" in message(bench)
    assert "Traceback" not in message(bench)
    with pytest.raises(InputError, match="no documents are loaded"):
        bench.kept  # noqa: B018 - reading it is what fails


def test_a_visitor_reads_nothing_beyond_the_root(tiny_corpus: Path, in_tmp_path: Path) -> None:
    inside = in_tmp_path / "app"
    inside.mkdir()
    bench = Bench(str(tiny_corpus), root=inside)
    click(bench, "load", **DRAW, path="/etc")
    assert "is outside of this app's folder" in message(bench)
    # What the notebook's author gave is allowed all the same.
    click(bench, "load", **DRAW, path=str(tiny_corpus))
    assert len(bench.table) == 20
    click(bench, "export", type="export", path="../x.manifest")
    assert "is outside of this app's folder" in message(bench)


def test_a_corpus_a_sample_and_nothing_can_be_given(tiny_corpus: Path, in_tmp_path: Path) -> None:
    corpus = read(str(tiny_corpus))
    assert len(Bench(corpus, n=12).load().table) == 12
    sample = corpus.whole()
    assert len(Bench(sample).table) == 30
    assert Bench()._load.state["summary"] is None


def test_a_recipe_before_the_scores_waits_for_them(tiny_corpus: Path, in_tmp_path: Path) -> None:
    steps = [{"select": "band", "score": "n_bytes", "low": {"quantile": 0.5}}]
    bench = Bench(str(tiny_corpus), recipe={"format": "selection-recipe/1", "seed": 0, "steps": steps}).load()
    assert not bench.outcome
    assert "the recipe reads n_bytes" in bench._shell.state["problem"]
    bench.score(["n_bytes"])
    assert bench.outcome
    assert bench._shell.state["problem"] == ""
    assert bench.state.thresholds.as_quantile == {"n_bytes"}


def test_stopping_keeps_what_was_finished(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.load()
    real = NotebookProgress.start

    def stop_at_the_second(self: NotebookProgress, what: str, total: int) -> None:
        if what.startswith("compression_ratio"):
            self.stop()
        real(self, what, total)

    monkeypatch.setattr(NotebookProgress, "start", stop_at_the_second)
    click(bench, "load", type="score", scores=["n_bytes", "compression_ratio"])
    assert "n_bytes" in bench.table.scores
    assert "compression_ratio" not in bench.table.scores
    assert message(bench).startswith("stopped; what was finished is kept in the store")
    monkeypatch.undo()
    click(bench, "load", type="score", scores=["n_bytes", "compression_ratio"])
    assert "compression_ratio" in bench.table.scores


def test_lassoed_documents_are_listed(bench: Bench) -> None:
    bench.load()
    bench.state.select_rows(bench.table.doc_id[:3].argsort())
    bench._show_selection()
    assert bench._shell.state["active"] == "documents"
    assert bench._documents.state["found"] == 3


def test_a_hidden_panel_is_not_displayed(bench: Bench) -> None:
    bench.tab("recipe")
    shown = [name for name, panel in bench._panels.items() if panel.layout.display != "none"]
    assert shown == ["recipe"]


def test_while_a_job_runs_the_bar_tells_and_nothing_else_can_begin(bench: Bench) -> None:
    bench.load()
    seen: list[tuple[bool, str]] = []
    bar, load = bench._job_bar, bench._load

    def work(progress: NotebookProgress) -> None:
        progress.start("long", 2)
        seen.append((load.is_busy, bar.state["what"]))
        progress.finish()

    bench._jobs.run(work)
    assert seen == [(True, "long")]
    assert (load.is_busy, bar.state) == (False, {})
