"""The steps of k-means on torch: starts, iterations, the last assignment.

No array of rows by clusters is ever whole, and every sum is made in a fixed order.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from workbench.models.rows import Rows
from workbench.progress import Progress

if TYPE_CHECKING:
    import torch

Centroids = npt.NDArray[np.float32]

# Rows of one product, and its elements at most: 128 MiB on a CPU; a GPU wants large products.
_TILE = {"cpu": 4096, "cuda": 2**18}
_PRODUCT = {"cpu": 2**25, "cuda": 2**28}

_START_ROWS = 32
"""k-means++ chooses among so many rows a cluster, drawn by the seed (never fewer than 10,000)."""

_SAME = 1e-10
"""Squared distance, as a share of the squared length, up to which a row is its centroid but for rounding."""


def choose_start(
    rows: Rows, n_clusters: int, init: str, n_candidates: int, random: np.random.Generator
) -> Centroids:
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

    def squared_distance(index: list[int]) -> npt.NDArray[np.float64]:
        apart = squares[:, None] + squares[index] - 2 * (among @ among[index].T)
        apart[apart <= nothing[:, None]] = 0
        return np.asarray(apart.cpu(), dtype=np.float64)

    chosen = [int(random.integers(len(among)))]
    distance = squared_distance(chosen)[:, 0]
    while len(chosen) < n_clusters:
        tried = _draw(distance, n_candidates, random)
        nearer = np.minimum(distance[:, None], squared_distance(tried))
        best = int(nearer.sum(axis=0).argmin())
        distance = np.ascontiguousarray(nearer[:, best])
        chosen.append(tried[best])
    return np.asarray(among[chosen].cpu())


def _draw(distance: npt.NDArray[np.float64], n: int, random: np.random.Generator) -> list[int]:
    """Rows with a probability in proportion to `distance`; any rows, where all of it is 0."""
    below = np.cumsum(distance)
    if below[-1] <= 0:
        return [int(i) for i in random.integers(len(distance), size=n)]
    found = np.searchsorted(below, random.random(n) * below[-1], side="right")
    return [int(i) for i in np.minimum(found, len(distance) - 1)]


def lloyd(
    rows: Rows, start: Centroids, n_iterations: int, dtype: str, progress: Progress
) -> tuple[Centroids, int]:
    """Lloyd's algorithm from `start`: the centroids and the number of iterations, fewer if none moves."""
    import torch

    centroids = torch.from_numpy(start).to(rows.device)
    for i in range(n_iterations):
        seen = _look(rows, centroids, dtype)
        _refill(seen, rows, centroids, seen.sizes == 0)
        moved = _means(seen.sums, seen.sizes, centroids, rows.spherical)
        progress.advance(1)
        if torch.equal(moved, centroids):
            return np.asarray(centroids.cpu()), i + 1
        centroids = moved
    return np.asarray(centroids.cpu()), n_iterations


def mini_batches(
    rows: Rows,
    start: Centroids,
    n_iterations: int,
    n_rows: int,
    dtype: str,
    random: np.random.Generator,
    progress: Progress,
) -> Centroids:
    """Centroids as running means of the rows that mini-batches gave them (Sculley 2010)."""
    import torch

    centroids = torch.from_numpy(start).to(rows.device)
    sums = torch.zeros_like(centroids, dtype=torch.float64)
    sizes = torch.zeros(len(start), dtype=torch.int64, device=rows.device)
    for _ in range(n_iterations):
        batch = rows.sample(n_rows, random)
        seen = _look(batch, centroids, dtype)
        _refill(seen, batch, centroids, sizes + seen.sizes == 0)
        sums, sizes = sums + seen.sums, sizes + seen.sizes
        centroids = _means(sums, sizes, centroids, rows.spherical)
        progress.advance(1)
    return np.asarray(centroids.cpu())


def assign_rows(rows: Rows, centroids: Centroids) -> tuple[npt.NDArray[np.int64], float]:
    """The nearest centroid of each row, by float32 products, and the inertia."""
    import torch

    given = torch.from_numpy(centroids).to(rows.device)
    labels = torch.empty(len(rows), dtype=torch.int64, device=rows.device)
    inertia = 0.0
    nearest = _Nearest(given, rows.spherical, "float32")
    for first, piece in rows.pieces():
        mine = nearest(piece)
        labels[first : first + len(piece)] = mine
        inertia += float(_squared_distance(piece, given, mine).double().sum())
    return np.asarray(labels.cpu()), inertia


@dataclass
class _Seen:
    """What one look at all rows gives: their labels (n,), and of each cluster the sum (k, d) and the size."""

    labels: torch.Tensor
    sums: torch.Tensor
    sizes: torch.Tensor


def _look(rows: Rows, centroids: torch.Tensor, dtype: str) -> _Seen:
    import torch

    k = len(centroids)
    labels = torch.empty(len(rows), dtype=torch.int64, device=rows.device)
    seen = _Seen(
        labels, torch.zeros_like(centroids, dtype=torch.float64), torch.bincount(labels[:0], minlength=k)
    )
    nearest = _Nearest(centroids, rows.spherical, dtype)
    for first, piece in rows.pieces():
        mine = nearest(piece)
        labels[first : first + len(piece)] = mine
        sizes = torch.bincount(mine, minlength=k)
        starts = torch.cumsum(sizes, 0) - sizes
        # Each bag is summed from its first row to its last one: neither threads nor a GPU change the order.
        seen.sums += torch.nn.functional.embedding_bag(_by_label(mine, k), piece, starts, mode="sum").double()
        seen.sizes += sizes
    return seen


def _by_label(labels: torch.Tensor, k: int) -> torch.Tensor:
    """Rows in the order of their labels, then as they come."""
    import torch

    if labels.device.type != "cpu":
        return torch.argsort(labels, stable=True)
    # numpy sorts two-byte numbers by radix, 400 times as fast as torch sorts eight-byte ones.
    return torch.from_numpy(
        np.argsort(labels.numpy().astype(np.uint16 if k <= 2**16 else np.uint32), kind="stable")
    )


class _Nearest:
    """Gives each row of a piece its nearest centroid, the lowest of equally near ones."""

    def __init__(self, centroids: torch.Tensor, spherical: bool, dtype: str) -> None:
        import torch

        self.dtype = getattr(torch, dtype)
        self.across = centroids.T.contiguous().to(self.dtype)
        # argmin |x - c|^2 is argmax x.c - |c|^2 / 2, and |c| is 1 for all if spherical.
        self.half = None if spherical else (centroids * centroids).sum(1) / 2
        kind = centroids.device.type
        self.tile = max(min(_TILE[kind], _PRODUCT[kind] // len(centroids)), 256)
        self.buffer = torch.empty((self.tile, len(centroids)), dtype=self.dtype, device=centroids.device)

    def __call__(self, piece: torch.Tensor) -> torch.Tensor:
        import torch

        out = torch.empty(len(piece), dtype=torch.int64, device=piece.device)
        for start in range(0, len(piece), self.tile):
            rows = piece[start : start + self.tile]
            product = self._product(rows)
            if self.half is not None:
                product -= self.half
            # numpy's argmax is several times as fast as torch's on a CPU.
            best = (
                torch.from_numpy(product.numpy().argmax(1))
                if product.device.type == "cpu"
                else product.argmax(1)
            )
            out[start : start + len(rows)] = best
        return out

    def _product(self, rows: torch.Tensor) -> torch.Tensor:
        import torch

        if self.dtype == torch.float32:
            # One buffer for all tiles: fresh memory of this size costs as much as a tenth of the product.
            return torch.mm(rows, self.across, out=self.buffer[: len(rows)])
        if rows.device.type == "cuda":
            return torch.mm(rows.to(self.dtype), self.across, out_dtype=torch.float32)
        return torch.mm(rows.to(self.dtype), self.across, out=self.buffer[: len(rows)]).float()


def _squared_distance(piece: torch.Tensor, centroids: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    apart = piece - centroids[labels]
    return (apart * apart).sum(1)


def _refill(seen: _Seen, rows: Rows, centroids: torch.Tensor, empty: torch.Tensor) -> None:
    """Give each empty cluster the row farthest from its own centroid, out of a cluster that has others."""
    import torch

    wanting = [int(k) for k in torch.nonzero(empty).flatten()]
    if not wanting:
        return
    distance = np.zeros(len(rows), dtype=np.float32)
    for first, piece in rows.pieces():
        apart = _squared_distance(piece, centroids, seen.labels[first : first + len(piece)])
        apart[apart <= _SAME * (piece * piece).sum(1)] = 0
        distance[first : first + len(piece)] = apart.cpu()
    for row in np.argsort(-distance, kind="stable"):
        if not wanting or distance[row] == 0:
            return
        old = int(seen.labels[row])
        if seen.sizes[old] < 2:
            continue
        new, moved = wanting.pop(0), rows.take(np.asarray([row]))[0].double()
        seen.labels[row] = new
        seen.sums[old] -= moved
        seen.sums[new] += moved
        seen.sizes[old] -= 1
        seen.sizes[new] += 1


def _means(sums: torch.Tensor, sizes: torch.Tensor, old: torch.Tensor, spherical: bool) -> torch.Tensor:
    """The centroids of these sums; the old one where a cluster is empty, or its rows cancel out."""
    import torch

    means = sums / sizes.clamp(min=1)[:, None]
    known = sizes > 0
    if spherical:
        length = means.norm(dim=1)
        known &= length > 0
        means /= torch.where(known, length, 1.0)[:, None]
    return torch.where(known[:, None], means.float(), old)
