"""The band: which side its ends are on, what a quantile is, and what becomes of unscored documents."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.errors import InputError
from workbench.selectors.band import BandParams, constant, resolve_band, select_band
from workbench.selectors.base import Quantile, Selection

NAN = float("nan")


def select(values: Any, **params: Any) -> Selection:
    return select_band({"s": np.asarray(values, dtype=np.float32)}, BandParams("s", **params), {}, 0)


def resolve(values: Any, bound: Quantile, weights: Any = None) -> float:
    values = np.asarray(values, dtype=np.float32)
    weights = np.ones(len(values)) if weights is None else np.asarray(weights, dtype=np.float64)
    params = resolve_band({"s": values}, BandParams("s", low=bound), weights)
    assert isinstance(params.low, Quantile)
    assert params.low.quantile == bound.quantile
    assert params.low.value is not None
    return params.low.value


def test_both_ends_belong_to_the_band() -> None:
    assert select([1, 2, 3, 4, 5], low=2, high=4).keep.tolist() == [False, True, True, True, False]
    assert select([1, 2, 3], low=2, high=2).keep.tolist() == [False, True, False]


def test_none_is_an_open_side_and_zero_is_not() -> None:
    values = [-1, 0, 1]
    assert select(values).keep.tolist() == [True, True, True]
    assert select(values, low=0).keep.tolist() == [False, True, True]
    assert select(values, high=0).keep.tolist() == [True, True, False]
    assert select([-np.inf, np.inf], low=-5, high=5).keep.tolist() == [False, False]


def test_a_threshold_is_read_in_the_type_of_the_score() -> None:
    # A ratio of exactly 0.1 is stored as the float32 next to it, which is above the float64 0.1; to the
    # person who typed 0.1 the two are one number.
    assert np.float64(np.float32(0.1)) > 0.1
    assert select([0.1], high=0.1).keep.tolist() == [True]
    assert select([0.3], low=0.3, high=0.3).keep.tolist() == [True]
    above = np.nextafter(np.float32(0.1), np.float32(1))
    assert select([above], high=0.1).keep.tolist() == [False]
    wide = select_band({"s": np.array([0.1, 0.1000000015])}, BandParams("s", high=0.1), {}, 0)
    assert wide.keep.tolist() == [True, False]


@pytest.mark.filterwarnings("error")
def test_a_threshold_beyond_the_type_of_the_score_is_an_open_side() -> None:
    assert select([-5, 5], low=-1e39, high=1e39).keep.all()
    assert not select([-5, 5], low=1e39).keep.any()


def test_the_threshold_of_a_quantile_keeps_the_document_it_was_taken_from() -> None:
    values = np.random.default_rng(0).lognormal(size=999).astype(np.float32)
    for q in (0.0, 0.013, 0.5, 1.0):
        value = resolve(values, Quantile(q))
        assert np.float32(value) in values
        assert select(values, low=Quantile(q, value)).keep[values == np.float32(value)].all()


@pytest.mark.parametrize(
    ("mode", "kept"),
    [("keep", [True, True, True]), ("drop", [True, False, False]), ("error", [True, True, True])],
)
def test_documents_without_a_score_go_where_the_recipe_says(mode: str, kept: list[bool]) -> None:
    got = select([3, NAN, NAN], low=1, high=9, unscored=mode)
    assert got.keep.tolist() == kept
    if mode == "error":
        assert got.unscored is not None
        assert got.unscored.tolist() == [False, True, True]
    else:
        assert got.unscored is None


def test_nothing_is_undecided_where_every_document_has_a_score() -> None:
    assert select([3, 4], low=1).unscored is None


def test_reasons_name_score_value_and_threshold() -> None:
    got = select([1.25, 77, NAN], low=2, high=Quantile(0.9, 50.0), unscored="drop")
    assert [got.explain(i) for i in range(3)] == [
        "s 1.25 is below 2",
        "s 77 is above 50",
        "s is not defined for this document",
    ]


def brute_quantile(values: list[float], weights: list[int], q: float) -> float:
    """The smallest score that at least a share q of the corpus lies at or below, corpus written out."""
    corpus = sorted(v for v, w in zip(values, weights, strict=True) for _ in range(w))
    for i, value in enumerate(corpus):
        if (i + 1) / len(corpus) >= q:
            return value
    raise AssertionError


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_a_quantile_weighs_each_document_by_what_it_stands_for(data: st.DataObject) -> None:
    n = data.draw(st.integers(1, 12))
    values = data.draw(st.lists(st.integers(-5, 5).map(float), min_size=n, max_size=n))
    weights = data.draw(st.lists(st.integers(1, 7), min_size=n, max_size=n))
    # Either exactly at a step of the distribution, or anywhere.
    total = sum(weights)
    q = data.draw(st.one_of(st.integers(0, total).map(lambda k: k / total), st.floats(0, 1)))
    assert resolve(values, Quantile(q), weights) == brute_quantile(values, weights, q)


def test_a_quantile_is_taken_over_scored_documents_only() -> None:
    assert resolve([NAN, 1, 2, NAN, 3, 4], Quantile(0.5), [100, 1, 1, 100, 1, 1]) == 2


def test_a_quantile_that_has_its_constant_is_not_resolved_again() -> None:
    params = BandParams("s", high=Quantile(0.5, 123.0))
    assert resolve_band({"s": np.arange(9.0)}, params, np.ones(9)) == params


def test_resolving_leaves_constants_and_open_sides() -> None:
    params = BandParams("s", low=None, high=7.5)
    assert resolve_band({"s": np.arange(9.0)}, params, np.ones(9)) == params


def test_bad_thresholds_are_refused() -> None:
    with pytest.raises(InputError, match="low must be below high, got low=3, high=1; swap them"):
        select([1], low=3, high=1)
    with pytest.raises(InputError, match="low must be below high, got low=9, high=2"):
        select([1], low=Quantile(0.9, 9.0), high=Quantile(0.1, 2.0))
    with pytest.raises(
        InputError, match=r"quantile 0\.9 has no value yet; resolve the recipe on a sample first"
    ):
        select([1], high=Quantile(0.9))
    with pytest.raises(
        InputError, match=r"quantile must lie in 0\.\.1, got 90; give a fraction, not a percentage"
    ):
        resolve([1], Quantile(90))
    with pytest.raises(
        InputError, match="s is not defined for any document of the sample; give a constant, not a quantile"
    ):
        resolve([NAN, NAN], Quantile(0.5))


@pytest.mark.parametrize("side", ["low", "high"])
def test_a_threshold_that_is_no_number_is_refused(side: str) -> None:
    # Every comparison with NaN is false, so it would silently drop the whole corpus.
    with pytest.raises(
        InputError, match=f"{side} must be a number or open, got nan; leave it out for an open side"
    ):
        select([1, 2], **{side: NAN})


def test_the_constant_of_a_threshold() -> None:
    assert constant(None) is None
    assert constant(0) == 0.0
    assert constant(Quantile(0.3, 0.0)) == 0.0
