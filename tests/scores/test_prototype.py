from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.errors import InputError
from workbench.scores.base import Inputs
from workbench.scores.prototype import PrototypeParams, compute, fit, prototype_distance


def inputs(x) -> Inputs:
    n = len(x)
    return Inputs([f"d{i}" for i in range(n)], ["s"] * n, ["t"] * n, columns={"embedding": x})


def rows(n, d=20, seed=0):
    x = np.random.default_rng(seed).standard_normal((n, d)).astype(np.float32)
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def test_angles_to_a_known_centroid():
    # geometry.md 2e: points at 0, 30 and 60 degrees.
    angles = np.radians([0, 30, 60])
    x = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    distance = prototype_distance(x, np.array([[1.0, 0.0]]))
    np.testing.assert_allclose(distance, 1 - np.cos(angles), atol=1e-6)


def test_one_cluster_is_the_distance_from_the_mean_direction():
    x = rows(30) + 0.5
    state = fit(inputs(x), PrototypeParams(n_clusters=1), 0)
    unit = x / np.linalg.norm(x, axis=1, keepdims=True)
    mean = unit.sum(axis=0) / np.linalg.norm(unit.sum(axis=0))
    score = compute(inputs(x), PrototypeParams(), state)["prototype_distance"]
    np.testing.assert_allclose(score, 1 - unit @ mean, atol=1e-5)
    assert score.dtype == np.float32


def test_flipping_all_signs_changes_nothing():
    x, centroids = rows(40), rows(6, seed=1)
    np.testing.assert_array_equal(prototype_distance(-x, -centroids), prototype_distance(x, centroids))


@pytest.mark.parametrize(("n", "expected"), [(3, 1), (19, 1), (20, 2), (499, 49), (500, 50), (900, 50)])
def test_a_small_sample_gets_a_cluster_for_every_ten_documents(n, expected):
    state = fit(inputs(rows(n)), PrototypeParams(n_iterations=2), 0)
    assert state["centroids"].shape == (expected, 20)
    assert state["centroids"].dtype == np.float32


def test_a_fitted_state_scores_any_batch_alike():
    x = rows(300)
    state = fit(inputs(x), PrototypeParams(n_clusters=7), 3)
    again = fit(inputs(x), PrototypeParams(n_clusters=7), 3)
    assert again["centroids"].tobytes() == state["centroids"].tobytes()
    whole = compute(inputs(x), PrototypeParams(), state)["prototype_distance"]
    parts = [
        compute(inputs(x[i : i + 37]), PrototypeParams(), state)["prototype_distance"]
        for i in range(0, 300, 37)
    ]
    assert np.concatenate(parts).tobytes() == whole.tobytes()


def test_the_cluster_is_the_centroid_that_the_distance_is_measured_to():
    x = rows(230)
    state = fit(inputs(x), PrototypeParams(n_clusters=7), 3)
    found = compute(inputs(x), PrototypeParams(n_clusters=7), state)
    cluster = found["prototype_cluster"]
    assert cluster.dtype == np.float32
    assert set(cluster.tolist()) == set(range(7))
    own = state["centroids"][cluster.astype(int)]
    np.testing.assert_allclose(found["prototype_distance"], 1 - (x * own).sum(axis=1), atol=1e-6)
    np.testing.assert_array_equal(found["prototype_distance"], prototype_distance(x, state["centroids"]))
    assert (found["prototype_distance"][:, None] <= 1 - x @ state["centroids"].T + 1e-6).all()


@given(st.integers(0, 2**31), st.integers(1, 40))
def test_distances_lie_in_0_to_2(seed, n):
    distance = prototype_distance(rows(n, seed=seed), rows(3, seed=seed + 1))
    assert ((distance >= 0) & (distance <= 2)).all()


@pytest.mark.parametrize("field", ["n_clusters", "n_iterations"])
def test_counts_below_one_are_refused(field):
    with pytest.raises(InputError, match=f"{field} must be at least 1, got 0"):
        fit(inputs(rows(20)), PrototypeParams(**{field: 0}), 0)
