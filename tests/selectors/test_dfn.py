"""DFN's cut."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from workbench.checks import strings
from workbench.errors import InputError
from workbench.selectors.base import DESIGN_WEIGHT, Selection
from workbench.selectors.dfn import SPEC, DfnParams

SCORE = np.random.default_rng(3).normal(size=40).astype(np.float32)


def run(fraction: float = 0.15) -> Selection:
    columns = {
        "doc_id": strings(f"d{i:02d}" for i in range(40)),
        "dfn_logit": SCORE,
        DESIGN_WEIGHT: np.ones(40),
    }
    return SPEC.run(columns, DfnParams(keep_fraction=fraction), {}, 0)


def test_the_top_share_is_kept_and_shares_nest() -> None:
    assert set(np.flatnonzero(run().keep)) == set(np.argsort(-SCORE)[:6])
    kept = [run(f).keep for f in (0.0, 0.1, 0.5, 1.0)]
    assert [int(k.sum()) for k in kept] == [0, 4, 20, 40]
    assert all((a <= b).all() for a, b in itertools.pairwise(kept))
    lowest = int(SCORE.argmin())
    assert run().explain(lowest) == f"dfn_logit {SCORE.min():.6g} has rank 40 of 40, the first 6 are kept"


def test_a_share_outside_0_to_1_is_refused() -> None:
    with pytest.raises(InputError, match=r"keep_fraction must lie in 0\.\.1"):
        run(2)
