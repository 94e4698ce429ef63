"""From a budget to a threshold or a share, against twins that try every one."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pytest

from workbench.engine.solve_budget import (
    Cut,
    Side,
    largest_fillable,
    levels,
    parse_amount,
    shortest_between,
    solve_fraction,
    solve_level,
    solve_threshold,
)
from workbench.errors import InputError
from workbench.selectors.band import BandParams, select_band


def kept_by_band(values: Any, eligible: Any, side: Side, value: float | None) -> Any:
    """What the band itself keeps of the eligible documents."""
    params = BandParams("s", **{side: value}, unscored="keep")
    return eligible & select_band({"s": values}, params, {}, 0).keep


def hand(rng: np.random.Generator, kind: type) -> tuple[Any, Any, Any]:
    n = int(rng.integers(1, 30))
    values = rng.choice(
        [rng.normal(size=n), rng.integers(-3, 4, n), np.exp(rng.normal(8, 4, n)), np.full(n, 0.3)]
    ).astype(kind)
    values[rng.random(n) < 0.15] = np.nan
    values[rng.random(n) < 0.05] = rng.choice([np.inf, -np.inf])
    return values, rng.integers(0, 9, n).astype(np.float64), rng.random(n) < 0.8


@pytest.mark.parametrize("side", ["low", "high"])
@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_no_threshold_keeps_more_of_a_budget(side: Side, kind: type) -> None:
    rng = np.random.default_rng(0)
    for _ in range(150):
        values, amount, eligible = hand(rng, kind)
        base = float(amount[eligible & np.isnan(values)].sum())
        target = float(rng.integers(0, int(amount.sum()) + 3))
        cut = solve_threshold(values, amount, eligible, side, target, base=base)
        tried = [
            float(amount[kept_by_band(values, eligible, side, float(value))].sum())
            for value in np.unique(values[eligible & ~np.isnan(values)])
        ]
        everything = float(amount[eligible].sum())
        reachable = [*tried, everything]
        assert cut.reached == amount[kept_by_band(values, eligible, side, cut.value)].sum()
        if cut.reached <= target:
            assert cut.reached == max(a for a in reachable if a <= target)
            assert cut.is_met == (everything >= target)
        else:
            assert not cut.is_met
            assert cut.reached == min(reachable)
        if cut.following is not None:
            assert cut.following == min(a for a in reachable if a > target)


@pytest.mark.parametrize("side", ["low", "high"])
def test_halving_finds_what_sums_find(side: Side) -> None:
    rng = np.random.default_rng(1)
    for _ in range(60):
        values, amount, eligible = hand(rng, np.float32)
        found = levels(values, eligible, side)
        if not len(found):
            continue
        kept = [
            float(amount[eligible & (values >= v if side == "low" else values <= v)].sum()) for v in found
        ]
        asked: list[int] = []

        target = float(rng.integers(0, 60))
        cut = solve_level(lambda k, a=asked, f=kept: a.append(k) or f[k], found, side, target)
        assert cut == solve_threshold(values, amount, eligible, side, target)
        assert len(asked) <= np.log2(len(found)) + 3


def test_a_threshold_is_short_and_separates_neighbours_of_its_type() -> None:
    near = np.array([0.3, np.nextafter(np.float32(0.3), np.float32(1)), 0.7], dtype=np.float32)
    ones, all_of_them = np.ones(3), np.ones(3, dtype=bool)
    assert solve_threshold(near, ones, all_of_them, "low", 1) == Cut(0.6, 1, 2, True)
    cut = solve_threshold(near, ones, all_of_them, "low", 2)
    assert kept_by_band(near, all_of_them, "low", cut.value).tolist() == [False, True, True]
    assert cut.reached == 2


@pytest.mark.parametrize(
    ("low", "high"),
    [(0.12345, 0.1271), (-7.36, -7.22), (1e-12, 3e-12), (3456.7, 3456.8), (5.0, 5.0), (-1, 2)],
)
def test_no_shorter_number_lies_between(low: float, high: float) -> None:
    value = shortest_between(low, high)
    assert low <= value <= high
    n_digits = len(np.format_float_scientific(value, trim="-").split("e")[0].strip("-").replace(".", ""))
    below = 10 ** (n_digits - 1)
    shorter = (float(f"{m}e{e}") for e in range(-14, 7) for m in range(1 - below, below))
    assert not any(low <= number <= high for number in shorter if number or value)


def first_that_fit(used: Any, share: float) -> float:
    fits = used[used <= share * used[-1] * (1 + 1e-9)]
    return float(fits[-1]) if len(fits) else 0.0


def test_a_share_is_solved_to_the_document() -> None:
    rng = np.random.default_rng(2)
    for _ in range(40):
        used = np.cumsum(rng.integers(0, 50, int(rng.integers(1, 40))))
        total, target = float(used[-1]), float(rng.integers(0, int(used[-1]) + 20))

        run = partial(first_that_fit, used)
        cut = solve_fraction(run, target)
        assert cut.value is not None
        assert run(cut.value) == cut.reached
        assert cut.reached == max([0.0, *(float(u) for u in used if u <= target)])
        assert cut.is_met == (total >= target)


def test_a_share_is_never_solved_beyond_its_budget_where_amounts_jump_about() -> None:
    def run(share: float) -> float:
        return 100 * share + 7 * (int(share * 1000) % 3)

    for target in (0.0, 12.0, 50.5, 99.0):
        cut = solve_fraction(run, target)
        assert cut.reached <= target * (1 + 1e-9)
        assert run(cut.value or 0.0) == cut.reached


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("7", 7.0),
        ("1_000", 1e3),
        ("1 234 567", 1234567.0),
        ("1.2T", 1.2e12),
        ("3 bn", 3e9),
        (" 5M ", 5e6),
        (".5k", 500.0),
    ],
)
def test_amounts_are_read_as_people_write_them(text: str, amount: float) -> None:
    assert parse_amount(text) == (pytest.approx(amount), False)


@pytest.mark.parametrize("text", ["", "-3", "30 X", "1,2,", "nan", "1e999", "five", "3 B tokens", "<b>1</b>"])
def test_what_is_no_amount_is_refused(text: str) -> None:
    if text == "1,2,":
        assert parse_amount(text) == (12.0, False)
        return
    with pytest.raises(InputError, match="the budget must be"):
        parse_amount(text)


def test_a_share_above_all_is_refused() -> None:
    with pytest.raises(InputError, match=r"a share must lie in 0 to 100 %, got 120 %"):
        parse_amount("120%")


def test_no_larger_budget_can_be_filled_under_its_caps() -> None:
    rng = np.random.default_rng(3)
    for _ in range(200):
        k = int(rng.integers(1, 5))
        sizes, caps = rng.integers(0, 9, k).astype(float), rng.choice([0.0, 0.1, 0.3, 0.5, 1.0], k)
        found = largest_fillable(sizes, caps)
        budgets = np.linspace(0, sizes.sum(), 400)
        filled = np.minimum(sizes, np.outer(budgets, caps)).sum(axis=1) >= budgets - 1e-9
        assert np.minimum(sizes, caps * found).sum() == pytest.approx(found)
        assert found <= sizes.sum() + 1e-9
        assert not filled[budgets > found + 1e-6].any()
