"""Fréchet distance and farthest-point sampling."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.linalg import sqrtm

from workbench.errors import InputError
from workbench.models.geometry.frechet import frechet_distance, moments


@pytest.mark.parametrize("seed", range(4))
def test_the_distance_is_that_of_a_root_of_the_product(seed: int) -> None:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(40, 7)) @ rng.normal(size=(7, 7))
    y = rng.normal(1, 2, size=(25, 7))
    c1, c2 = np.cov(x, rowvar=False), np.cov(y, rowvar=False)
    expected = ((x.mean(0) - y.mean(0)) ** 2).sum() + np.trace(c1 + c2 - 2 * sqrtm(c1 @ c2).real)
    assert frechet_distance(moments(x), moments(y)) == pytest.approx(expected, rel=1e-6)


def test_of_two_gaussians_of_one_number_it_is_the_closed_form() -> None:
    x = np.random.default_rng(0).normal(size=(200, 1))
    assert frechet_distance(moments(x), moments(x)) == pytest.approx(0, abs=1e-12)
    assert frechet_distance(moments(x), moments(x + 1.5)) == pytest.approx(1.5**2)
    sigma = x.std(ddof=1)
    expected = (2 * x.mean()) ** 2 + (2 * sigma) ** 2  # (3 m - m)^2 + (3 s - s)^2
    assert frechet_distance(moments(x), moments(3 * x)) == pytest.approx(expected)


def test_a_weight_is_so_many_copies_and_merged_sets_are_one() -> None:
    rng = np.random.default_rng(1)
    x, w = rng.normal(size=(30, 4)), rng.integers(1, 5, 30)
    copies = moments(np.repeat(x, w, axis=0))
    weighted = moments(x, w.astype(float))
    np.testing.assert_allclose(weighted.mean, copies.mean)
    np.testing.assert_allclose(weighted.scatter, copies.scatter)
    both = moments(x[:11], w[:11].astype(float)).merged(moments(x[11:], w[11:].astype(float)))
    np.testing.assert_allclose(both.scatter, weighted.scatter)
    np.testing.assert_allclose(both.mean, weighted.mean)
    assert (both.n, both.weight) == (30, w.sum())


def test_few_rows_tell_the_trace_and_not_the_directions() -> None:
    x = np.random.default_rng(2).normal(size=(5, 20))
    shrunk, full = moments(x).covariance(5), np.cov(x, rowvar=False)
    assert np.trace(shrunk) == pytest.approx(np.trace(full))
    np.testing.assert_allclose(shrunk, 0.25 * full + 0.75 * np.trace(full) / 20 * np.eye(20))
    np.testing.assert_allclose(moments(x).covariance(20), full)
    assert not moments(x[:1]).covariance(1).any()


def test_a_part_of_a_set_is_nearer_to_it_than_another_set_is() -> None:
    rng = np.random.default_rng(5)
    scale = np.linspace(0.1, 2, 30)
    whole, other = rng.normal(size=(900, 30)) * scale, rng.normal(size=(12, 30)) * scale.mean()
    part = moments(whole[:12])
    assert frechet_distance(part, moments(whole)) < frechet_distance(part, moments(other))


def test_no_rows_have_no_moments() -> None:
    with pytest.raises(InputError, match="at least one row"):
        moments(np.zeros((0, 3)))
    with pytest.raises(InputError, match="a weight above 0"):
        moments(np.zeros((2, 3)), np.array([1.0, 0.0]))
