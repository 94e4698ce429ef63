"""Kernel density by hashing (Sachdeva et al. 2024)."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from workbench.errors import InputError
from workbench.scores import lsh_density
from workbench.scores.base import Inputs
from workbench.scores.lsh_density import LshDensityParams, compute, fit


def inputs(x: np.ndarray) -> Inputs:
    n = len(x)
    return Inputs(
        [f"d{i}" for i in range(n)], ["s"] * n, ["t"] * n, columns={"embedding": x.astype(np.float32)}
    )


def density(x: np.ndarray, seed: int = 0, of: np.ndarray | None = None, **params: float) -> np.ndarray:
    given = LshDensityParams(**{"n_concat": 1, "bandwidth": 1.0, **params})  # type: ignore[arg-type]
    return compute(inputs(x if of is None else of), given, fit(inputs(x), given, seed))["lsh_density"]


def collision(distance: float, bandwidth: float) -> float:
    """Chance that a Gaussian hash puts two points into one step (Datar et al. 2004)."""
    t = bandwidth / distance
    return 1 - 2 * norm.cdf(-t) - 2 / (np.sqrt(2 * np.pi) * t) * (1 - np.exp(-(t**2) / 2))


def blobs(dimension: int = 8) -> tuple[np.ndarray, float]:
    """90 copies of one point and 10 of another, as far away as in the oracle."""
    far = 57.0
    x = np.zeros((100, dimension))
    x[90:, 0] = far
    return x, far


def test_copies_count_themselves_and_far_points_leak_in_slowly() -> None:
    x, far = blobs()
    leak = collision(far, 4)
    assert leak == pytest.approx(4 / (np.sqrt(2 * np.pi) * far), rel=0.01), "only as bandwidth over distance"
    got = density(x, bandwidth=4.0)
    # Published numbers: 90.3 and 12.5, of which 1,000 hashes leave a few hundredths open.
    assert got[0] == pytest.approx(90 + 10 * leak, abs=0.15)
    assert got[90] == pytest.approx(10 + 90 * leak, abs=1.2)
    assert abs(got[0] - 90.3) < 0.2
    assert abs(got[90] - 12.5) < 1.3
    assert len(set(got[:90].tolist())) == 1


def test_several_hashes_at_once_keep_far_points_out() -> None:
    x, far = blobs()
    assert collision(far, 4) ** 3 * 90 < 0.01
    got = density(x, bandwidth=4.0, n_concat=3)
    np.testing.assert_allclose(got, np.repeat([90, 10], [90, 10]), atol=0.3)


@pytest.mark.parametrize("distance", [0.3, 1.0, 2.5])
def test_the_kernel_is_that_of_the_published_hash(distance: float) -> None:
    x = np.zeros((2, 5))
    x[1, 3] = distance
    got = density(x, bandwidth=1.0, n_hashes=40_000, n_buckets=50)
    expected = 1 + collision(distance, 1.0)
    np.testing.assert_allclose(got, expected, atol=0.012 if distance < 2 else 0.03)
    both = density(x, bandwidth=1.0, n_hashes=20_000, n_buckets=5000, n_concat=2)
    np.testing.assert_allclose(both, 1 + collision(distance, 1.0) ** 2, atol=0.012)


def test_with_the_identity_for_hashes_the_density_is_the_multiplicity() -> None:
    x = np.array([[0.0], [3], [3], [-2], [3], [0]])
    sketch = np.zeros((2, 9), dtype=np.uint8)
    sketch[:, [0, 3, -2 % 9]] = [2, 3, 1]  # a floor below 0 is counted from the end
    state = {"projection": np.ones((1, 2), np.float32), "offset": np.zeros(2, np.float32), "sketch": sketch}
    got = compute(inputs(x), LshDensityParams(), state)["lsh_density"]
    assert got.tolist() == [2, 3, 3, 1, 3, 2]
    assert got.dtype == np.float32


def test_it_is_what_a_loop_over_documents_and_hashes_counts() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(70, 6)).astype(np.float32)
    params = LshDensityParams(n_hashes=11, n_buckets=7, bandwidth=0.7, n_concat=1)
    state = fit(inputs(x), params, 5)
    codes = np.floor(x @ state["projection"] + state["offset"]).astype(int)
    assert (codes < 0).any()
    expected = [
        np.mean([sum(codes[m, r] % 7 == codes[i, r] % 7 for m in range(70)) for r in range(11)])
        for i in range(70)
    ]
    np.testing.assert_allclose(compute(inputs(x), params, state)["lsh_density"], expected, rtol=1e-6)


@pytest.mark.parametrize(("n", "dtype"), [(30, np.uint8), (300, np.uint16)])
@pytest.mark.parametrize("n_concat", [1, 3])
def test_each_row_of_the_sketch_counts_every_document(n: int, dtype: type, n_concat: int) -> None:
    x = np.random.default_rng(1).normal(size=(n, 9))
    state = fit(inputs(x), LshDensityParams(13, 40, 0.5, n_concat), 0)
    assert state["sketch"].shape == (13, 40)
    assert state["sketch"].dtype == dtype
    assert (state["sketch"].sum(axis=1, dtype=int) == n).all()
    assert state["projection"].shape == (9, 13 * n_concat)


def test_by_default_copies_outweigh_all_that_is_far() -> None:
    rng = np.random.default_rng(6)
    x = rng.normal(size=(400, 96))
    x[:8] = x[0]
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    state = fit(inputs(x), LshDensityParams(), 0)
    got = compute(inputs(x), LshDensityParams(), state)["lsh_density"]
    assert got[:8].min() > 5 * got[8:].max()
    flat = density(x)  # one hash of bandwidth 1
    assert flat[:8].min() < 1.2 * flat[8:].max()


def test_a_sample_larger_than_what_is_counted_at_once_gives_the_same_sketch(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    x = np.random.default_rng(7).normal(size=(600, 5))
    params = LshDensityParams(n_hashes=7, n_buckets=90)
    whole = fit(inputs(x), params, 0)["sketch"]
    monkeypatch.setattr(lsh_density, "_COUNTED", 256)
    np.testing.assert_array_equal(fit(inputs(x), params, 0)["sketch"], whole)


def test_buckets_that_are_shared_add_about_one_n_buckets_th_of_the_documents() -> None:
    x = np.random.default_rng(2).normal(size=(400, 6)) * 1000
    got = density(x, n_buckets=16, bandwidth=0.01, n_hashes=300)
    assert got.mean() == pytest.approx(1 + 399 / 16, rel=0.03)
    assert density(x, n_buckets=16, bandwidth=0.01, n_hashes=300, n_concat=2).mean() == pytest.approx(
        1 + 399 / 16, rel=0.03
    )


def test_the_scale_of_the_embedding_matters_and_the_bandwidth_undoes_it() -> None:
    x = np.random.default_rng(3).normal(size=(80, 7))
    one, scaled = density(x, bandwidth=1.0), density(3 * x, bandwidth=1.0)
    assert (scaled < one).mean() > 0.9
    np.testing.assert_allclose(density(3 * x, bandwidth=3.0), one, rtol=0.02)


def test_a_document_that_meets_nobody_of_the_sample_has_1() -> None:
    x = np.random.default_rng(4).normal(size=(20, 5))
    assert density(x, of=x[:1] + 5000, bandwidth=0.1).tolist() == [1]
    assert density(x, of=x[:0]).shape == (0,)


def test_the_seed_draws_the_hashes() -> None:
    x = np.random.default_rng(5).normal(size=(40, 5))
    first = density(x, 1, n_hashes=20)
    assert np.array_equal(first, density(x, 1, n_hashes=20))
    assert not np.array_equal(first, density(x, 2, n_hashes=20))


@pytest.mark.parametrize("name", ["n_hashes", "n_buckets", "n_concat"])
def test_numbers_below_1_are_refused(name: str) -> None:
    with pytest.raises(InputError, match=f"{name} must be at least 1, got 0"):
        density(np.ones((3, 2)), **{name: 0})


@pytest.mark.parametrize("bandwidth", [0.0, -1.0, float("nan")])
def test_a_bandwidth_that_is_not_above_0_is_refused(bandwidth: float) -> None:
    with pytest.raises(InputError, match="bandwidth must be at least "):
        density(np.ones((3, 2)), bandwidth=bandwidth)


def test_another_dimension_than_the_fitted_one_is_refused() -> None:
    with pytest.raises(InputError, match=r"the dimension that was fitted, 2, got \(3, 4\)"):
        density(np.ones((3, 2)), of=np.ones((3, 4)))
