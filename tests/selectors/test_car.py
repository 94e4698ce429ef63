"""CaR (Ge et al. 2024)."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from workbench.checks import strings
from workbench.errors import InputError
from workbench.selectors.base import DESIGN_WEIGHT
from workbench.selectors.car import SPEC, CarParams, principal_components, published_clusters


def run(cluster: Any, score: Any, weight: Any = None, **params: Any):
    n = len(cluster)
    columns = {
        "doc_id": strings(f"d{i:04d}" for i in range(n)),
        "quality": np.array(score, dtype=np.float32),
        "prototype_cluster": np.array(cluster, dtype=np.float32),
        DESIGN_WEIGHT: np.ones(n) if weight is None else np.array(weight),
    }
    return SPEC.run(columns, CarParams("quality", clusters="prototype", **params), {}, 0)


def test_the_best_of_all_and_the_best_of_each_cluster() -> None:
    cluster, score = [5, 5, 5, 2, 2, 9], [9, 8, 1, 3, 4, 2]
    assert np.flatnonzero(run(cluster, score, n_top=2, n_each=1).keep).tolist() == [0, 1, 4, 5]
    lowest = run(cluster, score, n_top=2, n_each=1, first="lowest").keep
    assert np.flatnonzero(lowest).tolist() == [2, 3, 5]


@pytest.mark.parametrize(("n_top", "n_each"), [(0, 1), (40, 0), (30, 1), (10, 3), (5, 300), (1000, 1)])
def test_it_is_the_union_found_by_sorting(n_top: int, n_each: int) -> None:
    rng = np.random.default_rng(1)
    cluster, score = rng.integers(0, 13, 210), rng.integers(0, 40, 210)
    order = sorted(range(210), key=lambda i: (-score[i], i))
    expected = set(order[:n_top])
    for c in set(cluster.tolist()):
        expected |= set([i for i in order if cluster[i] == c][:n_each])
    assert set(np.flatnonzero(run(cluster, score, n_top=n_top, n_each=n_each).keep)) == expected
    if n_each == 1:
        assert max(min(n_top, 210), 13) <= len(expected) <= n_top + 13


def test_shares_stand_in_for_numbers() -> None:
    rng = np.random.default_rng(2)
    cluster, score = np.repeat([0, 1, 2], [100, 40, 20]), rng.permutation(160)
    by_number = run(cluster, score, n_top=16, n_each=0).keep
    assert (run(cluster, score, top_fraction=0.1, n_each=0).keep == by_number).all()
    keep = run(cluster, score, n_top=0, each_fraction=0.05).keep
    assert [int(keep[cluster == c].sum()) for c in range(3)] == [5, 2, 1]


def test_equal_scores_go_by_doc_id() -> None:
    assert run([0] * 5, [1] * 5, n_top=2, n_each=0).keep.tolist() == [True, True, False, False, False]


def test_numbers_are_documents_of_the_corpus() -> None:
    # Each document stands for 10, so the best 30 of the corpus are the best three.
    keep = run([0] * 8, range(8), [10.0] * 8, n_top=30, n_each=0).keep
    assert np.flatnonzero(keep).tolist() == [5, 6, 7]


def test_the_published_size_of_the_clustering_and_the_selection() -> None:
    assert published_clusters(52_002) == 161
    assert published_clusters(1) == 1
    assert round(1017 / 52_002, 5) == 0.01956


def test_all_that_a_cluster_gives_ranks_before_the_rest() -> None:
    selection = run([0, 0, 1, 1], [9, 8, 2, 1], n_top=1, n_each=1)
    assert selection.score is not None
    assert np.argsort(-selection.score).tolist() == [0, 2, 1, 3]


def test_the_reason_names_both_ranks() -> None:
    reason = run([5, 5, 5, 2], [9, 8, 1, 3], n_top=2, n_each=1).explain(2)
    assert reason == (
        "quality 1 has rank 4 among all, of which 2 are kept, and 3 in its cluster, of which 1 are"
    )


@pytest.mark.parametrize("name", ["n_top", "n_each"])
def test_numbers_below_0_are_refused(name: str) -> None:
    with pytest.raises(InputError, match=f"{name} must be at least 0, got -1"):
        run([0], [1], **{name: -1})


@pytest.mark.parametrize("name", ["top_fraction", "each_fraction"])
def test_shares_outside_0_to_1_are_refused(name: str) -> None:
    with pytest.raises(InputError, match=rf"{name} must lie in 0\.\.1, got 5"):
        run([0], [1], **{name: 5.0})


# ---- the paper's clusters ----------------------------------------------------------------------------------------


def embedded(n: int = 300, seed: int = 0) -> dict[str, np.ndarray]:
    """Documents in five directions of a plane within 12 dimensions."""
    rng = np.random.default_rng(seed)
    centres = np.zeros((5, 12))
    centres[:, 0], centres[:, 1] = np.cos(2 * np.pi * np.arange(5) / 5), np.sin(2 * np.pi * np.arange(5) / 5)
    topic = rng.integers(0, 5, n)
    return {
        "doc_id": strings(f"d{i:04d}" for i in rng.permutation(n)),
        "quality": rng.normal(size=n).astype(np.float32),
        "embedding": (centres[topic] + rng.normal(0, 0.02, (n, 12))).astype(np.float32),
        "topic": topic,
        DESIGN_WEIGHT: np.ones(n),
    }


@pytest.mark.parametrize("variance", [0.2, 0.5, 0.8, 0.95, 1.0])
def test_the_components_are_scikit_learns(variance: float) -> None:
    from sklearn.decomposition import PCA

    x = np.random.default_rng(3).normal(size=(80, 9)) @ np.random.default_rng(4).normal(size=(9, 9))
    mean, components = principal_components(x, variance)
    peer = PCA(n_components=variance if variance < 1 else None, random_state=42).fit(x)
    np.testing.assert_allclose(mean, peer.mean_)
    assert components.shape == peer.components_.shape
    turned = np.sign((components * peer.components_).sum(axis=1))[:, None]
    np.testing.assert_allclose(components * turned, peer.components_, atol=1e-9)


def test_a_sample_has_the_papers_number_of_clusters_at_most_one_a_ten_documents() -> None:
    columns, params = embedded(), CarParams("quality")
    assert SPEC.fit is not None
    assert len(SPEC.fit(columns, params, 0)["centroids"]) == 12  # int(sqrt(300 / 2))
    columns[DESIGN_WEIGHT] = np.full(300, 4.0)
    assert len(SPEC.fit(columns, params, 0)["centroids"]) == 24  # int(sqrt(1200 / 2))
    columns[DESIGN_WEIGHT] = np.full(300, 4e4)
    assert len(SPEC.fit(columns, params, 0)["centroids"]) == 30


def test_own_clusters_are_the_nearest_centroids_of_the_components() -> None:
    columns, params = embedded(), CarParams("quality", n_top=0, n_each=1)
    state = SPEC.prepare(columns, params, 0)
    assert state["components"].shape == (2, 12), "all but noise lies in a plane"
    x = columns["embedding"] / np.linalg.norm(columns["embedding"], axis=1, keepdims=True)
    y = (x - state["mean"]) @ state["components"].T
    label = ((y[:, None] - state["centroids"]) ** 2).sum(axis=2).argmin(axis=1)
    for cluster in np.unique(label):
        assert len(np.unique(columns["topic"][label == cluster])) == 1
    expected = {
        max(np.flatnonzero(label == c), key=lambda i: columns["quality"][i]) for c in np.unique(label)
    }
    assert set(np.flatnonzero(SPEC.run(columns, params, state, 0).keep)) == expected
    scaled = {**columns, "embedding": 3 * columns["embedding"]}
    assert set(np.flatnonzero(SPEC.run(scaled, params, state, 0).keep)) == expected


@pytest.mark.parametrize("variance", [0.0, -0.5, 1.5])
def test_a_share_of_variance_out_of_range_is_refused(variance: float) -> None:
    with pytest.raises(InputError, match="pca_variance must"):
        SPEC.prepare(embedded(40), CarParams("quality", pca_variance=variance), 0)
