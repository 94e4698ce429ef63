"""Spherical k-means: clusters of directions."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from workbench.checks import FloatArray, IntArray
from workbench.errors import InputError

# Rows of one product. Fixed, and the last one is padded: a row's similarities then don't depend on its
# neighbours.
_TILE = 1024


def spherical_kmeans(x: FloatArray, n_clusters: int, n_iterations: int, seed: int) -> npt.NDArray[np.float32]:
    """Unit centroids of the rows' directions.

    Parameters
    ----------
    x
        (n, d), any scale: rows are normalised.
    n_clusters
        1..n.
    n_iterations
        Of Lloyd's algorithm, at least 1.
    seed
        Of the rows that the centroids start from.

    Returns
    -------
    float32 (n_clusters, d), unit rows. The same input gives the same bits on one machine.

    Raises
    ------
    InputError
        If there are fewer rows than clusters, or a row is zero or not finite.

    Notes
    -----
    faiss (Johnson, Douze, Jegou 2017), all rows used. An empty cluster is refilled by splitting a large one.
    """
    import faiss

    if not 1 <= n_clusters <= len(x):
        raise InputError(f"n_clusters must lie in 1..{len(x)} (the number of documents), got {n_clusters}")
    if n_iterations < 1:
        raise InputError(f"n_iterations must be at least 1, got {n_iterations}")
    rows = unit_rows(x)
    threads = faiss.omp_get_max_threads()
    # One thread: with more, a centroid's sum is added up in an order that changes from run to run.
    faiss.omp_set_num_threads(1)
    try:
        kmeans = faiss.Kmeans(
            rows.shape[1],
            n_clusters,
            niter=n_iterations,
            seed=seed,
            spherical=True,
            min_points_per_centroid=1,
            max_points_per_centroid=len(rows),
        )
        kmeans.train(rows)
    finally:
        faiss.omp_set_num_threads(threads)
    return unit_rows(np.asarray(kmeans.centroids))


def assign(x: FloatArray, centroids: FloatArray) -> tuple[IntArray, npt.NDArray[np.float32]]:
    """The nearest centroid of each row and the cosine similarity to it.

    Parameters
    ----------
    x
        (n, d), any scale.
    centroids
        Unit rows (k, d).

    Returns
    -------
    labels int64 (n,), the lowest of equally near ones, and similarity float32 (n,) in -1..1. A row's result
    doesn't depend on the other rows, to the bit.

    Raises
    ------
    InputError
        If the dimensions differ, or a row is zero or not finite.
    """
    if x.ndim != 2 or centroids.ndim != 2 or x.shape[1] != centroids.shape[1]:
        raise InputError(
            f"rows and centroids must have the same dimension, got {x.shape} and {centroids.shape}"
        )
    rows = unit_rows(x)
    across = np.ascontiguousarray(centroids.T, dtype=np.float32)
    labels = np.empty(len(rows), dtype=np.int64)
    similarity = np.empty(len(rows), dtype=np.float32)
    tile = np.zeros((_TILE, rows.shape[1]), dtype=np.float32)
    for start in range(0, len(rows), _TILE):
        n = min(_TILE, len(rows) - start)
        tile[:n] = rows[start : start + n]
        tile[n:] = 0
        cosines = tile @ across
        best = np.argmax(cosines[:n], axis=1)
        labels[start : start + n] = best
        similarity[start : start + n] = cosines[np.arange(n), best]
    return labels, np.clip(similarity, -1.0, 1.0)


def unit_rows(x: FloatArray) -> npt.NDArray[np.float32]:
    """The rows of x (n, d) scaled to length 1, float32.

    Raises
    ------
    InputError
        If a row is zero or not finite: it has no direction.
    """
    rows = np.ascontiguousarray(x, dtype=np.float32)
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    bad = np.flatnonzero(~np.isfinite(norms[:, 0]) | (norms[:, 0] == 0))
    if len(bad):
        raise InputError(f"row {bad[0]} of the embeddings is zero or not finite; score the embedding again")
    return np.asarray(rows / norms, dtype=np.float32)
