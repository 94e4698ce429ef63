"""Facility location by greedy picks, held to the definition and to the best of all subsets."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from workbench.errors import InputError
from workbench.models.geometry.facility import facility_location, nearness, stands_for


def points(n: int, d: int, seed: int = 0) -> np.ndarray:
    x = np.random.default_rng(seed).normal(size=(n, d))
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def worth(similarity: np.ndarray, chosen: tuple[int, ...] | list[int]) -> float:
    return float(similarity[:, list(chosen)].max(axis=1).sum()) if len(chosen) else 0.0


@pytest.mark.parametrize("seed", range(5))
def test_each_pick_is_the_one_of_the_definition(seed: int) -> None:
    rng = np.random.default_rng(seed)
    similarity = rng.random((23, 23))  # it needn't be symmetric
    found = facility_location(similarity, 12)
    chosen: list[int] = []
    for new, gain in zip(found.order.tolist(), found.gain, strict=True):
        adds = [worth(similarity, [*chosen, j]) - worth(similarity, chosen) for j in range(23)]
        assert new == int(np.argmax(adds))
        assert gain == pytest.approx(adds[new])
        chosen.append(new)
    assert (np.diff(found.gain) <= 1e-12).all()


@pytest.mark.parametrize("seed", range(5))
def test_greedy_is_at_least_so_near_the_best_of_all_subsets(seed: int) -> None:
    similarity = nearness(x := points(12, 3, seed), x)
    for k in (1, 3, 5):
        found = worth(similarity, facility_location(similarity, k).order.tolist())
        best = max(worth(similarity, rows) for rows in itertools.combinations(range(12), k))
        assert (1 - 1 / math.e) * best <= found <= best + 1e-9
        assert k != 1 or found == pytest.approx(best)


def test_of_three_copies_the_first_stands_for_all_and_the_others_add_nothing() -> None:
    x = points(6, 4)[[0, 1, 0, 2, 0]]
    found = facility_location(nearness(x, x), 5)
    assert found.order.tolist()[0] == 0
    assert found.order.tolist()[3:] == [2, 4]
    assert found.gain[3:] == pytest.approx([0, 0], abs=1e-9)
    assert stands_for(nearness(x, x[found.order[:3]])).tolist() == [3, 1, 1]


def test_nearness_is_the_largest_distance_less_the_distance() -> None:
    x = np.array([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]], dtype=np.float32)
    expected = [[2, 2 - math.sqrt(2), 0]]
    np.testing.assert_allclose(nearness(x[:1], x), expected, atol=1e-12)


def test_none_and_all_can_be_picked() -> None:
    similarity = nearness(x := points(7, 3), x)
    assert facility_location(similarity, 0).order.tolist() == []
    assert sorted(facility_location(similarity, 7).order.tolist()) == list(range(7))
    assert facility_location(similarity[:0, :0], 0).order.tolist() == []


def test_what_has_no_meaning_is_refused() -> None:
    with pytest.raises(InputError, match=r"similarity must be \(n, n\) numbers of 0 or more, got \(2, 3\)"):
        facility_location(np.ones((2, 3)), 1)
    with pytest.raises(InputError, match=r"got \(2, 2\) from -1"):
        facility_location(np.array([[1.0, -1.0], [0.0, 1.0]]), 1)
    with pytest.raises(InputError, match=r"k must lie in 0\.\.2 \(the number of rows\), got 3"):
        facility_location(np.eye(2), 3)
