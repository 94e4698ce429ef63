"""Stratified sampling: a quota for each source, language or range of a score."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from workbench.checks import (
    Array,
    BoolArray,
    FloatArray,
    IntArray,
    check_at_least,
    check_fraction,
    keyed_uniform,
)
from workbench.selectors.base import DESIGN_WEIGHT, Columns, Selection, SelectorSpec, State
from workbench.selectors.budget import largest_remainder, place_in_groups, rank_of


@dataclass(frozen=True)
class StratifiedParams:
    """Parameters of `select_stratified`.

    Attributes
    ----------
    keep_fraction
        Share of the documents to keep over all strata, in 0..1.
    by
        What the strata are: each "source", each "language", or ranges of a "score" that hold equally many documents.
    score
        For ranges, and for the order within a stratum where it isn't random.
    n_bins
        Ranges of the score, at least 1. Equal scores are in one range, so it may hold more than its part.
    quota
        "proportional": each stratum keeps the same share. "equal": each keeps as many.
    max_share
        Of what is kept, the most that one stratum may hold, above 0 up to 1 (no limit).
    keep
        Who is kept of a stratum: a "random" draw, or the "highest" or "lowest" of the score.
    """

    keep_fraction: float = 0.5
    by: Literal["source", "language", "score"] = "source"
    score: str = "n_tokens"
    n_bins: int = 10
    quota: Literal["proportional", "equal"] = "proportional"
    max_share: float = 1.0
    keep: Literal["random", "highest", "lowest"] = "random"


def needs_stratified(params: StratifiedParams) -> tuple[str, ...]:
    """The columns that tell the strata, and the order within them."""
    strata = params.score if params.by == "score" else params.by
    order = () if params.keep == "random" else (params.score,)
    return tuple(dict.fromkeys((DESIGN_WEIGHT, strata, *order)))


def scan_stratified(columns: Columns, params: StratifiedParams, state: State, seed: int) -> Columns:
    """`stratum`, int64 (n,), and `rank`, int64 (n,): 0 for the document that is kept first.

    Raises
    ------
    InputError
        If n_bins is below 1.
    """
    check_at_least("n_bins", params.n_bins, 1)
    if params.keep == "random":
        key: Array = keyed_uniform(seed, list(columns["doc_id"]), "stratified")
    else:
        key = columns[params.score] if params.keep == "highest" else -columns[params.score]
    if params.by == "score":
        stratum = _ranges(columns[params.score], columns[DESIGN_WEIGHT], params.n_bins)
    else:
        stratum = np.unique(np.asarray(columns[params.by], dtype=object), return_inverse=True)[1]
    return {"stratum": stratum.astype(np.int64), "rank": rank_of(columns, key)}


def _ranges(values: FloatArray, amount: FloatArray, n_bins: int) -> IntArray:
    """The range that each value lies in, 0 for the lowest; a value on an edge belongs to the lower one."""
    if not len(values):
        return np.zeros(0, dtype=np.int64)
    shares = np.arange(1, n_bins) / n_bins
    edges = np.quantile(values, shares, method="inverted_cdf", weights=amount)
    return np.searchsorted(edges, values, side="left")


def quotas(sizes: FloatArray, params: StratifiedParams) -> IntArray:
    """How many documents each stratum keeps, int64 (k,).

    They sum to the share of all, rounded; each is its exact share rounded down or up (largest remainder). A stratum
    keeps no more than it has, nor than `max_share` of all that are kept, and what is left goes to the others by the
    same rule. Where all strata are full, fewer are kept.

    Parameters
    ----------
    sizes
        Documents in each stratum, (k,).

    Raises
    ------
    InputError
        If keep_fraction lies outside 0..1, or max_share isn't above 0 and at most 1.

    Examples
    --------
    >>> quotas(np.array([50.0, 30.0, 20.0]), StratifiedParams(0.07)).tolist()
    [4, 2, 1]
    """
    check_fraction("keep_fraction", params.keep_fraction)
    check_at_least("max_share", check_fraction("max_share", params.max_share), 1e-9)
    total = int(np.floor(params.keep_fraction * sizes.sum() + 0.5 + 1e-9))
    caps = np.minimum(np.ceil(sizes - 1e-9), np.ceil(params.max_share * total - 1e-9)).astype(np.int64)
    shares = sizes if params.quota == "proportional" else np.ones(len(sizes))
    return largest_remainder(shares, min(total, int(caps.sum())), caps)


def select_stratified(columns: Columns, params: StratifiedParams, state: State, seed: int) -> Selection:
    """Keep in each stratum the first documents by rank up to its quota.

    Parameters
    ----------
    columns
        What `needs_stratified` names, and what `scan_stratified` gives, each (n,). A document of a sample counts as
        many times as the documents of the corpus that it stands for. A stratum then keeps its quota to less than one
        document of the sample, and what one loses by rounding goes to the others: the sum is the nearest to the share.

    Raises
    ------
    InputError
        As `quotas`.
    """
    stratum, rank = columns["stratum"], columns["rank"]
    amount = np.asarray(columns[DESIGN_WEIGHT], dtype=np.float64)
    sizes = np.bincount(stratum, weights=amount).astype(np.float64)
    keep = _first_of_each(stratum, rank, amount, quotas(sizes, params))
    n_kept = np.bincount(stratum, weights=amount * keep)
    by = params.score if params.by == "score" else params.by

    def explain(i: int) -> str:
        value = columns[by][i]
        which = f"{by} {value:.6g}" if params.by == "score" else f"{by} {value or 'none'}"
        group = stratum[i]
        return (
            f"its stratum ({which}) has {sizes[group]:,.0f} documents and keeps {n_kept[group]:,.0f} of them, it isn't "
            f"among these ({params.keep} first)"
        )

    return Selection(keep, explain, score=-rank.astype(np.float64))


def _first_of_each(stratum: IntArray, rank: IntArray, amount: FloatArray, quota: IntArray) -> BoolArray:
    """The first documents by rank of each stratum, by largest remainder over documents of any weight; bool (n,).

    First what fits into each quota. Of what is left each stratum may have one document more, those first whose next
    document has the largest part of itself left, until the sum is the nearest to that of the quotas.
    """
    _, until = place_in_groups(rank, stratum, amount)
    keep: BoolArray = until + amount / 2 <= quota[stratum] * (1 + 1e-9)
    outside = np.flatnonzero(~keep)
    outside = outside[np.lexsort((rank[outside], stratum[outside]))]
    groups, first = np.unique(stratum[outside], return_index=True)
    following = outside[first]
    used = np.bincount(stratum, weights=amount * keep)
    # Rounded, so that equal parts tie; of these the stratum with the lower number is first.
    part = np.round((quota - used)[groups] / amount[following], 12)
    following = following[np.argsort(-part, kind="stable")]
    reached = used.sum() + np.cumsum(amount[following])
    fits = reached - amount[following] / 2 <= quota.sum() * (1 + 1e-9)
    keep[following[np.logical_and.accumulate(fits)]] = True
    return keep


SPEC = SelectorSpec(
    name="stratified",
    version=1,
    title="Stratified sample: a quota for each source, language or range of a score",
    scope="column",
    params=StratifiedParams,
    needs=needs_stratified,
    reads=("score",),
    select=select_stratified,
    scan=scan_stratified,
    scan_params=("by", "score", "n_bins", "keep"),
    about="A random baseline that holds the mixture still (proportional), or evens it out (equal quotas, or a largest "
    "share). Equal quotas keep small strata whole and so change length and topics along with the source. In the order "
    "of a score it keeps the best of each stratum.",
    help={
        "keep_fraction": "share of all documents to keep, 0 to 1",
        "by": "what the strata are: source, language, or ranges of a score",
        "score": "the score of the ranges, or of the order within a stratum",
        "n_bins": "ranges of the score, each of equally many documents",
        "quota": "proportional (the same share of each) or equal (as many of each)",
        "max_share": "the most of what is kept that one stratum may hold; 1 is no limit",
        "keep": "who is kept of a stratum: random, or the highest or lowest of the score",
    },
)
