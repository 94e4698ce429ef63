"""A manifest compiled to a datatrove pipeline, run by datatrove, keeps what `apply` keeps."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.engine.commands import Commands
from tests.engine.conftest import recipe_of
from tests.engine.corpora import Row, make_documents, write_corpus
from tests.engine.outputs import rows_of
from workbench.corpus import read
from workbench.engine.apply import apply
from workbench.engine.datatrove import ManifestFilter
from workbench.engine.export import export, used_scores
from workbench.engine.score import score
from workbench.errors import InputError
from workbench.models.load import Models
from workbench.recipe.compile import to_datatrove
from workbench.recipe.manifest import read_manifest

STEPS = (
    {"select": "band", "score": "n_tokens", "low": 4, "high": {"quantile": 0.97}},
    {"select": "random", "fraction": 0.8},
    {"select": "category", "score": "language", "values": ["en", "de"]},
    {"select": "gopher_quality", "min_words": 5, "min_stop_words": 0},
)


@pytest.fixture
def rows() -> list[Row]:
    """Documents that have text: datatrove's readers leave the others out."""
    return [
        {**row, "text": row["text"] + " \x00<b>{}</b>%s" if i % 9 == 0 else row["text"]}
        for i, row in enumerate(make_documents(150))
        if row["text"]
    ]


def frozen(tmp_path: Path, corpus: Path, *steps: dict[str, Any], models: Models | None = None) -> Path:
    recipe = recipe_of(*steps)
    table = score(read(corpus).whole(), used_scores(recipe), store=tmp_path / "store", models=models)
    return export(table, recipe, tmp_path / "it's.manifest")


def lines_of(folder: Path) -> list[Row]:
    return [
        json.loads(line) for p in sorted(folder.iterdir()) for line in gzip.open(p, "rt", encoding="utf-8")
    ]


@pytest.mark.slow
def test_the_script_keeps_what_apply_keeps(
    rows: list[Row], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    corpus = write_corpus(tmp_path / "corpus", rows, 2, ("jsonl", "jsonl.gz"))
    manifest = frozen(tmp_path, corpus, *STEPS)
    ours = apply(manifest, read(corpus), tmp_path / "ours").out
    script, out = tmp_path / "pipeline.py", tmp_path / "theirs"
    made = Commands(monkeypatch, capfd)("compile", manifest, "--to", "datatrove", "--out", script)
    assert made.code == 0, made.err
    here = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    ran = subprocess.run(
        [sys.executable, script, corpus, out, "2"], env=here, capture_output=True, text=True, timeout=200
    )
    assert ran.returncode == 0, ran.stderr[-2000:]
    kept = {row["doc_id"]: row for row in rows_of(ours, "kept")}
    theirs = {row["id"]: row for row in lines_of(out / "kept")}
    assert 0 < len(kept) < len(rows)
    assert theirs.keys() == kept.keys()
    for doc_id, row in theirs.items():
        assert row["text"] == kept[doc_id]["text"]
        for name in ("n_tokens", "language", "weight", "year"):
            assert row["metadata"][name] == kept[doc_id][name]
    dropped = {row["doc_id"]: (row["select"], row["reason"]) for row in rows_of(ours, "dropped")}
    assert {
        row["id"]: (row["metadata"]["filter_reason"], row["metadata"]["selection_reason"])
        for row in lines_of(out / "dropped")
    } == dropped


def test_files_of_two_kinds_are_refused(rows: list[Row], tmp_path: Path) -> None:
    corpus = write_corpus(tmp_path / "corpus", rows, 2, ("parquet", "jsonl"))
    manifest = frozen(tmp_path, corpus, STEPS[0])
    names: dict[str, Any] = {"__name__": "pipeline"}
    exec(to_datatrove(read_manifest(manifest), manifest), names)
    with pytest.raises(SystemExit, match="must hold files of one kind, parquet or jsonl"):
        names["pipeline"](str(corpus), str(tmp_path / "out"))


def test_vectors_are_taken_from_the_metadata(rows: list[Row], tmp_path: Path) -> None:
    from datatrove.data import Document

    rows = [{**row, "vector": [float(i % 7 - 3), 1.0, float(i % 5)]} for i, row in enumerate(rows)]
    corpus = write_corpus(tmp_path / "corpus", rows, 1, ("parquet",))
    table = score(read(corpus).whole(), ["embedding", "n_tokens", "n_bytes", "prototype_distance"],
                  store=tmp_path / "store", models=Models(embedder="column:vector"))  # fmt: skip
    manifest = export(
        table,
        recipe_of(
            {"select": "band", "score": "prototype_distance", "high": {"quantile": 0.5}, "unscored": "drop"}
        ),
        tmp_path / "v.manifest",
    )
    ours = apply(manifest, read(corpus), tmp_path / "ours").out
    documents = [Document(row["text"], row["doc_id"], metadata=dict(row)) for row in rows]
    results = ManifestFilter(manifest).filter_batch(documents)
    kept = {document.id for document, keeps in zip(documents, results, strict=True) if keeps is True}
    assert kept == {row["doc_id"] for row in rows_of(ours, "kept")}
    assert 0 < len(kept) < len(rows)


def test_what_can_not_be_scored_is_dropped_as_unscored(tmp_path: Path, rows: list[Row]) -> None:
    from datatrove.data import Document

    corpus = write_corpus(tmp_path / "corpus", rows)
    manifest = frozen(tmp_path, corpus, {"select": "band", "score": "compression_ratio", "high": 5})
    empty = Document("", "empty")
    assert ManifestFilter(manifest).filter(empty) == (False, "unscored")
    assert "compression_ratio" in empty.metadata["selection_reason"]


def test_a_step_that_sees_more_than_one_document_is_refused_by_name(tmp_path: Path, rows: list[Row]) -> None:
    corpus = write_corpus(tmp_path / "corpus", rows)
    manifest = frozen(
        tmp_path, corpus, {"select": "exact"}, {"select": "random", "fraction": 0.5}, {"select": "brevity"}
    )
    with pytest.raises(
        InputError, match=r"a pipeline of filters can't: 1 \(exact\), 3 \(brevity\); use `workbench"
    ):
        ManifestFilter(manifest)
