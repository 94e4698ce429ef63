"""The main job on the embedded sample, as `make demo` runs it."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import workbench as wb
from tests.engine.commands import Commands
from tests.engine.outputs import kept_ids
from workbench import demo
from workbench.corpus import Sample, read
from workbench.embedded import data_folder, sample_corpus
from workbench.engine.export import used_scores
from workbench.errors import Cancelled, InputError
from workbench.progress import Silent
from workbench.recipe.manifest import read_manifest
from workbench.summary import select_summary

# Four minutes of two cores for the whole sample; other tests may have the cores too, so not by the clock on the wall.
MAX_CPU_SECONDS = 2 * 240
N_SAMPLE = 3776
# The first documents of some sources: every step of the demo's recipe finds something to drop, and most are short.
PART = {"dialogue": 500, "legal": 327, "multilingual": 60}
N_DOCUMENTS = sum(PART.values())


def part_of_the_sample(folder: Path, part: Mapping[str, int]) -> Path:
    """A folder with the first documents of some sources."""
    folder.mkdir()
    documents = read(sample_corpus()).whole().frame
    for source, n in part.items():
        documents.filter(pl.col("source") == source).head(n).write_parquet(folder / f"{source}.parquet")
    return folder


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_demo_keeps_what_select_shows_verifies_and_writes_a_report(
    tmp_path: Path, root: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """The demo in a process of its own, as its CPU counts from the start; what comes after in this one."""
    commands = Commands(monkeypatch, capfd)

    def run(*args: str | Path) -> Any:
        result = commands(*args, "--json")
        assert result.code == 0, result
        return result.json

    out, corpus = tmp_path / "demo", part_of_the_sample(tmp_path / "corpus", PART)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    program = [sys.executable, "-c", "from workbench.cli import main; main()"]
    ran = subprocess.run(
        [*program, "demo", corpus, "--out", out, "--json"], cwd=root, capture_output=True, text=True
    )
    assert ran.returncode == 0, ran.stderr
    told = json.loads(ran.stdout)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    assert cpu_seconds < MAX_CPU_SECONDS * N_DOCUMENTS / N_SAMPLE
    assert 0 < told["kept"]["n_documents"] < told["total"]["n_documents"]
    assert told["total"]["n_documents"] == N_DOCUMENTS
    assert told["n_quarantined"] == 0

    recipe = data_folder() / "recipe.json"
    shown = run("select", corpus, "--recipe", recipe, "--store", out / "store")
    assert shown["all"]["kept"] == told["kept"]
    assert all(step["n_documents"] for step in shown["by_step"]), "a step that drops nothing shows nothing"
    expected = read_manifest(told["manifest"]).expected
    assert expected.basis == "exact"
    assert {name: amount.value for name, amount in expected.all.items()} == told["kept"]
    assert len(kept_ids(Path(told["applied"]))) == told["kept"]["n_documents"]

    checked = run("verify", told["manifest"], told["applied"])
    assert checked["holds"]
    assert checked["warnings"] == []
    page = Path(told["report"]).read_text(encoding="utf-8")
    assert f"{told['kept']['n_documents']:,}" in page
    assert "<script" not in page.lower()

    again = run("demo", corpus, "--out", out)
    assert {n: again[n] for n in ("kept", "manifest", "applied")} == {
        n: told[n] for n in ("kept", "manifest", "applied")
    }
    assert again["seconds"] < told["seconds"] / 2, "a second run takes the scores from the store"
    print(f"\ndemo: {told['seconds']} s, {cpu_seconds:.0f} s of CPU")


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_scored_anew_by_apply_the_same_documents_are_kept(tmp_path: Path) -> None:
    """The demo hands `apply` the sample's scores; a pipeline has only the manifest, the models and the corpus."""
    steps = json.loads((data_folder() / "recipe.json").read_bytes())
    steps["steps"] = [step for step in steps["steps"] if step["select"] != "semdedup"]
    recipe = wb.parse_recipe(steps)
    corpus = read(part_of_the_sample(tmp_path / "corpus", {"dialogue": 500}))
    table = wb.score(corpus.whole(), used_scores(recipe), store=tmp_path / "store")
    shown = select_summary(table, wb.select(recipe, table))
    manifest = wb.export(table, recipe, tmp_path / "some.manifest")
    ran = wb.apply(manifest, corpus, tmp_path / "out").record
    assert ran["kept"] == shown["all"]["kept"]
    assert [step["dropped"] for step in ran["by_step"]] == [step["n_documents"] for step in shown["by_step"]]
    assert wb.verify(manifest, tmp_path / "out").holds


def test_the_demo_is_of_the_whole_sample_unless_a_corpus_is_given(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def stop(sample: Sample, *_: object, **__: object) -> None:
        raise Cancelled(f"{len(sample)} documents")

    monkeypatch.setattr(demo, "score", stop)
    with pytest.raises(Cancelled, match=f"{N_SAMPLE} documents"):
        demo.run_demo(tmp_path, Silent(), lambda line: None)


def test_a_corpus_without_a_document_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text("{}\n5\n")
    with pytest.raises(InputError, match=r"no document that can be used \(2 rows can't be read\)"):
        demo.run_demo(tmp_path / "out", Silent(), lambda line: None, read(tmp_path))
