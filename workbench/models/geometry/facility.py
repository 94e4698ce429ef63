"""Facility location: few rows such that every row has one of them near."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from workbench.checks import Array, FloatArray
from workbench.errors import InputError

_TIE = 1e-9


@dataclass(frozen=True)
class Facilities:
    """What `facility_location` found.

    Attributes
    ----------
    order
        int64 (k,): rows in the order in which they were picked.
    gain
        float64 (k,): what each added to the sum over all rows of the similarity to the nearest picked one; it falls.
    """

    order: npt.NDArray[np.int64]
    gain: npt.NDArray[np.float64]


def facility_location(similarity: FloatArray, k: int) -> Facilities:
    """Pick k rows one by one, each the one that adds most to the sum of all rows' largest similarity to a picked one.

    Parameters
    ----------
    similarity
        (n, n), 0 or more: [i, j] is how well j stands for i.
    k
        0 to n.

    Returns
    -------
    Facilities
        Of rows that add alike (to 1e-9 of it) the first is picked. The sum is at least 1 - 1/e of the best k rows'.

    Raises
    ------
    InputError
        If the matrix isn't square, has a negative number, or k lies outside 0..n.

    Examples
    --------
    >>> facility_location(np.array([[2.0, 1.9, 0.0], [1.9, 2.0, 0.5], [0.0, 0.5, 2.0]]), 2).order.tolist()
    [1, 2]
    """
    s = np.asarray(similarity, dtype=np.float64)
    n = len(s)
    if s.shape != (n, n) or not s.min(initial=0.0) >= 0:
        raise InputError(
            f"similarity must be (n, n) numbers of 0 or more, got {s.shape} from {s.min(initial=0):g}"
        )
    if not 0 <= k <= n:
        raise InputError(f"k must lie in 0..{n} (the number of rows), got {k}")
    best = np.zeros(n)
    adds = s.sum(axis=0)
    order, gain = np.zeros(k, dtype=np.int64), np.zeros(k)
    is_open = np.ones(n, dtype=bool)
    for place in range(k):
        value = np.where(is_open, np.maximum(adds, 0), -1.0)
        most = value.max()
        new = int(np.flatnonzero(value >= most - _TIE * max(most, 1.0))[0])
        order[place], gain[place] = new, value[new]
        is_open[new] = False
        # Only rows that the new one stands for better than those before change what others add.
        rows = np.flatnonzero(s[:, new] > best)
        more = s[rows, new] - best[rows]
        lost = s[rows] - best[rows, None]
        np.clip(lost, 0, more[:, None], out=lost)
        adds -= lost.sum(axis=0)
        best[rows] = s[rows, new]
    return Facilities(order, gain)


def stands_for(similarity: FloatArray) -> npt.NDArray[np.int64]:
    """For how many rows each picked one stands: `similarity` (n, k) to those picked, ties to the first; int64 (k,)."""
    nearest: Array = np.argmax(similarity, axis=1)
    return np.bincount(nearest, minlength=similarity.shape[1]).astype(np.int64)


def nearness(x: FloatArray, y: FloatArray) -> npt.NDArray[np.float64]:
    """2 minus the Euclidean distance of unit rows, float64 (n, m), 0..2."""
    x, y = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    square = np.einsum("ij,ij->i", x, x)[:, None] + np.einsum("ij,ij->i", y, y) - 2 * (x @ y.T)
    # Copies are at no distance, which a rounded product isn't.
    square[square < 1e-12] = 0
    return np.asarray(np.maximum(2 - np.sqrt(square), 0))
