"""Association with lengths and groups, held against scipy, and against documents written out as often as they weigh."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import kruskal, rankdata, spearmanr
from scipy.stats.contingency import association

from workbench.checks import Array
from workbench.stats.association import (
    correlation_ratio,
    cramers_v,
    effective_n,
    midranks,
    weighted_spearman,
)
from workbench.stats.confounds import Association, SelectionConfounds, score_association

SEEDS = st.integers(0, 2**32 - 1)


def documents(seed: int, n: int = 37) -> tuple[Array, Array, Array, Array]:
    """Two columns with ties, a group, and whole weights."""
    rng = np.random.default_rng(seed)
    a = rng.integers(0, 9, n).astype(float)
    b = np.round(a / 3 + rng.normal(size=n), 1)
    return a, b, rng.integers(0, 4, n), rng.integers(1, 5, n).astype(float)


@settings(max_examples=30, deadline=None)
@given(SEEDS)
def test_without_weights_ranks_and_their_correlation_are_scipys(seed: int) -> None:
    a, b, _, _ = documents(seed)
    ones = np.ones(len(a))
    np.testing.assert_allclose(midranks(a, ones), (rankdata(a) - 0.5) / len(a))
    assert weighted_spearman(a, b, ones) == pytest.approx(spearmanr(a, b).statistic)


@settings(max_examples=30, deadline=None)
@given(SEEDS)
def test_a_weight_counts_as_so_many_documents(seed: int) -> None:
    a, b, _, weight = documents(seed)
    times = weight.astype(int)
    expected = spearmanr(np.repeat(a, times), np.repeat(b, times)).statistic
    assert weighted_spearman(a, b, weight) == pytest.approx(expected)


@settings(max_examples=30, deadline=None)
@given(SEEDS)
def test_the_correlation_ratio_of_ranks_is_kruskals_h_less_what_chance_gives(seed: int) -> None:
    a, _, group, _ = documents(seed)
    n, groups = len(a), [a[group == g] for g in np.unique(group)]
    squared = kruskal(*groups).statistic / (n - 1)
    expected = np.sqrt(max(0.0, 1 - (1 - squared) * (n - 1) / (n - len(groups))))
    ones = np.ones(n)
    # What is zero but for rounding has a root of 1e-8.
    assert correlation_ratio(midranks(a, ones), group, ones) == pytest.approx(expected, abs=1e-7)


def bergsma(table: Array) -> float:
    """Bergsma's V from scipy's, as his paper writes it."""
    n, (r, c) = table.sum(), table.shape
    squared = association(table, method="cramer") ** 2 * (min(r, c) - 1)
    corrected = max(0.0, squared - (r - 1) * (c - 1) / (n - 1))
    return float(np.sqrt(corrected / min(k - 1 - (k - 1) ** 2 / (n - 1) for k in (r, c))))


@settings(max_examples=30, deadline=None)
@given(SEEDS)
def test_cramers_v_is_scipys_with_bergsmas_correction(seed: int) -> None:
    table = np.random.default_rng(seed).integers(1, 30, (3, 5))
    assert cramers_v(table.astype(float), float(table.sum())) == pytest.approx(bergsma(table), abs=1e-7)
    # A source without a document is no source.
    wide = np.insert(table.astype(float), 2, 0, axis=1)
    assert cramers_v(wide, float(table.sum())) == pytest.approx(bergsma(table), abs=1e-7)


def test_many_sources_are_no_confound_of_a_random_choice() -> None:
    rng = np.random.default_rng(0)
    keep, source = rng.random(3_000) < 0.5, rng.integers(0, 1_000, 3_000)
    table = np.zeros((2, 1_000))
    np.add.at(table, (keep.astype(int), source), 1)
    assert association(table[:, table.sum(axis=0) > 0].astype(int), method="cramer") > 0.5
    assert cramers_v(table, 3_000.0) < 0.15
    assert correlation_ratio(midranks(rng.random(3_000), np.ones(3_000)), source, np.ones(3_000)) < 0.15


def test_what_is_the_same_for_all_has_no_association() -> None:
    ones = np.ones(6)
    assert np.isnan(weighted_spearman(ones, np.arange(6.0), ones))
    assert np.isnan(correlation_ratio(midranks(ones, ones), np.arange(6) % 2, ones))
    assert np.isnan(correlation_ratio(midranks(np.arange(6.0), ones), np.arange(6), ones))
    assert np.isnan(cramers_v(np.array([[3.0, 4.0]]), 7.0))
    assert effective_n(np.array([2.0, 2.0, 2.0])) == pytest.approx(3)


def brute_force(step: Array, n_steps: int, length: Array, source: Array, weight: Array) -> list[Association]:
    """What is kept in the end, then each step among what it sees, over documents written out by weight."""
    times = weight.astype(int)
    step, length, source = (np.repeat(column, times) for column in (step, length, source))
    found = []
    for number in (None, *range(n_steps)):
        alive = np.ones(len(step), bool) if number is None else (step == -1) | (step >= number)
        kept = (step == -1) if number is None else alive & (step != number)
        keep = kept[alive].astype(float)
        ranks = rankdata(length)[alive]
        table = np.array([[np.sum((keep == k) & (source[alive] == s)) for s in np.unique(source[alive])]
                          for k in (0, 1)])  # fmt: skip
        r = np.corrcoef(keep, ranks)[0, 1] if keep.std() and ranks.std() else np.nan
        found.append(Association(r, bergsma(table) if min(table.shape) > 1 and keep.std() else np.nan))
    return found


@settings(max_examples=30, deadline=None)
@given(SEEDS, st.integers(0, 3))
def test_a_selection_is_held_against_documents_written_out(seed: int, n_steps: int) -> None:
    length, _, source, _ = documents(seed)
    rng = np.random.default_rng(seed)
    step = np.minimum(np.where(rng.random(37) < 0.4, -1, rng.integers(0, 4, 37)), n_steps - 1)
    step = np.where(length > 5, -1, step).astype(np.int16)
    ones = np.ones(37)
    whole, steps = SelectionConfounds(length, source, ones).measure(step, n_steps)
    for got, expected in zip((whole, *steps), brute_force(step, n_steps, length, source, ones), strict=True):
        np.testing.assert_allclose(got.length, expected.length, atol=1e-9)
        np.testing.assert_allclose(got.source, expected.source, atol=1e-7)


def test_weights_and_unknown_lengths_of_a_selection() -> None:
    length, _, source, weight = documents(4)
    length[[3, 8]] = np.nan
    step = np.where(np.nan_to_num(length) < 4, 0, -1)
    whole, steps = SelectionConfounds(length, source, weight).measure(step, 1)
    known = np.isfinite(length)
    expected = weighted_spearman((step < 0)[known].astype(float), length[known], weight[known])
    assert whole.length == pytest.approx(expected)
    assert steps == [whole]
    assert whole.length > 0.7


def test_nothing_dropped_and_no_documents_are_no_confound() -> None:
    length, _, source, weight = documents(4)
    whole, steps = SelectionConfounds(length, source, weight).measure(np.full(37, -1), 0)
    assert np.isnan([whole.length, whole.source]).all()
    assert (whole.largest, steps) == (0.0, [])
    none = np.zeros(0)
    whole, _ = SelectionConfounds(none, none.astype(int), none).measure(none.astype(int), 2)
    assert np.isnan(whole.length)


def test_a_score_is_held_against_those_documents_that_have_it() -> None:
    a, b, source, weight = documents(9)
    a[5] = np.nan
    known = np.isfinite(a)
    found = score_association(a, b, source, weight)
    assert found.length == pytest.approx(weighted_spearman(a[known], b[known], weight[known]))
    ranks = midranks(a[known], weight[known])
    assert found.source == pytest.approx(correlation_ratio(ranks, source[known], weight[known]))
    assert np.isnan(score_association(np.full(37, np.nan), b, source, weight).length)


def test_a_category_is_held_against_length_by_its_groups_and_against_source_by_a_table() -> None:
    rng = np.random.default_rng(2)
    code, source = rng.integers(0, 3, 200).astype(float), rng.integers(0, 4, 200)
    length, ones = code * 2 + rng.normal(size=200), np.ones(200)
    found = score_association(code, length, source, ones, is_category=True)
    assert found.length == pytest.approx(correlation_ratio(midranks(length, ones), code.astype(int), ones))
    table = np.array([[np.sum((code == c) & (source == s)) for s in range(4)] for c in range(3)])
    assert found.source == pytest.approx(bergsma(table), abs=1e-7)
    assert found.length > 0.7
