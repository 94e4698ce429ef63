"""Clusters where rows lie densely (HDBSCAN), numbered by size."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from workbench.checks import FloatArray, IntArray, check_at_least, check_fraction
from workbench.errors import InputError

_NOISE = -1
_MIN_CLUSTER = 5
_MANY_DIMENSIONS = 10
# Where fast-hdbscan begins. In 384 dimensions hdbscan took 14 s for 3,000 rows and 70 s for 6,000; fast-hdbscan
# less than 1 s for either, and half a minute or more to compile its code for that dimension in each process.
_MANY_ROWS, _MANY_WIDE_ROWS = 20_000, 4_000
_NOT_INSTALLED = 'clusters need {}, which is not installed; run `pip install "selection-workbench[lab]"`'


def dense_clusters(
    x: FloatArray, *, min_cluster_fraction: float, n_core_neighbors: int, assign_noise: bool = False
) -> npt.NDArray[np.int64]:
    """The cluster of each row.

    Parameters
    ----------
    x
        (n, d), finite; distances are Euclidean.
    min_cluster_fraction
        The smallest cluster, as a share of the rows in 0..1; never fewer than 5.
    n_core_neighbors
        HDBSCAN's min_samples, at least 1: more call more rows noise.
    assign_noise
        Give noise to the cluster of the nearest row that has one.

    Returns
    -------
    int64 (n,): 0 for the largest cluster, then by size (noise not counted); -1 for noise.

    Raises
    ------
    InputError
        If a param is out of range, or the package isn't installed.

    Notes
    -----
    Campello, Moulavi and Sander 2013. By the hdbscan package up to 20,000 rows (4,000 in more than 10
    dimensions), above by fast-hdbscan in its reproducible form. The two differ in a few rows at the borders.
    """
    check_fraction("min_cluster_fraction", min_cluster_fraction)
    check_at_least("n_core_neighbors", n_core_neighbors, 1)
    codes = _by_size(_find(x, min_cluster_fraction, n_core_neighbors))
    noise = codes == _NOISE
    if assign_noise and noise.any() and not noise.all():
        codes[noise] = codes[~noise][_nearest(x[~noise], x[noise])]
    return codes


def _find(x: FloatArray, min_cluster_fraction: float, n_core_neighbors: int) -> IntArray:
    n = len(x)
    smallest = max(_MIN_CLUSTER, math.ceil(min_cluster_fraction * n))
    if n > 1 and (x == x[0]).all():
        return np.zeros(n, dtype=np.int64)
    if n < 2 * smallest:
        # HDBSCAN never calls a whole sample one cluster, so it would find nothing here.
        return np.full(n, _NOISE, dtype=np.int64)
    n_core = min(n_core_neighbors, n - 1)
    if n > (_MANY_WIDE_ROWS if x.shape[1] > _MANY_DIMENSIONS else _MANY_ROWS):
        try:
            import fast_hdbscan
        except ImportError as error:
            raise InputError(_NOT_INSTALLED.format("fast-hdbscan")) from error
        finder = fast_hdbscan.HDBSCAN(min_cluster_size=smallest, min_samples=n_core, reproducible=True)
    else:
        try:
            import hdbscan
        except ImportError as error:
            raise InputError(_NOT_INSTALLED.format("hdbscan")) from error
        finder = hdbscan.HDBSCAN(min_cluster_size=smallest, min_samples=n_core, core_dist_n_jobs=1)
    return np.asarray(finder.fit_predict(np.ascontiguousarray(x, dtype=np.float64)), dtype=np.int64)


def _by_size(labels: IntArray) -> npt.NDArray[np.int64]:
    """Renumber clusters from the largest, ties by the first row; noise stays."""
    names, first, size = np.unique(labels[labels != _NOISE], return_index=True, return_counts=True)
    out = np.full(len(labels), _NOISE, dtype=np.int64)
    for code, name in enumerate(names[np.lexsort((first, -size))]):
        out[labels == name] = code
    return out


def _nearest(x: FloatArray, queries: FloatArray) -> npt.NDArray[np.int64]:
    """The row of x nearest to each query."""
    from workbench.models.geometry.neighbours import NeighboursParams, neighbours

    return neighbours(x, 1, NeighboursParams(metric="euclidean"), queries=queries).indices[:, 0]
