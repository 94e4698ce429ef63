"""Where k-means starts from: rows drawn evenly, or far from each other (k-means++)."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from workbench.models.geometry.rows import Rows

_START_ROWS = 32
"""k-means++ chooses among so many rows a cluster, drawn by the seed (never fewer than 10,000)."""


def choose_start(
    rows: Rows, n_clusters: int, init: str, n_candidates: int, random: np.random.Generator
) -> npt.NDArray[np.float32]:
    """Rows to start from: drawn evenly, or each with a probability that grows with the squared distance to
    the nearest of those before it (k-means++).
    """
    if init == "random":
        return np.asarray(rows.sample(n_clusters, random).whole().cpu())
    n = max(_START_ROWS * n_clusters, 10_000)
    among = (rows.sample(n, random) if n < len(rows) else rows).whole()
    squares = (among * among).sum(1)
    # What rounding leaves of the distance between copies must not make one of them a start.
    nothing = 8 * math.sqrt(among.shape[1]) * 2.0**-24 * squares

    def squared_distance(index: list[int]) -> npt.NDArray[np.float32]:
        """From each row of `index` to all rows, (len(index), n)."""
        apart = squares[index][:, None] + squares - 2 * (among[index] @ among.T)
        apart[apart <= nothing] = 0
        return np.asarray(apart.cpu())

    chosen = [int(random.integers(len(among)))]
    distance = squared_distance(chosen)[0]
    while len(chosen) < n_clusters:
        tried = _draw(distance, n_candidates, random)
        nearer = np.minimum(distance, squared_distance(tried))
        best = int(nearer.sum(axis=1, dtype=np.float64).argmin())
        distance = nearer[best]
        chosen.append(tried[best])
    return np.asarray(among[chosen].cpu())


def _draw(distance: npt.NDArray[np.float32], n: int, random: np.random.Generator) -> list[int]:
    """Rows with a probability in proportion to `distance`; any rows, where all of it is 0."""
    below = np.cumsum(distance, dtype=np.float64)
    if below[-1] <= 0:
        return [int(i) for i in random.integers(len(distance), size=n)]
    found = np.searchsorted(below, random.random(n) * below[-1], side="right")
    return [int(i) for i in np.minimum(found, len(distance) - 1)]
