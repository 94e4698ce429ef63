"""DSIR's draw with targets apart; tests/scores/test_dsir.py holds it against the package."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from workbench.checks import strings
from workbench.errors import InputError
from workbench.selectors.base import DESIGN_WEIGHT, Selection
from workbench.selectors.dsir_targets import SPEC, DsirTargetsParams


def run(weights: Any, n_grams: Any = (1, 1), seed: int = 0, design: Any = None, **params: Any) -> Selection:
    n = len(weights)
    columns = {
        "doc_id": strings(f"d{i:03d}" for i in range(n)),
        "dsir_target_log_weights": np.array(weights, dtype=np.float32),
        DESIGN_WEIGHT: np.ones(n) if design is None else np.array(design),
    }
    return SPEC.run(columns, DsirTargetsParams(**params), {"n_grams": np.array(n_grams)}, seed)


def naive(weights: np.ndarray, quotas: list[int]) -> set[int]:
    """Target by target, the largest of what is left."""
    chosen: list[int] = []
    for target, quota in enumerate(quotas):
        left = [i for i in range(len(weights)) if i not in chosen]
        chosen += sorted(left, key=lambda i: (-weights[i, target], i))[:quota]
    return set(chosen)


@pytest.mark.parametrize(
    ("proportions", "quotas"), [((), [3, 4, 5]), ((1, 0, 0), [12, 0, 0]), ((1, 1, 2), [3, 3, 6])]
)
def test_each_target_takes_its_part_of_what_is_left(
    proportions: tuple[float, ...], quotas: list[int]
) -> None:
    weights = np.random.default_rng(0).normal(size=(30, 3)).round(1)
    found = run(weights, (30, 40, 50), keep_fraction=0.4, proportions=proportions, top_k=True)
    assert set(np.flatnonzero(found.keep)) == naive(weights, quotas)


def test_the_last_target_takes_what_rounding_leaves() -> None:
    weights = np.eye(3)[np.repeat([0, 1, 2], 10)]
    keep = run(weights, (1, 1, 1), keep_fraction=11 / 30, top_k=True).keep
    assert [int(keep[i : i + 10].sum()) for i in (0, 10, 20)] == [3, 3, 5]


def test_one_target_draws_in_proportion_to_its_weights() -> None:
    kept = [
        int(run(np.log([[1], [2], [4]]), (9,), seed, keep_fraction=1 / 3).keep.argmax())
        for seed in range(2000)
    ]
    np.testing.assert_allclose(np.bincount(kept, minlength=3) / 2000, [1 / 7, 2 / 7, 4 / 7], atol=0.035)


def test_parts_are_of_the_documents_of_the_corpus() -> None:
    weights = np.eye(2)[np.repeat([0, 1], 20)]
    keep = run(weights, design=np.full(40, 7.5), keep_fraction=0.5, top_k=True).keep
    assert [int(keep[:20].sum()), int(keep[20:].sum())] == [10, 10]


def test_the_reason_names_the_largest_weight() -> None:
    found = run([[0.0, 1], [2, 5], [-1, -3]], keep_fraction=2 / 3, top_k=True)
    assert found.explain(2) == (
        "is the largest choice of none of the 2 targets; its largest log-weight is -1, for target number 1"
    )
    assert run([[0.0, 1]] * 3, keep_fraction=1 / 3).explain(0).startswith("is drawn by none of the 2 targets")


@pytest.mark.parametrize("proportions", [(1.0,), (1.0, 1, 1), (-1.0, 2), (0.0, 0), (float("nan"), 1)])
def test_parts_that_are_not_one_a_target_are_refused(proportions: tuple[float, ...]) -> None:
    with pytest.raises(InputError, match="proportions must be 2 numbers of 0 and more"):
        run([[0.0, 1]], proportions=proportions)
