"""Embedders that are fitted on the sample or take the corpus's own vectors, from the sample to the selected corpus."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.engine.conftest import recipe_of
from tests.engine.corpora import make_documents, write_corpus
from tests.engine.outputs import kept_ids, rows_of
from workbench.corpus import Corpus, read
from workbench.engine.apply import apply
from workbench.engine.export import export, used_scores
from workbench.engine.known import known_scores
from workbench.engine.local import _plan
from workbench.engine.score import score
from workbench.engine.select import KEPT, select
from workbench.engine.table import Table
from workbench.engine.vectors import read_vectors
from workbench.errors import InputError, WorkbenchWarning
from workbench.models.load import Models
from workbench.recipe.manifest import read_manifest
from workbench.summary import score_summary

STEPS: list[dict[str, Any]] = [
    {"select": "semdedup", "epsilon": 0.1, "n_clusters": 4},
    {"select": "band", "score": "prototype_distance", "high": {"quantile": 0.8}},
]


def whole(corpus: Corpus, embedder: str, store: Path, **settings: Any) -> Table:
    recipe = recipe_of(*STEPS, scores={"embedding": settings})
    return score(
        corpus.whole(),
        used_scores(recipe),
        store=store,
        models=Models(embedder=embedder),
        params=recipe.scores,
    )


def selected(table: Table, corpus: Corpus, out: Path, **settings: Any) -> set[str]:
    """Export what the table says, apply it to the corpus, and hold both against each other."""
    recipe = recipe_of(*STEPS, scores={"embedding": settings})
    _plan.cache_clear()
    run = apply(export(table, recipe, out / "m.manifest"), corpus, out / "out")
    expected = {table.sample.doc_ids[i] for i in np.flatnonzero(select(recipe, table).step == KEPT)}
    assert set(kept_ids(run.out)) == expected
    assert 0 < len(expected) < len(table)
    return expected


@pytest.fixture
def words(tmp_path: Path) -> Corpus:
    """80 documents that have words."""
    documents = [d for d in make_documents(120) if len(d["text"]) > 40][:80]
    return read(write_corpus(tmp_path / "corpus", documents, 3, ("parquet", "jsonl", "csv")))


@pytest.mark.parametrize("embedder", ["tfidf-svd", "tfidf-svd:chars", "mean:reference-lm"])
def test_a_corpus_is_decided_as_its_sample_was(words: Corpus, tmp_path: Path, embedder: str) -> None:
    table = whole(words, embedder, tmp_path / "store")
    selected(table, words, tmp_path)
    held = read_manifest(tmp_path / "m.manifest")
    (entry,) = [e for e in held.scores if e.name == "embedding"]
    assert (entry.artefact is not None) == embedder.startswith("tfidf")
    assert held.models["embedder"] == json.loads(json.dumps(Models(embedder=embedder).definition("embedder")))


def test_settings_of_the_embedding_are_in_its_key_and_on_disk(words: Corpus, tmp_path: Path) -> None:
    plain = whole(words, "tfidf-svd", tmp_path / "store")
    half = whole(words, "tfidf-svd", tmp_path / "store", storage="float16")
    folders = sorted((tmp_path / "store").glob("embedding-*"))
    kinds = {np.load(next(folder.glob("part-*.npy"))).dtype.name for folder in folders}
    assert kinds == {"float16", "float32"}
    column = half.scores["embedding"]
    assert column.dtype == np.float32
    assert (column == plain.scores["embedding"].astype(np.float16)).all()
    selected(half, words, tmp_path, storage="float16")


# ---- a column of the corpus --------------------------------------------------------------------------------------


def with_vectors(n: int = 60, seed: int = 0) -> tuple[list[dict[str, Any]], np.ndarray]:
    """Documents, and a vector of five numbers for each: the vectors have nothing to do with the texts."""
    rng = np.random.default_rng(seed)
    vectors = rng.normal(size=(n // 3, 5))[rng.integers(0, n // 3, n)] + rng.normal(scale=0.02, size=(n, 5))
    rows = make_documents(n)
    return [{**row, "v": v.round(4).tolist()} for row, v in zip(rows, vectors, strict=True)], vectors


def write(folder: Path, rows: list[dict[str, Any]]) -> Corpus:
    """One shard of each kind of column: lists, fixed-size lists, and jsonl arrays."""
    folder.mkdir(parents=True)
    a, b, c = rows[:20], rows[20:45], rows[45:]
    pq.write_table(pa.Table.from_pylist(a), folder / "a.parquet")
    table = pa.Table.from_pylist([{k: v for k, v in row.items() if k != "v"} for row in b])
    fixed = pa.array([row["v"] for row in b], pa.list_(pa.float32(), 5))
    pq.write_table(table.append_column("v", fixed), folder / "b.parquet")
    (folder / "c.jsonl").write_text("".join(json.dumps(row) + "\n" for row in c))
    return read(folder)


def test_a_corpus_that_brings_its_vectors_is_decided_as_its_sample_was(tmp_path: Path) -> None:
    rows, _ = with_vectors()
    corpus = write(tmp_path / "corpus", rows)
    table = whole(corpus, "column:v", tmp_path / "store")
    expected = np.array([row["v"] for row in rows])
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    np.testing.assert_allclose(table.scores["embedding"], expected, atol=1e-6)
    selected(table, corpus, tmp_path)


def test_other_vectors_of_the_same_texts_are_not_taken_for_these(tmp_path: Path) -> None:
    one, other = (write(tmp_path / name, with_vectors(seed=seed)[0]) for name, seed in (("a", 0), ("b", 1)))
    tables = [whole(corpus, "column:v", tmp_path / "store") for corpus in (one, other)]
    assert tables[0].sample.fingerprint == tables[1].sample.fingerprint
    for name in ("embedding", "prototype_distance"):
        assert (tables[0].scores[name] != tables[1].scores[name]).any()
    assert (tables[0].scores["n_bytes"] == tables[1].scores["n_bytes"]).all()
    assert len(list((tmp_path / "store").glob("n_bytes-*"))) == 1, "what reads only texts is found again"
    kept = selected(tables[0], one, tmp_path / "one")
    manifest = read_manifest(tmp_path / "one" / "m.manifest")
    known = known_scores(tables[0], manifest)
    assert "n_bytes" in known.columns
    assert not {"embedding", "prototype_distance"} & set(known.columns)
    run = apply(tmp_path / "one" / "m.manifest", other, tmp_path / "other", known=tables[0])
    assert set(kept_ids(run.out)) != kept


def test_a_document_without_a_vector_is_dropped_by_the_step_that_reads_it(tmp_path: Path) -> None:
    rows, _ = with_vectors()
    lacking = {3: None, 9: [1.0, 2.0], 30: [0.0] * 5, 50: [1.0], 59: ["a"] * 5}
    for i, value in lacking.items():
        rows[i]["v"] = value
    corpus = write(tmp_path / "corpus", rows)
    table = whole(corpus, "column:v", tmp_path / "store")
    ids = {rows[i]["doc_id"] for i in lacking}
    without = [i for i, doc_id in enumerate(table.sample.doc_ids) if doc_id in ids]
    assert np.flatnonzero(np.isnan(table.scores["prototype_distance"])).tolist() == without
    outcome = select(recipe_of(*STEPS), table)
    assert {(outcome.step[i], outcome.reason(i)) for i in without} == {
        (0, "has no vector: its embedding isn't finite")
    }
    selected(table, corpus, tmp_path)
    dropped = {row["doc_id"]: row["reason"] for row in rows_of(tmp_path / "out", "dropped")}
    assert all(dropped[doc_id] == outcome.reason(without[0]) for doc_id in ids)
    assert all(
        dropped[table.sample.doc_ids[i]] == outcome.reason(i) for i in np.flatnonzero(outcome.step == 0)
    )


def test_a_corpus_may_lack_vectors_that_its_sample_had(tmp_path: Path) -> None:
    """An empty text has no n-gram; in the corpus a whole shard is of that kind."""
    documents = [d for d in make_documents(120) if len(d["text"]) > 40][:60]
    table = whole(read(write_corpus(tmp_path / "sample", documents)), "tfidf-svd", tmp_path / "store")
    empty = [{"doc_id": f"e{i}", "text": "" if i % 2 else "?!", "source": "web", "year": 1} for i in range(5)]
    folder = write_corpus(tmp_path / "corpus", documents, 2)
    write_corpus(folder / "more", empty)
    run = apply(export(table, recipe_of(*STEPS), tmp_path / "m.manifest"), read(folder), tmp_path / "out")
    dropped = {row["doc_id"]: row["reason"] for row in rows_of(run.out, "dropped")}
    assert {dropped[row["doc_id"]] for row in empty} == {"has no vector: its embedding isn't finite"}
    expected = {
        table.sample.doc_ids[i] for i in np.flatnonzero(select(recipe_of(*STEPS), table).step == KEPT)
    }
    assert set(kept_ids(run.out)) == expected


def test_documents_without_a_vector_are_counted(tmp_path: Path) -> None:
    rows, _ = with_vectors()
    for i, value in ((3, None), (30, [0.0] * 5), (50, [1.0])):
        rows[i]["v"] = value
    corpus = write(tmp_path / "corpus", rows)
    table = score(corpus.whole(), ["embedding"], store=tmp_path / "store", models=Models(embedder="column:v"))
    lacking = {
        table.sample.doc_ids[i] for i in np.flatnonzero(np.isnan(table.scores["embedding"]).any(axis=1))
    }
    assert lacking == {rows[i]["doc_id"] for i in (3, 30, 50)}
    assert score_summary(table)["embedding"] == {"n_documents": 57, "n_unscored": 3, "dimension": 5}


def test_a_row_without_a_usable_vector_is_nan() -> None:
    frame = pl.DataFrame({
        "lists": pl.Series([[1.0, 2.0], None, [], [1.0], [1.0, None], [3.0, 4.0], [float("inf"), 0.0]]),
        "json": ["[1, 2]", None, "[]", '["a", "b"]', "[1, null]", "[3.0, 4]", '{"a": 1}'],
    })  # fmt: skip
    with pytest.warns(
        WorkbenchWarning, match="3 of 7 rows of the column 'lists' hold no vector of 2 numbers"
    ):
        lists = read_vectors(frame, "lists")
    with pytest.warns(WorkbenchWarning, match="5 of 7 rows of the column 'json'"):
        texts = read_vectors(frame, "json")
    assert lists.dtype == texts.dtype == np.float32
    assert lists.shape == texts.shape == (7, 2)
    assert lists[[0, 5]].tolist() == texts[[0, 5]].tolist() == [[1, 2], [3, 4]]
    assert np.isnan(lists[[1, 2, 3]]).all()
    assert np.isnan(lists[4, 1])
    assert np.isnan(texts[[1, 2, 3, 4, 6]]).all()
    assert np.isnan(read_vectors(frame, "lists", 3)).all(), "the sample's length holds"


def test_integers_and_fixed_lists_are_vectors_too() -> None:
    frame = pl.DataFrame({"a": pl.Series([[1, 2], [3, 4]], dtype=pl.Array(pl.Int16, 2))})
    assert read_vectors(frame, "a").tolist() == [[1, 2], [3, 4]]
    assert read_vectors(frame.head(0), "a", 2).shape == (0, 2)


@pytest.mark.parametrize(("column", "message"), [
    ("w", r"there is no column 'w' to take vectors from; there are 'n', 's', 'e'"),
    ("n", r"the column 'n' holds Int64, not vectors; give a column of lists of numbers"),
    ("e", r"no row of the column 'e' holds a vector"),
    ("s", r"no row of the column 's' holds a vector"),
])  # fmt: skip
def test_a_column_that_holds_no_vectors_is_one_sentence(column: str, message: str) -> None:
    frame = pl.DataFrame({"n": [1], "s": ["text"], "e": pl.Series([[]], dtype=pl.List(pl.Float32))})
    with pytest.raises(InputError, match=message):
        read_vectors(frame, column)
