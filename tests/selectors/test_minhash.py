"""MinHash deduplication: chains of shared bands, and who of them stays."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from workbench.checks import strings
from workbench.errors import InputError
from workbench.selectors import minhash
from workbench.selectors.base import Selection
from workbench.selectors.minhash import SPEC, MinhashParams, candidates, joined


def run(
    bands: list[list[int]],
    ids: str = "",
    lengths: list[int] | None = None,
    signature: list[list[int]] | None = None,
    **params: object,
) -> Selection:
    n = len(bands)
    columns = {
        "doc_id": strings(ids or [f"d{i}" for i in range(n)]),
        "minhash_bands": np.array(bands, dtype=np.uint64),
        "n_chars": np.array(lengths or [1] * n, dtype=np.float32),
    }
    if signature is not None:
        columns["minhash_signature"] = np.array(signature, dtype=np.uint32)
    return SPEC.run(columns, MinhashParams(**params), {}, 0)  # type: ignore[arg-type]


CHAIN = [[5, 1, 2], [5, 8, 3], [6, 8, 4], [7, 9, 9]]  # a and b share one band, b and c another


def test_a_chain_is_one_component_and_keeps_one() -> None:
    assert run(CHAIN).keep.tolist() == [True, False, False, True]


def test_the_smallest_id_or_the_longest_stays() -> None:
    assert run(CHAIN, "cbad").keep.tolist() == [False, False, True, True]
    assert run(CHAIN, "cbad", [5, 9, 7, 1], survivor="longest").keep.tolist() == [False, True, False, True]
    assert run(CHAIN, "cbad", [9, 9, 7, 1], survivor="longest").keep.tolist() == [False, True, False, True]


def test_a_number_in_another_band_or_no_number_joins_nothing() -> None:
    assert run([[1, 2], [2, 1]]).keep.all()
    assert run([[0, 0], [0, 0], [3, 0], [4, 0]]).keep.all()


def labels_by_all_pairs(n: int, is_pair: Callable[[int, int], bool]) -> list[int]:
    label = list(range(n))
    for i in range(n):
        for j in range(i):
            if label[i] != label[j] and is_pair(i, j):
                old, new = label[i], label[j]
                label = [new if x == old else x for x in label]
    return label


def assert_same_sets(one: list[int], other: list[int]) -> None:
    assert len(set(one)) == len(set(other)) == len(set(zip(one, other, strict=True)))


def test_components_are_those_of_a_search_over_all_pairs() -> None:
    rng = np.random.default_rng(0)
    bands = rng.integers(0, 90, (70, 3)).astype(np.uint64)
    expected = labels_by_all_pairs(70, lambda i, j: bool(((bands[i] == bands[j]) & (bands[i] != 0)).any()))
    assert 1 < len(set(expected)) < 60
    assert_same_sets(joined(70, *candidates(bands)).tolist(), expected)


@pytest.mark.parametrize("min_similarity", [0.1, 0.4, 0.5, 0.6, 1.0])
def test_verified_sets_are_those_of_a_search_over_all_pairs(min_similarity: float) -> None:
    rng = np.random.default_rng(1)
    bands = rng.integers(0, 25, (80, 2)).astype(np.uint64)
    signature = rng.integers(0, 3, (80, 10)).astype(np.uint32)

    def is_pair(i: int, j: int) -> bool:
        shared = ((bands[i] == bands[j]) & (bands[i] != 0)).any()
        return bool(shared and (signature[i] == signature[j]).mean() >= min_similarity)

    columns = {
        "doc_id": strings(f"d{i:02d}" for i in rng.permutation(80)),
        "minhash_bands": bands,
        "minhash_signature": signature,
    }
    label = labels_by_all_pairs(80, is_pair)
    expected = np.zeros(80, dtype=bool)
    for name in set(label):
        members = [i for i in range(80) if label[i] == name]
        expected[min(members, key=lambda i: columns["doc_id"][i])] = True
    found = SPEC.run(columns, MinhashParams(min_similarity=min_similarity), {}, 0)
    assert found.keep.tolist() == expected.tolist()


def test_candidates_that_are_not_alike_both_stay_where_similarity_is_asked_for() -> None:
    bands, signature = [[5, 1], [5, 2], [5, 3]], [[1, 1, 1, 1], [1, 1, 1, 2], [7, 7, 7, 7]]
    assert run(bands).keep.tolist() == [True, False, False]
    verified = run(bands, signature=signature, min_similarity=0.75)
    assert verified.keep.tolist() == [True, False, True]
    assert verified.explain(1) == (
        "near-copy of d0, which is kept: they share 1 of 2 bands and a similarity of about 0.75"
    )
    assert run(bands, signature=signature, min_similarity=0.8).keep.all()


def test_the_signature_is_read_only_where_similarity_is_asked_for() -> None:
    assert SPEC.needs(MinhashParams()) == ("minhash_bands",)
    assert SPEC.needs(MinhashParams("longest", 0.5)) == ("minhash_bands", "n_chars", "minhash_signature")


def test_in_a_large_bucket_each_is_held_against_those_next_by_id(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(minhash, "_WINDOW", 1)
    bands, signature = [[5]] * 3, [[1], [2], [1]]
    # a and c are alike; b stands between them, or doesn't.
    assert run(bands, "abc", signature=signature, min_similarity=1.0).keep.all()
    assert run(bands, "acb", signature=signature, min_similarity=1.0).keep.tolist() == [True, True, False]


def test_many_documents_with_one_band_take_no_square() -> None:
    bands = np.ones((200_000, 2), dtype=np.uint64)
    assert np.unique(joined(len(bands), *candidates(bands))).tolist() == [0]


def test_a_reason_names_the_twin_that_stays() -> None:
    chain = run(CHAIN, "abcd")
    assert chain.explain(1) == "near-copy of a, which is kept: they share 1 of 3 bands"
    assert chain.explain(2) == (
        "joined to a, which is kept, by a chain of near-copies; the two share no band themselves"
    )


def test_an_unknown_survivor_is_refused() -> None:
    with pytest.raises(InputError, match="survivor must be first_id or longest, got 'root'"):
        run(CHAIN, survivor="root")


def test_a_similarity_outside_0_to_1_is_refused() -> None:
    with pytest.raises(InputError, match=r"min_similarity must lie in 0\.\.1"):
        run(CHAIN, signature=[[1]] * 4, min_similarity=75.0)
