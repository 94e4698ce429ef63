"""The nearest rows of each row: exact, tile by tile, or approximate by an inverted file of faiss."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt

from workbench.checks import FloatArray, check_at_least
from workbench.errors import InputError
from workbench.models.geometry.kmeans import KMeansParams, kmeans
from workbench.models.geometry.rows import Rows
from workbench.progress import Progress, Silent, shown

if TYPE_CHECKING:
    import torch

_TILE = 512
_ACROSS = 16_384
_EARLIER_TILE = 1024
_SPARE = 8  # candidates beyond k, since products are rounded
_EXACT_BELOW = 1000
_TRAIN_ROWS = 64  # a list: what its centroid is fitted on


@dataclass(frozen=True)
class NeighboursParams:
    """Parameters of `neighbours`.

    Attributes
    ----------
    metric
        "cosine", or "euclidean".
    method
        "exact", or "approximate": an inverted file (faiss IVF), where a row is looked for only in the lists
        of the centroids nearest to it. Below 1,000 rows it is exact too.
    n_lists
        Of the inverted file; None: twice the square root of the number of rows.
    n_probes
        Lists that are looked into for each row, at least 1: more find more and take longer.
    """

    metric: Literal["cosine", "euclidean"] = "cosine"
    method: Literal["exact", "approximate"] = "exact"
    n_lists: int | None = None
    n_probes: int = 16


@dataclass(frozen=True)
class Neighbours:
    """What `neighbours` found, nearest first; of equally near rows the one with the lowest number first.

    Attributes
    ----------
    indices
        int64 (n_queries, k): row numbers.
    similarity
        float32 (n_queries, k): the cosine in -1..1, or minus the Euclidean distance.
    """

    indices: npt.NDArray[np.int64]
    similarity: npt.NDArray[np.float32]


def neighbours(
    x: FloatArray,
    k: int,
    params: NeighboursParams = NeighboursParams(),
    *,
    queries: FloatArray | None = None,
    include_self: bool = False,
    seed: int = 0,
    progress: Progress | None = None,
) -> Neighbours:
    """The k nearest rows of x for each query.

    Parameters
    ----------
    x
        (n, d), any float type and scale.
    k
        1 to n; to n - 1 where a row isn't its own neighbour.
    params
        How.
    queries
        (n_queries, d); None: the rows of x.
    include_self
        Whether a row of x is a neighbour of itself. Of no account with `queries`.
    seed
        Of the lists of the approximate method, at least 0.
    progress
        Shown progress, in queries.

    Raises
    ------
    InputError
        If a param or k is out of range, dimensions differ, or a row isn't finite (or is zero, for cosines).

    Notes
    -----
    x is held as float32; no array of all queries by all rows is ever whole. Candidates are found by products
    and compared anew one by one, since products lose the distances of near copies.

    Examples
    --------
    >>> x = np.array([[1.0, 0.0], [0.9, 0.1], [0.0, 1.0]])
    >>> neighbours(x, 1).indices.tolist()
    [[1], [0], [1]]
    """
    own = queries is None and not include_self
    _check(x, k, params, queries, own, seed)
    rows = Rows(x, spherical=params.metric == "cosine")
    asked = (
        rows.whole() if queries is None else rows.tensor(rows.prepare(queries, what="row {} of the queries"))
    )
    exact = _Exact(rows)
    approximate = params.method == "approximate" and len(x) >= _EXACT_BELOW
    search = _Approximate(exact, params, seed) if approximate else exact
    n_candidates = min(k + _SPARE, len(x) - own)
    indices, similarity = np.empty((len(asked), k), np.int64), np.empty((len(asked), k), np.float32)
    progress = progress or Silent()
    with shown(progress, "neighbours", len(asked)):
        for first in range(0, len(asked), _TILE):
            tile = asked[first : first + _TILE]
            found = search.candidates(tile, n_candidates, first if own else None)
            mine = slice(first, first + len(tile))
            indices[mine], similarity[mine] = _nearest_first(tile, rows.whole(), found, k, rows.spherical)
            progress.advance(len(tile))
    if not rows.spherical:
        similarity *= np.float32(math.sqrt(rows.restore_square(1.0)))
    return Neighbours(indices, similarity)


def _nearest_first(
    tile: torch.Tensor, x: torch.Tensor, found: torch.Tensor, k: int, spherical: bool
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]:
    """The k nearest of some candidates (q, m), compared anew, each pair in the same way: copies tie."""
    import torch

    columns = []
    for column in found.T:
        other = x[column]
        columns.append((tile * other).sum(1).clamp(-1, 1) if spherical else -(tile - other).norm(dim=1))
    found, by_number = found.sort(dim=1)
    similarity, order = torch.stack(columns, 1).gather(1, by_number).sort(dim=1, descending=True, stable=True)
    return np.asarray(found.gather(1, order)[:, :k].cpu()), np.asarray(similarity[:, :k].cpu())


class _Exact:
    """All products, a tile of queries by a tile of rows at a time."""

    def __init__(self, rows: Rows) -> None:
        self.x, self.spherical = rows.whole(), rows.spherical
        self.half = (self.x * self.x).sum(1) / 2

    def candidates(self, tile: torch.Tensor, m: int, first: int | None) -> torch.Tensor:
        """Numbers (q, m) of the rows nearest to each query; `first`: the queries are rows from there on."""
        import torch

        value = torch.empty((len(tile), 0), device=tile.device)
        index = torch.empty((len(tile), 0), dtype=torch.int64, device=tile.device)
        for start in range(0, len(self.x), _ACROSS):
            product = tile @ self.x[start : start + _ACROSS].T
            if not self.spherical:
                product -= self.half[start : start + _ACROSS]
            if first is not None:
                own = torch.arange(start, start + product.shape[1], device=tile.device)
                product.masked_fill_(
                    own == torch.arange(first, first + len(tile), device=tile.device)[:, None], -torch.inf
                )
            top, column = _largest(product, min(m, product.shape[1]))
            # Of equal values the lower number stands first, here and among what was found before.
            value, index = torch.cat([value, top], 1), torch.cat([index, column + start], 1)
            value, chosen = _largest(value, min(m, value.shape[1]))
            index = index.gather(1, chosen)
        return index


def _largest(value: torch.Tensor, m: int) -> tuple[torch.Tensor, torch.Tensor]:
    """The m largest of each row and their columns, which are the lowest where some are equal."""
    if m == value.shape[1]:
        return value.sort(dim=1, descending=True, stable=True)
    top, column = value.topk(m + 1, dim=1)
    column = column[:, :m].sort(dim=1)[0]
    # topk takes any of those that equal the last one
    unclear = top[:, m - 1] == top[:, m]
    if unclear.any():
        column[unclear] = value[unclear].sort(dim=1, descending=True, stable=True)[1][:, :m].sort(dim=1)[0]
    return value.gather(1, column), column


class _Approximate:
    """An inverted file: only the rows of the lists whose centroids are nearest to a query are compared."""

    def __init__(self, exact: _Exact, params: NeighboursParams, seed: int) -> None:
        import faiss

        self.exact, x = exact, exact.x.cpu().numpy()
        n_lists = params.n_lists or round(2 * math.sqrt(len(x)))
        n_fit = min(_TRAIN_ROWS * n_lists, len(x))
        how = KMeansParams(n_lists, exact.spherical, n_iterations=10, init="random", fit_rows=n_fit)
        flat = faiss.IndexFlatIP if exact.spherical else faiss.IndexFlatL2
        self.lists = flat(x.shape[1])
        self.lists.add(kmeans(x, how, seed=seed).centroids)
        metric = faiss.METRIC_INNER_PRODUCT if exact.spherical else faiss.METRIC_L2
        self.file = faiss.IndexIVFFlat(self.lists, x.shape[1], n_lists, metric)
        self.file.add(x)
        self.file.nprobe = params.n_probes

    def candidates(self, tile: torch.Tensor, m: int, first: int | None) -> torch.Tensor:
        """As `_Exact.candidates`; exactly where the lists hold too few rows."""
        import torch

        index = self.file.search(tile.cpu().numpy(), m + (first is not None))[1]
        if first is not None:
            own = index == np.arange(first, first + len(tile))[:, None]
            index = np.take_along_axis(index, np.argsort(own, axis=1, kind="stable"), axis=1)[:, :m]
        out = torch.from_numpy(index).to(tile.device)
        for i in np.flatnonzero((index < 0).any(axis=1)):
            out[i] = self.exact.candidates(tile[i : i + 1], m, None if first is None else first + int(i))[0]
        return out


def nearest_earlier(x: FloatArray) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    """For each row, its largest cosine similarity to an EARLIER row, and which row that is.

    Parameters
    ----------
    x
        Unit rows, float32 (n, d).

    Returns
    -------
    similarity : float64 (n,), in 0..1; 0 where no earlier row has a positive one (as in SemDeDup's code)
    earlier : int64 (n,)

    Notes
    -----
    On the GPU if there is one, in float32 all the same.
    """
    import torch

    from workbench.models.runtime import device

    # A copy, since torch warns of memory that it may not write to.
    rows = torch.from_numpy(np.array(x, dtype=np.float32)).to(device())
    best = torch.zeros(len(rows), dtype=torch.float64, device=rows.device)
    earlier = torch.zeros(len(rows), dtype=torch.int64, device=rows.device)
    for start in range(0, len(rows), _EARLIER_TILE):
        stop = start + _EARLIER_TILE
        similarity = (rows[start:stop] @ rows[:stop].T).tril(start - 1)
        best[start:stop], earlier[start:stop] = similarity.max(dim=1)
    # Products of equal rows come to 1.0000001, and that is not above 1.
    return np.asarray(best.clamp(0, 1).cpu()), np.asarray(earlier.cpu())


def _check(
    x: FloatArray, k: int, params: NeighboursParams, queries: FloatArray | None, own: bool, seed: int
) -> None:
    if x.ndim != 2 or 0 in x.shape:
        raise InputError(f"neighbours needs rows of numbers, (n, d) with both at least 1, got {x.shape}")
    if queries is not None and (queries.ndim != 2 or queries.shape[1] != x.shape[1]):
        raise InputError(f"queries must be (n, {x.shape[1]}) as the rows are, got {queries.shape}")
    if len(x) <= own:
        raise InputError("a single row has no neighbour but itself; give more rows, or include_self")
    if not 1 <= k <= len(x) - own:
        but = ", the other rows" if own else ""
        raise InputError(f"k must lie in 1..{len(x) - own} (of {len(x)} rows{but}), got {k}")
    if params.metric not in ("cosine", "euclidean"):
        raise InputError(f"metric must be cosine or euclidean, got {params.metric!r}")
    if params.method not in ("exact", "approximate"):
        raise InputError(f"method must be exact or approximate, got {params.method!r}")
    check_at_least("n_probes", params.n_probes, 1)
    check_at_least("seed", seed, 0)
    if params.n_lists is not None and not 1 <= params.n_lists <= len(x):
        raise InputError(f"n_lists must lie in 1..{len(x)} (the number of rows), got {params.n_lists}")
