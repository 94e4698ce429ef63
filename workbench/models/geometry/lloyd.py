"""The steps of k-means on torch: iterations and the last assignment.

No array of rows by clusters is ever whole, and every sum is made in a fixed order.
"""

from __future__ import annotations

import threading
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from workbench.models.geometry.rows import Rows
from workbench.models.threads import Each, side_by_side
from workbench.progress import Progress

if TYPE_CHECKING:
    import torch

Centroids = npt.NDArray[np.float32]

# Rows of one product, and its elements at most: 64 MiB for each thread of a CPU; a GPU wants large products.
_TILE = {"cpu": 1024, "cuda": 2**18}
_PRODUCT = {"cpu": 2**24, "cuda": 2**28}

_BAGS = 64  # clusters that one thread sums at a time

_SAME = 1e-10
"""Squared distance, as a share of the squared length, up to which a row is its centroid but for rounding."""


def lloyd(
    rows: Rows, start: Centroids, n_iterations: int, dtype: str, progress: Progress
) -> tuple[Centroids, int]:
    """Lloyd's algorithm from `start`: the centroids and the number of iterations, fewer if none moves."""
    import torch

    centroids = torch.from_numpy(start).to(rows.device)
    with _threads(rows) as each:
        for i in range(n_iterations):
            seen = _look(rows, _Nearest(centroids, rows.spherical, dtype, each))
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
    with _threads(rows) as each:
        for _ in range(n_iterations):
            batch = rows.sample(n_rows, random)
            seen = _look(batch, _Nearest(centroids, rows.spherical, dtype, each))
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
    with _threads(rows) as each:
        nearest = _Nearest(given, rows.spherical, "float32", each)
        for first, piece in rows.pieces():
            mine = nearest(piece)
            labels[first : first + len(piece)] = mine
            apart = each(
                lambda x, own: _squared_distance(x, given, own), nearest.tiles(piece), nearest.tiles(mine)
            )
            inertia += sum(float(some.double().sum()) for some in apart)
    return np.asarray(labels.cpu()), inertia


@dataclass
class _Seen:
    """What one look at all rows gives: their labels (n,), and of each cluster the sum (k, d) and the size."""

    labels: torch.Tensor
    sums: torch.Tensor
    sizes: torch.Tensor


def _look(rows: Rows, nearest: _Nearest) -> _Seen:
    import torch

    centroids, k = nearest.centroids, len(nearest.centroids)
    labels = torch.empty(len(rows), dtype=torch.int64, device=rows.device)
    seen = _Seen(
        labels, torch.zeros_like(centroids, dtype=torch.float64), torch.bincount(labels[:0], minlength=k)
    )
    for first, piece in rows.pieces():
        mine = nearest(piece)
        labels[first : first + len(piece)] = mine
        sizes = torch.bincount(mine, minlength=k)
        seen.sums += _sums(piece, mine, sizes, nearest.each).double()
        seen.sizes += sizes
    return seen


def _sums(piece: torch.Tensor, labels: torch.Tensor, sizes: torch.Tensor, each: Each) -> torch.Tensor:
    """The sum of each cluster's rows, each made from the first row to the last one, (k, d)."""
    import torch

    order, starts = _by_label(labels, len(sizes)), torch.cumsum(sizes, 0) - sizes
    n_bags = _BAGS if piece.device.type == "cpu" else len(sizes)
    bounds = [*starts[::n_bags].tolist(), len(piece)]

    def some(i: int) -> torch.Tensor:
        # Neither threads nor a GPU change the order within a bag.
        mine, first = order[bounds[i] : bounds[i + 1]], starts[i * n_bags : (i + 1) * n_bags]
        return torch.nn.functional.embedding_bag(mine, piece, first - bounds[i], mode="sum")

    return torch.cat(list(each(some, range(len(bounds) - 1))))


def _by_label(labels: torch.Tensor, k: int) -> torch.Tensor:
    """Rows in the order of their labels, then as they come."""
    import torch

    if labels.device.type != "cpu":
        return torch.argsort(labels.int(), stable=True)
    # numpy sorts two-byte numbers by radix, 400 times as fast as torch sorts eight-byte ones.
    return torch.from_numpy(
        np.argsort(labels.numpy().astype(np.uint16 if k <= 2**16 else np.uint32), kind="stable")
    )


def _threads(rows: Rows) -> AbstractContextManager[Each]:
    """A `map` for the tiles of some rows; for one tile alone threads aren't worth their start."""
    return side_by_side(rows.device) if len(rows) > _TILE["cpu"] else nullcontext(map)


class _Nearest:
    """Gives each row of a piece its nearest centroid, the lowest of equally near ones."""

    def __init__(self, centroids: torch.Tensor, spherical: bool, dtype: str, each: Each) -> None:
        import torch

        self.centroids, self.dtype, self.each = centroids, getattr(torch, dtype), each
        self.across = centroids.T.contiguous().to(self.dtype)
        # argmin |x - c|^2 is argmax x.c - |c|^2 / 2, and |c| is 1 for all if spherical.
        self.half = None if spherical else (centroids * centroids).sum(1) / 2
        kind = centroids.device.type
        self.tile = max(min(_TILE[kind], _PRODUCT[kind] // len(centroids)), 256)
        self.own = threading.local()

    def __call__(self, piece: torch.Tensor) -> torch.Tensor:
        import torch

        return torch.cat(list(self.each(self._tile, self.tiles(piece))))

    def tiles(self, piece: torch.Tensor) -> list[torch.Tensor]:
        """The parts of a piece, or of its labels, that one product is for."""
        return [piece[i : i + self.tile] for i in range(0, len(piece), self.tile)]

    def _tile(self, rows: torch.Tensor) -> torch.Tensor:
        import torch

        product = self._product(rows.to(self.dtype))
        if self.half is not None:
            product -= self.half
        if product.device.type != "cpu":
            return product.argmax(1)
        # numpy's argmax is several times as fast as torch's on a CPU.
        return torch.from_numpy(product.numpy().argmax(1))

    def _product(self, rows: torch.Tensor) -> torch.Tensor:
        import torch

        if rows.device.type == "cuda":
            wide = self.dtype == torch.float32
            return (
                torch.mm(rows, self.across) if wide else torch.mm(rows, self.across, out_dtype=torch.float32)
            )
        # One buffer a thread: fresh memory of this size costs a twentieth of the product.
        if not hasattr(self.own, "buffer"):
            self.own.buffer = torch.empty((self.tile, len(self.centroids)), dtype=self.dtype)
        return torch.mm(rows, self.across, out=self.own.buffer[: len(rows)]).float()


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
