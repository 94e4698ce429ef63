"""How many documents of the sample lie near a document: a kernel density by locality-sensitive hashing."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from workbench.checks import Array, FloatArray, IntArray, check_at_least
from workbench.errors import InputError
from workbench.scores.base import Inputs, ScoreSpec, State, as_column

# Rows of one product. Fixed, and the last one is padded: a row's hashes then don't depend on its neighbours.
_TILE = 256
_COUNTED = 32 * _TILE  # documents whose buckets are in memory at once
_ODD = np.uint64(0x9E3779B97F4A7C15)
_SHIFT = np.uint64(32)


@dataclass(frozen=True)
class LshDensityParams:
    """How near documents are counted.

    Attributes
    ----------
    n_hashes
        Rows of the sketch, at least 1; the paper has 1,000.
    n_buckets
        Its columns, at least 1; the paper has 20,000. n documents add about n / n_buckets to every density.
    bandwidth
        Width of a hash's steps, above 0, in the embedding's own scale: documents much farther apart seldom meet. The
        paper doesn't give its own and found that it matters little.
    n_concat
        Hashes that must all agree for one meeting, at least 1; the paper doesn't speak of more than 1. The kernel of
        one falls only as bandwidth over distance, so that all the far documents together outweigh the near ones. On
        1,500 MiniLM embeddings one hash of bandwidth 1 gives every document 393 to 444, and draws by that are as good
        as random; four of 0.5 give 1.5 to 12.5.
    """

    n_hashes: int = 1000
    n_buckets: int = 20_000
    bandwidth: float = 0.5
    n_concat: int = 4


def fit(inputs: Inputs, params: LshDensityParams, seed: int) -> State:
    """Hash functions drawn by the seed, and how many documents of the sample fall into each bucket.

    Returns
    -------
    projection : float32 (d, n_hashes * n_concat)
    offset : float32 (n_hashes * n_concat,), both divided by the bandwidth
    sketch : unsigned (n_hashes, n_buckets), each row summing to the number of documents

    Raises
    ------
    InputError
        If a param is out of range.
    """
    for name in ("n_hashes", "n_buckets", "n_concat"):
        check_at_least(name, getattr(params, name), 1)
    check_at_least("bandwidth", params.bandwidth, sys.float_info.min)
    x = inputs.columns["embedding"]
    random = np.random.Generator(np.random.PCG64(seed))
    n = params.n_hashes * params.n_concat
    projection = (random.standard_normal((x.shape[1], n)) / params.bandwidth).astype(np.float32)
    state = {"projection": projection, "offset": random.random(n).astype(np.float32)}
    # As narrow as the counts allow: the published sketch is 80 MB at 32 bits.
    sketch = np.zeros((params.n_hashes, params.n_buckets), dtype=np.min_scalar_type(len(x)))
    for start in range(0, len(x), _COUNTED):
        tiles = _buckets(x[start : start + _COUNTED], state, params.n_hashes, params.n_buckets)
        found = np.concatenate([buckets.astype(np.int32) for _, buckets in tiles]).T
        for row, buckets in enumerate(np.ascontiguousarray(found)):
            sketch[row] += np.bincount(buckets, minlength=params.n_buckets).astype(sketch.dtype)
    return {**state, "sketch": sketch}


def _buckets(x: FloatArray, state: State, n_hashes: int, n_buckets: int) -> Iterator[tuple[slice, IntArray]]:
    """The bucket of each document in each row of the sketch, int64 (rows, n_hashes), some documents at a time."""
    projection = state["projection"]
    if x.ndim != 2 or x.shape[1] != len(projection):
        raise InputError(
            f"the embedding must have the dimension that was fitted, {len(projection)}, got {x.shape}"
        )
    tile = np.zeros((_TILE, len(projection)), dtype=np.float32)
    for start in range(0, len(x), _TILE):
        rows = slice(start, min(start + _TILE, len(x)))
        n = rows.stop - rows.start
        tile[:n], tile[n:] = x[rows], 0
        codes = np.floor(tile @ projection + state["offset"])[:n].astype(np.int64)
        yield rows, _folded(codes.reshape(n, n_hashes, -1)) % n_buckets


def _folded(codes: IntArray) -> IntArray:
    """The last axis made one number: itself if it is one, else a hash of all. numpy's % of it is never negative."""
    if codes.shape[2] == 1:
        return codes[:, :, 0]
    out = np.zeros(codes.shape[:2], dtype=np.uint64)
    for k in range(codes.shape[2]):
        out = (out ^ codes[:, :, k].astype(np.uint64)) * _ODD
        out ^= out >> _SHIFT
    return (out >> np.uint64(1)).astype(np.int64)


def compute(inputs: Inputs, params: LshDensityParams, state: State) -> Mapping[str, Array]:
    """Mean number of the sample's documents that fall into a document's buckets.

    Returns
    -------
    lsh_density : float32 (n,), at least 1
        High is common. A document counts itself; one that isn't of the sample and meets nobody has 1 too.

    Notes
    -----
    Sachdeva et al. 2024, arXiv:2402.09668, sections 3.2 and 3.3, with hashes floor((a.x + b) / bandwidth) mod n_buckets
    (Coleman and Shrivastava's RACE).
    """
    x, sketch = inputs.columns["embedding"], state["sketch"]
    out = np.empty(len(x))
    row = np.arange(len(sketch))
    for rows, found in _buckets(x, state, *sketch.shape):
        out[rows] = sketch[row, found].sum(axis=1, dtype=np.int64) / len(sketch)
    return {"lsh_density": as_column(np.maximum(out, 1))}


SPECS: tuple[ScoreSpec, ...] = (
    ScoreSpec(
        name="lsh_density",
        version=1,
        title="Documents of the sample near this one, by locality-sensitive hashing",
        unit="documents of the sample",
        better="neither",
        needs=("embedding",),
        params=LshDensityParams,
        compute=compute,
        fit=fit,
        paper="Sachdeva et al. 2024, arXiv:2402.09668",
    ),
)
