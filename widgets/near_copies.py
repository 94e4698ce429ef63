"""The documents of a sample that are most like one of them, by vectors or MinHash bands. Pure arithmetic."""

from __future__ import annotations

import numpy as np

from workbench.checks import Array, FloatArray

_ROWS = 65_536  # at a time: a product with all of 1,000,000 vectors needs no copy of them


def nearest_vectors(vectors: FloatArray, row: int, k: int) -> list[tuple[int, float]]:
    """The k rows of highest cosine with a row, highest first, each with the cosine; of equal ones the first row first.

    Parameters
    ----------
    vectors
        (n, d), finite or NaN; a row of zeros or with NaN is near to none.
    """
    x = np.asarray(vectors[row], dtype=np.float32)
    n = len(vectors)
    cosines = np.full(n, -np.inf, dtype=np.float32)
    norm = float(np.linalg.norm(x))
    if not (np.isfinite(norm) and norm > 0):
        return []
    for start in range(0, n, _ROWS):
        some = np.asarray(vectors[start : start + _ROWS], dtype=np.float32)
        norms = np.sqrt(np.einsum("ij,ij->i", some, some))
        with np.errstate(invalid="ignore"):
            np.divide(some @ (x / norm), norms, out=cosines[start : start + len(some)], where=norms > 0)
    cosines[~np.isfinite(cosines)] = -np.inf
    cosines[row] = -np.inf
    return [(i, min(1.0, max(-1.0, float(cosines[i])))) for i in _highest(cosines, k)]


def shared_bands(bands: Array, row: int, k: int) -> list[tuple[int, int]]:
    """The k rows that share most MinHash bands with a row, each with how many; at least 1, and the first row first.

    Parameters
    ----------
    bands
        uint64 (n, b); a row of 0 has too few words and shares none.
    """
    if not bands[row].any():
        return []
    n_shared = np.count_nonzero(bands == bands[row], axis=1).astype(np.float32)
    n_shared[row] = 0
    n_shared[n_shared == 0] = -np.inf
    return [(i, int(n_shared[i])) for i in _highest(n_shared, k)]


def _highest(values: FloatArray, k: int) -> list[int]:
    """The rows of the k highest values above minus infinity, highest first, the first row first among equals."""
    k = min(k, int(np.count_nonzero(values > -np.inf)))
    if k == 0:
        return []
    least = np.partition(values, len(values) - k)[len(values) - k]
    rows = np.flatnonzero(values >= least)
    order = rows[np.argsort(-values[rows], kind="stable")][:k]
    return [int(i) for i in order]
