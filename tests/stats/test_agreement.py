from __future__ import annotations

import math
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import spearmanr

from workbench.errors import InputError
from workbench.stats.agreement import AgreementParams, rank_agreement, spearman_interval, top_overlap

COLUMNS = st.lists(st.tuples(st.integers(-3, 3), st.integers(-3, 3)), min_size=4, max_size=30).filter(
    lambda rows: len({a for a, _ in rows}) > 1 and len({b for _, b in rows}) > 1
)


def brute_kendall(a: np.ndarray, b: np.ndarray) -> float:
    """Tau-b by looking at every pair of documents."""
    agree = ties_a = ties_b = 0
    pairs = list(combinations(range(len(a)), 2))
    for i, j in pairs:
        agree += int(np.sign(a[i] - a[j]) * np.sign(b[i] - b[j]))
        ties_a += a[i] == a[j]
        ties_b += b[i] == b[j]
    return agree / math.sqrt((len(pairs) - ties_a) * (len(pairs) - ties_b))


@given(rows=COLUMNS)
def test_with_ties_the_correlations_are_scipys_and_those_of_all_pairs(rows: list[tuple[int, int]]) -> None:
    a, b = np.array(rows, dtype=float).T
    found = rank_agreement({"a": a, "b": b})
    assert found.spearman[0, 1] == pytest.approx(spearmanr(a, b).statistic, abs=1e-12)
    assert found.kendall[0, 1] == pytest.approx(brute_kendall(a, b), abs=1e-12)
    assert found.low[0, 1] <= found.spearman[0, 1] <= found.high[0, 1]


@given(rows=COLUMNS, seed=st.integers(0, 5), end=st.sampled_from(["low", "high"]))
def test_the_order_of_rows_and_a_monotone_change_leave_everything_as_it_is(rows, seed, end) -> None:
    a, b = np.array(rows, dtype=float).T
    order = np.random.default_rng(seed).permutation(len(a))
    params = AgreementParams(0.3, end)
    one = rank_agreement({"a": a, "b": b}, params)
    other = rank_agreement({"a": np.exp(a[order]), "b": 2 * b[order] + 7}, params)
    for name in ("spearman", "low", "high", "kendall", "overlap"):
        np.testing.assert_allclose(getattr(one, name), getattr(other, name), rtol=1e-9)


def test_only_documents_that_both_score_count() -> None:
    nan = math.nan
    a = np.array([1.0, 2, 3, nan, 5, 6, nan])
    b = np.array([2.0, 1, 3, 9, nan, 6, nan])
    c = np.array([nan, nan, nan, 1, 2, 3, 4])
    found = rank_agreement({"a": a, "b": b, "c": c})
    assert found.n.tolist() == [[5, 4, 2], [4, 5, 2], [2, 2, 4]]
    assert found.spearman[0, 1] == pytest.approx(spearmanr(a[[0, 1, 2, 5]], b[[0, 1, 2, 5]]).statistic)
    assert np.isnan(found.spearman[0, 2])
    assert np.isnan(found.overlap[0, 2])
    np.testing.assert_array_equal(found.spearman, found.spearman.T)


def test_a_score_that_is_the_same_for_all_agrees_with_nothing() -> None:
    found = rank_agreement({"a": np.arange(20.0), "same": np.ones(20)})
    assert found.spearman[0, 0] == found.overlap[0, 0] == found.low[0, 0] == 1
    assert np.isnan([found.spearman[0, 1], found.kendall[0, 1], found.low[0, 1], found.overlap[1, 1]]).all()


def test_the_interval_holds_the_true_correlation_in_95_of_100_samples() -> None:
    """For a bivariate normal with correlation r Spearman's is 6 / pi asin(r / 2)."""
    rng = np.random.default_rng(0)
    for r in (0.0, 0.5, 0.9):
        truth = 6 / math.pi * math.asin(r / 2)
        held = 0
        for _ in range(600):
            a = rng.normal(size=60)
            b = r * a + math.sqrt(1 - r * r) * rng.normal(size=60)
            low, high = spearman_interval(spearmanr(a, b).statistic, 60)
            held += low <= truth <= high
        assert 0.92 < held / 600 < 0.98, r


def test_the_overlap_counts_the_shared_extremes() -> None:
    a = np.arange(20.0)
    b = a.copy()
    b[:3] = 100, 101, 102
    assert top_overlap(a, b, AgreementParams(0.25)) == pytest.approx(2 / 5)
    assert top_overlap(a, b, AgreementParams(0.25, "high")) == pytest.approx(2 / 5)
    assert top_overlap(a, -a, AgreementParams(0.5)) == 0
    assert top_overlap(a, -a, AgreementParams(1.0)) == 1


def test_documents_that_tie_at_the_border_belong_to_it_in_part() -> None:
    a, b = np.array([0.0, 1, 1, 1, 2]), np.array([0.0, 1, 2, 3, 4])
    # of a's two lowest one is sure and three share a place; b's are the first two
    assert top_overlap(a, b, AgreementParams(0.4)) == pytest.approx((1 + 1 / 3) / 2)
    assert top_overlap(a, a, AgreementParams(0.4)) == pytest.approx(1)


def test_two_scores_that_have_nothing_in_common_share_what_chance_gives() -> None:
    a, b = np.random.default_rng(0).random((2, 20_000))
    found = rank_agreement({"a": a, "b": b})
    assert found.overlap[0, 1] == pytest.approx(0.1, abs=0.02)
    assert found.low[0, 1] < 0 < found.high[0, 1]


@pytest.mark.parametrize("fraction", [0.0, -0.1, 1.1, math.nan])
def test_a_share_out_of_range_is_refused(fraction: float) -> None:
    with pytest.raises(InputError, match="top_fraction must be above 0 and at most 1"):
        rank_agreement({"a": np.zeros(5)}, AgreementParams(fraction))


def test_columns_of_unequal_length_or_none_are_refused() -> None:
    with pytest.raises(InputError, match=r"columns of one length, got a with shape \(5,\) and b with \(4,\)"):
        rank_agreement({"a": np.zeros(5), "b": np.zeros(4)})
    with pytest.raises(
        InputError, match=r"a has shape \(5, 2\), and rank agreement needs columns of one number"
    ):
        rank_agreement({"a": np.zeros((5, 2))})
    with pytest.raises(InputError, match="needs at least one score"):
        rank_agreement({})
