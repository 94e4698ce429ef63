"""The random baseline: its rate, and that a document's fate hangs on seed and id alone."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from workbench.checks import keyed_uniform, strings
from workbench.errors import InputError
from workbench.selectors.random import RandomParams, select_random

IDS = [f"doc-{i}" for i in range(20_000)]


def keep(fraction: float, seed: int = 0, ids: list[str] = IDS) -> np.ndarray:
    return select_random({"doc_id": strings(ids)}, RandomParams(fraction), {}, seed).keep


@pytest.mark.parametrize("fraction", [0.01, 0.3, 0.9])
def test_the_kept_share_is_the_fraction(fraction: float) -> None:
    # Within four standard errors.
    error = 4 * np.sqrt(fraction * (1 - fraction) / len(IDS))
    assert keep(fraction).mean() == pytest.approx(fraction, abs=error)


def test_zero_keeps_none_and_one_keeps_all() -> None:
    assert not keep(0.0).any()
    assert keep(1.0).all()


def test_smaller_fractions_keep_subsets() -> None:
    kept = [keep(fraction) for fraction in (0.05, 0.2, 0.21, 0.7)]
    for smaller, larger in pairwise(kept):
        assert not (smaller & ~larger).any()


def test_neither_order_nor_neighbours_matter() -> None:
    order = np.random.default_rng(0).permutation(len(IDS))
    assert np.array_equal(keep(0.4, ids=[IDS[i] for i in order]), keep(0.4)[order])
    assert np.array_equal(keep(0.4, ids=IDS[500:800]), keep(0.4)[500:800])


def test_seeds_are_independent() -> None:
    both = keep(0.3, seed=1) & keep(0.3, seed=2)
    assert both.mean() == pytest.approx(0.09, abs=0.01)


def test_it_is_independent_of_the_draw_of_the_sample() -> None:
    drawn = keyed_uniform(0, IDS, "sample") < 0.3
    assert keep(0.3)[drawn].mean() == pytest.approx(0.3, abs=0.03)


def test_the_reason_says_what_was_drawn() -> None:
    got = select_random({"doc_id": strings(["a", "b", "c"])}, RandomParams(0.0), {}, 0)
    draw = keyed_uniform(0, ["a", "b", "c"], "random")
    assert got.explain(1) == f"random draw {draw[1]:.4f} is not below 0"


@pytest.mark.parametrize("fraction", [-0.1, 1.01, 50, float("nan")])
def test_a_fraction_outside_its_range_is_refused(fraction: float) -> None:
    with pytest.raises(
        InputError, match=r"fraction must lie in 0\.\.1, got .*; give a fraction, not a percentage"
    ):
        keep(fraction)


def test_no_documents() -> None:
    assert keep(0.5, ids=[]).shape == (0,)
