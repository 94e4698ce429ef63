"""Whether a selection is a choice of lengths or sources in disguise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from workbench.checks import Array, BoolArray, FloatArray
from workbench.errors import InputError
from workbench.stats.agreement import spearman_correlation

N_DECILES = 10


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
