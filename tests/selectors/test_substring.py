"""Passages that stand more than once, by hashes of runs, held to the score that compares the passages themselves."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pytest

from workbench.checks import Array, IntArray, strings
from workbench.errors import InputError
from workbench.scores.base import Inputs, as_ragged
from workbench.scores.substring import SubstringParams as ScoreParams
from workbench.scores.substring import compute_substring
from workbench.selectors import pieces
from workbench.selectors.substring import SPEC, SubstringParams

Variant = Literal["keep_first", "remove_all"]


def fraction(ids: list[str], documents: list[IntArray], params: SubstringParams) -> dict[str, Array]:
    assert SPEC.scan is not None
    columns = {"doc_id": strings(ids), "token_ids": as_ragged([d.astype(np.uint32) for d in documents])}
    return dict(SPEC.scan(columns, params, {}, 0))


def exactly(ids: list[str], documents: list[IntArray], n: int, variant: Variant) -> Array:
    columns = {"token_ids": as_ragged(documents)}
    inputs = Inputs(ids, ["s"] * len(ids), [""] * len(ids), columns=columns)
    found = compute_substring(inputs, ScoreParams(n, variant == "keep_first"), {})["substring_dup_fraction"]
    return np.nan_to_num(found)


@pytest.mark.parametrize("variant", ["keep_first", "remove_all"])
@pytest.mark.parametrize("n", [1, 2, 3, 5, 8, 50])
def test_the_share_is_that_of_the_passages_themselves(
    n: int, variant: Variant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pieces, "_RUN_ELEMENTS", 100)  # documents are hashed a few at a time
    monkeypatch.setattr(pieces, "_RANGE_PIECES", 64)  # and sorted in ranges
    rng = np.random.default_rng(n)
    n_repeated = 0
    for n_letters in (2, 5, 50_000):
        documents = [rng.integers(0, n_letters, size) for size in rng.integers(0, 160, 14)]
        documents += [
            np.zeros(0, dtype=np.int64),
            rng.integers(0, n_letters, n),
            np.ones(3 * n, dtype=np.int64),
        ]
        for shared in (max(n - 1, 0), n, 2 * n + 1):
            passage = rng.integers(0, n_letters, shared)
            for _ in range(2):
                around = [rng.integers(0, n_letters, size) for size in rng.integers(0, 9, 2)]
                documents.append(np.concatenate([around[0], passage, around[1]]))
        ids = [f"d{i}" for i in rng.permutation(len(documents))]
        found = fraction(ids, documents, SubstringParams(n, variant))["duplicate_fraction"]
        np.testing.assert_allclose(found, exactly(ids, documents, n, variant), atol=1e-6)
        n_repeated += int((found > 0).sum())
    assert n_repeated > 6


def test_of_50_shared_tokens_only_the_second_document_is_told_where_the_first_copy_is_kept() -> None:
    common = np.arange(100, 150)
    documents = [np.r_[4, 5, common, 6], np.r_[1, common]]
    found = fraction(["b", "a"], documents, SubstringParams())
    assert found["duplicate_fraction"].tolist() == [pytest.approx(50 / 53), 0.0]
    assert found["first_copy"].tolist() == ["a", ""]
    both = fraction(["b", "a"], documents, SubstringParams(variant="remove_all"))["duplicate_fraction"]
    assert both.tolist() == [pytest.approx(50 / 53), pytest.approx(50 / 51)]
    assert not fraction(["b", "a"], [d[:-2] for d in documents], SubstringParams())[
        "duplicate_fraction"
    ].any()


def test_a_reason_names_the_share_the_limit_and_the_first_holder() -> None:
    columns = {"duplicate_fraction": np.array([0.25, 0.75]), "first_copy": strings(["", "x"])}
    selection = SPEC.select(columns, SubstringParams(9, max_duplicate_fraction=0.25), {}, 0)
    assert selection.keep.tolist() == [True, False]
    assert selection.explain(1) == (
        "75.0% of its tokens lie in passages of 9 tokens and more that stood before, 25.0% may; "
        "the first of all stands in x"
    )


@pytest.mark.parametrize(
    ("params", "message"),
    [
        (SubstringParams(0), "min_tokens must be at least 1, got 0"),
        (SubstringParams(variant="both"), "variant must be keep_first or remove_all, got 'both'"),  # type: ignore[arg-type]
    ],
)
def test_a_param_out_of_range_is_refused(params: SubstringParams, message: str) -> None:
    with pytest.raises(InputError, match=message):
        fraction(["a"], [np.arange(9)], params)
