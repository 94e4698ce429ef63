"""A vote of several bands."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

from workbench.checks import strings
from workbench.errors import InputError
from workbench.selectors import SELECTORS
from workbench.selectors.base import Selection
from workbench.selectors.vote import SPEC, VoteParams

NAN = float("nan")


def columns(**scores: Any) -> dict[str, Any]:
    n = len(next(iter(scores.values())))
    return {
        "doc_id": strings(f"d{i:02d}" for i in range(n)),
        **{name: np.array(values, dtype=np.float32) for name, values in scores.items()},
    }


def run(given: dict[str, Any], *scores: str, **params: Any) -> Selection:
    return SPEC.run(given, VoteParams(scores, **params), {}, 0)


def every_verdict() -> dict[str, Any]:
    """Eight documents: each way in which three bands 0..1 can say yes (0.5) or no (2)."""
    return columns(**dict(zip("abc", np.array(list(itertools.product((0.5, 2.0), repeat=3))).T, strict=True)))


@pytest.mark.parametrize("at_least", [1, 2, 3])
def test_a_document_is_kept_by_as_many_bands_as_are_asked_for(at_least: int) -> None:
    given = every_verdict()
    found = run(given, *"abc", lows=(0.0,) * 3, highs=(1.0,) * 3, at_least=at_least)
    expected = sum((given[name] <= 1).astype(int) for name in "abc") >= at_least
    np.testing.assert_array_equal(found.keep, expected)
    assert found.keep.sum() == {1: 7, 2: 4, 3: 1}[at_least]


def test_all_bands_together_are_the_bands_one_after_another() -> None:
    rng = np.random.default_rng(0)
    given = columns(a=rng.random(200).round(2), b=rng.random(200).round(2))
    band = SELECTORS["band"]
    a, b = (
        band.run(given, band.params(name, low=low, high=high), {}, 0).keep
        for name, low, high in (("a", 0.1, 0.9), ("b", 0.3, 0.6))
    )
    for at_least, expected in ((1, a | b), (2, a & b)):
        found = run(given, "a", "b", lows=(0.1, 0.3), highs=(0.9, 0.6), at_least=at_least)
        np.testing.assert_array_equal(found.keep, expected)


def test_both_ends_belong_to_a_band_in_the_scores_own_type() -> None:
    given = columns(a=[0.1, 0.3, 0.30001, 0.09999])
    assert run(given, "a", lows=(0.1,), highs=(0.3,)).keep.tolist() == [True, True, False, False]


def test_one_score_may_have_two_bands() -> None:
    given = columns(a=[1, 5, 9, 12])
    assert run(given, "a", "a", highs=(2.0, 10.0), lows=(None, 8.0)).keep.tolist() == [
        True,
        False,
        True,
        False,
    ]


def test_a_document_without_a_score_is_not_within_its_band_and_others_can_keep_it() -> None:
    given = columns(a=[NAN, NAN, 1], b=[1, 9, NAN])
    assert run(given, "a", "b", highs=(None, 5.0)).keep.tolist() == [True, False, True]
    assert run(given, "a", "b", highs=(None, 5.0), at_least=2).keep.tolist() == [False] * 3


def test_a_reason_names_each_band_that_failed_and_no_other() -> None:
    found = run(
        columns(a=[5, 50], b=[NAN, 3], c=[0.5, 0.5]), *"abc", lows=(10, 1, 0), highs=(40, 9, 1), at_least=3
    )
    assert found.explain(0) == (
        "lies within 1 of 3 bands, at least 3 are needed: a 5 is below 10; b is not defined for this document"
    )
    assert found.explain(1) == "lies within 2 of 3 bands, at least 3 are needed: a 50 is above 40"


def test_bad_params_are_refused() -> None:
    given = columns(a=[1.0], b=[1.0])
    with pytest.raises(InputError, match="scores is empty; name at least one"):
        run(given)
    for at_least in (0, 3):
        with pytest.raises(InputError, match=rf"at_least must lie in 1\.\.2 .*, got {at_least}"):
            run(given, "a", "b", at_least=at_least)
    for name in ("lows", "highs"):
        with pytest.raises(InputError, match=f"{name} must be one a score, got 1 for 2"):
            run(given, "a", "b", **{name: (1.0,)})
    with pytest.raises(InputError, match="low must be below high, got low=3, high=1"):
        run(given, "a", lows=(3.0,), highs=(1.0,))
    with pytest.raises(InputError, match="high must be a number or open, got nan"):
        run(given, "a", highs=(NAN,))
