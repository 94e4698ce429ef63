"""MinHash deduplication: chains of shared bands, and who of them stays."""

from __future__ import annotations

import numpy as np
import pytest

from workbench.checks import strings
from workbench.errors import InputError
from workbench.selectors.base import Selection
from workbench.selectors.minhash import SPEC, MinhashParams, components


def run(bands: list[list[int]], ids: str = "", lengths: list[int] | None = None, **params: str) -> Selection:
    n = len(bands)
    columns = {
        "doc_id": strings(ids or [f"d{i}" for i in range(n)]),
        "minhash_bands": np.array(bands, dtype=np.uint64),
        "n_chars": np.array(lengths or [1] * n, dtype=np.float32),
    }
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


def test_components_are_those_of_a_search_over_all_pairs() -> None:
    rng = np.random.default_rng(0)
    bands = rng.integers(0, 90, (70, 3)).astype(np.uint64)
    label = list(range(len(bands)))
    for i in range(len(bands)):
        for j in range(i):
            if ((bands[i] == bands[j]) & (bands[i] != 0)).any() and label[i] != label[j]:
                old, new = label[i], label[j]
                label = [new if x == old else x for x in label]
    ours = components(bands)
    assert len(set(label)) == len(set(ours.tolist()))
    assert len(set(zip(label, ours.tolist(), strict=True))) == len(set(label))


def test_many_documents_with_one_band_take_no_square() -> None:
    assert np.unique(components(np.ones((200_000, 2), dtype=np.uint64))).tolist() == [0]


def test_a_reason_names_the_twin_that_stays() -> None:
    chain = run(CHAIN, "abcd")
    assert chain.explain(1) == "near-copy of a, which is kept: they share 1 of 3 bands"
    assert chain.explain(2) == (
        "joined to a, which is kept, by a chain of near-copies; the two share no band themselves"
    )


def test_an_unknown_survivor_is_refused() -> None:
    with pytest.raises(InputError, match="survivor must be first_id or longest, got 'root'"):
        run(CHAIN, survivor="root")
