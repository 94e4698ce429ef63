"""Density sampling (Sachdeva et al. 2024)."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.stats import chisquare

from workbench.checks import strings
from workbench.errors import InputError
from workbench.selectors.base import DESIGN_WEIGHT
from workbench.selectors.density import SPEC, DensityParams

# 90 copies of one point and 10 of a far one have these densities at bandwidth 4.
BLOBS = [90.3] * 90 + [12.5] * 10


def run(density: Any, seed: int = 0, tokens: Any = None, **params: Any):
    n = len(density)
    columns = {
        "doc_id": strings(f"d{i:04d}" for i in range(n)),
        "lsh_density": np.array(density, dtype=np.float32),
        "n_tokens": np.ones(n) if tokens is None else np.array(tokens, dtype=np.float32),
        DESIGN_WEIGHT: np.ones(n),
    }
    return SPEC.run(columns, DensityParams(**params), {}, seed)


def far_drawn(variant: str) -> int:
    """In how many of 1,500 draws of one document it is one of the far point's."""
    draws = (run(BLOBS, seed, keep_fraction=0.01, variant=variant).keep for seed in range(1500))
    return sum(int(keep[90:].sum()) for keep in draws)


def test_the_first_draw_falls_on_both_points_almost_alike() -> None:
    far = far_drawn("inverse")
    assert chisquare([far, 1500 - far], [1500 * 0.445, 1500 * 0.555]).pvalue > 0.001


def test_the_printed_algorithm_is_a_misprint_that_draws_the_common_ones() -> None:
    """The text and theorem A.2 say one over the density; the last line of algorithm 2 has the density itself."""
    assert DensityParams().variant == "inverse"
    far = far_drawn("printed")
    share = 10 * 12.5 / (10 * 12.5 + 90 * 90.3)
    assert chisquare([far, 1500 - far], [1500 * share, 1500 * (1 - share)]).pvalue > 0.001
    assert far < 60


@pytest.mark.parametrize("fraction", [0.0, 0.25, 0.5, 1.0])
def test_the_share_is_met_and_a_larger_one_holds_a_smaller(fraction: float) -> None:
    density = np.random.default_rng(0).gamma(2, 9, 80) + 1
    keep = run(density, keep_fraction=fraction).keep
    assert keep.sum() == 80 * fraction
    assert (run(density, keep_fraction=1.0).keep | ~keep).all()


def test_equal_densities_are_a_plain_random_draw() -> None:
    counts = sum(run([5.0] * 20, seed, keep_fraction=0.25).keep.astype(int) for seed in range(600))
    assert chisquare(counts).pvalue > 0.001


def test_a_share_may_be_of_tokens() -> None:
    rng = np.random.default_rng(1)
    tokens = rng.integers(1, 30, 120)
    keep = run(rng.random(120) + 1, tokens=tokens, keep_fraction=0.4, unit="tokens").keep
    assert 0.4 - 30 / tokens.sum() < tokens[keep].sum() / tokens.sum() <= 0.4


def test_the_reason_names_density_and_draw() -> None:
    selection = run([3.5] * 8, keep_fraction=0.5)
    i = int(np.flatnonzero(~selection.keep)[0])
    assert selection.explain(i).startswith("density 3.5: the draw has it as number ")
    assert selection.explain(i).endswith(" of 8, the first 4 are kept")


def test_what_is_out_of_range_is_refused() -> None:
    with pytest.raises(InputError, match=r"keep_fraction must lie in 0\.\.1, got 25"):
        run([1.0], keep_fraction=25.0)
    with pytest.raises(InputError, match="lsh_density must be above 0, got 0; score it with"):
        run([1.0, 0.0])
