"""How much to keep and what goes first: cuts of a ranking at a share of documents or tokens, random draws, quotas.

Every ranking is a total order: score, then doc_id. So it depends on no order of rows, files or shards.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from workbench.checks import BoolArray, FloatArray, IntArray, check_fraction, keyed_uniform
from workbench.errors import InputError
from workbench.selectors.base import DESIGN_WEIGHT, Columns, Selection

Unit = Literal["documents", "tokens"]
"""What a budget is a share of."""


def budget_needs(unit: Unit) -> tuple[str, ...]:
    """The columns that `keep_first` reads besides the score."""
    return (DESIGN_WEIGHT, "n_tokens") if unit == "tokens" else (DESIGN_WEIGHT,)


def rank_of(columns: Columns, score: FloatArray) -> IntArray:
    """The place of each document from the highest score down, 0 first, of equal scores the smaller doc_id; int64 (n,).

    What a selector's `scan` keeps: with it every cut is one sum.
    """
    order = np.lexsort((np.asarray(columns["doc_id"]), -np.asarray(score, dtype=np.float64)))
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    return rank


def keep_first(columns: Columns, rank: IntArray, fraction: float, unit: Unit) -> BoolArray:
    """Keep the first documents of a ranking until a share of all is reached.

    Parameters
    ----------
    columns
        What `budget_needs` names, each (n,).
    rank
        As `rank_of` gives it.
    fraction
        In 0..1. Of documents: the number kept is the nearest to it (a half is rounded up). Of tokens: never more than
        it; the first document that doesn't fit ends it, smaller ones behind it aren't looked for.
    unit
        "documents" or "tokens". A document of a sample counts as many times as the documents of the corpus that it
        stands for.

    Returns
    -------
    bool (n,)

    Raises
    ------
    InputError
        If the fraction lies outside 0..1.
    """
    check_fraction("keep_fraction", fraction)
    amount = np.array(columns[DESIGN_WEIGHT], dtype=np.float64)
    if unit == "tokens":
        amount *= columns["n_tokens"]
    by_rank = np.empty_like(amount)
    by_rank[rank] = amount
    used = np.cumsum(by_rank)
    budget = fraction * used[-1] if len(used) else 0.0
    slack = 1e-9 * budget  # sums of shares are rounded
    fits = used - (by_rank / 2 if unit == "documents" else 0) <= budget + slack
    return np.asarray(np.logical_and.accumulate(fits)[rank], dtype=bool)


def ranked(
    columns: Columns,
    score: FloatArray,
    rank: IntArray,
    fraction: float,
    unit: Unit,
    what: str,
    *,
    is_drawn: bool = False,
) -> Selection:
    """`keep_first` as a selection whose reasons name score and rank; `what` is what the score is called.

    `is_drawn`: the rank is that of a draw, which the score only makes likely.
    """
    keep = keep_first(columns, rank, fraction, unit)
    n, ends = len(keep), end_of_cut(columns, keep, rank, unit)
    draw = " in the draw" if is_drawn else ""
    return Selection(
        keep,
        lambda i: f"{what} {score[i]:.6g} has rank {rank[i] + 1:,} of {n:,}{draw}, {ends}",
        score=-rank.astype(np.float64),
    )


def end_of_cut(columns: Columns, keep: BoolArray, rank: IntArray, unit: Unit) -> str:
    """Where a ranking is cut, for the end of a reason; of a budget of tokens also why there."""
    n_kept = int(keep.sum())
    kept = f"the first {n_kept:,} are kept"
    if unit == "documents" or n_kept == len(rank):
        return kept
    following = int(np.flatnonzero(rank == n_kept)[0])
    return f"{kept} and the next one, of {columns['n_tokens'][following]:,.0f} tokens, doesn't fit"


def gumbel(seed: int, doc_ids: Sequence[str], purpose: str) -> FloatArray:
    """Standard Gumbel noise for each document by a keyed hash of its id, float64 (n,).

    The M largest of log-weight + noise are a draw of M without replacement in proportion to the weights (Kool et al.
    2019, arXiv:1903.06059; Efraimidis and Spirakis 2006).
    """
    # The smallest of the hash's uniforms is 0, whose logarithm isn't there.
    uniform = np.maximum(keyed_uniform(seed, doc_ids, purpose), 2.0**-54)
    noise: FloatArray = -np.log(-np.log(uniform))
    return noise


def largest_remainder(shares: FloatArray, total: int, caps: IntArray | None = None) -> IntArray:
    """Whole numbers in proportion to shares that sum to `total`; int64 (k,).

    Each is its exact share rounded down, and the largest remainders get one more (ties: the first). Where one would
    exceed its cap, it gets the cap, and what is left goes to the others in proportion to theirs.

    Parameters
    ----------
    shares
        (k,), 0 or more, not all 0 unless `total` is 0.
    total
        0 or more.
    caps
        (k,); None: none.

    Raises
    ------
    InputError
        If the caps hold less than `total`.

    Examples
    --------
    >>> largest_remainder(np.array([50.0, 30.0, 20.0]), 7).tolist()
    [4, 2, 1]
    """
    shares = np.asarray(shares, dtype=np.float64)
    limit = np.full(len(shares), np.inf) if caps is None else np.asarray(caps, dtype=np.float64)
    if limit[shares > 0].sum() < total:
        raise InputError(f"there are {int(limit[shares > 0].sum())} to choose from, fewer than {total}")
    out = np.zeros(len(shares), dtype=np.int64)
    is_open = shares > 0
    while (left := total - int(out.sum())) > 0:
        exact = np.where(is_open, shares / shares[is_open].sum() * left, 0)
        full = is_open & (out + exact >= limit)
        if not full.any():
            more = np.floor(exact).astype(np.int64)
            # A remainder is rounded, so that 0.1 + 0.2 ties with 0.3.
            order = np.lexsort((np.arange(len(shares)), -np.round(exact - more, 12)))
            more[order[: left - int(more.sum())]] += 1
            return out + more
        out[full] = limit[full]
        is_open &= ~full
    return out


def keep_in_groups(rank: IntArray, groups: IntArray, quotas: IntArray) -> BoolArray:
    """Keep in each group as many as its quota of the first by rank; bool (n,).

    Parameters
    ----------
    groups
        int64 (n,): 0 to k - 1.
    quotas
        int64 (k,).
    """
    order = np.lexsort((rank, groups))
    sizes = np.bincount(groups, minlength=len(quotas))
    place = np.arange(len(groups)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    keep = np.zeros(len(groups), dtype=bool)
    keep[order] = place < quotas[groups[order]]
    return keep


def place_in_groups(rank: IntArray, groups: IntArray, weight: FloatArray) -> tuple[IntArray, FloatArray]:
    """Where each document stands in its group by rank.

    Parameters
    ----------
    rank, groups
        int64 (n,).
    weight
        How many documents of the corpus each stands for, (n,).

    Returns
    -------
    place : int64 (n,), 0 for the first of a group
    until : float64 (n,)
        Documents of the corpus that come before it in its group, and half of itself: held to a quota by `fits`.

    Examples
    --------
    >>> place, until = place_in_groups(np.array([2, 0, 1]), np.array([5, 5, 9]), np.array([1.0, 4.0, 1.0]))
    >>> place.tolist(), until.tolist(), fits(until, 4).tolist()
    ([1, 0, 0], [4.5, 2.0, 0.5], [False, True, True])
    """
    n = len(rank)
    order = np.lexsort((rank, groups))
    amount = np.asarray(weight, dtype=np.float64)[order]
    used = np.cumsum(amount)
    starts = np.flatnonzero(np.r_[n > 0, np.diff(groups[order]) != 0])
    first = np.repeat(starts, np.diff(np.r_[starts, n]))
    place, until = np.empty(n, dtype=np.int64), np.empty(n)
    place[order] = np.arange(n) - first
    until[order] = used - amount / 2 - (used - amount)[first]
    return place, until


def fits(until: FloatArray, quota: FloatArray | IntArray | float) -> BoolArray:
    """Which documents lie within their group's quota, to the nearest document; bool (n,)."""
    return np.asarray(until <= np.asarray(quota) * (1 + 1e-9), dtype=bool)


_TIE_DECIMALS = 6  # similarities of float32 vectors: what is nearer together than this counts as equal


def tie_luck(seed: int, doc_ids: Sequence[str]) -> FloatArray:
    """What decides between documents that `share_cut` finds equal, float64 (n,) in 0..1."""
    return keyed_uniform(seed, list(doc_ids), "ties")


def share_cut(values: FloatArray, luck: FloatArray, weight: FloatArray, fraction: float) -> FloatArray:
    """The cut below which a share of the documents lies, for documents elsewhere to be held to.

    Parameters
    ----------
    values
        (n,); the smallest are kept first. They are rounded to six decimals.
    luck
        As `tie_luck` gives it, (n,).
    weight
        How many documents each stands for, (n,).
    fraction
        In 0..1. The number kept is the nearest to it (a half is rounded up).

    Returns
    -------
    float64 (2,): a value, midway between the last one kept and the first one that isn't; and the luck up to which one
    at that very value is kept.

    Raises
    ------
    InputError
        If the fraction lies outside 0..1.

    Examples
    --------
    >>> cut = share_cut(np.array([0.3, 0.1, 0.9]), np.array([0.5, 0.2, 0.4]), np.ones(3), 2 / 3)
    >>> cut.round(6).tolist(), is_within(np.array([0.59, 0.61]), np.zeros(2), cut).tolist()
    ([0.6, 1.0], [True, False])
    """
    check_fraction("keep_fraction", fraction)
    rounded = np.round(np.asarray(values, dtype=np.float64), _TIE_DECIMALS)
    order = np.lexsort((luck, rounded))
    rounded, amount = rounded[order], np.asarray(weight, dtype=np.float64)[order]
    used = np.cumsum(amount)
    budget = fraction * used[-1] if len(used) else 0.0
    n_kept = int(np.searchsorted(used - amount / 2, budget * (1 + 1e-9), side="right"))
    if n_kept == len(used):
        return np.array([np.inf, 1.0])
    if n_kept == 0:
        return np.array([-np.inf, 0.0])
    last, following = rounded[n_kept - 1], rounded[n_kept]
    if last == following:
        return np.array([last, luck[order[n_kept - 1]]])
    return np.array([(last + following) / 2, 1.0])


def is_within(values: FloatArray, luck: FloatArray, cut: FloatArray) -> BoolArray:
    """Which documents a cut of `share_cut` keeps, bool (n,)."""
    rounded = np.round(np.asarray(values, dtype=np.float64), _TIE_DECIMALS)
    return np.asarray((rounded < cut[0]) | ((rounded == cut[0]) & (luck <= cut[1])), dtype=bool)


def is_tied(value: float, cut: FloatArray) -> bool:
    """Whether a document lies at the very value of a cut, so that its luck decides."""
    return bool(np.round(np.float64(value), _TIE_DECIMALS) == cut[0])
