"""SSL prototypes (Sorscher et al. 2022)."""

from __future__ import annotations

import numpy as np
import pytest

from workbench.checks import strings
from workbench.errors import InputError
from workbench.scores.prototype import prototype_distance
from workbench.selectors.base import DESIGN_WEIGHT
from workbench.selectors.prototypes import SPEC, PrototypesParams


def run(distance: list[float], source: str | None = None, **params: object):
    columns = {
        "doc_id": strings(f"d{i}" for i in range(len(distance))),
        "prototype_distance": np.array(distance, dtype=np.float32),
        "source": strings(source or "w" * len(distance)),
        DESIGN_WEIGHT: np.ones(len(distance)),
    }
    return SPEC.run(columns, PrototypesParams(**params), {}, 0)  # type: ignore[arg-type]


def test_points_at_60_30_and_0_degrees_go_in_that_order() -> None:
    angle = np.deg2rad([0, 30, 60])
    x = np.column_stack([np.cos(angle), np.sin(angle)])
    distance = prototype_distance(x, np.array([[1.0, 0.0]])).tolist()
    for fraction, kept in ((1 / 3, [2]), (2 / 3, [1, 2])):
        assert np.flatnonzero(run(distance, keep_fraction=fraction).keep).tolist() == kept
    # All signs turned changes nothing.
    assert prototype_distance(-x, np.array([[-1.0, 0.0]])).tolist() == distance


@pytest.mark.parametrize("fraction", [0.0, 0.3, 0.5, 1.0])
def test_hard_and_easy_are_each_others_complement(fraction: float) -> None:
    distance = np.random.default_rng(0).permutation(40).tolist()
    hard = run(distance, keep_fraction=fraction, keep="hard").keep
    easy = run(distance, keep_fraction=1 - fraction, keep="easy").keep
    assert (hard != easy).all()
    assert hard.sum() == 40 * fraction


def test_a_floor_keeps_a_part_of_each_source() -> None:
    # 8 of 12 are kept, an equal part of 3 sources is 2.67, of which half is 1 after rounding down.
    distance, source = [*range(12)], "aaaabbbbcccc"
    assert np.flatnonzero(~run(distance, source, keep_fraction=8 / 12).keep).tolist() == [0, 1, 2, 3]
    kept = run(distance, source, keep_fraction=8 / 12, floor=0.5).keep
    assert np.flatnonzero(~kept).tolist() == [0, 1, 2, 4]
    # A source that has fewer than its part gives what it has.
    assert run([1, 2, 3, 4], "abbb", keep_fraction=0.5, floor=1.0).keep.tolist() == [True, False, False, True]


def test_a_share_or_floor_outside_0_to_1_is_refused() -> None:
    with pytest.raises(InputError, match=r"floor must lie in 0\.\.1"):
        run([1.0], floor=2.0)
    with pytest.raises(InputError, match=r"keep_fraction must lie in 0\.\.1"):
        run([1.0], keep_fraction=-1.0)


def test_a_reason_names_distance_and_rank() -> None:
    reason = run([0.25, 0.5], keep_fraction=0.5).explain(0)
    assert reason == (
        "not far enough from its cluster's centre: distance 0.25 has rank 2 of 2, the first 1 are kept"
    )
