"""Non-negative orthogonal matching pursuit, held to scipy's non-negative least squares and to a worked example."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.optimize import nnls

from workbench.errors import InputError
from workbench.models.geometry.omp import omp_nonneg, omp_rounds

FOUR = np.array([[1.0, 0.0], [0.0, 1.0], [0.7, 0.7], [-1.0, 0.0]])
MEAN = FOUR[:3].mean(axis=0)


def rows_and_mean(n: int, d: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(n, d)) + rng.normal(size=d)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return rows, rows.mean(axis=0)


def test_the_first_pick_has_the_largest_product_with_the_target() -> None:
    products = FOUR @ MEAN
    assert products[:3].round(3).tolist() == [0.567, 0.567, 0.793]
    for ridge in (0.0, 1.0):
        found = omp_nonneg(FOUR, MEAN, 1, ridge=ridge)
        # Without a ridge in the first step, whatever the ridge: the projection over the row's squared length.
        assert found.tolist() == pytest.approx([0, 0, products[2] / 0.98, 0])


def test_a_row_against_the_target_is_never_picked_whatever_the_budget() -> None:
    for n_picks in range(6):
        assert omp_nonneg(FOUR, MEAN, n_picks, ridge=0.0)[3] == 0
        chosen = omp_rounds(FOUR, MEAN, n_picks)
        assert 3 not in chosen
        assert len(chosen) == min(n_picks, 3)
        assert chosen.tolist() == sorted({2, *chosen.tolist()} if n_picks else [])


def test_of_equal_rows_the_first_is_picked() -> None:
    rows = FOUR[[3, 2, 2, 0, 0]]
    assert np.flatnonzero(omp_nonneg(rows, MEAN, 1)).tolist() == [1]


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("ridge", [0.0, 0.05, 1.0])
def test_coefficients_are_those_of_non_negative_least_squares_on_the_rows_picked(
    seed: int, ridge: float
) -> None:
    rows, target = rows_and_mean(40, 15, seed)
    found = omp_nonneg(rows, target, 10, ridge=ridge)
    support = np.flatnonzero(found)
    assert (found >= 0).all()
    assert 1 <= len(support) <= 10
    if len(support) == 1:
        ridge = 0.0
    # Ridge is least squares with sqrt(ridge) I below and zeros to hit.
    system = np.vstack([rows[support].T, math.sqrt(ridge) * np.eye(len(support))])
    expected = nnls(system, np.r_[target, np.zeros(len(support))])[0]
    np.testing.assert_allclose(found[support], expected, atol=1e-9)


@pytest.mark.parametrize("seed", range(4))
def test_without_a_ridge_each_further_pick_leaves_less(seed: int) -> None:
    rows, target = rows_and_mean(60, 20, seed)
    left = [
        np.linalg.norm(target - omp_nonneg(rows, target, n, ridge=0.0, tolerance=0.0) @ rows)
        for n in range(8)
    ]
    assert left[0] == np.linalg.norm(target)
    assert (np.diff(left) < 0).all()
    # No choice of coefficients for all rows leaves less than non-negative least squares.
    assert left[-1] >= nnls(rows.T, target)[1] - 1e-12


def test_a_pursuit_ends_when_so_small_a_share_is_left() -> None:
    rows, target = rows_and_mean(60, 20, 0)
    left = [np.linalg.norm(target - omp_nonneg(rows, target, n, ridge=0.0) @ rows) for n in range(8)]
    share = float(left[3] / left[0])
    for tolerance, n_expected in ((share * 1.001, 3), (share * 0.999, 4), (1.0, 0)):
        assert np.count_nonzero(omp_nonneg(rows, target, 20, ridge=0.0, tolerance=tolerance)) == n_expected


def test_a_ridge_ends_a_pursuit_early_and_rounds_go_on() -> None:
    rows, target = rows_and_mean(60, 20, 1)
    with_ridge = np.count_nonzero(omp_nonneg(rows, target, 12, ridge=1.0))
    assert with_ridge < np.count_nonzero(omp_nonneg(rows, target, 12, ridge=0.0)) <= 12
    chosen = omp_rounds(rows, target, 12)
    assert len(chosen) == len(set(chosen.tolist())) == 12
    assert set(np.flatnonzero(omp_nonneg(rows, target, 12)).tolist()) <= set(chosen.tolist())


@pytest.mark.parametrize(
    ("rows", "target"),
    [(-FOUR[:3], MEAN), (FOUR, np.zeros(2)), (np.zeros((3, 2)), MEAN), (np.zeros((0, 2)), MEAN)],
    ids=["all against it", "no target", "no direction", "no rows"],
)
def test_rounds_end_where_nothing_points_along_the_target(rows: np.ndarray, target: np.ndarray) -> None:
    assert omp_rounds(rows, target, 3).tolist() == []


def test_the_scale_of_everything_changes_no_pick() -> None:
    rows, target = rows_and_mean(50, 12, 2)
    one = omp_rounds(rows, target, 9, ridge=1.0)
    assert omp_rounds(1e-8 * rows, 1e-8 * target, 9, ridge=1e-16).tolist() == one.tolist()


def test_what_has_no_meaning_is_refused() -> None:
    with pytest.raises(
        InputError, match=r"rows must be \(n, d\) and the target \(d,\), got \(4, 2\) and \(3,\)"
    ):
        omp_nonneg(FOUR, np.ones(3), 1)
    for name in ("ridge", "tolerance"):
        with pytest.raises(InputError, match=f"{name} must be at least 0, got -1"):
            omp_nonneg(FOUR, MEAN, 1, **{name: -1.0})
    with pytest.raises(InputError, match="n_picks must be at least 0"):
        omp_rounds(FOUR, MEAN, -1)
