"""What is kept at every place of one handle: built once, held in the page, so that a drag asks nobody.

Counts are exact. A bar's height is the root of its share of the chart's tallest bar in 255 steps, which is nearer than
a third of a pixel to the truth whether the page draws counts or their roots.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from widgets.bins import Bins
from widgets.counts import Groups
from widgets.handle import Handle
from widgets.ladder import N_PLACES, Side
from workbench.checks import Array, FloatArray, IntArray

HEIGHTS = 255
_ALIGN = 8  # bytes: typed arrays of the page begin at multiples of their items' size
_BLOCK = 1 << 16  # documents that are counted at once, so that the indices stay in the processor's cache


@dataclass(frozen=True)
class Cube:
    """What is kept with the handle at each of its places.

    Attributes
    ----------
    documents, tokens
        int64 (N_PLACES,); tokens None if not counted.
    weight
        Documents of the corpus that the kept ones stand for, float64 (N_PLACES,).
    sources
        Kept documents of some sources, int64 (s, N_PLACES).
    heights
        The heights of the bars of kept documents, uint8 (k, N_PLACES) by score.
    """

    documents: IntArray
    tokens: IntArray | None
    weight: FloatArray
    sources: IntArray
    heights: Mapping[str, Array]


def make_cube(
    handle: Handle, groups: Groups, bins: Bins, charts: Sequence[str], sources: Sequence[int]
) -> Cube:
    """Count what is kept at every place.

    Parameters
    ----------
    charts
        The scores whose bars are wanted.
    sources
        The places in `groups.names` of the sources that are counted each.
    """
    codes, rows = handle.codes, handle.rows
    place = np.full(len(groups.names), len(sources), dtype=np.int64)
    place[list(sources)] = np.arange(len(sources))
    source = groups.codes.take(rows)
    by_source = _table(codes, place[source], len(sources) + 1)
    weight = np.bincount(codes, weights=groups.weights[source], minlength=N_PLACES)
    tokens = None
    if groups.tokens is not None:
        lost = np.bincount(codes, weights=groups.tokens.take(rows), minlength=N_PLACES)
        tokens = _kept(lost.astype(np.int64), handle.side)
    heights = {}
    for score in charts:
        n_bins = len(bins.charts[score].counts)
        counts = _table(codes, bins.codes[score].take(rows), n_bins + 1)[:, :n_bins]
        top = max(1, int(bins.charts[score].counts.max(initial=0)))
        kept = _kept(counts, handle.side)
        # A bar of few documents is still seen.
        height = np.where(kept > 0, np.maximum(1, np.round(HEIGHTS * np.sqrt(kept / top))), 0)
        heights[score] = height.astype(np.uint8).T
    return Cube(
        _kept(by_source.sum(axis=1), handle.side),
        tokens,
        _kept(weight, handle.side),
        _kept(by_source[:, :-1], handle.side).T,
        heights,
    )


def _table(codes: IntArray, group: IntArray, n_groups: int) -> IntArray:
    """Documents by place and group, int64 (N_PLACES, n_groups)."""
    counts = np.zeros(N_PLACES * n_groups, dtype=np.int64)
    for start in range(0, len(codes), _BLOCK):
        part = slice(start, start + _BLOCK)
        cell = codes[part].astype(np.int64) * n_groups + group[part]
        counts += np.bincount(cell, minlength=len(counts))
    return counts.reshape(N_PLACES, n_groups)


def _kept(lost: Array, side: Side) -> Array:
    """What is kept at each place, from what is lost there."""
    return lost[::-1].cumsum(axis=0)[::-1] if side == "low" else lost.cumsum(axis=0)


def pack_cube(cube: Cube, handle: Handle) -> tuple[dict[str, Any], bytes]:
    """The cube for the page: what its bytes are, and the bytes, packed by zlib.

    Returns
    -------
    dict
        `parts`: name, item type, places and first byte of each array; "steps" of them hold how far each place's count
        lies from its neighbour's, beginning with that of place 0.
    bytes
        The arrays one after the other.
    """
    arrays: list[tuple[str, Array]] = [
        ("cuts", handle.ladder.cuts),
        ("quantiles", np.round(handle.ladder.quantiles * 1000).astype(np.uint16)),
        ("documents", _steps(cube.documents)),
        ("weight", cube.weight.astype(np.float32)),
        ("sources", _steps(cube.sources)),
    ]
    if cube.tokens is not None:
        arrays.append(("tokens", _steps(cube.tokens)))
    arrays += [(f"bars:{score}", _steps(heights.astype(np.int64))) for score, heights in cube.heights.items()]
    parts, pieces, at = [], [], 0
    for name, array in arrays:
        raw = np.ascontiguousarray(array).tobytes()
        parts.append([name, array.dtype.name, array.size, at])
        raw += b"\0" * (-len(raw) % _ALIGN)
        pieces.append(raw)
        at += len(raw)
    return {"parts": parts, "n_sources": len(cube.sources)}, zlib.compress(b"".join(pieces), 6)


def _steps(kept: Array) -> Array:
    """Counts as steps from place to place, in the smallest type that holds them; the sign is left to the reader."""
    steps = np.abs(np.diff(kept, axis=-1, prepend=0))
    for kind in (np.uint8, np.uint16, np.uint32):
        if steps.max(initial=0) <= np.iinfo(kind).max:
            return steps.astype(kind)
    return steps.astype(np.float64)
