"""CaR (Ge et al. 2024)."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from workbench.checks import strings
from workbench.errors import InputError
from workbench.selectors.base import DESIGN_WEIGHT
from workbench.selectors.car import SPEC, CarParams, published_clusters


def run(cluster: Any, score: Any, weight: Any = None, **params: Any):
    n = len(cluster)
    columns = {
        "doc_id": strings(f"d{i:04d}" for i in range(n)),
        "quality": np.array(score, dtype=np.float32),
        "prototype_cluster": np.array(cluster, dtype=np.float32),
        DESIGN_WEIGHT: np.ones(n) if weight is None else np.array(weight),
    }
    return SPEC.run(columns, CarParams("quality", **params), {}, 0)


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
