from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.plots.axis import (
    N_POSITIONS,
    Axis,
    axis_kinds,
    bin_codes,
    bin_edges,
    fit_axis,
    kept_share_below,
    nice_step,
    short,
    significant,
    ticks,
)

VALUES = st.lists(st.floats(-1e6, 1e6, width=32), min_size=1, max_size=40)
COUNTS = st.lists(st.integers(0, 10**7), min_size=1, max_size=40)


def axis_of(values: object) -> Axis:
    axis = fit_axis(np.asarray(values, dtype=np.float32))
    assert axis is not None
    return axis


@pytest.mark.parametrize(
    ("values", "kind", "integral"),
    [
        ([0.1, 0.5, 0.9], "linear", False),
        ([3, 4, 5, 9], "linear", True),
        ([1.5, 20, 3000], "log", False),
        ([1, 20, 3000], "log", True),
        ([0, 3, 5000], "log1p", True),
        ([0, 0.001, 0.9], "linear", False),
        ([-1, 0, 5000], "linear", True),
    ],
)
def test_heavy_tails_get_a_logarithmic_axis(values: list[float], kind: str, integral: bool) -> None:
    axis = axis_of(values)
    assert (axis.kind, axis.is_integral) == (kind, integral)


def test_nothing_finite_has_no_axis() -> None:
    assert fit_axis(np.asarray([np.nan, np.inf])) is None
    assert fit_axis(np.zeros(0)) is None


def test_one_value_lies_in_the_middle() -> None:
    assert axis_of([0.25, 0.25]).position(0.25) == 0.5
    assert axis_of([0.0, 0.0]).position(0.0) == 0.5
    assert axis_of([7, 7]).position(7) == 0.5


@given(VALUES)
def test_every_value_lies_on_its_axis(values: list[float]) -> None:
    axis = axis_of(values)
    exact = np.asarray(values, dtype=np.float32).astype(np.float64)
    assert axis.low <= exact.min()
    assert exact.max() <= axis.high
    places = axis.positions(exact)
    assert ((places >= 0) & (places <= 1)).all()
    assert places == pytest.approx([axis.position(float(value)) for value in exact])


@given(VALUES)
def test_places_and_values_are_each_others_inverse(values: list[float]) -> None:
    axis = axis_of(values)
    for place in (0.0, 0.3, 0.77, 1.0):
        assert axis.position(axis.value_at(place)) == pytest.approx(place, abs=1e-6)


@given(VALUES)
def test_snapped_values_rise_with_the_handle_and_stay_on_the_axis(values: list[float]) -> None:
    axis = axis_of(values)
    snapped = [axis.snapped(place) for place in range(0, N_POSITIONS + 1, 50)]
    assert snapped == sorted(snapped)


@given(VALUES)
def test_snapping_twice_changes_nothing(values: list[float]) -> None:
    axis = axis_of(values)
    for place in (0, 123, 500, 987):
        assert axis.snap(axis.snapped(place)) == axis.snapped(place)


def test_a_handle_gives_short_numbers() -> None:
    axis = axis_of([0.0132, 0.5, 0.98113])
    assert axis.snapped(333) == 0.336
    assert all(len(str(axis.snapped(place))) <= 5 for place in range(N_POSITIONS + 1))
    heavy = axis_of([2.7, 31.0, 61234.5])
    assert all(heavy.snapped(p) == significant(heavy.snapped(p), 3) for p in range(1, N_POSITIONS))


def test_handles_on_counts_are_whole() -> None:
    for values in ([0, 3, 5000], [1, 20, 3000], [3, 4, 9]):
        axis = axis_of(values)
        assert all(axis.snapped(place) % 1 == 0 for place in range(1, N_POSITIONS))


@given(VALUES)
def test_every_scale_on_offer_shows_all_values(values: list[float]) -> None:
    array = np.asarray(values, dtype=np.float32)
    for kind in axis_kinds(axis_of(array)) if len(set(array.tolist())) > 1 else ():
        axis = fit_axis(array, kind)
        assert axis is not None
        assert axis.kind == kind
        assert axis.low <= array.min()
        assert axis.high >= array.max()
        assert axis.position(axis.low) == 0
        assert axis.position(axis.high) == 1
        assert (np.diff([axis.snapped(place) for place in range(N_POSITIONS + 1)]) >= 0).all()


@given(VALUES)
def test_bins_cover_all_values_and_lose_none(values: list[float]) -> None:
    array = np.asarray([*values, np.nan], dtype=np.float32)
    edges = bin_edges(axis_of(array))
    assert (np.diff(edges) > 0).all()
    counts = np.bincount(bin_codes(array, edges), minlength=len(edges))
    assert counts[:-1].sum() == len(values)
    assert counts[-1] == 1


@given(COUNTS)
def test_bins_of_whole_numbers_have_edges_between_them(values: list[int]) -> None:
    # float32 holds no odd number beyond 2**24
    array = np.asarray(values, dtype=np.float32)
    edges = bin_edges(axis_of(array))
    assert len(edges) <= 50
    counts = np.bincount(bin_codes(array, edges), minlength=len(edges))
    inner = edges[1:-1]
    assert (inner % 1 == 0.5).all()
    assert counts.sum() == len(values)


def test_bins_agree_with_numpys_histogram() -> None:
    values = np.random.default_rng(0).gamma(2, 3, size=700)
    edges = bin_edges(axis_of(values))
    ours = np.bincount(bin_codes(values.astype(np.float32), edges), minlength=len(edges))[:-1]
    assert ours.tolist() == np.histogram(values.astype(np.float32), edges)[0].tolist()


def test_ticks_are_few_round_and_in_order() -> None:
    assert [text for _, text in ticks(axis_of([0.0, 0.4, 1.0]))] == ["0", "0.2", "0.4", "0.6", "0.8", "1"]
    assert [text for _, text in ticks(axis_of([2, 30, 17000]))] == ["10", "100", "1k", "10k"]
    assert [text for _, text in ticks(axis_of([0, 3, 5000]))] == ["0", "1", "10", "100", "1k"]
    for values in ([1e-9, 1.0, 1e9], [0, 1, 1e9], [3, 3, 4], [-5.5, 1, 2], [1, 1.2, 24.5]):
        places = [place for place, _ in ticks(axis_of(values))]
        assert 1 <= len(places) <= 8
        assert places == sorted(places)
        assert all(0 <= place <= 1 for place in places)


def test_numbers_on_labels_are_short() -> None:
    assert [short(x) for x in (0, 0.25, 950, 1200, 3.4e6, -2e9)] == [
        "0",
        "0.25",
        "950",
        "1.2k",
        "3.4M",
        "-2G",
    ]


def test_steps_are_1_2_5_times_a_power_of_ten() -> None:
    assert [nice_step(x) for x in (0.0011, 0.3, 1.0, 4.2, 6.0)] == pytest.approx([0.002, 0.5, 1, 5, 10])


def test_the_share_below_is_weighted_and_leaves_out_the_unscored() -> None:
    values = np.asarray([1, 2, 3, np.nan], dtype=np.float32)
    assert kept_share_below(values, np.asarray([1.0, 3.0, 4.0, 100.0]), 3.0) == 0.5
    assert kept_share_below(np.asarray([np.nan]), np.ones(1), 3.0) == 0.0
