"""SnP's search and pruning (Yao et al. 2023)."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from workbench.checks import strings
from workbench.errors import InputError
from workbench.models.geometry.frechet import frechet_distance, moments
from workbench.models.geometry.rows import unit_rows
from workbench.selectors.base import DESIGN_WEIGHT, Selection
from workbench.selectors.snp import SPEC, SnpParams, search

SIZES = (60, 45, 30, 25)
LABEL = np.repeat(np.arange(4), SIZES)


def clustered(seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return unit_rows(np.repeat(np.eye(4, 9), SIZES, axis=0) + rng.normal(0, 0.15, (160, 9)))


def aim(*clusters: int, seed: int = 7, n: int = 40) -> np.ndarray:
    """Target texts like those of some clusters."""
    rng = np.random.default_rng(seed)
    return unit_rows(np.eye(4, 9)[rng.choice(clusters, n)] + rng.normal(0, 0.15, (n, 9)))


def run(target: np.ndarray, order: Any = None, weight: Any = None, **params: Any) -> Selection:
    rows = np.arange(160) if order is None else order
    columns = {
        "doc_id": strings(f"d{i:03d}" for i in rows),
        "embedding": clustered()[rows],
        "prototype_cluster": (10.0 + LABEL[rows]).astype(np.float32),
        "target_similarity": np.zeros(160, dtype=np.float32),
        DESIGN_WEIGHT: (np.ones(160) if weight is None else weight)[rows],
    }
    return SPEC.run(columns, SnpParams(**params), {"target": target, "task": np.zeros(len(target), int)}, 0)


@pytest.mark.parametrize("wanted", [(2,), (1, 3), (0, 2, 3)])
def test_the_search_merges_the_clusters_that_the_target_is_made_of(wanted: tuple[int, ...]) -> None:
    keep = run(aim(*wanted, n=90), keep_fraction=1.0).keep
    assert set(LABEL[keep].tolist()) == set(wanted)
    assert keep.sum() == sum(SIZES[c] for c in wanted)


def test_the_merged_set_is_the_nearest_of_all_beginnings_of_the_ranking() -> None:
    x, weight = clustered(), np.random.default_rng(1).uniform(0.5, 3, 160)
    target = aim(0, 1, 1, n=50)
    distance, order, n_merged = search(x, weight, LABEL, target)
    clusters = np.split(np.arange(160), np.cumsum(SIZES)[:-1])
    each = [frechet_distance(moments(target), moments(x[rows], weight[rows])) for rows in clusters]
    np.testing.assert_allclose(distance, each)
    assert order.tolist() == np.argsort(each).tolist()
    together = []
    for k in range(1, 5):
        rows = np.isin(LABEL, order[:k])
        together.append(frechet_distance(moments(target), moments(x[rows], weight[rows])))
    assert n_merged == int(np.argmin(together)) + 1


def test_pruning_meets_the_share_of_all_documents_where_the_search_leaves_enough() -> None:
    target = aim(0, 1, n=90)
    for fraction, n in ((0.0, 0), (0.05, 8), (0.2, 32), (0.5, 80), (0.9, 105)):
        assert run(target, keep_fraction=fraction).keep.sum() == n
    small, large = (run(target, keep_fraction=f).keep for f in (0.1, 0.3))
    assert (small <= large).all()
    weight = np.where(LABEL == 0, 2.0, 1.0)
    kept = run(target, weight=weight, keep_fraction=0.2).keep
    assert abs(weight[kept].sum() - 0.2 * weight.sum()) <= 1


def test_the_order_of_rows_changes_nothing() -> None:
    target = aim(1, 2)
    keep = run(target, keep_fraction=0.15).keep
    order = np.random.default_rng(4).permutation(160)
    np.testing.assert_array_equal(run(target, order, keep_fraction=0.15).keep, keep[order])


def test_reasons_tell_search_from_pruning() -> None:
    found = run(aim(2), keep_fraction=0.1)
    reasons = {LABEL[i]: found.explain(int(i)) for i in np.flatnonzero(~found.keep)}
    assert reasons[2].endswith("16 of 30 are kept")
    assert "by Fréchet distance to the target (" in reasons[0]
    assert reasons[0].endswith("the first 1 together come nearest")


def test_a_target_of_another_width_is_refused() -> None:
    with pytest.raises(InputError, match="the target's vectors have 5 numbers, the documents' 9"):
        run(np.eye(5))
    with pytest.raises(InputError, match=r"keep_fraction must lie in 0\.\.1"):
        run(aim(1), keep_fraction=1.5)
