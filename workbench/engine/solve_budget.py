"""From a budget to a threshold or a share: what keeps as much of it as can be kept, and never more.

Pure arithmetic on arrays: what is kept is given as amounts (documents or tokens, of the sample or of its corpus).
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from typing import Literal

import numpy as np

from workbench.checks import Array, BoolArray, FloatArray
from workbench.errors import InputError

Side = Literal["low", "high"]

_SLACK = 1e-9  # sums of amounts are rounded
_HALVINGS = 60
_DIGITS = 17  # enough for any float64
_SUFFIXES = {"": 1.0, "k": 1e3, "m": 1e6, "g": 1e9, "b": 1e9, "bn": 1e9, "t": 1e12}
_AMOUNT = re.compile(r"(\d[\d,_ ]*(?:\.\d+)?(?:e[+-]?\d+)?|\.\d+)\s*([a-z]*|%)", re.IGNORECASE)


@dataclass(frozen=True)
class Cut:
    """Where a threshold or a share is set.

    Attributes
    ----------
    value
        The threshold or the share; None: the side is open.
    reached
        The amount that is kept there.
    following
        The amount that the next step towards more would keep, above the target; None where none was looked at.
    is_met
        Whether the target lies within reach: False where even the least is more, or even the most is less.
    """

    value: float | None
    reached: float
    following: float | None
    is_met: bool


def parse_amount(text: str) -> tuple[float, bool]:
    """A typed amount: the number, and whether it is a share.

    Raises
    ------
    InputError
        If it is no such number, or a share above 1.

    Examples
    --------
    >>> parse_amount("30 B"), parse_amount("1,500"), parse_amount("2.5e6"), parse_amount("12.5 %")
    ((30000000000.0, False), (1500.0, False), (2500000.0, False), (0.125, True))
    """
    found = _AMOUNT.fullmatch(text.strip())
    suffix = found[2].lower() if found else "?"
    if found is None or (suffix != "%" and suffix not in _SUFFIXES):
        raise InputError(
            f"the budget must be a number such as 1,500, 30 B, 1.2T or 25 %, got {text[:40]!r}; k, M, B and T are read"
        )
    number = float(re.sub(r"[,_ ]", "", found[1]))
    if suffix == "%":
        if number > 100:
            raise InputError(f"a share must lie in 0 to 100 %, got {number:g} %; there is no more than all")
        return number / 100, True
    if not math.isfinite(number * _SUFFIXES[suffix]):
        raise InputError(f"the budget must be a finite number, got {text[:40]!r}; give a smaller one")
    return number * _SUFFIXES[suffix], False


def shortest_between(low: float, high: float) -> float:
    """The number of fewest digits in low..high, both ends in; of those the one nearest to `low`.

    Examples
    --------
    >>> shortest_between(0.12345, 0.1271), shortest_between(1234.0, 1302.0), shortest_between(-0.2, 0.3)
    (0.124, 1300.0, 0.0)
    """
    if low <= 0 <= high:
        return 0.0
    top = math.floor(math.log10(max(abs(low), abs(high))))
    for decimals in range(-top, _DIGITS - top):
        at = _rounded_up(low, decimals)
        if low <= at <= high:
            return at
    return low


def _rounded_up(value: float, decimals: int) -> float:
    """The smallest number of so many decimals that is at least `value`."""
    return float(Decimal(value).quantize(Decimal(1).scaleb(-decimals), ROUND_CEILING))


def solve_threshold(
    values: Array, amount: FloatArray, eligible: BoolArray, side: Side, target: float, *, base: float = 0.0
) -> Cut:
    """The threshold on a score that keeps the most that doesn't exceed a target, exact to the document.

    Parameters
    ----------
    values
        The score, (n,); documents that lack it (NaN) are not moved by the threshold.
    amount
        What each document counts, 0 or more, (n,).
    eligible
        Bool (n,): the documents that everything else keeps.
    side
        "low": documents at or above the threshold are kept. "high": at or below it.
    target
        The budget, in the unit of `amount`.
    base
        What is kept wherever the threshold is (documents without the score that are kept).

    Returns
    -------
    Cut
        Documents with equal scores go together, so `following` may be further off than a document. Where the least
        exceeds the target, that least; where the most falls short, the open side.
    """
    rows = np.flatnonzero(eligible & ~np.isnan(values))
    if not len(rows):
        return Cut(None, base, None, is_met=target * (1 - _SLACK) <= base <= target * (1 + _SLACK))
    order = rows[np.argsort(_from_best(values[rows], side), kind="stable")]
    ends = np.flatnonzero(np.r_[values[order][1:] != values[order][:-1], True])
    reached = base + np.cumsum(np.asarray(amount, dtype=np.float64)[order])[ends]
    return solve_level(lambda k: float(reached[k]), values[order][ends], side, target)


def levels(values: Array, eligible: BoolArray, side: Side) -> Array:
    """The distinct scores of the eligible documents, from the one that a threshold keeps first."""
    found: Array = np.unique(values[eligible & ~np.isnan(values)])
    return found[::-1] if side == "low" else found


def solve_level(run: Callable[[int], float], found: Array, side: Side, target: float) -> Cut:
    """As `solve_threshold`, where only a run of the whole recipe says what is kept: by halving.

    Parameters
    ----------
    run
        `run(k) -> amount` that is kept with the threshold at `found[k]`; asked about log2(k) + 2 times. Where it
        doesn't grow with k all the way (a later step compares documents), the answer is the best that was asked for.
    found
        What `levels` gives, at least one.
    """
    limit, last = target * (1 + _SLACK), len(found) - 1
    most = run(last)
    if most <= limit:
        return Cut(None, most, None, is_met=most >= target * (1 - _SLACK))
    low, high = 0, last
    reached, following = run(low), most
    if reached > limit:
        return Cut(_separating(found, 0, side), reached, None, is_met=False)
    while high - low > 1:
        middle = (low + high) // 2
        kept = run(middle)
        if kept <= limit:
            low, reached = middle, kept
        else:
            high, following = middle, kept
    return Cut(_separating(found, low, side), reached, following, is_met=True)


def _from_best(values: Array, side: Side) -> Array:
    return -values if side == "low" else values


def _separating(found: Array, k: int, side: Side) -> float:
    """The shortest threshold that keeps `found[k]` and not the next one, nearer to the former."""
    if k + 1 == len(found):
        return float(found[k])
    last, following = found[k], found[k + 1]
    if not np.isfinite(last):
        return 0.0 if not np.isfinite(following) else float(np.nextafter(following, last))
    if not np.isfinite(following):
        return float(last)
    kept, middle = float(last), (float(last) + float(following)) / 2
    value = shortest_between(min(kept, middle), max(kept, middle))
    # A band compares in the score's own type, where the middle of two neighbours is one of them.
    stored = found.dtype.type(value)
    separates = following < stored <= last if side == "low" else last <= stored < following
    return value if separates else kept


def largest_fillable(sizes: FloatArray, caps: FloatArray) -> float:
    """The largest budget that sources can fill where none may hold more than its cap's share of it.

    Parameters
    ----------
    sizes
        What each source has, 0 or more, (k,).
    caps
        In 0..1, (k,).

    Returns
    -------
    float
        At most the sum of sizes; 0 where the caps together make less than 1.

    Examples
    --------
    >>> largest_fillable(np.array([30.0, 100.0]), np.array([1.0, 0.25])), largest_fillable(np.ones(2), np.full(2, 0.4))
    (40.0, 0.0)
    """
    sizes, caps = np.asarray(sizes, dtype=np.float64), np.asarray(caps, dtype=np.float64)
    # A budget B is filled iff sum(min(size, cap B)) >= B, that is iff for every set of sources that give all they have
    # their sizes and the others' caps make B. Of all sets, those that are exhausted first are the tightest.
    reach = np.divide(sizes, caps, out=np.full(len(sizes), np.inf), where=caps > 0)
    order = np.argsort(reach, kind="stable")
    given = np.r_[0.0, np.cumsum(sizes[order])]
    rest = np.r_[np.cumsum(caps[order][::-1])[::-1], 0.0]
    tight = rest < 1 - _SLACK
    return float((given[tight] / (1 - rest[tight])).min())


def solve_fraction(run: Callable[[float], float], target: float, *, at_most: float = 1.0) -> Cut:
    """The share, in 0..`at_most`, whose kept amount is the most that doesn't exceed a target.

    Parameters
    ----------
    run
        `run(share) -> amount kept`, which grows with the share by whole documents. Where it doesn't grow all the way
        (a floor takes documents of another size) the best share that was looked at is the answer, never one that
        exceeds the target.
    target
        The budget.
    """
    limit = target * (1 + _SLACK)
    most = run(at_most)
    if most <= limit:
        return Cut(at_most, most, None, is_met=most >= target * (1 - _SLACK))
    least = run(0.0)
    if least > limit:
        return Cut(0.0, least, None, is_met=False)
    low, high = 0.0, at_most
    reached, following = least, most
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        # Shares nearer together than this are one to a selector.
        if high - low <= 2e-9 * high or reached >= target * (1 - _SLACK):
            break
        kept = run(middle)
        if kept <= limit:
            low, reached = middle, kept
        else:
            high, following = middle, kept
    value = _short_share(run, low, reached, at_most)
    return Cut(value, reached, following, is_met=True)


def _short_share(run: Callable[[float], float], share: float, reached: float, at_most: float) -> float:
    """The share of fewest decimals near to `share` that keeps the same."""
    for decimals in range(3, 10):
        value = round(share, decimals)
        if value <= at_most and run(value) == reached:
            return value
    return share
