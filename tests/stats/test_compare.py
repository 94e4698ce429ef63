"""Two selections side by side, held against loops over single documents."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.errors import InputError
from workbench.stats.compare import PARTS, group_shifts, membership, overlap, overlaps, score_shift


@st.composite
def pairs(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Two selections, weights, groups and a score with gaps."""
    n = draw(st.integers(0, 25))
    flags = st.lists(st.booleans(), min_size=n, max_size=n)
    a, b = (np.asarray(draw(flags), dtype=bool) for _ in range(2))
    weight = np.asarray(draw(st.lists(st.sampled_from([1.0, 2.0, 4.0, 7.5]), min_size=n, max_size=n)))
    codes = np.asarray(draw(st.lists(st.integers(0, 3), min_size=n, max_size=n)), dtype=np.int64)
    numbers = st.one_of(st.just(math.nan), st.just(math.inf), st.integers(-8, 8).map(float))
    values = np.asarray(draw(st.lists(numbers, min_size=n, max_size=n)), dtype=np.float64)
    return a, b, weight.astype(np.float64), codes, values


@settings(deadline=None, max_examples=50)
@given(pairs())
def test_every_document_falls_on_one_part(
    given_: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray],
) -> None:
    a, b, weight, _, _ = given_
    sums = dict.fromkeys(PARTS, 0.0)
    for keep_a, keep_b, w in zip(a, b, weight, strict=True):
        name = "both" if keep_a and keep_b else "only_a" if keep_a else "only_b" if keep_b else "neither"
        sums[name] += w
    found = overlap(a, b, weight)
    assert {name: getattr(found, name) for name in PARTS} == sums
    assert found.kept_a == weight[a].sum()
    assert found.kept_b == weight[b].sum()
    swapped = overlap(b, a, weight)
    assert (swapped.only_a, swapped.only_b, swapped.both) == (found.only_b, found.only_a, found.both)
    np.testing.assert_allclose(found.jaccard, overlaps({"a": a, "b": b}, weight)[0, 1], rtol=1e-12)
    assert [PARTS[i] for i in membership(a, b)].count("both") == int((a & b).sum())


@settings(deadline=None, max_examples=50)
@given(pairs())
def test_shares_of_groups_are_those_of_a_loop(
    given_: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray],
) -> None:
    a, b, weight, codes, _ = given_
    names = ["p", "q", "r", "s"]
    for place, shift in enumerate(group_shifts(a, b, codes, names, weight)):
        rows = [i for i in range(len(codes)) if codes[i] == place]
        assert shift.name == names[place]
        assert (shift.n, shift.n_a, shift.n_b) == (len(rows), sum(a[rows]), sum(b[rows]))
        for keep, share in ((np.ones_like(a), shift.share), (a, shift.share_a), (b, shift.share_b)):
            whole = sum(w for w, k in zip(weight, keep, strict=True) if k)
            part = sum(weight[i] for i in rows if keep[i])
            assert share == pytest.approx(part / whole) if whole else math.isnan(share)


def slow_side(keep: np.ndarray, values: np.ndarray, weight: np.ndarray) -> tuple[float, float, float]:
    """Mean, variance and median, document by document; each stands for as many copies as its weight says."""
    have = sorted((v, w) for k, v, w in zip(keep, values, weight, strict=True) if k and math.isfinite(v))
    if not have:
        return (math.nan,) * 3
    copies = [v for v, w in have for _ in range(round(2 * w))]  # weights are halves
    mean = math.fsum(copies) / len(copies)
    variance = math.fsum((v - mean) ** 2 for v in copies) / len(copies)
    return mean, variance, copies[(len(copies) - 1) // 2]


@settings(deadline=None, max_examples=50)
@given(pairs())
def test_a_weighted_document_counts_as_so_many_copies(
    given_: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray],
) -> None:
    a, b, weight, _, values = given_
    shift = score_shift(a, b, values, weight)
    sides = [slow_side(keep, values, weight) for keep in (a, b)]
    expected = [side[i] for i in (0, 2) for side in sides]
    found = [shift.mean_a, shift.mean_b, shift.median_a, shift.median_b]
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9)
    spread = math.sqrt((sides[0][1] + sides[1][1]) / 2)
    if spread > 1e-6:
        np.testing.assert_allclose(
            shift.difference, (sides[1][0] - sides[0][0]) / spread, rtol=1e-6, atol=1e-9
        )
    for keep, unscored in ((a, shift.unscored_a), (b, shift.unscored_b)):
        if keep.any():
            lacks = [w for k, v, w in zip(keep, values, weight, strict=True) if k and not math.isfinite(v)]
            assert unscored == pytest.approx(sum(lacks) / weight[keep].sum())
        else:
            assert math.isnan(unscored)


def test_the_standardized_difference_of_two_normals_is_their_distance() -> None:
    """Normal scores one and a half standard deviations apart: the closed form."""
    quantiles = np.asarray([NormalDist(0, 1).inv_cdf((i + 0.5) / 4000) for i in range(4000)])
    values = 1e9 + np.concatenate([quantiles, quantiles + 1.5])
    a = np.arange(8000) < 4000
    assert score_shift(a, ~a, values).difference == pytest.approx(1.5, abs=2e-3)
    assert score_shift(~a, a, values).difference == pytest.approx(-1.5, abs=2e-3)


def test_equal_selections_do_not_differ_and_constants_have_no_scale() -> None:
    keep = np.array([True, True, False])
    assert score_shift(keep, keep, np.array([3.0, 3.0, 1.0])).difference == 0
    assert math.isnan(score_shift(keep, ~keep, np.array([3.0, 3.0, 1.0])).difference)
    assert math.isnan(score_shift(keep, ~keep, np.array([3.0, 3.0, np.nan])).difference)


def test_selections_of_different_samples_are_refused() -> None:
    with pytest.raises(InputError, match="must be of the same documents, got 2 and 3"):
        overlap(np.ones(2, dtype=bool), np.ones(3, dtype=bool))
    with pytest.raises(InputError, match="2 documents and 3 amounts"):
        overlap(np.ones(2, dtype=bool), np.ones(2, dtype=bool), np.ones(3))
