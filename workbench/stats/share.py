"""The kept share of an amount over strata, its limits, and what they say of a total. Sums in, estimates out."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from workbench.checks import Array, BoolArray, FloatArray, IntArray


@dataclass(frozen=True)
class Estimate:
    """An estimate (a total, a mean, a share) and the interval around it."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Amount:
    """An amount a by stratum, beside what is known, x; each float64 (h,).

    `known` is x in the corpus; the others are sums over the sampled documents: of x, xx, a, aa, ax, and of those that
    are kept. `densest` is the greatest a / x of a document; `same` says that a is x.
    """

    n_corpus: FloatArray
    n: FloatArray
    known: FloatArray
    x: FloatArray
    xx: FloatArray
    a: FloatArray
    aa: FloatArray
    ax: FloatArray
    kept: FloatArray
    kept_aa: FloatArray
    kept_ax: FloatArray
    densest: float
    same: bool

    @property
    def open(self) -> BoolArray:
        """Strata that have a variance: two documents or more were sampled, and not all."""
        return (self.n >= 2) & (self.n_corpus > self.n)

    @property
    def blind(self) -> BoolArray:
        """Strata of which fewer than two documents were sampled, and not all."""
        return (self.n < 2) & (self.n_corpus > self.n)


def collapse(amount: Amount) -> Amount:
    """The same with all strata of which fewer than two documents were sampled as one, if that has two."""
    few = amount.n < 2
    if few.sum() < 2 or amount.n[few].sum() < 2:
        return amount
    place = np.where(few, 0, np.cumsum(~few))
    sums: dict[str, Any] = {
        f.name: grouped(place, value, int(place.max()) + 1)
        for f in fields(amount)
        if isinstance(value := getattr(amount, f.name), np.ndarray)
    }
    return replace(amount, **sums)


def estimates(
    amount: Amount, pool: IntArray, group: IntArray, level: float, n_groups: int | None = None
) -> list[Estimate]:
    """One estimate a group of strata; strata of one pool share a ratio to what is known."""
    n_groups = len(group) if n_groups is None else n_groups
    blind, whole = amount.blind, amount.n_corpus == amount.n
    value, low, high = _sampled(amount, pool, group, n_groups, level)
    seen = grouped(group, np.where(blind, 0.0, amount.kept), n_groups)
    certain = grouped(group, np.where(whole, amount.kept, 0.0), n_groups)
    low = np.maximum(low + certain, seen)
    high += certain
    unseen = np.maximum(amount.known - amount.x, 0.0)
    if amount.same:
        # No more can be kept than there is; of other amounts that isn't known.
        high = np.minimum(high, seen + grouped(group, np.where(blind, 0.0, unseen), n_groups))
    value, low, high = value + certain, np.minimum(low, value + certain), np.maximum(high, value + certain)
    # From what was seen to the worst case; added, since without a variance there is no quadrature.
    low += grouped(group, np.where(blind, amount.kept, 0.0), n_groups)
    high += grouped(group, np.where(blind, amount.kept + unseen * amount.densest, 0.0), n_groups)
    # The mean over what was sampled stands in for what was not.
    expanded = amount.known * quotient(amount.kept, amount.x)
    mean = expanded.sum() / max(amount.known[amount.n > 0].sum(), 1.0)
    value += grouped(
        group, np.where(blind, np.where(amount.n > 0, expanded, amount.known * mean), 0.0), n_groups
    )
    return [Estimate(*map(float, row)) for row in zip(value, low, high, strict=True)]


def _sampled(
    amount: Amount, pool: IntArray, group: IntArray, n_groups: int, level: float
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Value and limits of each group's strata that have a variance."""
    from scipy.special import ndtri, stdtrit

    n, n_pools = amount.n, int(pool.max(initial=-1)) + 1
    open_ = amount.open
    rate = np.where(open_, quotient(amount.n_corpus, n), 0.0)
    left = np.where(open_, 1.0 - quotient(n, amount.n_corpus), 0.0)
    known = grouped(pool, np.where(open_, amount.known, 0.0), n_pools)
    found = grouped(pool, rate * amount.x, n_pools)
    weight = rate * np.where(found > 0, quotient(known, found), 1.0)[pool]
    kept, total = weight * amount.kept, weight * amount.a

    def variance(part: FloatArray, aa: FloatArray, ax: FloatArray) -> FloatArray:
        # Of the sum of the residuals w (a - R x), by stratum.
        ratio = quotient(grouped(pool, weight * part, n_pools), grouped(pool, weight * amount.x, n_pools))[
            pool
        ]
        squares = aa - 2.0 * ratio * ax + ratio**2 * amount.xx
        spread = squares - quotient((part - ratio * amount.x) ** 2, n)
        return grouped(group, left * weight**2 * quotient(n, n - 1.0) * np.maximum(spread, 0.0), n_groups)

    value, whole = grouped(group, kept, n_groups), grouped(group, total, n_groups)
    freedom = np.maximum(grouped(group, np.where(open_, n - 1.0, 0.0), n_groups), 1.0)
    quantile = stdtrit(freedom, (1.0 + level) / 2.0)
    normal = ndtri((1.0 + level) / 2.0)
    widened = variance(amount.kept, amount.kept_aa, amount.kept_ax) * (quantile / normal) ** 2
    more, more_left = _one_more(weight * quotient(amount.aa, amount.a), left, group, n_groups)
    tail = (1.0 - level) / 2.0
    low = _share_limit(value, whole - value + more, widened, more * value, more_left, tail)
    high = _share_limit(value + more, whole - value, widened, more * (whole - value), more_left, 1.0 - tail)
    # Both spreads are widths on the logarithm; where nothing is kept, its limit stands in for the share.
    spread = quantile * quotient(np.sqrt(variance(amount.a, amount.aa, amount.ax)), whole)
    share = quotient(value, whole)
    middle = np.where(share > 0, share, high)
    below = np.log(quotient(share, low), out=np.zeros(n_groups), where=low > 0)
    above = np.log(quotient(high, middle), out=np.zeros(n_groups), where=middle > 0)
    low = np.where(low > 0, value * np.exp(-np.hypot(below, spread)), 0.0)
    return value, low, whole * middle * np.exp(np.hypot(above, spread))


def _one_more(
    step: FloatArray, left: FloatArray, group: IntArray, n_groups: int
) -> tuple[FloatArray, FloatArray]:
    """What one document more adds to each group: from the stratum where it weighs most, with that one's `left`."""
    more, more_left = np.zeros(n_groups), np.zeros(n_groups)
    order = np.argsort(step, kind="stable")
    more[group[order]], more_left[group[order]] = step[order], left[order]
    return more, more_left


def _share_limit(
    kept: FloatArray,
    dropped: FloatArray,
    variance: FloatArray,
    more: FloatArray,
    left: FloatArray,
    tail: float,
) -> FloatArray:
    """The quantile of the kept share's beta distribution; 0 or 1 where nothing, or everything, is kept."""
    from scipy.special import betaincinv

    whole = kept + dropped
    share = quotient(kept, whole)
    spread = quotient(variance + left * quotient(more, whole) ** 2, whole**2)
    size = quotient(share * (1.0 - share), spread) - 1.0
    # 1e12: a distribution so narrow is a point, and the inverse loses its digits. 1e-3: nothing is known.
    sized = (spread > 0) & (size < 1e12)
    size = np.where(sized, np.maximum(size, 1e-3), 1.0)
    inside = sized & (share > 0) & (share < 1)
    mean = np.where(inside, share, 0.5)
    return np.where(inside, betaincinv(mean * size, (1.0 - mean) * size, tail), share)


def grouped(group: IntArray, values: Array, n_groups: int) -> FloatArray:
    """Sum of the values of each group, float64 (n_groups,)."""
    return np.bincount(group, weights=values, minlength=n_groups).astype(np.float64)


def quotient(a: FloatArray, b: FloatArray) -> FloatArray:
    """The quotient, 0 where b isn't above 0."""
    return np.divide(a, b, out=np.zeros_like(a, dtype=np.float64), where=b > 0)
