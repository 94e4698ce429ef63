"""kMQ with iterative refinement: between rounds of training, clusters that the model lags behind in gain weight."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from workbench.checks import Array, BoolArray, FloatArray, IntArray, check_at_least, keyed_uniform, strings
from workbench.errors import InputError

Variant = Literal["paper", "repo"]


@dataclass(frozen=True)
class KmqRound:
    """One round of the plan.

    Attributes
    ----------
    rows
        int64 (m,): the documents that this round adds, places in `doc_ids`, cluster by cluster.
    clusters
        The k clusters that have documents, in rising order.
    weights
        float64 (k,), summing to 1: the share of the round that each cluster was given.
    n_asked
        Documents that the round was to add; more than `rows` where a cluster ran out.
    """

    rows: IntArray
    clusters: Array
    weights: FloatArray
    n_asked: int


def first_round(
    doc_ids: Sequence[str], cluster: IntArray, n_documents: int, n_rounds: int = 3, seed: int = 0
) -> KmqRound:
    """The documents that are trained on first: as many of each cluster, drawn evenly.

    Parameters
    ----------
    doc_ids
        (n,), all different.
    cluster
        int (n,): the cluster of each, as the score `prototype_cluster` has it.
    n_documents
        M, of all rounds together; the paper has 5 % of the documents.
    n_rounds
        T, at least 1; the paper has 3.
    seed
        The draw depends on it and on the ids, not on their order.

    Returns
    -------
    floor(M / (T K)) of each of the K clusters, or all that it has.

    Raises
    ------
    InputError
        If a number is out of range, the lengths differ, or an id is there twice.

    Examples
    --------
    >>> first_round(["a", "b", "c", "d", "e"], np.array([0, 0, 0, 7, 7]), 6, 3).rows.size
    2
    """
    ids, clusters, label = _checked(doc_ids, cluster, n_documents, n_rounds)
    quota: IntArray = np.full(len(clusters), n_documents // (n_rounds * max(len(clusters), 1)))
    rows = _draw(ids, label, quota, np.zeros(len(ids), dtype=bool), seed)
    weights = np.full(len(clusters), 1 / max(len(clusters), 1))
    return KmqRound(rows, clusters, weights, int(quota.sum()))


def next_round(
    doc_ids: Sequence[str],
    cluster: IntArray,
    chosen: IntArray,
    gap: FloatArray,
    previous: FloatArray,
    n_documents: int,
    n_rounds: int = 3,
    seed: int = 0,
    *,
    signal: Literal["reward", "perplexity"] = "reward",
    variant: Variant = "paper",
) -> KmqRound:
    """The documents that are added after a round of training, more of clusters in which the model lags behind.

    Parameters
    ----------
    doc_ids, cluster, n_documents, n_rounds, seed
        As in `first_round`.
    chosen
        int (c,): the rows of all rounds before.
    gap
        (c,): what each of them says of the model that was trained on them, larger being further behind: the reward of
        the given answer less that of the model's, or the model's perplexity. NaN where there is none.
    previous
        float64 (k,): the weights of the round before.
    signal
        Of variant "repo": softmax of a difference of rewards; a perplexity over the sum of all.
    variant
        "paper": a cluster's mean gap over the sum of all means, times the previous weight, and that over its sum; M / T
        documents. "repo": no previous weight, and M / (T K) documents, as the released code has it.

    Returns
    -------
    The clusters are drawn with replacement by their weights, and that many new documents of each evenly; what a cluster
    lacks goes to no other, as in the released code.

    Raises
    ------
    InputError
        If a number is out of range, lengths differ, a row was chosen twice, no chosen document has a gap, or a mean gap
        is below 0 where the weights are in proportion to it.

    Notes
    -----
    Yu et al. 2024, arXiv:2409.11378, section 3.2, and for-ai/iterative-data-selection, selection/iter.py. The paper's
    formula is from memory: w_j <- s_j w_j / sum_c s_c w_c. What is assumed: a cluster of which no chosen document has a
    gap has the mean of the others' (the released code then fails).
    """
    ids, clusters, label = _checked(doc_ids, cluster, n_documents, n_rounds)
    seen = _seen(chosen, len(ids))
    if len(gap) != len(chosen) or len(previous) != len(clusters):
        raise InputError(
            f"gap must have one number a chosen document ({len(chosen)}) and previous one a cluster "
            f"({len(clusters)}), got {len(gap)} and {len(previous)}"
        )
    weights = cluster_weights(_means(label[chosen], gap, len(clusters)), previous, signal, variant)
    per_round = n_documents / n_rounds / (len(clusters) if variant == "repo" else 1)
    n_asked = int(per_round)
    # What is drawn here are clusters, not documents: the stream is of the seed and of how far the plan is.
    random = np.random.Generator(np.random.PCG64([seed, len(chosen)]))
    rows = _draw(ids, label, random.multinomial(n_asked, weights), seen, seed)
    return KmqRound(rows, clusters, weights, n_asked)


def cluster_weights(
    means: FloatArray,
    previous: FloatArray,
    signal: Literal["reward", "perplexity"] = "reward",
    variant: Variant = "paper",
) -> FloatArray:
    """The share of the next round that each cluster is given, float64 (k,), summing to 1.

    Parameters
    ----------
    means
        (k,): the mean gap of each cluster's chosen documents, no NaN.
    previous
        (k,): the weights before.
    signal, variant
        As in `next_round`.

    Raises
    ------
    InputError
        If a mean is below 0 where weights are in proportion to it, or all weights would be 0.

    Examples
    --------
    >>> cluster_weights(np.array([1.0, 3.0]), np.array([0.5, 0.5])).tolist()
    [0.25, 0.75]
    >>> cluster_weights(np.array([2.0, 2.0]), np.array([0.3, 0.7]), variant="repo").tolist()
    [0.5, 0.5]
    """
    if variant not in ("paper", "repo") or signal not in ("reward", "perplexity"):
        raise InputError(
            f"variant must be paper or repo and signal reward or perplexity, got {variant!r} and {signal!r}"
        )
    means = np.asarray(means, dtype=np.float64)
    if variant == "repo" and signal == "reward":
        share = np.exp(means - means.max(initial=-np.inf))
        return np.asarray(share / share.sum())
    if (means < 0).any():
        raise InputError(
            f"a cluster's mean gap is {means.min():.6g}, and weights in proportion to it can't be below 0; give a "
            "gap of 0 and more, as a ratio or a perplexity is, or take variant repo"
        )
    share = means if variant == "repo" else means * previous
    if not share.sum() > 0:
        raise InputError("no cluster has a gap above 0, so there is nothing left to refine; stop here")
    return np.asarray(share / share.sum())


def _means(label: IntArray, gap: FloatArray, k: int) -> FloatArray:
    """The mean gap of each cluster, of those without one the mean of the others'."""
    gap = np.asarray(gap, dtype=np.float64)
    known = np.isfinite(gap)
    if not known.any():
        raise InputError("no chosen document has a gap; score the documents of the rounds before")
    n = np.bincount(label[known], minlength=k)
    total = np.bincount(label[known], gap[known], minlength=k)
    means = np.divide(total, n, out=np.full(k, np.nan), where=n > 0)
    return np.asarray(np.where(n > 0, means, means[n > 0].mean()))


def _draw(ids: Array, label: IntArray, quota: IntArray, seen: BoolArray, seed: int) -> IntArray:
    """Of each cluster the first unseen documents of one shuffle, as many as its quota."""
    order = np.lexsort((ids, keyed_uniform(seed, list(ids), "kmq-iterative"), label))
    order = order[~seen[order]]
    sizes = np.bincount(label[order], minlength=len(quota))
    place = np.arange(len(order)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    return order[place < quota[label[order]]]


def _seen(chosen: IntArray, n: int) -> BoolArray:
    rows = np.asarray(chosen)
    if len(np.unique(rows)) < len(rows) or (len(rows) and not 0 <= rows.min() <= rows.max() < n):
        raise InputError(f"chosen must be rows 0 to {n - 1}, each once; give those of the rounds before")
    seen = np.zeros(n, dtype=bool)
    seen[rows] = True
    return seen


def _checked(
    doc_ids: Sequence[str], cluster: IntArray, n_documents: int, n_rounds: int
) -> tuple[Array, Array, IntArray]:
    """The ids, the clusters that have documents, and the place of each document's among them."""
    check_at_least("n_documents", n_documents, 0)
    check_at_least("n_rounds", n_rounds, 1)
    ids = strings(doc_ids)
    if len(cluster) != len(ids) or len(set(doc_ids)) < len(ids):
        raise InputError(
            f"there must be a cluster for each doc_id and no id twice, got {len(cluster)} clusters for {len(ids)} ids "
            f"of which {len(set(doc_ids))} differ"
        )
    clusters, label = np.unique(np.asarray(cluster), return_inverse=True)
    return ids, clusters, label.astype(np.int64)
