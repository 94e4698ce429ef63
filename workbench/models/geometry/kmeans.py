"""k-means, spherical or plain: the fit, and the nearest centroid of any rows afterwards."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt

from workbench.checks import FloatArray, IntArray, check_at_least
from workbench.errors import InputError
from workbench.models.geometry.rows import Rows, unit_rows
from workbench.progress import Progress, Silent, current, shown

# Rows of one product. Fixed, and the last one is padded: a row's similarities then don't depend on its
# neighbours.
_TILE = 1024


@dataclass(frozen=True)
class KMeansParams:
    """Parameters of `kmeans`.

    Attributes
    ----------
    n_clusters
        1 to the number of rows that are fitted.
    spherical
        Clusters of directions (rows are normalised, so are centroids), or plain Euclidean ones.
    n_iterations
        Of Lloyd's algorithm at most (it stops when no centroid moves), or the mini-batches; at least 1.
    init
        "k-means++" (Arthur and Vassilvitskii 2007) or "random" rows. The former reads its rows once a
        cluster: take the latter for tens of thousands of clusters.
    n_candidates
        Rows that k-means++ tries for each centroid, keeping the best: 1 as published, more is its greedy form.
        On 1,500 MiniLM embeddings in 50 clusters 5 ended with 0.8 to 3.8 % less inertia than 1, seed by seed.
    n_restarts
        Runs from different starts, at least 1; the one with the least inertia is kept.
    mini_batch_rows
        Rows drawn for each iteration (Sculley 2010), or None: all of them.
    fit_rows
        Fit on a sample of so many rows, drawn by the seed, and assign all; None: fit on all.
    backend
        "torch" (the GPU if there is one), "faiss" (the CPU, one thread), or "auto": torch.
    dtype
        Of the products while fitting. "bfloat16" products are summed in float32, and on a CPU rounded to
        bfloat16 afterwards; what is returned is float32 in any case.
    """

    n_clusters: int
    spherical: bool = True
    n_iterations: int = 20
    init: Literal["k-means++", "random"] = "k-means++"
    n_candidates: int = 5
    n_restarts: int = 1
    mini_batch_rows: int | None = None
    fit_rows: int | None = None
    backend: Literal["auto", "torch", "faiss"] = "auto"
    dtype: Literal["float32", "bfloat16"] = "float32"


@dataclass(frozen=True)
class KMeansFit:
    """What `kmeans` found.

    Attributes
    ----------
    centroids
        float32 (k, d); unit rows if spherical.
    labels
        int64 (n,): the nearest centroid of each row.
    sizes
        int64 (k,): rows of each cluster. 0 where there are fewer different rows than clusters.
    inertia
        Sum over rows of the squared distance to the centroid (of the unit rows, if spherical).
    n_iterations
        Iterations that were run.
    backend
        "torch on cpu", "torch on cuda" or "faiss".
    """

    centroids: npt.NDArray[np.float32]
    labels: npt.NDArray[np.int64]
    sizes: npt.NDArray[np.int64]
    inertia: float
    n_iterations: int
    backend: str


def kmeans(
    x: FloatArray,
    params: KMeansParams,
    *,
    seed: int,
    start: FloatArray | None = None,
    progress: Progress | None = None,
) -> KMeansFit:
    """Cluster the rows of x.

    Parameters
    ----------
    x
        (n, d), any float type, of any scale; an np.memmap is read a piece at a time.
    params
        How.
    seed
        Of the start, the sample and the mini-batches; at least 0. The same input and seed give the same bits
        on one machine with the same number of threads.
    start
        Centroids to start from, (n_clusters, d), instead of `params.init`.
    progress
        Shown progress, in iterations.

    Raises
    ------
    InputError
        If a param is out of range, there are fewer rows than clusters, or a row isn't finite (or is zero, if
        spherical).

    Notes
    -----
    An empty cluster starts again from the row that is farthest from its centroid, the second one from the
    second farthest, and so on (as scikit-learn does; faiss splits a large cluster). Beyond float32 rows of
    1 GiB (half of a GPU's free memory), x is prepared anew in each iteration rather than held.

    Examples
    --------
    >>> x = np.array([[1.0, 0.1], [5.0, -0.4], [0.1, 2.0]])
    >>> fit = kmeans(x, KMeansParams(n_clusters=2), seed=0)
    >>> sorted(fit.sizes.tolist()), bool(fit.labels[0] == fit.labels[1])
    ([1, 2], True)
    """
    _check(x, params, seed, start)
    rows = Rows(x, spherical=params.spherical, device="cpu" if params.backend == "faiss" else None)
    fitted = rows
    if params.fit_rows is not None and params.fit_rows < len(x):
        fitted = rows.sample(params.fit_rows, _random(seed, 0))
    given = None if start is None else rows.prepare(start, what="row {} of the start")
    progress = progress or Silent()
    best: KMeansFit | None = None
    with shown(progress, f"k-means, {params.n_clusters} clusters", params.n_restarts * params.n_iterations):
        for restart in range(params.n_restarts):
            fit = _fit_once(rows, fitted, params, given, _random(seed, 1 + restart), progress)
            if best is None or fit.inertia < best.inertia:
                best = fit
    assert best is not None
    return replace(best, centroids=rows.restore(best.centroids), inertia=rows.restore_square(best.inertia))


def sample_centroids(
    embedding: FloatArray, n_clusters: int, n_iterations: int, seed: int, *, rows_a_cluster: int = 10
) -> FloatArray:
    """The centroids that methods fit to a sample by spherical k-means, unit rows, float32 (k, d).

    Parameters
    ----------
    n_clusters
        At most, at least 1: fewer rows than `rows_a_cluster` to each give fewer, since the centroid of a few documents
        is no prototype but one of them.
    n_iterations
        At least 1.

    Raises
    ------
    InputError
        If n_clusters or n_iterations is below 1, or a row is zero or not finite.
    """
    check_at_least("n_clusters", n_clusters, 1)
    check_at_least("n_iterations", n_iterations, 1)
    k = min(n_clusters, max(1, len(embedding) // rows_a_cluster))
    params = KMeansParams(n_clusters=k, n_iterations=n_iterations)
    return kmeans(embedding, params, seed=seed, progress=current()).centroids


def _random(seed: int, use: int) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64([seed, use]))


def _fit_once(
    rows: Rows,
    fitted: Rows,
    params: KMeansParams,
    given: npt.NDArray[np.float32] | None,
    random: np.random.Generator,
    progress: Progress,
) -> KMeansFit:
    """One run, in the scale of prepared rows."""
    from workbench.models.geometry import lloyd
    from workbench.models.geometry.starts import choose_start

    start = given
    if start is None:
        start = choose_start(fitted, params.n_clusters, params.init, params.n_candidates, random)
    n, backend = params.n_iterations, f"torch on {rows.device}"
    if params.backend == "faiss":
        centroids, backend = _faiss(fitted, start, n), "faiss"
        progress.advance(n)
    elif params.mini_batch_rows is not None:
        n_rows = min(params.mini_batch_rows, len(fitted))
        centroids = lloyd.mini_batches(fitted, start, n, n_rows, params.dtype, random, progress)
    else:
        centroids, n = lloyd.lloyd(fitted, start, n, params.dtype, progress)
    labels, inertia = lloyd.assign_rows(rows, centroids)
    sizes = np.bincount(labels, minlength=params.n_clusters)
    return KMeansFit(centroids, labels, sizes, inertia, n, backend)


def _faiss(rows: Rows, start: npt.NDArray[np.float32], n_iterations: int) -> npt.NDArray[np.float32]:
    import faiss

    prepared = rows.whole().numpy()
    threads = faiss.omp_get_max_threads()
    # One thread: with more, a centroid's sum is added up in an order that changes from run to run.
    faiss.omp_set_num_threads(1)
    try:
        run = faiss.Kmeans(
            prepared.shape[1],
            len(start),
            niter=n_iterations,
            spherical=rows.spherical,
            min_points_per_centroid=1,
            max_points_per_centroid=len(prepared),
        )
        run.train(prepared, init_centroids=start)
    finally:
        faiss.omp_set_num_threads(threads)
    centroids = np.asarray(run.centroids, dtype=np.float32)
    return unit_rows(centroids) if rows.spherical else centroids


def _check(x: FloatArray, params: KMeansParams, seed: int, start: FloatArray | None) -> None:
    if x.ndim != 2 or 0 in x.shape:
        raise InputError(f"k-means needs rows of numbers, (n, d) with both at least 1, got {x.shape}")
    n = len(x) if params.fit_rows is None else min(params.fit_rows, len(x))
    of = "the number of documents" if n == len(x) else "fit_rows"
    if not 1 <= params.n_clusters <= n:
        raise InputError(f"n_clusters must lie in 1..{n} ({of}), got {params.n_clusters}")
    for name in ("n_iterations", "n_candidates", "n_restarts"):
        check_at_least(name, getattr(params, name), 1)
    check_at_least("seed", seed, 0)
    for name in ("mini_batch_rows", "fit_rows"):
        if getattr(params, name) is not None:
            check_at_least(name, getattr(params, name), 1)
    for name, allowed in (
        ("init", ("k-means++", "random")),
        ("backend", ("auto", "torch", "faiss")),
        ("dtype", ("float32", "bfloat16")),
    ):
        if getattr(params, name) not in allowed:
            raise InputError(f"{name} must be one of {', '.join(allowed)}, got {getattr(params, name)!r}")
    if params.backend == "faiss" and (params.mini_batch_rows is not None or params.dtype != "float32"):
        raise InputError("backend faiss has neither mini-batches nor bfloat16; take backend torch for them")
    if start is not None and start.shape != (params.n_clusters, x.shape[1]):
        raise InputError(
            f"start must be {(params.n_clusters, x.shape[1])}, a centroid a cluster, got {start.shape}"
        )


def assign(x: FloatArray, centroids: FloatArray) -> tuple[IntArray, npt.NDArray[np.float32]]:
    """The nearest centroid of each row and the cosine similarity to it.

    Parameters
    ----------
    x
        (n, d), any scale; read a piece at a time.
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
    across = np.ascontiguousarray(centroids.T, dtype=np.float32)
    labels = np.empty(len(x), dtype=np.int64)
    similarity = np.empty(len(x), dtype=np.float32)
    tile = np.zeros((_TILE, x.shape[1]), dtype=np.float32)
    for start in range(0, len(x), _TILE):
        n = min(_TILE, len(x) - start)
        tile[:n] = unit_rows(x[start : start + n], first=start)
        tile[n:] = 0
        cosines = tile @ across
        best = np.argmax(cosines[:n], axis=1)
        labels[start : start + n] = best
        similarity[start : start + n] = cosines[np.arange(n), best]
    return labels, np.clip(similarity, -1.0, 1.0)
