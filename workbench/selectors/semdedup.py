"""SemDeDup: drop documents that are semantic near-copies of another one in the same cluster."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from workbench.checks import Array, FloatArray, IntArray, check_at_least, keyed_uniform
from workbench.errors import InputError
from workbench.selectors.base import Columns, Selection, SelectorSpec, State


@dataclass(frozen=True)
class SemdedupParams:
    """Parameters of `select_semdedup`.

    Attributes
    ----------
    epsilon
        In 0..1: a document goes if its cosine similarity to an earlier one of its cluster is above 1 -
        epsilon. More is dropped as it grows.
    n_clusters
        k-means clusters; the paper's C4 run has 11,000. A sample smaller than ten documents a cluster gets
        fewer: one a ten documents.
    keep
        Which of a cluster come first and so stay: "hard" (farthest from the centroid, the default of the
        paper), "easy" (nearest) or "random".
    n_iterations
        Iterations of spherical k-means; the released code has 100.
    """

    epsilon: float = 0.05
    n_clusters: int = 50
    keep: Literal["hard", "easy", "random"] = "hard"
    n_iterations: int = 100


def fit_semdedup(columns: Columns, params: SemdedupParams, seed: int) -> State:
    """Centroids of the sample's embeddings by spherical k-means, float32 (k, d).

    The released code starts faiss from random rows; here k-means++ chooses them.
    """
    from workbench.models.geometry.kmeans import KMeansParams, kmeans

    check_at_least("n_clusters", params.n_clusters, 1)
    embedding: FloatArray = columns["embedding"]
    n_clusters = min(params.n_clusters, max(1, len(embedding) // 10))
    how = KMeansParams(n_clusters=n_clusters, n_iterations=params.n_iterations)
    return {"centroids": kmeans(embedding, how, seed=seed).centroids}


def group_semdedup(columns: Columns, params: SemdedupParams, state: State) -> IntArray:
    """The nearest centroid of each document."""
    from workbench.models.geometry.kmeans import assign

    return assign(columns["embedding"], state["centroids"])[0]


def cluster_order(
    doc_ids: Array, to_centroid: FloatArray, keep: Literal["hard", "easy", "random"], seed: int
) -> IntArray:
    """The order in which documents of one cluster are kept; ties by doc_id."""
    if keep == "random":
        rank: Array = keyed_uniform(seed, list(doc_ids), "semdedup")
    else:
        # hard: largest distance first, so smallest similarity first
        rank = to_centroid if keep == "hard" else -to_centroid
    return np.lexsort((doc_ids, rank))


def scan_semdedup(columns: Columns, params: SemdedupParams, state: State, seed: int) -> Columns:
    """Of each document the largest similarity to an earlier one of its cluster, and the row of that one.

    Returns
    -------
    max_similarity : float64 (n,), 0 for the first of a cluster
    twin : int64 (n,)
    """
    from workbench.models.geometry.kmeans import assign
    from workbench.models.geometry.neighbours import nearest_earlier

    doc_ids, embedding = np.asarray(columns["doc_id"]), columns["embedding"]
    labels, to_centroid = assign(embedding, state["centroids"])
    nearest = np.zeros(len(labels), dtype=np.float64)
    twin = np.zeros(len(labels), dtype=np.int64)
    by_label = np.argsort(labels, kind="stable")
    for rows in np.split(by_label, np.flatnonzero(np.diff(labels[by_label])) + 1):
        if not len(rows):
            continue
        rows = rows[cluster_order(doc_ids[rows], to_centroid[rows], params.keep, seed)]
        similarity, earlier = nearest_earlier(embedding[rows])
        nearest[rows], twin[rows] = similarity, rows[earlier]
    return {"max_similarity": nearest, "twin": twin}


def select_semdedup(columns: Columns, params: SemdedupParams, state: State, seed: int) -> Selection:
    """Drop document j iff its similarity to an earlier document of its cluster is above 1 - epsilon.

    "Earlier" includes documents that are dropped themselves: the published rule is neither greedy against the
    kept ones nor connected components (on a chain a-b-c with both links above the threshold, c goes with b).

    Parameters
    ----------
    columns
        With `doc_id` (n,) and what `scan_semdedup` gives for whole clusters.

    Raises
    ------
    InputError
        If epsilon lies outside 0..1.

    Notes
    -----
    Abbas et al. 2023, arXiv:2303.09540, section 3; released code facebookresearch/SemDeDup, semdedup.py.
    There ties fall as the sort leaves them; here by doc_id, so that shards and workers don't matter.
    """
    if not 0.0 <= params.epsilon <= 1.0:
        raise InputError(
            f"epsilon must lie in 0..1, got {params.epsilon:g}; the paper's range is 0.001 to 0.26"
        )
    doc_ids, nearest, twin = np.asarray(columns["doc_id"]), columns["max_similarity"], columns["twin"]
    limit = 1.0 - params.epsilon
    return Selection(
        nearest <= limit,
        lambda i: f"similarity {nearest[i]:.4f} to {doc_ids[twin[i]]} is above {limit:.4g}",
        score=-nearest,
    )


SPEC = SelectorSpec(
    name="semdedup",
    version=2,
    title="SemDeDup: drop semantic near-copies within k-means clusters",
    paper="Abbas et al. 2023, arXiv:2303.09540",
    scope="group",
    params=SemdedupParams,
    needs=lambda params: ("embedding",),
    reads=("embedding",),
    select=select_semdedup,
    fit=fit_semdedup,
    fit_params=("n_clusters", "n_iterations"),
    scan=scan_semdedup,
    scan_params=("keep",),
    group=group_semdedup,
    tracks_corpus=True,
    help={
        "epsilon": "similarity above 1 - epsilon is a copy; larger drops more",
        "n_clusters": "k-means clusters; copies are looked for within one cluster",
        "keep": "which copy stays: hard (far from the centroid), easy (near) or random",
        "n_iterations": "iterations of k-means",
    },
)
