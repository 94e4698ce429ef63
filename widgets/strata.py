"""The strata of a sample that one reads from: how documents are ranked, mixed and searched. Pure arithmetic."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from workbench.checks import Array, FloatArray, IntArray, keyed_uniform

SEARCH_DOCUMENTS = 200_000
SEARCH_CHARS = 100_000_000
"""How far a search reads before it asks whether to go on: about a second."""

Keys = npt.NDArray[np.uint64]

_GOLDEN = 0x9E3779B97F4A7C15


def document_keys(doc_ids: Sequence[str]) -> Keys:
    """A 53-bit keyed hash of each id, uint64 (n,). The one pass over all ids; every draw only mixes these."""
    return (keyed_uniform(0, doc_ids, "bench-reading") * 2.0**53).astype(np.uint64)


def mixed(keys: Keys, draw: int) -> Keys:
    """The keys of another draw, uint64 (n,): those of two draws have nothing to do with each other.

    Parameters
    ----------
    draw
        0 or more.
    """
    return finalised(keys * np.uint64(2**11) + np.uint64((draw + 1) * _GOLDEN % 2**64))


def finalised(z: Keys) -> Keys:
    """The output of SplitMix64 for each state (Steele, Lea and Flood 2014), uint64 (n,)."""
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def percentile_ranks(values: Array, weights: FloatArray) -> FloatArray:
    """Where each document stands among all scored ones, weighted back to the corpus.

    Returns
    -------
    ranks : float64 (n,)
        In 0..1: the share that lies below, and half of what is equal, itself included; NaN of one without the score.
    """
    scored = np.flatnonzero(np.isfinite(values))
    ranks = np.full(len(values), np.nan)
    if not len(scored):
        return ranks
    found, place = np.unique(values[scored], return_inverse=True)
    each = np.bincount(place, weights=weights[scored], minlength=len(found))
    ranks[scored] = ((np.cumsum(each) - each / 2) / each.sum())[place]
    return ranks


def percentile_rank(values: Array, weights: FloatArray, row: int) -> float | None:
    """The same of one document, without sorting; None of one without the score."""
    value = values[row]
    if not np.isfinite(value):
        return None
    scored = np.isfinite(values)
    below, equal = float(weights[values < value].sum()), float(weights[values == value].sum())
    # An infinite value has no rank, and nothing may be counted below that isn't among the scored.
    below -= float(weights[np.isneginf(values)].sum())
    return (below + equal / 2) / float(weights[scored].sum())


def disagreement(first: FloatArray, second: FloatArray) -> FloatArray:
    """How far two ranks of each document lie apart, float64 (n,), in -1..1: positive where the first is higher."""
    return np.asarray(first - second, dtype=np.float64)


def by_disagreement(rows: IntArray, first: FloatArray, second: FloatArray) -> IntArray:
    """These rows, those whose ranks differ most first; rows without one of the ranks are left out."""
    apart = np.abs(disagreement(first[rows], second[rows]))
    ordered: IntArray = rows[np.argsort(-apart, kind="stable")]
    return ordered[: int(np.isfinite(apart).sum())]


def search(rows: IntArray, texts: Sequence[str], words: str, reach: int = 1) -> tuple[IntArray, int]:
    """Those rows whose text contains the words, upper and lower case being the same.

    Parameters
    ----------
    rows
        In the order in which they are searched.
    reach
        How many times SEARCH_DOCUMENTS documents or SEARCH_CHARS characters to read, at least 1; at least one document
        is read.

    Returns
    -------
    found, n_searched
        Rows, int64, and how many were read.
    """
    needle, found, left, n = words.lower(), [], SEARCH_CHARS * reach, 0
    for row in rows[: SEARCH_DOCUMENTS * reach].tolist():
        if left <= 0:
            break
        text = texts[row]
        left -= len(text)
        n += 1
        if needle in text.lower():
            found.append(row)
    return np.asarray(found, dtype=np.int64), n
