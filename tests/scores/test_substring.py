"""Repeated passages, held to a search over all pairs of places."""

from __future__ import annotations

import numpy as np
import pytest

from workbench.errors import InputError
from workbench.scores.base import Inputs, as_ragged
from workbench.scores.substring import SubstringParams, compute_substring, duplicate_spans


def fraction(texts: dict[str, str], **params: object) -> dict[str, float]:
    """A letter is a token."""
    ids = list(texts)
    letters = as_ragged([np.array([ord(c) for c in text], dtype=np.uint32) for text in texts.values()])
    inputs = Inputs(ids, ["s"] * len(ids), list(texts.values()), columns={"token_ids": letters})
    values = compute_substring(inputs, SubstringParams(**params), {})["substring_dup_fraction"]  # type: ignore[arg-type]
    return dict(zip(ids, values.tolist(), strict=True))


def by_all_pairs(documents: list[list[int]], n: int, keep_first: bool) -> list[list[bool]]:
    """Which tokens lie in a passage that has an equal, by the longest common prefix of every two places."""
    flat = [(d, i) for d, ids in enumerate(documents) for i in range(len(ids))]
    tokens = np.array([documents[d][i] for d, i in flat])
    left = np.array([len(documents[d]) - i for d, i in flat])  # tokens up to the document's end
    size = len(flat)
    lcp = np.zeros((size + 1, size + 1), dtype=np.int64)
    for i in reversed(range(size)):
        lcp[i, :size] = np.where(tokens == tokens[i], lcp[i + 1, 1:] + 1, 0)
    place = np.arange(size)
    covered = np.zeros(size, dtype=bool)
    for i in range(size):
        equal = (np.minimum(np.minimum(lcp[i, :size], left), left[i]) >= n) & (place != i)
        if keep_first:
            equal &= place <= i - n
        if equal.any():
            covered[i : i + n] = True
    bounds = np.cumsum([len(ids) for ids in documents])[:-1]
    return [part.tolist() for part in np.split(covered, bounds)]


def as_flags(documents: list[list[int]], spans: np.ndarray) -> list[list[bool]]:
    flags = [[False] * len(ids) for ids in documents]
    for d, start, stop in spans.tolist():
        assert 0 <= start < stop <= len(documents[d])
        assert not any(flags[d][max(start - 1, 0) : stop + 1]), "spans touch or overlap"
        flags[d][start:stop] = [True] * (stop - start)
    return flags


@pytest.mark.parametrize("keep_first", [False, True])
@pytest.mark.parametrize("n", [1, 2, 3, 5, 8, 13])
def test_spans_are_those_of_all_pairs_of_places_in_1_kb(n: int, keep_first: bool) -> None:
    rng = np.random.default_rng(n)
    for n_letters in (2, 4):
        sizes = (0, 150, 1, 320, 0, 97, 450, n, n - 1)
        documents = [rng.integers(0, n_letters, size).tolist() for size in sizes]
        documents[6][30:130] = documents[3][200:300]
        documents[5][:60] = [1] * 60
        spans = duplicate_spans([np.array(d, dtype=np.int64) for d in documents], n, keep_first)
        assert as_flags(documents, spans) == by_all_pairs(documents, n, keep_first)
        assert n > 3 or len(spans)


def test_of_50_shared_tokens_only_the_second_document_loses_them_where_the_first_copy_is_kept() -> None:
    common = list(range(100, 150))
    one, other = [1, 2, *common, 3], [*range(4, 11), *common, 11, 12]
    both = [np.array(one), np.array(other)]
    assert duplicate_spans(both, keep_first=True).tolist() == [[1, 7, 57]]
    assert duplicate_spans(both).tolist() == [[0, 2, 52], [1, 7, 57]]


def test_49_shared_tokens_are_nothing() -> None:
    common = list(range(100, 149))
    both = [np.array([1, 2, *common, 3]), np.array([*range(4, 11), *common, 11])]
    assert duplicate_spans(both).tolist() == []
    assert duplicate_spans(both, 49).tolist() == [[0, 2, 51], [1, 7, 56]]


def test_no_passage_crosses_two_documents() -> None:
    # 1 2 3 4 stands in the third, and where the first ends and the second begins.
    documents = [np.array([9, 1, 2]), np.array([3, 4, 8]), np.array([7, 1, 2, 3, 4, 6])]
    assert duplicate_spans(documents, 3).tolist() == []
    assert duplicate_spans(documents, 2).tolist() == [[0, 1, 3], [1, 0, 2], [2, 1, 5]]


def test_spans_that_meet_at_the_border_of_documents_stay_two() -> None:
    documents = [np.array([1, 2]), np.array([1, 2]), np.array([1, 2])]
    assert duplicate_spans(documents, 2).tolist() == [[0, 0, 2], [1, 0, 2], [2, 0, 2]]


def test_a_run_of_one_token_keeps_one_passage_where_the_first_is_kept() -> None:
    assert duplicate_spans([np.zeros(10, dtype=np.int64)], 4, keep_first=True).tolist() == [[0, 4, 10]]
    assert duplicate_spans([np.zeros(10, dtype=np.int64)], 4).tolist() == [[0, 0, 10]]


def test_no_documents_have_no_spans() -> None:
    assert duplicate_spans([]).shape == (0, 3)
    assert duplicate_spans([np.zeros(0, dtype=np.int64)]).shape == (0, 3)


def test_the_share_is_of_a_documents_own_tokens() -> None:
    found = fraction({"b": "xxabcdefgh", "a": "abcdefgh", "c": "stranger", "d": ""}, min_tokens=8)
    assert found["b"] == pytest.approx(0.8)
    assert (found["a"], found["c"]) == (1.0, 0.0)
    assert np.isnan(found["d"])


def test_the_first_copy_is_that_of_the_smallest_id_in_whatever_order_the_rows_are() -> None:
    texts = {"b": "xxabcdefgh", "a": "abcdefgh", "c": "abcdefghyyyyyyyz"}
    for order in ("abc", "cba", "bac"):
        found = fraction({name: texts[name] for name in order}, min_tokens=8, keep_first=True)
        assert found == {"a": 0.0, "b": pytest.approx(0.8), "c": 0.5}


def test_a_passage_of_no_tokens_is_refused() -> None:
    with pytest.raises(InputError, match="min_tokens must be at least 1"):
        duplicate_spans([np.zeros(3, dtype=np.int64)], 0)
