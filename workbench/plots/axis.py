"""The axis of a score's histogram: its scale, bins, ticks, and the values that a handle on it can take.

Pure arithmetic on plain numbers, shared by the charts and by the bench's sliders, so that both show the same thing.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from workbench.checks import Array, FloatArray, IntArray

Kind = Literal["linear", "log", "log1p"]

N_POSITIONS = 1000
"""A handle stands at one of this many + 1 places: finer than a pixel, coarse enough for round values."""

N_BINS = 48
_HEAVY_TAIL = 20.0


@dataclass(frozen=True)
class Axis:
    """Where values of one score lie between 0 (left) and 1 (right).

    Attributes
    ----------
    kind
        "log1p" is log(1 + x), for counts that may be 0.
    low, high
        The ends; every finite value of the score lies between them.
    is_integral
        Whether all values are whole numbers, and so are a handle's.
    """

    kind: Kind
    low: float
    high: float
    is_integral: bool

    def position(self, value: float) -> float:
        """Place of a value, held to 0..1."""
        start, stop = self._forward(self.low), self._forward(self.high)
        return min(1.0, max(0.0, (self._forward(max(value, self.low)) - start) / (stop - start)))

    def positions(self, values: FloatArray) -> FloatArray:
        """Places of many values, float64 (n,); NaN stays NaN."""
        start, stop = self._forward(self.low), self._forward(self.high)
        held = np.clip(np.asarray(values, dtype=np.float64), self.low, self.high)
        moved = held if self.kind == "linear" else np.log(held) if self.kind == "log" else np.log1p(held)
        return np.asarray((moved - start) / (stop - start))

    def value_at(self, position: float) -> float:
        """The value at a place in 0..1, not rounded."""
        start, stop = self._forward(self.low), self._forward(self.high)
        x = start + position * (stop - start)
        return x if self.kind == "linear" else math.exp(x) if self.kind == "log" else math.expm1(x)

    def snapped(self, step: int) -> float:
        """The round value at place `step` / N_POSITIONS: what a handle that stands there means."""
        return self.snap(self.value_at(step / N_POSITIONS))

    def snap(self, value: float) -> float:
        """The nearest round value: a thousandth of a linear axis, 3 or 4 significant digits of a log axis."""
        value = min(self.high, max(self.low, value))
        if self.is_integral:
            value = float(round(value))
        if self.kind == "linear":
            return (
                value
                if self.is_integral
                else _to_step(value, nice_step((self.high - self.low) / N_POSITIONS))
            )
        decades = math.log10((self.high + 1) / (self.low + 1))
        return significant(value, 3 if decades > 2 else 4)

    def _forward(self, value: float) -> float:
        if self.kind == "linear":
            return value
        return math.log(value) if self.kind == "log" else math.log1p(value)


def fit_axis(values: FloatArray, kind: Kind | None = None) -> Axis | None:
    """An axis on which the values can be told apart: logarithmic where they are heavy-tailed.

    Parameters
    ----------
    values
        (n,), NaN and infinity left out.
    kind
        The scale, if it isn't to be chosen: one of `axis_kinds`.

    Returns
    -------
    Axis or None
        None if there is no finite value.
    """
    finite = np.asarray(values, dtype=np.float64)
    finite = finite[np.isfinite(finite)]
    if not len(finite):
        return None
    low, middle, high = (float(x) for x in (finite.min(), np.median(finite), finite.max()))
    integral = bool((finite == np.round(finite)).all()) and high < 2**53
    is_log = low > 0 and high / middle >= _HEAVY_TAIL
    is_log1p = low >= 0 and integral and high >= 100 and high / (middle + 1) >= _HEAVY_TAIL
    if kind == "log" or (kind is None and is_log):
        return Axis("log", _log_end(low, -1), _log_end(high, +1), integral)
    if kind == "log1p" or (kind is None and is_log1p):
        return Axis("log1p", 0.0, _log_end(high, +1), integral)
    if integral:
        return Axis("linear", low - 0.5, high + 0.5, integral)
    if low == high:
        margin = abs(low) / 2 or 0.5
        return Axis("linear", low - margin, high + margin, integral)
    step = nice_step((high - low) / N_POSITIONS)
    return Axis(
        "linear",
        _to_step(math.floor(low / step) * step, step),
        _to_step(math.ceil(high / step) * step, step),
        False,
    )


def axis_kinds(axis: Axis) -> tuple[Kind, ...]:
    """The scales that can show what this axis shows: linear, and a logarithmic one where that would differ."""
    if axis.kind != "linear":
        return ("linear", axis.kind)
    # The axis of whole numbers begins half a one below the smallest.
    smallest = axis.low + 0.5 if axis.is_integral else axis.low
    if smallest > 0:
        return ("linear", "log")
    return ("linear", "log1p") if smallest == 0 and axis.high >= 10 else ("linear",)


def bin_edges(axis: Axis, n_bins: int = N_BINS) -> FloatArray:
    """Edges of at most `n_bins` bins that cover the axis, float64 (k + 1,), increasing.

    Whole numbers get bins of whole numbers, since bins between them would show gaps that aren't in the data.
    """
    if not axis.is_integral:
        edges = np.asarray([axis.value_at(i / n_bins) for i in range(n_bins + 1)])
        edges[0], edges[-1] = axis.low, axis.high
        return edges
    if axis.kind == "linear":
        width = max(1, math.ceil((axis.high - axis.low) / n_bins))
        count = math.ceil((axis.high - axis.low) / width)
        return axis.low + width * np.arange(count + 1, dtype=np.float64)
    inner = np.floor([axis.value_at(i / n_bins) for i in range(1, n_bins)]) + 0.5
    inner = inner[(inner > axis.low) & (inner < axis.high)]
    return np.unique(np.concatenate([[axis.low], inner, [axis.high]]))


def bin_codes(values: FloatArray, edges: FloatArray) -> IntArray:
    """The bin of each value, int64 (n,); NaN and infinity get the number of bins."""
    n_bins = len(edges) - 1
    exact = np.asarray(values, dtype=np.float64)
    codes = np.clip(np.searchsorted(edges, exact, side="right") - 1, 0, n_bins - 1)
    return np.where(np.isfinite(exact), codes, n_bins).astype(np.int64)


def ticks(axis: Axis, at_most: int = 6) -> list[tuple[float, str]]:
    """Round values with their places, for labels under the axis: (position in 0..1, text)."""
    values = _linear_ticks(axis, at_most) if axis.kind == "linear" else _log_ticks(axis, at_most)
    return [(axis.position(value), short(value)) for value in values]


def _linear_ticks(axis: Axis, at_most: int) -> list[float]:
    step = nice_step((axis.high - axis.low) / at_most)
    if axis.is_integral:
        step = max(1.0, step)
    first, last = math.ceil(axis.low / step - 1e-9), math.floor(axis.high / step + 1e-9)
    return [_to_step(i * step, step) for i in range(first, last + 1)]


def _log_ticks(axis: Axis, at_most: int) -> list[float]:
    start = math.floor(math.log10(axis.low)) if axis.kind == "log" else 0
    stop = math.ceil(math.log10(axis.high))
    for multiples in ((1, 2, 5), (1, 3), (1,)):
        values = [m * 10.0**e for e in range(start, stop + 1) for m in multiples]
        values = [0.0] * (axis.kind == "log1p") + [v for v in values if axis.low <= v <= axis.high]
        if len(values) <= at_most:
            return values
    return values[:: math.ceil(len(values) / at_most)]


def short(value: float) -> str:
    """A number as an axis label: 1,200 as 1.2k, no needless digits."""
    for size, suffix in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:.4g}{suffix}"
    return f"{value:.4g}"


def significant(value: float, digits: int) -> float:
    """A number rounded to so many significant digits."""
    return float(f"{value:.{digits - 1}e}")


def nice_step(at_least: float) -> float:
    """The smallest of 1, 2, 5 times a power of ten that is at least so large."""
    power = 10.0 ** math.floor(math.log10(at_least))
    for multiple in (1, 2, 5, 10):
        if multiple * power >= at_least * (1 - 1e-9):
            return float(multiple * power)
    return 10 * power


def _to_step(value: float, step: float) -> float:
    """The nearest multiple of a step, without the 0.30000000000000004 of floats."""
    return round(round(value / step) * step, max(0, 2 - math.floor(math.log10(step))))


def _log_end(value: float, direction: int) -> float:
    """`value` rounded outward to two significant digits."""
    power = 10.0 ** (math.floor(math.log10(value)) - 1)
    whole = math.floor(value / power + 1e-9) if direction < 0 else math.ceil(value / power - 1e-9)
    return significant(whole * power, 3)


def kept_share_below(values: Array, weights: FloatArray, value: float) -> float:
    """The weighted share of scorable documents that lie below `value`: the quantile of a lower threshold there."""
    scored = np.isfinite(values)
    total = float(weights[scored].sum())
    return float(weights[scored & (values.astype(np.float64) < value)].sum()) / total if total else 0.0
