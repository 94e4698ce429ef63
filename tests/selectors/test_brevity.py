"""Dropping the longest documents by a budget of tokens."""

from __future__ import annotations

import numpy as np
import pytest

from workbench.checks import strings
from workbench.errors import InputError
from workbench.selectors.base import DESIGN_WEIGHT, Selection
from workbench.selectors.brevity import SPEC, BrevityParams


def run(
    tokens: list[float], fraction: float, weight: list[float] | None = None, ids: str = "abcdefg"
) -> Selection:
    columns = {
        "doc_id": strings(ids[: len(tokens)]),
        "n_tokens": np.array(tokens, dtype=np.float32),
        DESIGN_WEIGHT: np.array(weight or [1.0] * len(tokens)),
    }
    return SPEC.run(columns, BrevityParams(fraction), {}, 0)


@pytest.mark.parametrize(
    ("fraction", "kept"),
    [
        (0.5, [1, 2, 3, 4]),  # exactly half: the 10 goes
        (0.49, [1, 2, 3, 4, 10]),  # the 10 doesn't fit, and smaller ones aren't looked for
        (0.69, [1, 2, 3, 4]),
        (0.7, [1, 2, 3]),
        (0.0, [1, 2, 3, 4, 10]),
        (1.0, []),
    ],
)
def test_the_longest_go_while_they_fit_into_the_budget(fraction: float, kept: list[int]) -> None:
    tokens = [1.0, 2, 3, 4, 10]
    for order in (slice(None), slice(None, None, -1)):
        keep = run(tokens[order], fraction).keep
        assert sorted(np.array(tokens[order])[keep]) == kept


def test_it_is_a_share_of_tokens_and_not_of_documents() -> None:
    tokens = [10.0] * 6 + [60.0]
    assert run(tokens, 0.5).keep.tolist() == [True] * 6 + [False]


def test_equally_long_documents_go_by_doc_id_in_any_order_of_rows() -> None:
    assert run([4, 4, 4, 4], 0.5).keep.tolist() == [False, False, True, True]
    assert run([4, 4, 4, 4], 0.5, ids="dcba").keep.tolist() == [True, True, False, False]


def test_tokens_of_a_sample_count_for_the_corpus_that_they_stand_for() -> None:
    assert run([10, 4, 1], 0.5, weight=[1, 20, 10]).keep.tolist() == [False, True, True]


def test_a_reason_names_the_length() -> None:
    reason = run([1, 2, 3, 4, 1000], 0.993).explain(4)
    assert (
        reason
        == "with 1,000 tokens it is among the longest 1 documents, which hold at most 0.993 of the tokens"
    )


def test_shorter_documents_are_kept_first() -> None:
    selection = run([3, 9, 5], 0.4)
    assert selection.score is not None
    assert np.argsort(-selection.score).tolist() == [0, 2, 1]


@pytest.mark.parametrize("fraction", [-0.1, 20.0, float("nan")])
def test_a_percentage_is_refused(fraction: float) -> None:
    with pytest.raises(InputError, match=r"drop_fraction must lie in 0\.\.1"):
        run([1, 2], fraction)
