"""SMART filtering: what an evaluation set can do without - items that are easy, contaminated, or like another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

import numpy as np
import numpy.typing as npt

from workbench.checks import Array, BoolArray, FloatArray, IntArray, check_fraction, keyed_uniform, strings
from workbench.errors import InputError

_GRID = 1000


@dataclass(frozen=True)
class SmartParams:
    """The thresholds, as published.

    Attributes
    ----------
    probability
        In 0..1: models must be surer than this of the right answer, not only as sure.
    keep_easy_fraction
        In 0..1: this share of the easy items is kept, drawn at random.
    string_ratio
        In 0..1: two items whose texts are more alike than this (difflib's ratio) are variants of each other, in which
        a number or an operator makes the difference, and both are kept.
    kde_bandwidth
        Above 0, in standard deviations of the distances.
    seed
        Of what is drawn.
    """

    probability: float = 0.8
    keep_easy_fraction: float = 0.1
    string_ratio: float = 0.8
    kde_bandwidth: float = 0.15
    seed: int = 10


@dataclass(frozen=True)
class SmartResult:
    """What `smart_filter` decided about n items.

    Attributes
    ----------
    keep
        bool (n,).
    reason
        (n,) strings: "easy", "contaminated", "similar", the first that holds; "" of an item that is kept.
    threshold
        Cosine distance up to which items are similar; NaN if no neighbours were given.
    """

    keep: BoolArray
    reason: Array
    threshold: float


def is_sure(correct: BoolArray, probability: FloatArray, threshold: float = 0.8) -> BoolArray:
    """Items that all models answer rightly, each surer of the answer than the threshold; bool (n,).

    Parameters
    ----------
    correct
        bool (m, n): whether model i answers item j rightly.
    probability
        (m, n), in 0..1: what it gives to the right answer.
    threshold
        In 0..1; a probability of exactly this is not above it, in the probabilities' own type.

    Raises
    ------
    InputError
        If there is no model, shapes differ, or a probability lies outside 0..1.

    Notes
    -----
    With the question: easy items. Without it (the answers alone): contaminated ones.

    Examples
    --------
    >>> is_sure(np.array([[True, True, False]]), np.array([[0.81, 0.8, 0.9]])).tolist()
    [True, False, False]
    """
    check_fraction("probability", threshold)
    correct, p = np.asarray(correct, dtype=bool), np.asarray(probability)
    if correct.ndim != 2 or correct.shape != p.shape or not len(p):
        raise InputError(
            f"correct and probability must both be (models, items), got {correct.shape} and {p.shape}"
        )
    if not ((p >= 0) & (p <= 1)).all():
        raise InputError(
            "probability must lie in 0..1; give the right answer's after a softmax over the choices"
        )
    return np.asarray((correct & (p > p.dtype.type(threshold))).all(axis=0))


def similarity_threshold(
    texts: Sequence[str], neighbours: IntArray, distances: FloatArray, params: SmartParams = SmartParams()
) -> float:
    """Up to which cosine distance two items are similar: the first peak of the density of distances, or half of it.

    Parameters
    ----------
    texts
        n items.
    neighbours
        int64 (n, k): row numbers of the nearest other items, nearest first; the paper has k = 100.
    distances
        (n, k): cosine distances to them, rising along a row.
    params
        `string_ratio`, `kde_bandwidth`.

    Returns
    -------
    The first local maximum of a Gaussian density on a grid of 1,000 points from the smallest distance to the largest.
    Half of it where there is no other maximum: then that one is the middle of all, and not of what is similar.

    Raises
    ------
    InputError
        If shapes are wrong, distances fall, or the density has no maximum within.

    Notes
    -----
    As in the released code the nearest neighbours of an item that are variants of it are left out up to the first that
    isn't, and an item of which all are, altogether.
    """
    from scipy.stats import gaussian_kde

    _check_neighbours(texts, neighbours, distances)
    pieces = []
    for i, (near, far) in enumerate(zip(neighbours, distances, strict=True)):
        first = next(
            (j for j, k in enumerate(near) if not _is_variant(texts[i], texts[k], params.string_ratio)), None
        )
        if first is not None:
            pieces.append(far[first:])
    values = np.concatenate([*pieces, np.zeros(0)])
    if len(values) < 2 or np.ptp(values) == 0:
        raise InputError(
            "there are no two different distances between items; give more items or more neighbours"
        )
    grid = np.linspace(values.min(), values.max(), _GRID)
    density = gaussian_kde(values, bw_method=params.kde_bandwidth)(grid)
    peaks = grid[np.flatnonzero(np.diff(np.sign(np.diff(density))) < 0)]
    if not len(peaks):
        raise InputError(
            "the density of distances has no peak; give a threshold of your own to similar_items"
        )
    return float(peaks[0] / 2 if len(peaks) == 1 else peaks[0])


def similar_items(
    ids: Sequence[str],
    texts: Sequence[str],
    neighbours: IntArray,
    distances: FloatArray,
    threshold: float,
    params: SmartParams = SmartParams(),
) -> BoolArray:
    """Items to drop since another one like them stays; bool (n,).

    Item by item, in the order of their ids: with its neighbours up to the threshold, less its variants and what an
    earlier item's cluster held, it makes a cluster, of which half (rounded down: 1 of 3) is drawn and dropped.

    Parameters
    ----------
    ids
        n ids, each once. What is drawn depends on them and the seed, not on the order of rows.
    texts, neighbours, distances
        As in `similarity_threshold`.
    threshold
        Distances up to it, itself included.
    params
        `string_ratio`, `seed`.

    Raises
    ------
    InputError
        If shapes are wrong, distances fall, or an id comes twice.
    """
    _check_neighbours(texts, neighbours, distances)
    _check_ids(ids, len(texts))
    draw = keyed_uniform(params.seed, list(ids), "smart-similar")
    seen, drop = np.zeros((2, len(texts)), dtype=bool)
    for i in np.argsort(strings(ids), kind="stable"):
        near = neighbours[i][distances[i] <= threshold].tolist()
        cluster = [int(i), *(j for j in near if not _is_variant(texts[i], texts[j], params.string_ratio))]
        cluster = [j for j in dict.fromkeys(cluster) if not seen[j]]
        if len(cluster) < 2:
            continue
        cluster.sort(key=lambda j: (draw[j], ids[j]))
        drop[cluster[: len(cluster) // 2]] = True
        seen[cluster] = True
    return drop


def smart_filter(
    ids: Sequence[str],
    texts: Sequence[str],
    correct: BoolArray,
    probability: FloatArray,
    *,
    blind: tuple[BoolArray, FloatArray] | None = None,
    near: tuple[IntArray, FloatArray] | None = None,
    params: SmartParams = SmartParams(),
) -> SmartResult:
    """Drop from an evaluation set what is easy, contaminated or like another item.

    Parameters
    ----------
    ids, texts
        n items.
    correct, probability
        (m, n) with the question, as in `is_sure`; the paper has 7 open models.
    blind
        The same without the question; None: no item counts as contaminated.
    near
        Neighbours and distances (n, k) as in `similarity_threshold`; None: no item counts as similar.
    params
        The thresholds.

    Raises
    ------
    InputError
        If shapes are wrong, an id comes twice, or a number is out of range.

    Notes
    -----
    Gupta et al. 2024, arXiv:2410.20245; released code facebookresearch/ResponsibleNLP, SMART-Filtering. Each part looks
    at all items, and what one of them drops is dropped. There draws go by a generator over rows, here by a hash of the
    id. Not here: copies of texts (see the selector `exact`), and subsets that were left out by hand.
    """
    _check_ids(ids, len(texts))
    for name in ("keep_easy_fraction", "string_ratio"):
        check_fraction(name, getattr(params, name))
    n = len(texts)
    easy = _of_items(is_sure(correct, probability, params.probability), n)
    easy &= keyed_uniform(params.seed, list(ids), "smart-easy") >= params.keep_easy_fraction
    contaminated, similar, threshold = np.zeros(n, dtype=bool), np.zeros(n, dtype=bool), float("nan")
    if blind is not None:
        contaminated = _of_items(is_sure(*blind, params.probability), n)
    if near is not None:
        threshold = similarity_threshold(texts, *near, params)
        similar = similar_items(ids, texts, *near, threshold, params)
    reason = strings([""] * n)
    for name, dropped in (("similar", similar), ("contaminated", contaminated), ("easy", easy)):
        reason[dropped] = name
    return SmartResult(np.asarray(reason == "", dtype=bool), reason, threshold)


def _is_variant(a: str, b: str, ratio: float) -> bool:
    matcher = SequenceMatcher(None, a, b)
    # The first two are upper bounds of the third, which is slow.
    return all(bound() > ratio for bound in (matcher.real_quick_ratio, matcher.quick_ratio, matcher.ratio))


def _of_items(found: BoolArray, n: int) -> npt.NDArray[np.bool_]:
    if len(found) != n:
        raise InputError(
            f"answers are of {len(found)} items and there are {n} texts; give both for the same items"
        )
    return found


def _check_ids(ids: Sequence[str], n: int) -> None:
    if len(ids) != n or len(set(ids)) < n:
        raise InputError(
            f"ids must be {n}, one a text and each once, got {len(ids)} with {len(set(ids))} different"
        )


def _check_neighbours(texts: Sequence[str], neighbours: IntArray, distances: FloatArray) -> None:
    n = len(texts)
    if neighbours.ndim != 2 or neighbours.shape != distances.shape or len(neighbours) != n:
        raise InputError(
            f"neighbours and distances must both be ({n}, k) for {n} texts, got {neighbours.shape} and "
            f"{distances.shape}"
        )
    if not (np.diff(distances, axis=1) >= 0).all() or (neighbours == np.arange(n)[:, None]).any():
        raise InputError(
            "neighbours must be other items, nearest first; leave the item itself out and sort each row"
        )
