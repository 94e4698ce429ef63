"""Near-copies within clusters: which document comes first, and how near each lies to one before it."""

from __future__ import annotations

from typing import Literal

import numpy as np

from workbench.checks import Array, FloatArray, IntArray, keyed_uniform
from workbench.models.geometry.kmeans import assign
from workbench.progress import current, shown

Keep = Literal["hard", "easy", "random"]
"""Which of a cluster come first and so stay: those far from the centroid, those near it, or any."""


def cluster_order(doc_ids: Array, to_centroid: FloatArray, keep: Keep, seed: int) -> IntArray:
    """The order in which documents of one cluster are kept, as row numbers; ties by doc_id.

    Parameters
    ----------
    to_centroid
        Cosine similarity to the centroid, (n,).
    """
    if keep == "random":
        rank: Array = keyed_uniform(seed, list(doc_ids), "semdedup")
    else:
        # hard: largest distance first, so smallest similarity first
        rank = to_centroid if keep == "hard" else -to_centroid
    return np.lexsort((doc_ids, rank))


def nearest_before(
    doc_ids: Array, embedding: FloatArray, centroids: FloatArray, keep: Keep, seed: int
) -> tuple[FloatArray, IntArray]:
    """Of each document the largest similarity to an earlier one of its cluster, and the row of that one.

    Parameters
    ----------
    doc_ids
        (n,).
    embedding
        (n, d), unit rows.
    centroids
        (k, d), unit rows; a document belongs to the nearest.

    Returns
    -------
    similarity : float64 (n,), in 0..1; 0 for the first of a cluster
    twin : int64 (n,)
    """
    from workbench.models.geometry.neighbours import nearest_earlier
    from workbench.models.runtime import device
    from workbench.models.threads import side_by_side

    labels, to_centroid = assign(embedding, centroids)
    nearest = np.zeros(len(labels), dtype=np.float64)
    twin = np.zeros(len(labels), dtype=np.int64)
    by_label = np.argsort(labels, kind="stable")
    clusters = [c for c in np.split(by_label, np.flatnonzero(np.diff(labels[by_label])) + 1) if len(c)]

    def within(rows: IntArray) -> None:
        rows = rows[cluster_order(doc_ids[rows], to_centroid[rows], keep, seed)]
        similarity, earlier = nearest_earlier(embedding[rows])
        nearest[rows], twin[rows] = similarity, rows[earlier]

    # A cluster's products are too small to share between threads, which would mostly wait for each other.
    progress = current()
    with shown(progress, "looking for near-copies", len(labels)), side_by_side(device()) as each:
        for rows, _ in zip(clusters, each(within, clusters), strict=True):
            progress.advance(len(rows))
    return nearest, twin
