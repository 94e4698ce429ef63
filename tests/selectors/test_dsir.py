"""DSIR's draw."""

from __future__ import annotations

import numpy as np
import pytest

from workbench.checks import strings
from workbench.errors import InputError
from workbench.selectors.base import DESIGN_WEIGHT
from workbench.selectors.dsir import SPEC, DsirParams


def run(weights: list[float], seed: int = 0, **params: object) -> np.ndarray:
    columns = {
        "doc_id": strings(f"d{i}" for i in range(len(weights))),
        "dsir_log_weight": np.array(weights),
        DESIGN_WEIGHT: np.ones(len(weights)),
    }
    return SPEC.run(columns, DsirParams(**params), {}, seed).keep  # type: ignore[arg-type]


def test_a_draw_of_one_has_the_frequencies_of_the_weights() -> None:
    kept = [int(run(np.log([1, 2, 4]).tolist(), seed, keep_fraction=1 / 3).argmax()) for seed in range(3000)]
    found = np.bincount(kept, minlength=3) / 3000
    np.testing.assert_allclose(found, [1 / 7, 2 / 7, 4 / 7], atol=0.03)


def test_equal_weights_are_a_uniform_draw_and_a_larger_share_holds_the_smaller() -> None:
    draws = np.array([run([0.0] * 10, seed, keep_fraction=0.3) for seed in range(1000)])
    assert (draws.sum(axis=1) == 3).all()
    np.testing.assert_allclose(draws.mean(axis=0), 0.3, atol=0.06)
    assert (run([0.0] * 10, 1, keep_fraction=0.3) <= run([0.0] * 10, 1, keep_fraction=0.6)).all()


def test_top_k_takes_the_largest_weights() -> None:
    weights = np.random.default_rng(0).normal(size=30)
    kept = run(weights.tolist(), keep_fraction=0.2, top_k=True)
    assert set(np.flatnonzero(kept)) == set(np.argsort(-weights)[:6])
    for fraction, n in ((0.0, 0), (1.0, 30)):
        assert run(weights.tolist(), keep_fraction=fraction).sum() == n


def test_a_share_outside_0_to_1_is_refused() -> None:
    with pytest.raises(InputError, match=r"keep_fraction must lie in 0\.\.1"):
        run([1.0], keep_fraction=2)
