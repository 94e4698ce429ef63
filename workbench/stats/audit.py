"""Precision and recall of a cut, from documents that a person judged without knowing what the cut does to them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from workbench.checks import BoolArray, FloatArray, IntArray
from workbench.errors import InputError
from workbench.stats.wilson import wilson_interval

OUTSIDE = -1
"""As a stratum: the design can't draw the document."""


@dataclass(frozen=True)
class Proportion:
    """A share in 0..1 and the interval around it; no value where nothing is known."""

    value: float | None
    low: float
    high: float


@dataclass(frozen=True)
class Audit:
    """What votes say about a cut.

    Attributes
    ----------
    precision
        Of the kept documents, the share that is worth keeping.
    recall
        Of the documents worth keeping, the share that is kept.
    dropped_good
        Of the dropped documents, the share that is worth keeping.
    n_kept, n_kept_good, n_dropped, n_dropped_good
        Votes on documents that the cut keeps and drops, and those of them for keeping.
    level
        Of the intervals.
    """

    precision: Proportion
    recall: Proportion
    dropped_good: Proportion
    n_kept: int
    n_kept_good: int
    n_dropped: int
    n_dropped_good: int
    level: float


@dataclass(frozen=True)
class _Total:
    """Documents worth keeping on one side of the cut, with limits, and all documents there."""

    value: float
    low: float
    high: float
    all: float
    is_known: bool

    @property
    def share(self) -> Proportion:
        if not self.is_known or self.all <= 0:
            return Proportion(None, 0.0, 1.0)
        # Rounding may leave a share an ulp beyond its end.
        return Proportion(*(min(1.0, max(0.0, x / self.all)) for x in (self.value, self.low, self.high)))


def audit(
    keep: BoolArray,
    stratum: IntArray,
    weights: FloatArray,
    rows: IntArray,
    good: BoolArray,
    *,
    level: float = 0.95,
) -> Audit:
    """Precision and recall of a cut from votes on a stratified draw, over the documents that the draw could reach.

    Parameters
    ----------
    keep
        bool (n,): what the cut keeps. It needn't be the cut that the draw was made under.
    stratum
        int (n,): the stratum of each document under the draw's design, OUTSIDE (-1) where it couldn't be drawn. Within
        a stratum each document must have had the same chance to be voted on.
    weights
        How many documents of the corpus each document stands for, (n,), above 0.
    rows
        The documents voted on, int (m,), each once and none OUTSIDE.
    good
        bool (m,): which of them were found worth keeping.
    level
        Of the intervals, above 0 and below 1.

    Raises
    ------
    InputError
        If a row is given twice or couldn't be drawn.

    Notes
    -----
    The draw takes as many kept documents as dropped ones, say, and the corpus has other numbers of them, so each
    cell (a stratum, kept or dropped by this cut) counts with its own weight, which is known. Votes within a cell
    are a random draw of it, whatever the cut is, so a share there has Wilson's interval; where weights differ in a
    cell, with Kish's effective size (sum w)^2 / sum w^2 (Kish 1965). Cells are added by MOVER (Zou and Donner 2008,
    Stat. Med. 27:1693): the distances of estimate and limits in quadrature. With one cell a side, precision has
    Wilson's interval itself. A cell without a vote has the other cells' share of its side, and the limits 0 and 1.
    Recall is K / (K + M), with K and M the documents worth keeping among the kept and the dropped ones, which are
    estimated independently; its limits are those r at which MOVER's interval of (1 - r) K - r M ends at 0 (Donner
    and Zou 2012, Stat. Methods Med. Res. 21:347). No finite population correction is made: the documents stand for
    a corpus.
    """
    if len(np.unique(rows)) != len(rows):
        raise InputError("a document has two votes; give each row once")
    if len(rows) and (stratum[rows] == OUTSIDE).any():
        raise InputError("a vote is on a document that the design can't draw; leave such votes out")
    kept, dropped = (
        _total(side, stratum, weights, rows, good, level) for side in (keep, np.logical_not(keep))
    )
    on_kept = keep[rows]
    return Audit(
        precision=kept.share,
        recall=_recall(kept, dropped),
        dropped_good=dropped.share,
        n_kept=int(on_kept.sum()),
        n_kept_good=int((on_kept & good).sum()),
        n_dropped=int((~on_kept).sum()),
        n_dropped_good=int((~on_kept & good).sum()),
        level=level,
    )


def _total(
    side: BoolArray, stratum: IntArray, weights: FloatArray, rows: IntArray, good: BoolArray, level: float
) -> _Total:
    """The documents worth keeping among those of `side`, weighted back to the corpus."""
    reached = side & (stratum != OUTSIDE)
    n_strata = int(stratum.max(initial=-1)) + 1
    size = np.bincount(stratum[reached], weights=weights[reached], minlength=n_strata)
    voted = side[rows]
    code, w = stratum[rows[voted]], weights[rows[voted]]
    seen = np.bincount(code, weights=w, minlength=n_strata)
    found = np.bincount(code, weights=w * good[voted], minlength=n_strata)
    squares = np.bincount(code, weights=w * w, minlength=n_strata)
    # What a cell without votes is taken for: the share of the cells that have some, each with its size.
    has = seen > 0
    share = np.divide(found, seen, out=np.zeros(n_strata), where=has)
    usual = float(size[has] @ share[has] / size[has].sum()) if has.any() else 0.5
    value = below = above = 0.0
    for h in np.flatnonzero(size > 0):
        p, low, high = usual, 0.0, 1.0
        if has[h]:
            n_effective = float(seen[h] ** 2 / squares[h])
            p = min(1.0, float(share[h]))
            low, high = wilson_interval(p * n_effective, n_effective, level)
        n = float(size[h])
        value += n * p
        below += (n * (p - low)) ** 2
        above += (n * (high - p)) ** 2
    whole = float(size.sum())
    limits = max(0.0, value - math.sqrt(below)), min(whole, value + math.sqrt(above))
    return _Total(value, *limits, all=whole, is_known=bool(has.any()) or whole == 0)


def _recall(kept: _Total, dropped: _Total) -> Proportion:
    k, m = kept.value, dropped.value
    # Odds of being kept, K / M: where the interval of K - odds * M ends at 0.
    low_k, low_m = kept.low * (2 * k - kept.low), dropped.low * (2 * m - dropped.low)
    high_k, high_m = kept.high * (2 * k - kept.high), dropped.high * (2 * m - dropped.high)
    below = k * m + math.sqrt(max(0.0, (k * m) ** 2 - low_k * high_m))
    above = k * m + math.sqrt(max(0.0, (k * m) ** 2 - high_k * low_m))
    low = low_k / (low_k + below) if low_k > 0 else 0.0
    # Where nothing good need be dropped, all may be kept; where nothing can be kept, none is.
    high = above / (above + low_m) if low_m > 0 else float(kept.high > 0)
    is_known = kept.is_known and dropped.is_known and k + m > 0
    return Proportion(k / (k + m) if is_known else None, low, max(low, high))
