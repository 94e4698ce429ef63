"""Whether a selection, or a score, is a choice of lengths or sources in disguise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from workbench.checks import Array, BoolArray, FloatArray, IntArray
from workbench.errors import InputError
from workbench.stats.agreement import spearman_correlation
from workbench.stats.association import (
    correlation_ratio,
    cramers_v,
    effective_n,
    midranks,
    weighted_correlation,
)

N_DECILES = 10
_MIN_DOCUMENTS = 4  # of fewer a rank correlation says nothing
_FLAT = 1e-13  # of the ranks' variance, which float64 can't tell from none


@dataclass(frozen=True)
class LengthConfound:
    """How a selection depends on the lengths of documents.

    Attributes
    ----------
    document_fraction, token_fraction
        What is kept of the documents and of the tokens, in 0..1: a method that keeps long documents keeps more of the
        tokens.
    correlation
        Spearman's between the method's score (higher is kept first) and the length, in -1..1; of a method without a
        score between being kept and the length. NaN where one of the two is the same for all.
    kept_by_decile
        float64 (10,): the share kept of the shortest tenth up to the longest; NaN of a tenth without documents.
    """

    document_fraction: float
    token_fraction: float
    correlation: float
    kept_by_decile: FloatArray


def length_confound(
    keep: BoolArray,
    n_tokens: FloatArray,
    *,
    score: FloatArray | None = None,
    weight: FloatArray | None = None,
) -> LengthConfound:
    """What a selection has to do with length.

    Parameters
    ----------
    keep
        bool (n,).
    n_tokens
        (n,), 0 or more.
    score
        (n,), higher kept first; NaN where there is none.
    weight
        (n,): corpus documents that each stands for; None: 1 each. Tenths are of the sample's documents.

    Raises
    ------
    InputError
        If the columns are of different lengths, or empty.

    Notes
    -----
    Many published scores measure length in part: log-weights are sums over tokens, compressors see more repeats in long
    texts, and long files lie far from centroids ("Brevity is the soul of wit", 2024).
    """
    lengths = np.asarray(n_tokens, dtype=np.float64)
    amount = np.ones(len(keep)) if weight is None else np.asarray(weight, dtype=np.float64)
    if not len(keep) == len(lengths) == len(amount) or not len(keep):
        raise InputError(
            f"keep, n_tokens and weight must be as long and not empty, got {len(keep)}, {len(lengths)}, {len(amount)}"
        )
    order = np.argsort(lengths, kind="stable")
    tenths = [
        np.average(keep[rows], weights=amount[rows]) if len(rows) else np.nan
        for rows in np.array_split(order, N_DECILES)
    ]
    tokens = lengths * amount
    return LengthConfound(
        document_fraction=float(amount[keep].sum() / amount.sum()),
        token_fraction=float(tokens[keep].sum() / tokens.sum()) if tokens.sum() else float("nan"),
        correlation=_correlation(np.asarray(keep if score is None else score, dtype=np.float64), lengths),
        kept_by_decile=np.array(tenths),
    )


def _correlation(score: FloatArray, lengths: FloatArray) -> float:
    scored = ~np.isnan(score)
    if scored.sum() < 2 or np.ptp(lengths[scored]) == 0 or len(np.unique(score[scored])) < 2:
        return float("nan")
    return spearman_correlation(score[scored], lengths[scored])


def kept_by_source(keep: BoolArray, source: Array, amount: FloatArray) -> dict[str, tuple[float, float]]:
    """Of each source what there is and what is kept of it, by name.

    Parameters
    ----------
    keep
        bool (n,).
    source
        str (n,).
    amount
        (n,): documents (ones), tokens or bytes, weighted back to the corpus or not.
    """
    names, number = np.unique(np.asarray(source, dtype=str), return_inverse=True)
    total, kept = (_sums(number, values, len(names)) for values in (amount, np.where(keep, amount, 0)))
    return {str(name): (float(total[i]), float(kept[i])) for i, name in enumerate(names)}


def _sums(number: npt.NDArray[np.intp], values: FloatArray, n: int) -> FloatArray:
    sums: FloatArray = np.zeros(n)
    np.add.at(sums, number, values)
    return sums


@dataclass(frozen=True)
class Association:
    """What a score or a selection has to do with length and source; NaN where that isn't defined.

    Attributes
    ----------
    length
        Of a score or a selection Spearman's rank correlation, -1..1; of categories the correlation ratio of the
        length's ranks, 0..1.
    source
        Of a score the correlation ratio of its ranks, of a selection or categories Cramér's V, both 0..1 and corrected
        for the number of sources.
    """

    length: float
    source: float

    @property
    def largest(self) -> float:
        """The larger of the two without sign; 0 where neither is defined."""
        return float(np.nanmax([abs(self.length), self.source, 0.0]))


def score_association(
    values: Array, length: FloatArray, source: IntArray, weight: FloatArray, *, is_category: bool = False
) -> Association:
    """What a score goes with, among the documents that have it and a length.

    Parameters
    ----------
    values
        (n,), NaN where not scored; codes from 0 of categories.
    length
        (n,), NaN where not known.
    source
        int (n,): the number of each document's source.
    weight
        (n,), above 0.
    """
    known = np.isfinite(values) & np.isfinite(length)
    if known.sum() < _MIN_DOCUMENTS:
        return Association(float("nan"), float("nan"))
    values, length, source, weight = values[known], length[known], source[known], weight[known]
    lengths = midranks(length, weight)
    if not is_category:
        ranks = midranks(values, weight)
        return Association(
            weighted_correlation(ranks, lengths, weight), correlation_ratio(ranks, source, weight)
        )
    codes = np.unique(values, return_inverse=True)[1]
    n_sources = int(source.max()) + 1
    n_pairs = (int(codes.max()) + 1) * n_sources
    pairs: FloatArray = np.bincount(codes * n_sources + source, weight, minlength=n_pairs).astype(float)
    return Association(
        correlation_ratio(lengths, codes, weight),
        cramers_v(pairs.reshape(-1, n_sources), effective_n(weight)),
    )


class SelectionConfounds:
    """What selections have to do with length and source, in a few counts over the documents each.

    Parameters
    ----------
    length
        (n,), NaN where not known; such documents are left out. Ranked once.
    source
        int (n,): the number of each document's source.
    weight
        (n,), above 0.
    """

    def __init__(self, length: FloatArray, source: IntArray, weight: FloatArray) -> None:
        self._rows = None if np.isfinite(length).all() else np.flatnonzero(np.isfinite(length))
        length, source, weight = (self._known(column) for column in (length, source, weight))
        ranks = midranks(length, weight)
        ranks -= (weight @ ranks) / weight.sum() if len(ranks) else 0.0
        self._source, self._n_sources = source, int(source.max(initial=0)) + 1
        self._weight, self._squared = weight, np.square(weight)
        self._first, self._second = weight * ranks, weight * ranks**2

    def _known(self, column: Array) -> Array:
        return column if self._rows is None else column[self._rows]

    def measure(self, step: IntArray, n_steps: int) -> tuple[Association, list[Association]]:
        """What is kept in the end, and what each step keeps of the documents that the steps before it left.

        Parameters
        ----------
        step
            int (n,): the step that dropped each document, -1 of a kept one.
        n_steps
            Steps of the recipe.

        Notes
        -----
        A document's rank by length is the one among all documents, also where a step sees only some of them; what is
        kept in the end has Spearman's correlation exactly, since the ranks of two values are two values.
        """
        n_groups = n_steps + 1
        group = self._known(step).astype(np.int64) + 1
        sums: FloatArray = np.stack(
            [
                np.bincount(group, column, minlength=n_groups)
                for column in (self._weight, self._first, self._second, self._squared)
            ]
        ).astype(float)
        n_pairs = self._n_sources * n_groups
        flat = np.bincount(self._source * n_groups + group, self._weight, minlength=n_pairs)
        pairs: FloatArray = flat.astype(float).reshape(self._n_sources, n_groups)
        dropped = np.arange(n_groups) > 0
        whole = _two_parts(sums, pairs, ~dropped, dropped)
        steps = []
        for number in range(1, n_groups):
            this = np.arange(n_groups) == number
            steps.append(_two_parts(sums, pairs, ~dropped | (np.arange(n_groups) > number), this))
        return whole, steps


def _two_parts(sums: FloatArray, pairs: FloatArray, kept: BoolArray, dropped: BoolArray) -> Association:
    """Association of being kept, of the groups in `kept` or `dropped`; `sums` are weights, ranks and their squares."""
    weight, first, second, squared = sums[:, kept | dropped].sum(axis=1)
    source = np.stack([pairs[:, kept].sum(axis=1), pairs[:, dropped].sum(axis=1)])
    share = float(sums[0, kept].sum()) / weight if weight else 0.0
    if not 0 < share < 1:
        return Association(float("nan"), float("nan"))
    mean = first / weight
    variance = second / weight - mean**2
    length = float("nan")
    if variance > _FLAT:
        together = float(sums[1, kept].sum()) / weight - share * mean
        length = float(np.clip(together / np.sqrt(share * (1 - share) * variance), -1, 1))
    return Association(length, cramers_v(source, weight**2 / squared))
