"""Greedy subsets of a large determinant and the log-det distance, held to brute force and to numpy's slogdet."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from workbench.errors import InputError
from workbench.models.geometry import dpp
from workbench.models.geometry.dpp import greedy_order, rbf_kernel
from workbench.models.geometry.log_det import log_det_distance

FOUR = np.array([[1.0, 0.0], [0.99, 0.141], [0.0, 1.0], [-1.0, 0.0]])


def log_det(kernel: np.ndarray, rows: tuple[int, ...] | list[int]) -> float:
    return float(np.linalg.slogdet(kernel[np.ix_(rows, rows)])[1])


def points(n: int, d: int, seed: int = 0) -> np.ndarray:
    x = np.random.default_rng(seed).normal(size=(n, d))
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def plainly(x: np.ndarray, k: int, bandwidth: float, log_quality: np.ndarray) -> list[int]:
    """The definition: the row whose determinant with those picked is largest, each time from scratch."""
    kernel, order = rbf_kernel(x, x, bandwidth), []
    kernel *= np.exp(log_quality[:, None] + log_quality)
    for _ in range(k):
        value = [log_det(kernel, [*order, i]) if i not in order else -math.inf for i in range(len(x))]
        order.append(int(np.argmax(np.round(value, 9))))
    return order


def test_the_kernel_is_that_of_its_formula() -> None:
    x, y = points(5, 3), points(4, 3, seed=1)
    expected = [[math.exp(-((a - b) ** 2).sum() / (2 * 0.7**2)) for b in y] for a in x]
    np.testing.assert_allclose(rbf_kernel(x, y, 0.7), expected, rtol=1e-12)


def test_of_four_directions_the_greedy_three_are_the_best_three() -> None:
    kernel = rbf_kernel(FOUR, FOUR, 1.0)
    assert greedy_order(FOUR, np.ones(4), 3).order.tolist() == [0, 3, 2]
    best = max(itertools.combinations(range(4), 3), key=lambda rows: log_det(kernel, rows))
    assert best == (0, 2, 3)


@pytest.mark.parametrize("seed", range(4))
def test_greedy_is_near_the_best_of_all_subsets(seed: int) -> None:
    x = points(11, 3, seed)
    kernel = rbf_kernel(x, x, 1.0)
    found = log_det(kernel, greedy_order(x, np.ones(11), 4).order.tolist())
    best = max(log_det(kernel, rows) for rows in itertools.combinations(range(11), 4))
    # (1 - 1/e) holds of a monotone function; of these sets greedy loses under a nat.
    assert best - 1.0 < found <= best + 1e-12


@pytest.mark.parametrize("weight", [0.0, 0.5])
@pytest.mark.parametrize(("front", "block"), [(2048, 128), (16, 4), (8, 1)])
def test_each_pick_is_the_one_of_the_definition_however_rows_wait(
    monkeypatch: pytest.MonkeyPatch, weight: float, front: int, block: int
) -> None:
    monkeypatch.setattr(dpp, "_FRONT", front)
    monkeypatch.setattr(dpp, "_BLOCK", block)
    x = points(60, 6)
    quality = weight * np.random.default_rng(1).normal(size=60)
    found = greedy_order(x, np.ones(60), 25, log_quality=quality)
    assert found.order.tolist() == plainly(x, 25, 1.0, quality)
    # The gains multiply up to the determinant.
    kernel = rbf_kernel(x, x, 1.0)
    assert np.log(found.gain[found.order]).sum() == pytest.approx(
        log_det(kernel, found.order.tolist()), abs=1e-9
    )
    # And of those not picked, each is what it would add.
    left = np.setdiff1d(np.arange(60), found.order)[0]
    more = log_det(kernel, [*found.order.tolist(), int(left)]) - log_det(kernel, found.order.tolist())
    assert math.log(found.gain[left]) == pytest.approx(more, abs=1e-6)


@pytest.mark.parametrize("front", [2048, 7])
def test_copies_are_never_picked_and_picking_ends_with_them(
    monkeypatch: pytest.MonkeyPatch, front: int
) -> None:
    monkeypatch.setattr(dpp, "_FRONT", front)
    x = points(30, 20)[np.arange(90) % 30].astype(np.float32)
    found = greedy_order(x, np.ones(90), 90, bandwidth=0.5)
    assert sorted(found.order.tolist()) == list(range(30))
    assert (found.gain[30:] < 1e-10).all()


def test_a_better_document_comes_first_where_quality_counts() -> None:
    quality = np.array([0.0, 3.0, 0.0, 0.0])
    assert greedy_order(FOUR, np.ones(4), 1, log_quality=quality).order.tolist() == [1]
    # The copy of a better one stays out: quality makes it no more different.
    assert greedy_order(FOUR[[0, 0, 2]], np.ones(3), 3, log_quality=quality[:3]).order.tolist() == [1, 2]
    # A scale of all qualities changes nothing.
    assert greedy_order(FOUR, np.ones(4), 3, log_quality=quality - 500).order.tolist() == (
        greedy_order(FOUR, np.ones(4), 3, log_quality=quality).order.tolist()
    )


def test_picking_ends_when_the_amounts_reach_the_budget() -> None:
    amount = np.array([5.0, 1.0, 1.0, 2.0])
    assert greedy_order(FOUR, amount, 6.5).order.tolist() == [0, 3]
    assert greedy_order(FOUR, amount, 7.5).order.tolist() == [0, 3, 2]
    assert greedy_order(FOUR, amount, 0.0).order.tolist() == []
    assert greedy_order(FOUR[:0], amount[:0], 0.0).order.tolist() == []


def test_the_scale_of_the_rows_counts_as_much_as_that_of_the_bandwidth() -> None:
    x = points(40, 4)
    one, same, other = (
        greedy_order(factor * x, np.ones(40), 10, bandwidth=s).order.tolist()
        for factor, s in ((1, 1.0), (3, 3.0), (30, 1.0))
    )
    assert one == same
    assert one != other


def test_what_memory_cannot_hold_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dpp, "MAX_BYTES", 8 * 50 * 20)
    greedy_order(points(50, 3), np.ones(50), 19)
    with pytest.raises(
        InputError, match=r"putting 30 of 50 documents in order takes .* at most a share of 0\.4 in"
    ):
        greedy_order(points(50, 3), np.ones(50), 30)


@pytest.mark.parametrize("bandwidth", [0.0, -1.0, math.nan, math.inf])
def test_a_bandwidth_that_is_not_above_0_is_refused(bandwidth: float) -> None:
    with pytest.raises(InputError, match=r"bandwidth must lie in 1e-06\.\.1e\+06"):
        rbf_kernel(FOUR, FOUR, bandwidth)
    with pytest.raises(InputError, match=r"bandwidth must lie in 1e-06\.\.1e\+06"):
        greedy_order(FOUR, np.ones(4), 3, bandwidth=bandwidth)


def test_the_log_det_distance_is_that_of_the_worked_example() -> None:
    assert log_det_distance(rbf_kernel(FOUR, FOUR, 1.0)) == pytest.approx(1.118, abs=5e-4)
    assert log_det_distance(np.eye(7)) == 0
    assert math.copysign(1, log_det_distance(np.eye(7))) == 1


def test_copies_are_infinitely_far_and_jitter_brings_them_back() -> None:
    x = FOUR[[0, 0, 2]]
    kernel = rbf_kernel(x, x, 1.0)
    assert log_det_distance(kernel) == math.inf
    near, far = (log_det_distance(kernel, jitter=j) for j in (1e-2, 1e-8))
    assert 0 < near < far < math.inf


def test_a_set_is_its_own_reference_and_a_narrower_one_is_farther() -> None:
    spread, narrow = points(20, 30), points(20, 2)
    kernel = rbf_kernel(spread, spread, 1.0)
    assert log_det_distance(kernel, kernel) == 0
    assert log_det_distance(rbf_kernel(narrow, narrow, 1.0), kernel, jitter=1e-9) > 1


def test_a_kernel_of_another_size_or_none_is_refused() -> None:
    with pytest.raises(InputError, match=r"kernel must be square.*got \(4, 2\)"):
        log_det_distance(FOUR)
    with pytest.raises(InputError, match=r"reference must be square.*got \(3, 3\)"):
        log_det_distance(np.eye(4), np.eye(3))
    with pytest.raises(InputError, match="jitter must be at least 0"):
        log_det_distance(np.eye(4), jitter=-1.0)
    with pytest.raises(InputError, match="not positive semidefinite"):
        log_det_distance(np.array([[1.0, 2.0], [2.0, 1.0]]))
