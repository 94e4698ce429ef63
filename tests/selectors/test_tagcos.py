"""TAGCOS (Zhang et al. 2024)."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from workbench.checks import strings
from workbench.errors import InputError
from workbench.models.geometry.omp import omp_rounds
from workbench.selectors.base import Selection
from workbench.selectors.tagcos import SPEC, TagcosParams

FOUR = np.array([[1.0, 0.0], [0.0, 1.0], [0.7, 0.7], [-1.0, 0.0]])


def run(embedding: Any, centroids: Any, **params: Any) -> Selection:
    columns = {
        "doc_id": strings(f"d{i:04d}" for i in range(len(embedding))),
        "embedding": np.array(embedding, dtype=np.float32),
    }
    state = {"centroids": np.array(centroids, dtype=np.float32)}
    return SPEC.run(columns, TagcosParams(**params), state, 0)


def around(directions: np.ndarray, labels: np.ndarray) -> np.ndarray:
    x = directions[labels] + np.random.default_rng(1).normal(
        scale=0.1, size=(len(labels), directions.shape[1])
    )
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def test_of_the_worked_example_the_diagonal_is_kept_and_what_points_against_it_never() -> None:
    kept = run(FOUR, [[1.0, 1.0], [-1.0, 0.0]], keep_fraction=0.4).keep
    assert kept.tolist() == [False, False, True, False]
    # With all four wanted only three point along their mean (0.175, 0.425): the fourth isn't filled up with.
    assert run(FOUR, [[1.0, 1.0]], keep_fraction=1.0).keep.tolist() == [True, True, True, False]


def test_each_cluster_gives_its_share_rounded_down() -> None:
    directions = np.eye(6)[:4]
    labels = np.repeat(np.arange(4), [100, 59, 20, 19])
    found = run(around(directions, labels), directions, keep_fraction=0.05)
    assert np.bincount(labels[found.keep], minlength=4).tolist() == [5, 2, 1, 0]
    assert found.explain(197) == "its cluster holds 19 documents, and a share of 0.05 of them is none"
    first = int(np.flatnonzero(~found.keep)[0])
    assert (
        found.explain(first) == "is not among the 5 of 100 documents that stand for the mean of its cluster"
    )


def test_a_share_that_is_whole_is_not_rounded_down_by_a_rounding_error() -> None:
    x = around(np.eye(5)[:1], np.zeros(100, dtype=int))
    assert int(0.29 * 100) == 28
    assert run(x, np.eye(5)[:1], keep_fraction=0.29).keep.sum() == 29


def test_a_cluster_keeps_what_the_rounds_of_pursuit_give_for_its_mean() -> None:
    directions = np.eye(8)[:2]
    x = around(directions, np.arange(90) % 2).astype(np.float32)
    found = run(x, directions, keep_fraction=0.2, ridge=0.5)
    for label in range(2):
        rows = np.arange(label, 90, 2)
        own = x[rows].astype(np.float64)
        expected = rows[omp_rounds(own, own.mean(axis=0), 9, ridge=0.5)]
        assert len(expected) == 9
        assert np.flatnonzero(found.keep & (np.arange(90) % 2 == label)).tolist() == expected.tolist()


def test_the_length_of_a_vector_chooses_no_cluster() -> None:
    x = around(np.eye(8)[:3], np.arange(120) % 3).astype(np.float32)
    columns = {"doc_id": strings(f"d{i:04d}" for i in range(120)), "embedding": x}
    params = TagcosParams(n_clusters=3)
    one = SPEC.fit(columns, params, 0)["centroids"]  # type: ignore[misc]
    other = SPEC.fit({**columns, "embedding": 4 * x}, params, 0)["centroids"]  # type: ignore[misc]
    np.testing.assert_allclose(one, other, atol=1e-6)


def test_a_small_sample_gets_fewer_clusters() -> None:
    for n, expected in ((30, 1), (200, 5)):
        x = around(np.eye(8), np.arange(n) % 8)
        columns = {"doc_id": strings(f"d{i}" for i in range(n)), "embedding": x.astype(np.float32)}
        state = SPEC.fit(columns, TagcosParams(), 0)  # type: ignore[misc]
        assert len(state["centroids"]) == expected


def test_bad_params_are_refused() -> None:
    with pytest.raises(InputError, match=r"keep_fraction must lie in 0\.\.1, got 5"):
        run(FOUR, [[1.0, 1.0]], keep_fraction=5.0)
    for name in ("ridge", "tolerance"):
        with pytest.raises(InputError, match=f"{name} must be at least 0, got -1"):
            run(FOUR, [[1.0, 1.0]], **{name: -1.0})
    columns = {"doc_id": strings("abcd"), "embedding": FOUR.astype(np.float32)}
    for name in ("n_clusters", "n_iterations"):
        with pytest.raises(InputError, match=f"{name} must be at least 1, got 0"):
            SPEC.fit(columns, TagcosParams(**{name: 0}), 0)  # type: ignore[misc]
