from __future__ import annotations

import numpy as np
import pytest

from workbench.errors import InputError
from workbench.models.kmeans import assign, spherical_kmeans


@pytest.fixture
def x() -> np.ndarray:
    return np.random.default_rng(0).standard_normal((700, 24)).astype(np.float32)


def test_three_directions_are_found_and_every_row_goes_to_its_own():
    rng = np.random.default_rng(1)
    middles = np.eye(20, dtype=np.float32)[[2, 7, 11]]
    own = rng.integers(0, 3, size=300)
    x = (middles[own] + 0.05 * rng.standard_normal((300, 20))) * rng.uniform(0.1, 9, size=(300, 1))
    centroids = spherical_kmeans(x, 3, 10, seed=0)
    assert (np.abs(centroids @ middles.T).max(axis=0) > 0.99).all()
    labels, similarity = assign(x, centroids)
    assert len({(a, b) for a, b in zip(own, labels, strict=True)}) == 3
    assert (similarity > 0.9).all()


def test_centroids_are_unit_rows_and_the_same_input_gives_the_same_bits(x):
    a, b = (spherical_kmeans(x, 13, 10, seed=3) for _ in range(2))
    assert a.dtype == np.float32
    assert a.shape == (13, 24)
    np.testing.assert_allclose(np.linalg.norm(a, axis=1), 1, atol=1e-6)
    assert a.tobytes() == b.tobytes()
    assert a.tobytes() != spherical_kmeans(x, 13, 10, seed=4).tobytes()


def test_scale_changes_nothing(x):
    centroids = spherical_kmeans(x, 5, 10, seed=0)
    np.testing.assert_allclose(spherical_kmeans(4 * x, 5, 10, seed=0), centroids, atol=1e-6)
    np.testing.assert_array_equal(assign(4 * x, centroids)[0], assign(x, centroids)[0])


def test_as_many_clusters_as_rows_gives_each_row_its_own():
    x = np.eye(6, 9, dtype=np.float32)
    centroids = spherical_kmeans(x, 6, 5, seed=0)
    labels, similarity = assign(x, centroids)
    assert sorted(labels) == list(range(6))
    np.testing.assert_allclose(similarity, 1, atol=1e-6)


@pytest.mark.parametrize("k", [1, 3, 50])
def test_a_rows_assignment_does_not_depend_on_its_neighbours_to_the_bit(k):
    x = np.random.default_rng(2).standard_normal((2500, 384)).astype(np.float32)
    centroids = spherical_kmeans(x[:500], k, 5, seed=0)
    labels, similarity = assign(x, centroids)
    order = np.random.default_rng(3).permutation(len(x))
    moved_labels, moved = assign(x[order], centroids)
    np.testing.assert_array_equal(moved_labels, labels[order])
    assert moved.tobytes() == similarity[order].tobytes()
    for i in (0, 1023, 1024, 2499):
        one_label, one = assign(x[i : i + 1], centroids)
        assert one_label[0] == labels[i]
        assert one.tobytes() == similarity[i : i + 1].tobytes()


def test_assign_equals_the_plain_product(x):
    centroids = spherical_kmeans(x, 7, 5, seed=0)
    cosines = (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float64) @ centroids.T
    labels, similarity = assign(x, centroids)
    assert labels.dtype == np.int64
    np.testing.assert_array_equal(labels, cosines.argmax(axis=1))
    np.testing.assert_allclose(similarity, cosines.max(axis=1), atol=1e-6)


@pytest.mark.parametrize("n_clusters", [0, 701])
def test_more_clusters_than_rows_are_refused(x, n_clusters):
    with pytest.raises(InputError, match=rf"n_clusters must lie in 1\.\.700.*got {n_clusters}"):
        spherical_kmeans(x, n_clusters, 5, seed=0)


def test_no_iteration_is_refused(x):
    with pytest.raises(InputError, match="n_iterations must be at least 1, got 0"):
        spherical_kmeans(x, 3, 0, seed=0)


@pytest.mark.parametrize("value", [0.0, np.nan, np.inf])
def test_a_row_without_direction_is_refused(x, value):
    x[17] = value
    with pytest.raises(InputError, match="row 17 of the embeddings is zero or not finite"):
        spherical_kmeans(x, 3, 5, seed=0)
    with pytest.raises(InputError, match="row 17 of the embeddings is zero or not finite"):
        assign(x, np.eye(3, 24, dtype=np.float32))


def test_other_dimensions_are_refused(x):
    with pytest.raises(InputError, match=r"same dimension, got \(700, 24\) and \(3, 20\)"):
        assign(x, np.eye(3, 20, dtype=np.float32))
