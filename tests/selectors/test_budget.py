"""Cuts, draws and quotas that many selectors share."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.checks import strings
from workbench.errors import InputError
from workbench.selectors.base import DESIGN_WEIGHT
from workbench.selectors.budget import gumbel, keep_first, keep_in_groups, largest_remainder, rank_of


def table(
    n: int, tokens: list[float] | None = None, weight: list[float] | None = None
) -> dict[str, np.ndarray]:
    return {
        "doc_id": strings(f"d{i:03d}" for i in range(n)),
        "n_tokens": np.array(tokens or [1.0] * n, dtype=np.float32),
        DESIGN_WEIGHT: np.array(weight or [1.0] * n),
    }


@pytest.mark.parametrize(
    ("fraction", "kept"),
    [(0.0, ""), (0.1, ""), (0.125, "3"), (0.5, "13"), (0.6, "13"), (0.625, "013"), (1.0, "0123")],
)
def test_a_share_of_documents_is_the_nearest_number_of_the_best(fraction: float, kept: str) -> None:
    columns = table(4)
    rank = rank_of(columns, np.array([2.0, 4.0, 1.0, 8.0]))
    assert rank.tolist() == [2, 1, 3, 0]
    keep = keep_first(columns, rank, fraction, "documents")
    assert "".join(map(str, np.flatnonzero(keep))) == kept


def test_equal_scores_go_by_doc_id_in_any_order_of_rows() -> None:
    columns = {name: column[[3, 0, 2, 1]] for name, column in table(4).items()}
    assert rank_of(columns, np.ones(4)).tolist() == [3, 0, 2, 1]


def test_a_share_of_tokens_is_never_exceeded_and_ends_at_the_first_that_does_not_fit() -> None:
    columns = table(5, tokens=[1, 2, 3, 4, 10])
    rank = rank_of(columns, np.array([5.0, 4.0, 1.0, 2.0, 3.0]))  # order: 0 1 4 3 2
    assert keep_first(columns, rank, 0.5, "tokens").tolist() == [True, True, False, False, False]
    assert keep_first(columns, rank, 13 / 20, "tokens").tolist() == [True, True, False, False, True]


def test_a_share_of_a_sample_is_a_share_of_the_corpus_that_it_stands_for() -> None:
    columns = table(4, weight=[10, 1, 1, 8])
    rank = rank_of(columns, np.array([4.0, 3.0, 2.0, 1.0]))
    assert keep_first(columns, rank, 0.5, "documents").tolist() == [True, False, False, False]
    assert keep_first(columns, rank, 0.6, "documents").tolist() == [True, True, True, False]


@pytest.mark.parametrize("fraction", [-0.1, 1.1, float("nan")])
def test_a_share_outside_0_to_1_is_refused(fraction: float) -> None:
    with pytest.raises(InputError, match=r"keep_fraction must lie in 0\.\.1"):
        keep_first(table(2), np.array([0, 1]), fraction, "documents")


def test_gumbel_draws_in_proportion_to_the_weights() -> None:
    # DSIR's oracle: weights 1, 2, 4 are drawn first with frequencies 1/7, 2/7, 4/7.
    log_weight = np.log([1.0, 2.0, 4.0])
    first = [int((log_weight + gumbel(seed, ["a", "b", "c"], "test")).argmax()) for seed in range(6000)]
    share = np.bincount(first, minlength=3) / 6000
    np.testing.assert_allclose(share, [1 / 7, 2 / 7, 4 / 7], atol=4 * np.sqrt(0.25 / 6000))


def test_gumbel_noise_has_the_distribution_of_its_name() -> None:
    from scipy.stats import gumbel_r, kstest

    noise = gumbel(1, [f"d{i}" for i in range(4000)], "test")
    assert kstest(noise, gumbel_r.cdf).pvalue > 0.001


@pytest.mark.parametrize(
    ("shares", "total", "caps", "expected"),
    [
        ([50, 30, 20], 7, None, [4, 2, 1]),
        ([1, 1, 1], 2, None, [1, 1, 0]),
        ([1, 1], 7, [2, 100], [2, 5]),
        ([5, 1, 1], 10, [3, 9, 2], [3, 5, 2]),
        ([0, 1], 3, None, [0, 3]),
        ([0, 0], 0, None, [0, 0]),
    ],
)
def test_quotas_by_the_largest_remainder(
    shares: list[float], total: int, caps: list[int] | None, expected: list[int]
) -> None:
    limit = None if caps is None else np.array(caps)
    assert largest_remainder(np.array(shares, dtype=float), total, limit).tolist() == expected


@given(
    st.lists(st.tuples(st.floats(0.01, 100), st.integers(0, 30)), min_size=1, max_size=12),
    st.floats(0, 1),
)
def test_quotas_sum_to_the_total_within_their_caps(groups: list[tuple[float, int]], share: float) -> None:
    shares, caps = np.array([g[0] for g in groups]), np.array([g[1] for g in groups])
    total = int(share * caps.sum())
    quotas = largest_remainder(shares, total, caps)
    assert quotas.sum() == total
    assert (quotas >= 0).all()
    assert (quotas <= caps).all()
    if (quotas < caps).all():
        assert np.abs(quotas - shares / shares.sum() * total).max() < 1


def test_quotas_beyond_the_caps_are_refused() -> None:
    with pytest.raises(InputError, match="there are 3 to choose from, fewer than 4"):
        largest_remainder(np.ones(2), 4, np.array([1, 2]))


def test_each_group_keeps_its_first() -> None:
    groups = np.array([1, 0, 1, 0, 1, 3])
    keep = keep_in_groups(np.array([5, 4, 3, 2, 1, 0]), groups, np.array([1, 2, 7, 0]))
    assert keep.tolist() == [False, False, True, True, True, False]
