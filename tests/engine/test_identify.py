from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.engine.conftest import recipe_of, scored
from tests.engine.corpora import make_documents, write_corpus, write_shard
from tests.engine.fakes import FakeModels
from tests.engine.outputs import kept_ids, rows_of
from workbench.corpus import read
from workbench.engine import identify
from workbench.engine.apply import apply
from workbench.engine.export import export
from workbench.errors import InputError


@pytest.fixture
def keep_all(tmp_path: Path, fakes: type[FakeModels]) -> Path:
    """A manifest that keeps everything."""
    recipe = recipe_of({"select": "random", "fraction": 1.0})
    table = scored(read(write_corpus(tmp_path / "any", make_documents(10))), recipe, tmp_path / "any-store")
    return export(table, recipe, tmp_path / "all.manifest")


def test_copies_are_numbered_by_shard_and_row_and_as_in_the_sample(keep_all: Path, tmp_path: Path) -> None:
    texts = [["once", "thrice", "twice"], ["thrice"], ["twice", "other", "thrice", "last"]]
    for k, shard in enumerate(texts):
        rows = [{"text": text, "source": "web"} for text in shard]
        write_shard(tmp_path / "corpus" / f"s{k}.{('jsonl', 'parquet', 'jsonl.gz')[k]}", rows)
    corpus = read(tmp_path / "corpus")
    run = apply(keep_all, corpus, tmp_path / "out")
    kept = rows_of(run.out, "kept")
    numbers = [(row["text"], row["doc_id"][24:]) for row in kept]
    assert numbers == [
        ("once", ""), ("thrice", ""), ("twice", ""), ("thrice", "#2"), ("twice", "#2"), ("other", ""),
        ("thrice", "#3"), ("last", ""),
    ]  # fmt: skip
    assert kept_ids(run.out) == set(corpus.whole().doc_ids)


@pytest.mark.parametrize("max_rows", [1, 2, 2048])
def test_copies_are_numbered_alike_whatever_the_batches(
    max_rows: int, keep_all: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workbench.engine.parts.MAX_ROWS", max_rows)
    rows = [{"text": "same", "source": "web"} for _ in range(5)]
    corpus = read(write_corpus(tmp_path / "corpus", [*rows, {"text": "other", "source": "web"}], 2))
    run = apply(keep_all, corpus, tmp_path / "out")
    assert kept_ids(run.out) == set(corpus.whole().doc_ids)


def test_ids_that_stand_twice_are_named_with_both_places_before_anything_is_scored(
    keep_all: Path, tmp_path: Path, fakes: type[FakeModels]
) -> None:
    rows = make_documents(20)
    write_shard(tmp_path / "corpus" / "a.jsonl", rows[:12])
    write_shard(tmp_path / "corpus" / "b.parquet", [*rows[12:], {**rows[4], "text": "another text"}])
    fakes.calls.clear()
    with pytest.raises(
        InputError,
        match=r"doc_id 'd0004' stands twice, in a.jsonl row 4 and b.parquet row 8; make the ids unique, "
        'or give --id-column "" so that ids are made from content',
    ):
        apply(keep_all, read(tmp_path / "corpus"), tmp_path / "out")
    assert not fakes.calls
    run = apply(keep_all, read(tmp_path / "corpus", id_column=""), tmp_path / "content")
    assert run.record["counts"]["kept"] == 21


def test_given_ids_that_only_share_a_hash_stay_as_they_are(
    keep_all: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def few(doc_ids: list[str]) -> np.ndarray:
        return np.array([int(doc_id[1:]) % 7 for doc_id in doc_ids], dtype=np.uint64)

    monkeypatch.setattr(identify, "id_hashes", few)
    corpus = read(write_corpus(tmp_path / "corpus", make_documents(30), 3))
    run = apply(keep_all, corpus, tmp_path / "out")
    assert kept_ids(run.out) == {f"d{i:04d}" for i in range(30)}


def test_a_corpus_without_a_readable_document_is_a_sentence(keep_all: Path, tmp_path: Path) -> None:
    path = tmp_path / "bad.jsonl"
    path.write_text("not JSON\nnor this\n")
    with pytest.raises(InputError, match="the corpus has no readable document"):
        apply(keep_all, read(path), tmp_path / "out")
