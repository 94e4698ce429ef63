"""SCIP (Yang et al. 2023)."""

from __future__ import annotations

import numpy as np
import pytest

from workbench.checks import strings
from workbench.errors import InputError
from workbench.selectors.base import DESIGN_WEIGHT
from workbench.selectors.scip import SPEC, ScipParams

# Ten documents in clusters of 2, 3 and 5.
CLUSTERS = [7, 7, 1, 1, 1, 4, 4, 4, 4, 4]
DISTANCE = [0.9, 0.1, 0.2, 0.8, 0.3, 0.4, 0.7, 0.5, 0.05, 0.6]


def run(cluster: list[int], distance: list[float], weight: list[float] | None = None, **params: float):
    columns = {
        "doc_id": strings(f"d{i:03d}" for i in range(len(cluster))),
        "prototype_cluster": np.array(cluster, dtype=np.float32),
        "prototype_distance": np.array(distance, dtype=np.float32),
        DESIGN_WEIGHT: np.array(weight or [1.0] * len(cluster)),
    }
    return SPEC.run(columns, ScipParams(**params), {}, 0)


def dropped(**params: float) -> set[int]:
    return set(np.flatnonzero(~run(CLUSTERS, DISTANCE, **params).keep).tolist())


def test_half_goes_for_the_size_of_the_cluster_and_half_for_the_distance() -> None:
    # The two of the smallest cluster, and the two largest distances among the other eight.
    assert dropped(keep_fraction=0.6, alpha=0.5) == {0, 1, 3, 6}


def test_alpha_1_is_by_size_alone_and_alpha_0_by_distance_alone() -> None:
    assert dropped(keep_fraction=0.5, alpha=1.0) == {0, 1, 2, 3, 4}
    assert dropped(keep_fraction=0.6, alpha=0.0) == {0, 3, 6, 9}


def test_a_cluster_on_the_boundary_loses_its_farthest_documents_first() -> None:
    assert dropped(keep_fraction=0.6, alpha=1.0) == {0, 1, 3, 4}


def test_two_clusters_of_one_size_go_together_by_distance() -> None:
    kept = run(
        [1, 2, 1, 2, 3, 3, 3], [0.1, 0.4, 0.3, 0.2, 0.9, 0.9, 0.9], keep_fraction=5 / 7, alpha=1.0
    ).keep
    assert np.flatnonzero(~kept).tolist() == [1, 2]


def test_of_equal_documents_the_smaller_id_goes_first() -> None:
    assert run([1] * 4, [0.5] * 4, keep_fraction=0.5, alpha=0.5).keep.tolist() == [False, False, True, True]


@pytest.mark.parametrize("alpha", [0.0, 0.37, 0.8, 1.0])
@pytest.mark.parametrize("fraction", [0.0, 0.25, 0.613, 0.8, 1.0])
def test_the_share_is_met_whatever_alpha_is(fraction: float, alpha: float) -> None:
    rng = np.random.default_rng(0)
    cluster, distance = rng.integers(0, 9, 130).tolist(), rng.random(130).round(1).tolist()
    assert run(cluster, distance, keep_fraction=fraction, alpha=alpha).keep.sum() == int(130 * fraction + 0.5)


def test_it_is_the_two_published_steps() -> None:
    rng = np.random.default_rng(3)
    cluster, distance = rng.integers(0, 12, 100) ** 2, rng.permutation(100) / 100
    size = np.array([(cluster == c).sum() for c in cluster])
    ids = np.arange(100)
    left = sorted(ids, key=lambda i: (size[i], -distance[i], i))[24:]
    kept = sorted(left, key=lambda i: -distance[i])[16:]
    got = run(cluster.tolist(), distance.tolist(), keep_fraction=0.6, alpha=0.6).keep
    assert np.flatnonzero(got).tolist() == sorted(kept)


def test_a_cluster_is_as_large_as_what_its_documents_stand_for() -> None:
    weight = [9.0, 9.0, *[1.0] * 8]  # the two of the first cluster stand for 18
    kept = run(CLUSTERS, DISTANCE, weight, keep_fraction=23 / 26, alpha=1.0).keep
    assert np.flatnonzero(~kept).tolist() == [2, 3, 4]


def test_reasons_name_size_or_distance() -> None:
    selection = run(CLUSTERS, DISTANCE, keep_fraction=0.6, alpha=0.5)
    assert selection.explain(0) == (
        "its cluster has 2 documents: by the size of clusters it has rank 10 of 10, of which the first 0.8 are kept"
    )
    assert selection.explain(3) == (
        "too far from its cluster's centre: distance 0.8 is among the largest of the 8 documents in larger clusters, "
        "of which 6 are kept"
    )


@pytest.mark.parametrize("name", ["keep_fraction", "alpha"])
def test_shares_outside_0_to_1_are_refused(name: str) -> None:
    with pytest.raises(InputError, match=rf"{name} must lie in 0\.\.1, got 20"):
        run([1], [0.1], **{name: 20.0})
