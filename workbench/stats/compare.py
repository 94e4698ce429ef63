"""Selections of one sample side by side: what they share, and how the documents that they keep differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from workbench.checks import Array, BoolArray, FloatArray, IntArray
from workbench.errors import InputError

PARTS = ("neither", "only_a", "only_b", "both")


@dataclass(frozen=True)
class Overlap:
    """How an amount (documents, tokens) falls on two selections.

    Attributes
    ----------
    both, only_a, only_b, neither
        The amount that both keep, only one of them, or none. Together they are all there is.
    """

    both: float
    only_a: float
    only_b: float
    neither: float

    @property
    def jaccard(self) -> float:
        """What both keep, as a share of what either keeps, 0..1; NaN where neither keeps anything."""
        either = self.both + self.only_a + self.only_b
        return self.both / either if either > 0 else float("nan")

    @property
    def kept_a(self) -> float:
        """What A keeps."""
        return self.both + self.only_a

    @property
    def kept_b(self) -> float:
        """What B keeps."""
        return self.both + self.only_b


@dataclass(frozen=True)
class GroupShift:
    """One group's (source's, cluster's) share of what there is and of what each selection keeps.

    Attributes
    ----------
    n_a, n_b
        Documents of the group in the sample that each keeps.
    share, share_a, share_b
        The group's share of all documents, of A's and of B's, weighted back to the corpus; 0..1, NaN of a selection
        that keeps nothing.
    """

    name: str
    n: int
    n_a: int
    n_b: int
    share: float
    share_a: float
    share_b: float


@dataclass(frozen=True)
class ScoreShift:
    """How a score differs between what two selections keep, weighted back to the corpus.

    Attributes
    ----------
    mean_a, mean_b, median_a, median_b
        Of the kept documents that have the score; NaN where there is none.
    difference
        Standardized mean difference: (mean of B - mean of A) / sqrt((variance of A + variance of B) / 2); 0 where
        both means are the same, NaN where either has no scored document, or both spreads are 0 and the means differ.
    unscored_a, unscored_b
        The share of the kept documents that lack the score, 0..1; NaN where nothing is kept.
    """

    mean_a: float
    mean_b: float
    median_a: float
    median_b: float
    difference: float
    unscored_a: float
    unscored_b: float


def overlaps(keeps: Mapping[str, BoolArray], weight: FloatArray | None = None) -> FloatArray:
    """What every two selections have in common: documents that both keep, as a share of those that either keeps.

    Parameters
    ----------
    keeps
        bool (n,) by name, k of them.
    weight
        (n,): corpus documents that each stands for; None: 1 each.

    Returns
    -------
    float64 (k, k), 0..1 (Jaccard's index); 1 on the diagonal, NaN where neither keeps anything. Two random
    halves have a third.

    Raises
    ------
    InputError
        If the selections are of different lengths.

    Examples
    --------
    >>> overlaps({"a": np.array([True, True, False]), "b": np.array([False, True, True])})[0, 1].round(3)
    np.float64(0.333)
    """
    sizes = {len(keep) for keep in keeps.values()}
    if len(sizes) > 1:
        raise InputError(f"selections must be of the same documents, got {sorted(sizes)} documents")
    if not keeps:
        return np.zeros((0, 0))
    kept = np.stack([np.asarray(keep, dtype=np.float64) for keep in keeps.values()])
    amount = np.ones(kept.shape[1]) if weight is None else np.asarray(weight, dtype=np.float64)
    both = (kept * amount) @ kept.T
    alone = np.diag(both)
    either = alone[:, None] + alone[None, :] - both
    return np.divide(both, either, out=np.full_like(both, np.nan), where=either > 0)


def membership(keep_a: BoolArray, keep_b: BoolArray) -> npt.NDArray[np.uint8]:
    """Which part each document is in: the place in `PARTS`, uint8 (n,).

    Raises
    ------
    InputError
        If the selections are of different lengths.
    """
    a, b = np.asarray(keep_a, dtype=bool), np.asarray(keep_b, dtype=bool)
    if a.shape != b.shape or a.ndim != 1:
        raise InputError(
            f"two selections must be of the same documents, got {len(a)} and {len(b)}; run both on one sample"
        )
    return a + 2 * b.view(np.uint8)


def overlap(keep_a: BoolArray, keep_b: BoolArray, amount: Array | None = None) -> Overlap:
    """How an amount falls on two selections.

    Parameters
    ----------
    keep_a, keep_b
        bool (n,).
    amount
        (n,), finite, not negative: documents or tokens, weighted back to the corpus or not; None counts documents.

    Raises
    ------
    InputError
        If lengths differ.

    Examples
    --------
    >>> overlap(np.array([True, True, False]), np.array([False, True, False]))
    Overlap(both=1.0, only_a=1.0, only_b=0.0, neither=1.0)
    """
    part = membership(keep_a, keep_b)
    amount = np.ones(len(part)) if amount is None else np.asarray(amount, dtype=np.float64)
    if len(amount) != len(part):
        raise InputError(f"there are {len(part)} documents and {len(amount)} amounts; give one each")
    sums = np.bincount(part, weights=amount, minlength=len(PARTS))
    neither, only_a, only_b, both = (float(value) for value in sums)
    return Overlap(both, only_a, only_b, neither)


def group_shifts(
    keep_a: BoolArray, keep_b: BoolArray, codes: IntArray, names: Sequence[str], weight: FloatArray
) -> list[GroupShift]:
    """Every group's share before, in A and in B.

    Parameters
    ----------
    keep_a, keep_b
        bool (n,).
    codes
        The place of each document's group in `names`, (n,).
    names
        Of the groups.
    weight
        (n,): corpus documents that each stands for.

    Returns
    -------
    list of GroupShift
        In the order of `names`.
    """
    membership(keep_a, keep_b)
    keeps = (np.ones(len(codes), dtype=bool), keep_a, keep_b)
    counts = [np.bincount(codes[keep], minlength=len(names)) for keep in keeps]
    shares = [_shares(np.bincount(codes[k], weights=weight[k], minlength=len(names))) for k in keeps]
    return [
        GroupShift(name, *(int(n[i]) for n in counts), *(float(share[i]) for share in shares))
        for i, name in enumerate(names)
    ]


def score_shift(
    keep_a: BoolArray, keep_b: BoolArray, values: Array, weight: FloatArray | None = None
) -> ScoreShift:
    """How a score differs between what A keeps and what B keeps.

    Parameters
    ----------
    keep_a, keep_b
        bool (n,).
    values
        The score, (n,); NaN or infinite where a document has none.
    weight
        (n,): corpus documents that each stands for, above 0; None: 1 each.

    Notes
    -----
    The standardized difference is that of Austin 2009, Stat. Med. 28:3083 (Cohen's d with the mean of the two
    variances), with weighted means and variances. It doesn't grow with the sample, unlike a test; below 0.1 is held to
    be negligible there. Medians are the lowest value that has half of the weight at or below it.

    Examples
    --------
    >>> shift = score_shift(np.array([True, True, False]), np.array([False, True, True]), np.array([1.0, 2.0, 4.0]))
    >>> shift.mean_a, shift.mean_b, round(shift.difference, 3)
    (1.5, 3.0, 1.897)
    """
    membership(keep_a, keep_b)
    weight = np.ones(len(values)) if weight is None else weight
    order = score_order(values)
    return shift_between(*(score_side(keep, values, weight, order) for keep in (keep_a, keep_b)))


@dataclass(frozen=True)
class ScoreSide:
    """A score among what one selection keeps, weighted back to the corpus.

    Attributes
    ----------
    mean, variance, median
        Of the kept documents that have the score; NaN where there is none.
    unscored
        The share of the kept documents that lack the score, 0..1; NaN where nothing is kept.
    """

    mean: float
    variance: float
    median: float
    unscored: float


def score_order(values: Array) -> IntArray:
    """The documents that have a score, ascending by it (equal values in any order), int32 (m,).

    Of a million documents that is what takes the time; it is the same for all selections.
    """
    rows = np.flatnonzero(np.isfinite(values))
    return rows[np.argsort(values[rows])].astype(np.int32)


def score_side(keep: BoolArray, values: Array, weight: FloatArray, order: IntArray) -> ScoreSide:
    """A score among what a selection keeps; the columns as for `score_shift`, `order` that of `score_order`."""
    kept = order[keep[order]]
    scored = np.isfinite(values)
    unscored = _share(weight[keep & ~scored], weight[keep])
    return ScoreSide(*_moments(values[kept].astype(np.float64), weight[kept]), unscored)


def shift_between(a: ScoreSide, b: ScoreSide) -> ScoreShift:
    """How a score differs between two selections: see `score_shift`."""
    spread = np.sqrt((a.variance + b.variance) / 2)
    gap = b.mean - a.mean
    difference = 0.0 if gap == 0 else gap / spread if spread > 0 else float("nan")
    return ScoreShift(a.mean, b.mean, a.median, b.median, float(difference), a.unscored, b.unscored)


def _moments(values: FloatArray, weight: FloatArray) -> tuple[float, float, float]:
    """Weighted mean, variance and median of sorted values; NaN of nothing."""
    if not len(values):
        return float("nan"), float("nan"), float("nan")
    # About a value of its own: scores of 1e9 with a spread of 1 would lose it to rounding.
    from_origin = values - values[0]
    mean = float(np.average(from_origin, weights=weight))
    variance = float(np.average((from_origin - mean) ** 2, weights=weight))
    below = np.cumsum(weight)
    median = float(values[np.searchsorted(below, below[-1] / 2)])
    return float(values[0]) + mean, variance, median


def _share(part: FloatArray, whole: FloatArray) -> float:
    return float(part.sum() / whole.sum()) if len(whole) else float("nan")


def _shares(amounts: Array) -> FloatArray:
    total = amounts.sum()
    shares: FloatArray = amounts / total if total > 0 else np.full(len(amounts), np.nan)
    return shares
