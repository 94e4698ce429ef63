"""Farthest-point sampling."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from workbench.models.geometry import farthest
from workbench.models.geometry.farthest import farthest_points
from workbench.models.geometry.rows import unit_rows


@pytest.mark.parametrize(("n", "budget"), [(1, 0), (1, 3), (25, 11), (40, 40), (33, 50)])
def test_each_pick_is_farthest_from_those_before_it(n: int, budget: int) -> None:
    x = unit_rows(np.random.default_rng(n).normal(size=(n, 3)))
    found = farthest_points(x, n // 2, np.ones(n), budget)
    assert len(found) == min(n, budget) == len(set(found.tolist()))
    distance = ((x[:, None].astype(float) - x[None]) ** 2).sum(axis=2)
    for k in range(1, len(found)):
        to_picked = distance[:, found[:k]].min(axis=1)
        assert to_picked[found[k]] >= to_picked.max() - 1e-6


def test_the_budget_is_of_weights() -> None:
    x = unit_rows(np.random.default_rng(3).normal(size=(12, 5)))
    weight = np.full(12, 4.0)
    assert [len(farthest_points(x, 0, weight, b)) for b in (0, 1.9, 2, 8, 48, 99)] == [0, 0, 1, 2, 12, 12]
    assert [len(farthest_points(x, 0, weight, b)) for b in (5.9, 6.1)] == [1, 2]


def test_copies_come_last() -> None:
    x = unit_rows(np.repeat(np.eye(4), 3, axis=0))
    found = farthest_points(x, 5, np.ones(12), 12)
    first, _ = found[:4] // 3, found[4:]
    assert sorted(first.tolist()) == [0, 1, 2, 3]
    assert all(a < b for a, b in itertools.pairwise(found[4:].tolist())), "ties go by row"


def naive(x: np.ndarray, start: int, n: int) -> list[int]:
    """Each pick by a look at all rows."""
    found, nearest = [start], np.full(len(x), -np.inf)
    while len(found) < n:
        nearest = np.maximum(nearest, np.round(x @ x[found[-1]], 6))
        nearest[found[-1]] = np.inf
        found.append(int(np.argmin(nearest)))
    return found


@pytest.mark.parametrize("kind", ["spread", "clusters", "copies"])
def test_the_picks_are_those_of_a_look_at_all_rows(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # So few that each search has many rows beyond those that it watches, and picks that they missed.
    monkeypatch.setattr(farthest, "_WATCHED", 13)
    monkeypatch.setattr(farthest, "_HEARD", 7)
    rng = np.random.default_rng(4)
    x = rng.normal(size=(400, 6))
    if kind != "spread":
        x = rng.normal(size=(20, 6))[rng.integers(0, 20, 400)] + (0.1 if kind == "clusters" else 0) * x
    x = unit_rows(x).astype(np.float32)
    assert farthest_points(x, 3, np.ones(400), 400).tolist() == naive(x, 3, 400)
