"""Exact deduplication: one of each text stays, and which one depends on nothing but the ids."""

from __future__ import annotations

import numpy as np
import pytest

from workbench.checks import strings, text_digests
from workbench.selectors.base import Selection
from workbench.selectors.exact import SPEC, ExactParams, group_exact, select_exact


def select(texts: list[str], ids: list[str]) -> Selection:
    return select_exact({"doc_id": strings(ids), "text_digest": text_digests(texts)}, ExactParams(), {}, 0)


def test_of_each_text_the_smallest_id_stays() -> None:
    got = select(["x", "y", "x", "z", "x", "y"], ["e", "d", "c", "b", "a", "f"])
    assert got.keep.tolist() == [False, True, False, True, True, False]


def test_the_reason_names_the_document_that_stays() -> None:
    got = select(["x", "y", "x", "x"], ["m", "k", "b", "z"])
    assert [got.explain(i) for i in np.flatnonzero(~got.keep)] == ["same text as b", "same text as b"]


def test_only_the_same_bytes_are_the_same_text() -> None:
    # Trailing space, case, and the composed and decomposed forms of one letter.
    assert select(["a", "a ", "A", "\u00e9", "e\u0301", ""], list("abcdef")).keep.all()
    assert select(["", ""], ["a", "b"]).keep.tolist() == [True, False]


def test_ids_are_ordered_as_text_not_as_numbers() -> None:
    assert select(["x"] * 3, ["9", "10", "é"]).keep.tolist() == [False, True, False]


def test_the_order_of_rows_does_not_matter() -> None:
    rng = np.random.default_rng(0)
    texts = [f"text {i}" for i in rng.integers(0, 40, 200)]
    ids = [f"d{i:03d}" for i in rng.permutation(200)]
    first = select(texts, ids)
    assert first.keep.sum() == len(set(texts))
    order = rng.permutation(200)
    other = select([texts[i] for i in order], [ids[i] for i in order])
    assert np.array_equal(other.keep, first.keep[order])
    assert [other.explain(i) for i in range(200)] == [first.explain(i) for i in order]


def test_both_halves_of_the_digest_must_agree() -> None:
    digest = np.array([[1, 1], [1, 2], [2, 1], [1, 1]], dtype=np.uint64)
    columns = {"doc_id": strings(["a", "b", "c", "d"]), "text_digest": digest}
    assert select_exact(columns, ExactParams(), {}, 0).keep.tolist() == [True, True, True, False]


def test_equal_texts_are_of_one_group() -> None:
    digest = text_digests(["x", "y", "x", "", ""])
    group = group_exact({"text_digest": digest}, ExactParams(), {})
    assert group.dtype == np.int64
    assert (group >= 0).all()
    assert group[0] == group[2] != group[1]
    assert group[3] == group[4]


@pytest.mark.parametrize("n", [0, 1])
def test_few_documents(n: int) -> None:
    assert select(["x"] * n, ["a"] * n).keep.tolist() == [True] * n


def test_it_says_that_it_tracks_the_corpus() -> None:
    assert SPEC.tracks_corpus
    assert SPEC.scope == "group"
