"""CiT's threshold and least share."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from workbench.checks import strings
from workbench.errors import InputError
from workbench.selectors.base import DESIGN_WEIGHT, Selection
from workbench.selectors.cit import SPEC, CitParams


def run(similarity: list[float], weight: list[float] | None = None, **params: Any) -> Selection:
    columns = {
        "doc_id": strings(f"d{i}" for i in range(len(similarity))),
        "target_similarity": np.array(similarity, dtype=np.float32),
        DESIGN_WEIGHT: np.array(weight or [1.0] * len(similarity)),
    }
    return SPEC.run(columns, CitParams(**params), {}, 0)


def test_equal_to_the_threshold_is_not_above_it() -> None:
    assert run([0.54, 0.55, 0.5500001, 0.9]).keep.tolist() == [False, False, True, True]
    assert run([0.5, 1.0]).explain(0) == "target_similarity 0.5 is not above 0.55"


def test_a_threshold_of_1_keeps_nothing_unless_there_is_a_least_share() -> None:
    similarity = np.random.default_rng(0).uniform(-1, 1, 20).tolist()
    assert not run([*similarity, 1.0], threshold=1.0).keep.any()
    kept = run(similarity, threshold=1.0, min_ratio=0.25)
    assert set(np.flatnonzero(kept.keep)) == set(np.argsort(similarity)[-5:])
    assert "the first 5 are kept since fewer are above 1" in kept.explain(int(np.argmin(similarity)))


def test_the_least_share_changes_nothing_where_enough_pass() -> None:
    similarity = [0.9, 0.8, 0.7, 0.1]
    for min_ratio in (0.0, 0.5, 0.75):
        assert run(similarity, min_ratio=min_ratio).keep.tolist() == [True, True, True, False]
    assert run(similarity, min_ratio=1.0).keep.all()


def test_the_share_is_of_the_documents_of_the_corpus() -> None:
    # The one that passes stands for 6 of 10.
    assert run([0.9, 0.2, 0.3], [6, 2, 2], min_ratio=0.5).keep.tolist() == [True, False, False]
    assert run([0.9, 0.2, 0.3], [2, 4, 4], min_ratio=0.6).keep.tolist() == [True, False, True]


def test_bad_params_are_refused() -> None:
    with pytest.raises(InputError, match=r"min_ratio must lie in 0\.\.1"):
        run([0.1], min_ratio=2)
    with pytest.raises(InputError, match="low must be a number or open, got nan"):
        run([0.1], threshold=math.nan)
