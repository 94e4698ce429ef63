"""CRISP's weight of a document's cluster."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from workbench.errors import InputError
from workbench.models.geometry.kmeans import assign
from workbench.scores.base import Inputs
from workbench.scores.crisp import CrispParams, compute, fit

CENTRES = np.eye(3)


def around(sizes: list[int], seed: int = 0) -> np.ndarray:
    """So many vectors around each axis."""
    rows = np.repeat(CENTRES, sizes, axis=0)
    return (rows + np.random.default_rng(seed).normal(scale=0.05, size=rows.shape)).astype(np.float32)


def inputs_of(x: np.ndarray, target: np.ndarray | None = None) -> Inputs:
    ids = [f"d{i}" for i in range(len(x))]
    return Inputs(
        ids, ["s"] * len(x), ids, {"embedding": x}, target=None if target is None else inputs_of(target)
    )


def run(x: np.ndarray, target: np.ndarray, **params: Any) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    given = CrispParams(**params)
    state = fit(inputs_of(x, target), given, 0)
    return compute(inputs_of(x), given, state)["crisp_log_weight"], dict(state)


def test_the_weight_is_the_ratio_of_the_shares() -> None:
    found, _ = run(around([10, 20, 30]), around([6, 3, 1], seed=1), n_clusters=3)
    np.testing.assert_allclose(np.exp(found[[0, 10, 30]]), [0.6 * 6, 0.3 * 3, 0.1 * 2], rtol=1e-5)
    assert len(np.unique(found)) == 3


def test_the_weights_average_to_1_over_the_sample() -> None:
    rng = np.random.default_rng(2)
    x, target = rng.normal(size=(300, 5)), rng.normal(size=(200, 5)) + 0.5
    found, state = run(x.astype(np.float32), target.astype(np.float32), n_clusters=8)
    assert len(state["centroids"]) == 8
    assert np.exp(found).mean() == pytest.approx(1, abs=1e-4)
    expected = np.bincount(assign(target, state["centroids"])[0], minlength=8) / 200
    own = np.bincount(assign(x, state["centroids"])[0], minlength=8) / 300
    np.testing.assert_allclose(np.exp(state["log_weight"]) * own, expected, atol=1e-6)


def test_a_sample_that_is_its_own_target_has_equal_weights() -> None:
    x = around([10, 20, 30])
    assert run(x, x, n_clusters=3)[0].tolist() == [0.0] * 60


def test_a_target_of_one_cluster_draws_from_that_one_alone() -> None:
    found, _ = run(around([10, 20, 30]), around([0, 5, 0], seed=3), n_clusters=3)
    assert np.exp(found[10:30]) == pytest.approx(3)
    assert (np.delete(found, slice(10, 30)) < -15).all()
    assert np.isfinite(found).all()


def test_a_small_sample_gets_a_cluster_a_ten_documents() -> None:
    assert len(run(around([10, 10, 9]), around([1, 1, 1]))[1]["centroids"]) == 2


def test_bad_params_and_targets_without_a_vector_are_refused() -> None:
    x = around([10, 10, 10])
    for name in ("n_clusters", "n_iterations"):
        with pytest.raises(InputError, match=f"{name} must be at least 1"):
            run(x, x, **{name: 0})
    for target in (x[:0], np.ones((2, 7), dtype=np.float32)):
        with pytest.raises(InputError, match="the target needs a text with a vector of 3 numbers"):
            run(x, target)
