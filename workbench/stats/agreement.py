"""Whether scores put documents in the same order: rank correlations and shared extremes, with intervals."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations_with_replacement
from typing import Literal

import numpy as np

from workbench.checks import Array, FloatArray, IntArray
from workbench.errors import InputError

_Z = 1.959963984540054  # the normal distribution's 97.5 % quantile
_LEVEL = 0.95
_MIN_PAIRS = 4  # of fewer the interval's width isn't defined


@dataclass(frozen=True)
class AgreementParams:
    """What is counted as extreme.

    Attributes
    ----------
    top_fraction
        Share of the documents, above 0, at most 1.
    end
        Whether these are the ones with the lowest scores or the highest.
    """

    top_fraction: float = 0.1
    end: Literal["low", "high"] = "low"


@dataclass(frozen=True)
class Agreement:
    """Each of k scores against each, over the documents that both score.

    Attributes
    ----------
    names
        The scores, in the order of rows and columns.
    n
        Documents scored by both, int64 (k, k).
    spearman, low, high
        Rank correlation and its 95 % interval, float64 (k, k), -1..1; NaN below 4 documents, or where a score is the
        same for all.
    kendall
        Tau-b, float64 (k, k), -1..1, NaN as above.
    overlap
        Share of the extreme documents of one that are the other's too, float64 (k, k), 0..1, NaN as above. Two scores
        that have nothing to do with each other share `params.top_fraction`.
    params
        What is extreme.
    level
        Of the interval.
    """

    names: tuple[str, ...]
    n: IntArray
    spearman: FloatArray
    low: FloatArray
    high: FloatArray
    kendall: FloatArray
    overlap: FloatArray
    params: AgreementParams
    level: float = _LEVEL


def rank_agreement(scores: Mapping[str, Array], params: AgreementParams | None = None) -> Agreement:
    """Rank agreement of every two scores.

    Parameters
    ----------
    scores
        Columns by name, (n,) each; NaN where not scored.
    params
        What is extreme; the lowest tenth if None.

    Returns
    -------
    Agreement
        Symmetric; the diagonal is a score against itself.

    Raises
    ------
    InputError
        If there is no score, the columns are not of one length or not of one dimension, or `top_fraction` is out of
        range.

    Notes
    -----
    Ties have their mean rank. The interval is Bonett and Wright's (2000): z = artanh(r) plus or minus 1.96
    sqrt((1 + r^2 / 2) / (n - 3)). It takes the documents as drawn alike; in a sample stratified by source with unequal
    rates the agreement is the sample's, not the corpus's.

    Examples
    --------
    >>> found = rank_agreement({"a": np.arange(10.0), "b": -np.arange(10.0) ** 3})
    >>> [round(float(m[0, 1]), 6) for m in (found.spearman, found.kendall, found.overlap)]
    [-1.0, -1.0, 0.0]
    """
    params = params or AgreementParams()
    columns = _checked(scores, params)
    k = len(columns)
    n = np.zeros((k, k), dtype=np.int64)
    spearman, low, high, kendall, overlap = np.full((5, k, k), np.nan)
    for i, j in combinations_with_replacement(range(k), 2):
        both = ~np.isnan(columns[i]) & ~np.isnan(columns[j])
        a, b = columns[i][both], columns[j][both]
        n[i, j] = n[j, i] = len(a)
        if len(a) < _MIN_PAIRS or np.ptp(mean_ranks(a)) == 0 or np.ptp(mean_ranks(b)) == 0:
            continue
        r = spearman_correlation(a, b)
        values = (r, *spearman_interval(r, len(a)), _kendall(a, b), top_overlap(a, b, params))
        for matrix, value in zip((spearman, low, high, kendall, overlap), values, strict=True):
            matrix[i, j] = matrix[j, i] = value
    return Agreement(tuple(scores), n, spearman, low, high, kendall, overlap, params)


def _checked(scores: Mapping[str, Array], params: AgreementParams) -> list[FloatArray]:
    if not 0 < params.top_fraction <= 1:
        raise InputError(
            f"top_fraction must be above 0 and at most 1, got {params.top_fraction:g}; 0.1 is the extreme tenth"
        )
    if not scores:
        raise InputError("rank agreement needs at least one score; compute some first")
    shapes = {name: np.shape(column) for name, column in scores.items()}
    first = next(iter(shapes))
    for name, shape in shapes.items():
        if len(shape) != 1:
            raise InputError(
                f"{name} has shape {shape}, and rank agreement needs columns of one number a document"
            )
        if shape != shapes[first]:
            raise InputError(
                f"rank agreement needs columns of one length, got {first} with shape {shapes[first]} and {name} with "
                f"{shape}; take them from one table"
            )
    return [np.asarray(column, dtype=np.float64) for column in scores.values()]


def mean_ranks(values: FloatArray) -> FloatArray:
    """Ranks from 1, ties with their mean."""
    _, group, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return np.asarray((last - (counts - 1) / 2)[group])


def spearman_correlation(a: FloatArray, b: FloatArray) -> float:
    """Correlation of the ranks of two columns (n,) without NaN, ties with their mean rank; -1..1."""
    x, y = (ranks - ranks.mean() for ranks in (mean_ranks(a), mean_ranks(b)))
    return float(np.clip((x @ y) / math.sqrt((x @ x) * (y @ y)), -1.0, 1.0))


def spearman_interval(r: float, n: int) -> tuple[float, float]:
    """Bonett and Wright's 95 % interval of a rank correlation `r` of `n` documents; at -1 and 1 it is a point."""
    if abs(r) == 1:
        return r, r
    half = _Z * math.sqrt((1 + r * r / 2) / (n - 3))
    return math.tanh(math.atanh(r) - half), math.tanh(math.atanh(r) + half)


def _kendall(a: FloatArray, b: FloatArray) -> float:
    from scipy.stats import kendalltau

    return float(kendalltau(a, b, variant="b").statistic)


def top_overlap(a: FloatArray, b: FloatArray, params: AgreementParams) -> float:
    """Share of the extreme documents of column `a` that are column `b`'s too; both (n,) without NaN; 0..1.

    Of documents that tie at the border each belongs to the extreme ones in part, so that no order of rows decides.
    """
    size = max(1, round(params.top_fraction * len(a)))
    return float(np.minimum(_membership(a, size, params.end), _membership(b, size, params.end)).sum() / size)


def _membership(values: FloatArray, size: int, end: str) -> FloatArray:
    values = values if end == "low" else -values
    border = np.partition(values, size - 1)[size - 1]
    inside, tied = values < border, values == border
    return np.asarray(inside + tied * (size - inside.sum()) / tied.sum())
