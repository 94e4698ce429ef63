"""How far columns go together: weighted rank correlation, correlation ratio, Cramér's V."""

from __future__ import annotations

import math

import numpy as np

from workbench.checks import FloatArray, IntArray


def midranks(values: FloatArray, weight: FloatArray) -> FloatArray:
    """The share of the weight below each value and half of that at it, float64 (n,), 0..1.

    Parameters
    ----------
    values
        (n,), without NaN.
    weight
        (n,), above 0.

    Notes
    -----
    With equal weights it is (rank - 0.5) / n, ties having their mean rank, so correlations of it are Spearman's.
    """
    order = np.argsort(values, kind="stable")
    ordered, amount = values[order], np.asarray(weight, dtype=np.float64)[order]
    last = np.flatnonzero(np.r_[ordered[1:] != ordered[:-1], True][: len(ordered)])
    up_to = np.cumsum(amount)[last]
    below = np.r_[0.0, up_to][:-1]
    sizes = np.diff(np.r_[-1, last])
    ranks = np.empty(len(values))
    ranks[order] = np.repeat((below + up_to) / 2, sizes)
    return ranks / max(float(amount.sum()), np.finfo(np.float64).tiny)


def effective_n(weight: FloatArray) -> float:
    """How many equally weighted documents tell as much (Kish 1965): the squared sum over the sum of squares."""
    squares = float(np.square(weight, dtype=np.float64).sum())
    return float(weight.sum()) ** 2 / squares if squares else 0.0


def weighted_spearman(a: FloatArray, b: FloatArray, weight: FloatArray) -> float:
    """Spearman's rank correlation of two columns (n,) without NaN, each document as often as `weight` says; -1..1.

    NaN where one of the two is the same for all.
    """
    return weighted_correlation(midranks(a, weight), midranks(b, weight), weight)


def weighted_correlation(x: FloatArray, y: FloatArray, weight: FloatArray) -> float:
    """Pearson's correlation of two columns (n,) without NaN; of `midranks` it is Spearman's. NaN where one is flat."""
    total = weight.sum()
    x, y = x - (weight @ x) / total, y - (weight @ y) / total
    scale = math.sqrt(float((weight @ x**2) * (weight @ y**2)))
    return float(np.clip((weight @ (x * y)) / scale, -1.0, 1.0)) if scale > 0 else math.nan


def correlation_ratio(ranks: FloatArray, group: IntArray, weight: FloatArray) -> float:
    """How much of the ranks' variance lies between groups, as a square root: 0 (none) to 1 (all of it).

    Parameters
    ----------
    ranks
        (n,), as `midranks` gives them.
    group
        int (n,), at least 0.
    weight
        (n,), above 0.

    Returns
    -------
    float
        NaN where all values are the same, or there are as many groups as documents.

    Notes
    -----
    Kelley's (1935) epsilon: the correlation ratio less what as many groups give by chance. Without the correction its
    square is Kruskal and Wallis's H over n - 1.
    """
    amounts = np.bincount(group, weight)
    present = amounts > 0
    total, n, k = float(amounts.sum()), effective_n(weight), int(present.sum())
    if not total or n <= k:
        return math.nan
    mean = float(weight @ ranks) / total
    variance = float(weight @ (ranks - mean) ** 2) / total
    if variance <= 0:
        return math.nan
    means = np.bincount(group, weight * (ranks - mean))[present] / amounts[present]
    squared = float(amounts[present] @ means**2) / total / variance
    return math.sqrt(min(1.0, max(0.0, 1 - (1 - squared) * (n - 1) / (n - k))))


def cramers_v(table: FloatArray, n: float) -> float:
    """How far two categories go together, 0 (not at all) to 1 (one tells the other).

    Parameters
    ----------
    table
        Weight of each pair of categories, (r, c), at least 0.
    n
        Documents behind it; of weighted ones `effective_n`.

    Returns
    -------
    float
        NaN where one of the two has one value only.

    Notes
    -----
    Cramér's V as Bergsma (2013) corrects it for what chance alone gives to a table of many cells and few documents.
    """
    total = float(table.sum())
    rows, columns = table.sum(axis=1), table.sum(axis=0)
    rows, columns, inner = rows[rows > 0], columns[columns > 0], table[table.sum(axis=1) > 0]
    inner = inner[:, table.sum(axis=0) > 0]
    r, c = inner.shape
    if min(r, c) < 2 or n <= 2:
        return math.nan
    expected = np.outer(rows, columns) / total
    squared = float(((inner - expected) ** 2 / expected).sum()) / total
    corrected = max(0.0, squared - (r - 1) * (c - 1) / (n - 1))
    room = min(size - 1 - (size - 1) ** 2 / (n - 1) for size in (r, c))
    return math.sqrt(min(1.0, corrected / room)) if room > 0 else math.nan
