"""Wilson's interval against scipy's, precision and recall against closed forms, a search and a simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest

from workbench.errors import InputError
from workbench.stats.audit import OUTSIDE, Audit, audit, wilson_interval


@given(st.integers(0, 60), st.integers(1, 60), st.sampled_from([0.5, 0.9, 0.95, 0.99]))
@settings(max_examples=60, deadline=None)
def test_wilsons_interval_is_scipys(successes: int, more: int, level: float) -> None:
    n = successes + more - 1 or 1
    successes = min(successes, n)
    expected = binomtest(successes, n).proportion_ci(level, method="wilson")
    assert wilson_interval(successes, n, level) == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_wilsons_limits_solve_the_score_equation_for_sizes_that_are_not_whole() -> None:
    for successes, n in ((3.2, 7.9), (0.4, 11.3)):
        for limit in wilson_interval(successes, n):
            z = (successes / n - limit) / math.sqrt(limit * (1 - limit) / n)
            assert abs(z) == pytest.approx(1.959963984540054)


def test_no_trial_tells_nothing_and_nonsense_is_refused() -> None:
    assert wilson_interval(0, 0) == (0.0, 1.0)
    assert (wilson_interval(0, 5)[0], wilson_interval(5, 5)[1]) == (0.0, 1.0)
    with pytest.raises(InputError, match=r"successes must lie in 0\.\.n"):
        wilson_interval(6, 5)
    with pytest.raises(InputError, match="level must lie between 0 and 1"):
        wilson_interval(1, 5, 1.0)


def halves(n_kept: int, n_dropped: int, votes_kept: str, votes_dropped: str) -> Audit:
    """An audit of a draw from kept and dropped documents, with equal weights; a vote is + or -."""
    keep = np.arange(n_kept + n_dropped) < n_kept
    rows = [*range(len(votes_kept)), *(n_kept + i for i in range(len(votes_dropped)))]
    good = np.array([v == "+" for v in votes_kept + votes_dropped], dtype=bool)
    return audit(keep, np.where(keep, 0, 1), np.ones(len(keep)), np.asarray(rows, dtype=np.int64), good)


def test_precision_of_the_cut_that_was_drawn_under_has_wilsons_interval() -> None:
    found = halves(70, 300, "++++++++--", "+---------")
    assert found.precision.value == pytest.approx(0.8)
    assert (found.precision.low, found.precision.high) == pytest.approx(wilson_interval(8, 10))
    assert (found.dropped_good.low, found.dropped_good.high) == pytest.approx(wilson_interval(1, 10))
    assert (found.n_kept, found.n_kept_good, found.n_dropped, found.n_dropped_good) == (10, 8, 10, 1)


def test_recall_counts_a_vote_with_the_documents_it_stands_for() -> None:
    # 70 kept of which .8 are good, 300 dropped of which .1 are: 56 of 86.
    assert halves(70, 300, "++++++++--", "+---------").recall.value == pytest.approx(56 / 86)


def searched(found: Audit, n_kept: int, n_dropped: int) -> tuple[float, float]:
    """Every r whose (1 - r) K - r M has an interval that holds 0, by trying them all."""
    k, m = found.precision, found.dropped_good
    assert k.value is not None
    assert m.value is not None
    r = np.linspace(0, 1, 20_001)
    difference = (1 - r) * n_kept * k.value - r * n_dropped * m.value
    high = difference + np.hypot((1 - r) * n_kept * (k.high - k.value), r * n_dropped * (m.value - m.low))
    low = difference - np.hypot((1 - r) * n_kept * (k.value - k.low), r * n_dropped * (m.high - m.value))
    inside = r[(low <= 1e-12) & (high >= -1e-12)]
    return float(inside.min()), float(inside.max())


@given(
    st.integers(1, 500),
    st.integers(1, 500),
    st.text("+-", min_size=1, max_size=30),
    st.text("+-", min_size=1, max_size=30),
)
@settings(max_examples=60, deadline=None)
def test_limits_of_recall_are_those_that_a_search_finds(
    n_kept: int, n_dropped: int, kept: str, dropped: str
) -> None:
    n_kept, n_dropped = n_kept + len(kept), n_dropped + len(dropped)
    found = halves(n_kept, n_dropped, kept, dropped)
    assert (found.recall.low, found.recall.high) == pytest.approx(
        searched(found, n_kept, n_dropped), abs=2e-4
    )
    if found.recall.value is not None:
        assert found.recall.low <= found.recall.value <= found.recall.high


def test_what_is_not_known_is_not_told() -> None:
    nothing = halves(5, 6, "", "")
    assert (nothing.precision.value, nothing.recall.value) == (None, None)
    assert (nothing.recall.low, nothing.recall.high) == (0.0, 1.0)
    one_side = halves(5, 6, "+++", "")
    assert (one_side.precision.value, one_side.recall.value) == (1.0, None)
    assert halves(5, 6, "--", "---").recall.value is None
    all_kept = halves(5, 0, "+-", "").recall
    assert (all_kept.value, all_kept.low, all_kept.high) == (1.0, 1.0, 1.0)
    none_kept = halves(0, 5, "", "+-").recall
    assert (none_kept.value, none_kept.low, none_kept.high) == (0.0, 0.0, 0.0)


def test_a_cut_that_has_moved_is_judged_by_cells_of_known_size() -> None:
    """By hand: strata of 10 and 20 documents; the new cut keeps 6 of the first and 5 of the second."""
    stratum = np.repeat([0, 1], [10, 20])
    keep = np.isin(np.arange(30), [0, 1, 2, 3, 4, 5, 10, 11, 12, 13, 14])
    rows = np.array([0, 1, 2, 8, 10, 20, 21])
    good = np.array([True, True, False, False, True, False, True])
    found = audit(keep, stratum, np.ones(30), rows, good)
    assert found.precision.value == pytest.approx((6 * 2 / 3 + 5 * 1) / 11)
    kept, dropped = 6 * 2 / 3 + 5, 4 * 0 + 15 * 1 / 2
    assert found.recall.value == pytest.approx(kept / (kept + dropped))
    first, second = wilson_interval(2, 3), wilson_interval(1, 1)
    below = math.hypot(6 * (2 / 3 - first[0]), 5 * (1 - second[0])) / 11
    assert found.precision.low == pytest.approx((6 * 2 / 3 + 5) / 11 - below)


def test_unequal_weights_count_and_widen_the_interval() -> None:
    keep, stratum = np.ones(8, dtype=bool), np.zeros(8, dtype=np.int64)
    weights = np.array([1.0, 1, 1, 1, 4, 4, 4, 4])
    rows, good = np.array([0, 1, 4, 5]), np.array([True, True, True, False])
    found = audit(keep, stratum, weights, rows, good).precision
    assert found.value == pytest.approx(6 / 10)
    n = 10**2 / 34
    assert (found.low, found.high) == pytest.approx(wilson_interval(0.6 * n, n))


def test_documents_beyond_the_design_count_for_nothing_and_votes_on_them_are_refused() -> None:
    keep = np.array([True, True, False, False, True])
    stratum = np.array([0, 0, 1, 1, OUTSIDE])
    rows, good = np.array([0, 2]), np.array([True, True])
    assert audit(keep, stratum, np.ones(5), rows, good).recall.value == pytest.approx(0.5)
    with pytest.raises(InputError, match="can't draw"):
        audit(keep, stratum, np.ones(5), np.array([4]), np.array([True]))
    with pytest.raises(InputError, match="two votes"):
        audit(keep, stratum, np.ones(5), np.array([1, 1]), np.array([True, True]))


@pytest.mark.parametrize(
    ("p_kept", "p_dropped", "moved"), [(0.9, 0.3, 0.0), (0.97, 0.05, 0.0), (0.8, 0.3, 0.25)]
)
def test_intervals_cover_the_truth_as_often_as_they_say(
    p_kept: float, p_dropped: float, moved: float
) -> None:
    """1,000 draws of 40 and 40, from documents that weigh 1 and 3; `moved`: the share that changes sides later."""
    rng = np.random.default_rng(7)
    n, n_draws = 5_000, 1_000
    drawn_keep = rng.random(n) < 0.35
    keep = drawn_keep ^ (rng.random(n) < moved)
    good = rng.random(n) < np.where(drawn_keep, p_kept, p_dropped)
    weights = np.where(rng.random(n) < 0.5, 1.0, 3.0)
    stratum = np.where(drawn_keep, 0, 1)
    precision = (weights * (keep & good)).sum() / (weights * keep).sum()
    recall = (weights * (keep & good)).sum() / (weights * good).sum()
    sides = [np.flatnonzero(stratum == h) for h in (0, 1)]
    covered = np.zeros(2)
    for _ in range(n_draws):
        rows = np.concatenate([rng.choice(side, 40, replace=False) for side in sides])
        found = audit(keep, stratum, weights, rows, good[rows])
        covered += [
            found.precision.low <= precision <= found.precision.high,
            found.recall.low <= recall <= found.recall.high,
        ]
    assert (covered / n_draws > 0.93).all(), covered / n_draws
    # Nor are they so wide that they say nothing.
    assert (covered / n_draws < 0.995).all(), covered / n_draws
