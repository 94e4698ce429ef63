"""`workbench pack` behind `workbench apply`."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from tests.engine.commands import Commands
from tests.engine.corpora import make_documents, write_corpus
from tests.engine.fakes import install


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], in_tmp_path: Path) -> Commands:
    """The command line in a folder with what `apply` kept of a corpus."""
    install(monkeypatch)
    write_corpus(Path("corpus"), make_documents(50), 2)
    recipe = {"format": "selection-recipe/1", "steps": [{"select": "brevity", "drop_fraction": 0.2}]}
    Path("recipe.json").write_text(json.dumps(recipe))
    commands = Commands(monkeypatch, capfd)
    frozen = ("--recipe", "recipe.json", "--store", "store", "--out", "m.manifest")
    assert commands("export", "corpus", *frozen).code == 0
    assert commands("apply", "m.manifest", "corpus", "--out", "selected").code == 0
    return commands


def test_what_was_kept_is_packed(run: Commands) -> None:
    shown = run("pack", "selected", "--context", 64, "--out", "rows")
    assert shown.code == 0, shown.err
    assert "best fit" in shown.out
    assert "of the rows filled; written to rows" in shown.out
    told = run("pack", "selected", "--context", 64, "--out", "rows", "--json")
    frame = pl.read_parquet("rows/rows/*.parquet")
    assert told.json["n_rows"] == frame.height
    kept = pl.read_parquet("selected/kept/*.parquet")
    assert told.json["n_documents"] + told.json["n_empty_documents"] == kept.height < 50
    packed = {span["doc_id"] for spans in frame["spans"].to_list() for span in spans}
    assert packed <= set(kept["doc_id"])


def test_its_faults_are_one_sentence(run: Commands) -> None:
    assert "holds no complete run" in run.fails("pack", "corpus", "--out", "rows")
    assert "there is no model" in run.fails("pack", "selected", "--tokenizer", "none", "--out", "rows")
    assert "no token '</end>'" in run.fails("pack", "selected", "--end", "</end>", "--out", "rows")
    assert "is not empty" in run.fails("pack", "selected", "--out", "store")
    assert "can't be made" in run.fails("pack", "selected", "--out", "recipe.json/rows")
    assert run("pack", "selected", "--context", "1", "--out", "rows").code == 2
