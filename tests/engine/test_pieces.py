"""Pieces of documents over shards: what is sorted on disk finds what a dictionary finds, whatever the cuts."""

from __future__ import annotations

import random
from itertools import chain, pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.engine.conftest import recipe_of, scored
from tests.engine.corpora import write_corpus
from tests.engine.fakes import FakeModels
from tests.engine.outputs import digests, rows_of
from workbench.corpus import read
from workbench.engine import groups, parts
from workbench.engine.apply import apply
from workbench.engine.export import export
from workbench.engine.pieces import PiecesOnDisk, chunks, rank_ids
from workbench.selectors.base import Pieces

STEPS = (
    {"select": "spans", "unit": "sentence", "max_duplicate_fraction": 0.3},
    {"select": "band", "score": "n_bytes", "low": 20},
    {"select": "substring", "min_tokens": 5, "max_duplicate_fraction": 0.6},
)
SENTENCES = [
    f"The {a} {b} by the {c}."
    for a in "old new red".split()
    for b in "cat dog".split()
    for c in "sea wall".split()
]
WORDS = "river stone lantern harbour meadow clock engine winter".split()


@pytest.fixture
def documents() -> list[dict[str, Any]]:
    """60 documents, made of few sentences that come again and of words that mostly don't."""
    rng = random.Random(4)
    rows = []
    for i in range(60):
        own = " ".join(f"{rng.choice(WORDS)}{rng.randint(0, 99)}" for _ in range(rng.randint(0, 25)))
        text = " ".join([*rng.sample(SENTENCES, rng.randint(0, 4)), own]) + ("." if own else "")
        rows.append({"doc_id": f"d{rng.randint(0, 9)}-{i}", "text": text, "source": "s"})
    return rows


@given(st.lists(st.text(max_size=25), unique=True, max_size=30), st.integers(1, 9))
@settings(max_examples=60, deadline=None)
def test_ids_are_ranked_by_code_points_a_few_at_a_time(ids: list[str], n: int) -> None:
    ids = [one.encode("utf-8", "replace").decode() for one in ids]
    ids = list(dict.fromkeys(ids))
    batches = [ids[i : i + n] for i in range(0, len(ids), n)]
    rank = rank_ids(lambda: iter(batches), len(ids))
    assert [ids[i] for i in np.argsort(rank)] == sorted(ids)
    assert sorted(rank.tolist()) == list(range(len(ids)))


def test_an_id_ends_before_one_that_goes_on_with_a_nul() -> None:
    ids = ["a\0", "a", "a\0\0\0\0\0\0\0", "", "a\0b"]
    assert [ids[i] for i in np.argsort(rank_ids(lambda: [ids], 5))] == sorted(ids)


def by_dictionary(documents: list[list[int]], rank: list[int]) -> list[tuple[int, int, int, int]]:
    """(document, place, first document, first place) of every piece that has an equal; 0 is none."""
    held: dict[int, list[tuple[int, int, int]]] = {}
    for d, pieces in enumerate(documents):
        for place, piece in enumerate(pieces):
            if piece:
                held.setdefault(piece, []).append((rank[d], place, d))
    out = []
    for copies in held.values():
        _, first_place, first = min(copies)
        out += [(d, place, first, first_place) for _, place, d in copies if len(copies) > 1]
    return sorted(out)


@pytest.mark.parametrize("n_bytes", [64, 1_000, 1 << 20])
@pytest.mark.parametrize("seed", range(4))
def test_repeats_are_those_of_a_dictionary_however_little_is_in_memory(
    n_bytes: int, seed: int, tmp_path: Path
) -> None:
    rng = np.random.default_rng(seed)
    # Hashes from both ends of their range, and 0, which is no piece.
    hashes = np.array(
        [0, 1, 2, 2**63, 2**64 - 1, *rng.integers(0, 2**64, 40, dtype=np.uint64)], dtype=np.uint64
    )
    documents = [rng.choice(hashes, rng.integers(0, 9)) for _ in range(23)]
    rank = rng.permutation(23)
    disk = PiecesOnDisk(tmp_path, rank, n_bytes)
    cuts = [0, 4, 5, 14, 23]
    counts = np.array([len(some) for some in documents])
    disk.add(
        (first, Pieces(np.concatenate(documents[first:stop]), counts[first:stop]))
        for first, stop in pairwise(cuts)
    )
    disk.match()
    found = []
    for first, stop in ((0, 7), (7, 8), (8, 23)):
        repeats = disk.repeats(first, stop)
        assert (repeats.document == repeats.row + first).all()
        some = (repeats.document, repeats.place, repeats.first_document, repeats.first_place)
        found += list(zip(*(column.tolist() for column in some), strict=True))
    assert found == by_dictionary([some.tolist() for some in documents], rank.tolist())
    assert len(found) > 20


def test_parts_are_put_together_up_to_a_limit() -> None:
    sizes = [3, 3, 3, 9, 1, 2, 2, 20]
    together = [list(some) for some in chunks(sizes, 6)]
    assert list(chain.from_iterable(together)) == list(range(8))
    assert all(sum(sizes[k] for k in some) < 6 + max(sizes[k] for k in some) for some in together)
    assert len(together) < len(sizes)
    assert [list(some) for some in chunks([5], 1)] == [[0]]
    assert list(chunks([], 6)) == []


def decisions(out: Path) -> dict[str, tuple[Any, ...]]:
    kept = {row["doc_id"]: ("kept", row["weight"]) for row in rows_of(out, "kept")}
    return kept | {row["doc_id"]: (row["step"], row["reason"]) for row in rows_of(out, "dropped")}


def test_shards_rows_parts_and_memory_may_be_any(
    documents: list[dict[str, Any]], fakes: type[FakeModels], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = recipe_of(*STEPS)
    corpus = read(write_corpus(tmp_path / "one", documents, 1, ("parquet",)))
    manifest = export(scored(corpus, recipe, tmp_path / "store"), recipe, tmp_path / "one.manifest")
    whole = decisions(apply(manifest, corpus, tmp_path / "whole").out)
    assert {0, 2, "kept"} <= {decided[0] for decided in whole.values()}
    shuffled = random.Random(1).sample(documents, len(documents))
    for name, n_shards, rows, n_bytes, chunk in (("a", 4, 8, 6_400, 1), ("b", 2, 11, 20_000, 20)):
        monkeypatch.setattr(parts, "MAX_ROWS", rows)
        monkeypatch.setattr(groups, "BUCKET_BYTES", n_bytes)
        monkeypatch.setattr(groups, "_CHUNK_ROWS", chunk)
        cut = read(write_corpus(tmp_path / name, shuffled, n_shards, ("jsonl", "parquet")))
        assert decisions(apply(manifest, cut, tmp_path / f"out-{name}").out) == whole


def test_stopped_among_the_pieces_it_is_run_again_to_the_same_bytes(
    documents: list[dict[str, Any]], fakes: type[FakeModels], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = recipe_of(*STEPS)
    corpus = read(write_corpus(tmp_path / "corpus", documents, 3, ("jsonl",)))
    manifest = export(scored(corpus, recipe, tmp_path / "store"), recipe, tmp_path / "one.manifest")
    whole = digests(apply(manifest, corpus, tmp_path / "whole").out)
    monkeypatch.setattr(groups, "BUCKET_BYTES", 640)
    write, n_written = PiecesOnDisk._write_run, 0

    def stop_at_the_third(self: PiecesOnDisk, held: Any) -> None:
        nonlocal n_written
        n_written += 1
        if n_written == 3:
            raise KeyboardInterrupt
        write(self, held)

    monkeypatch.setattr(PiecesOnDisk, "_write_run", stop_at_the_third)
    with pytest.raises(KeyboardInterrupt):
        apply(manifest, corpus, tmp_path / "cut")
    assert list((tmp_path / "cut" / "work" / "pieces").rglob("run-*.npy"))
    scored_once = FakeModels.n_texts("tokenizer")
    assert digests(apply(manifest, corpus, tmp_path / "cut").out) == whole
    assert FakeModels.n_texts("tokenizer") == scored_once
    assert not (tmp_path / "cut" / "work").exists()
