"""Pieces of documents (lines, runs of sentences or of tokens) held to those of all documents: which stood before, and
how much of a document they cover.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from workbench.checks import Array, BoolArray, FloatArray, IntArray, strings
from workbench.selectors.base import Columns, Pieces, Repeats, State

UintArray = npt.NDArray[np.uint64]

PLACE_BITS = 31
"""A piece's `at` is its document's number in the order of ids, and in the low bits its place in the document."""

_RUN_ELEMENTS = 1 << 17  # hashed at a time: they stay in the processor's cache
_RANGE_PIECES = 1 << 20  # sorted at a time
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)


def elements(column: Array) -> tuple[Array, IntArray]:
    """A column of arrays as one array, and how many elements each document has, int64 (n,)."""
    counts = np.fromiter(map(len, column), dtype=np.int64, count=len(column))
    return (np.concatenate(column.tolist()) if len(column) else np.zeros(0, dtype=np.uint64)), counts


def runs(values: Array, counts: IntArray, n: int) -> Pieces:
    """Each run of n elements in a row of one document as a piece.

    Parameters
    ----------
    values
        Unsigned integers (m,), document after document; equal elements are equal numbers.
    counts
        Elements of each document, int64 (d,).
    n
        Elements in a run, at least 1.

    Notes
    -----
    Runs of 1, 2, 4, ... elements are hashed, each from the hashes of its two halves (the last two overlap where n is no
    power of 2). Two runs that differ have the same hash with a probability of about 2^-64. As a repeated passage of n
    elements or more is the union of repeated runs of n, such runs cover what a suffix array would find.
    """
    hashes = [np.zeros(0, dtype=np.uint64)]
    ends_of = np.cumsum(counts)
    for start, stop in _few_documents(ends_of):
        first, last = int(ends_of[start] - counts[start]), int(ends_of[stop - 1])
        sizes = counts[start:stop]
        begins = np.repeat(np.cumsum(sizes) - sizes, sizes)
        ends = begins + np.repeat(sizes, sizes)
        whole = np.arange(last - first) + n <= ends
        found = _hash_runs(values[first:last].astype(np.uint64), n)
        hashes.append(found[whole[: len(found)]])
    return Pieces(np.concatenate(hashes), np.maximum(counts - n + 1, 0))


def _few_documents(ends: IntArray) -> Iterator[tuple[int, int]]:
    """First row and one behind the last of documents with about _RUN_ELEMENTS elements together."""
    cuts = (np.flatnonzero(np.diff(ends // _RUN_ELEMENTS)) + 1).tolist()
    return ((start, stop) for start, stop in pairwise([0, *cuts, len(ends)]) if stop > start)


def _hash_runs(values: UintArray, n: int) -> UintArray:
    """Hashes of all runs of n, those that cross documents too; never 0."""
    hashes = mix(values + _GOLDEN)
    length = 1
    while length < n:
        step = min(length, n - length)
        if len(hashes) <= step:
            return hashes[:0]
        hashes = mix(hashes[:-step] * _GOLDEN + hashes[step:])
        length += step
    hashes[hashes == 0] = 1
    return hashes


def mix(state: UintArray) -> UintArray:
    """SplitMix64's finaliser (Steele et al. 2014): each bit moves all bits; the array is written over."""
    state ^= state >> np.uint64(30)
    state *= np.uint64(0xBF58476D1CE4E5B9)
    state ^= state >> np.uint64(27)
    state *= np.uint64(0x94D049BB133111EB)
    state ^= state >> np.uint64(31)
    return state


def places(pieces: Pieces, rank: IntArray) -> IntArray:
    """The `at` of each piece, int64 (m,); `rank` is each document's number in the order of ids."""
    starts = np.cumsum(pieces.counts) - pieces.counts
    return np.repeat((rank << PLACE_BITS) - starts, pieces.counts) + np.arange(len(pieces.hashes))


def first_copies(hashes: UintArray, at: IntArray) -> tuple[IntArray, IntArray]:
    """The pieces that have an equal: the `at` of each, and that of the first of its equals, itself perhaps.

    Parameters
    ----------
    hashes
        uint64 (m,); 0 is no piece.
    at
        int64 (m,), each once; the smallest of equals is the first.
    """
    order = np.argsort(hashes)
    ordered = hashes[order]
    equal = (ordered[1:] == ordered[:-1]) & (ordered[1:] != 0)
    if not equal.any():
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
    chosen = np.flatnonzero(np.r_[equal, False] | np.r_[False, equal])
    ordered, found = ordered[chosen], at[order[chosen]]
    begins = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
    sizes = np.diff(np.r_[begins, len(found)])
    return found, np.repeat(np.minimum.reduceat(found, begins), sizes)


def as_repeats(at: IntArray, first: IntArray, first_number: int = 0) -> Repeats:
    """Repeats by row and place, where `at` holds documents' numbers, that of the first row being `first_number`."""
    order = np.argsort(at)
    low = (1 << PLACE_BITS) - 1
    at, first = at[order], first[order]
    document = at >> PLACE_BITS
    return Repeats(document - first_number, at & low, document, first >> PLACE_BITS, first & low)


def as_at(documents: IntArray) -> IntArray:
    """The `at` of each document's place 0."""
    return documents << PLACE_BITS


def renumber(at: IntArray, number: IntArray) -> IntArray:
    """The same places with `number[d]` for document d."""
    moved: IntArray = (number[at >> PLACE_BITS] << PLACE_BITS) | (at & ((1 << PLACE_BITS) - 1))
    return moved


def find_repeats(pieces: Pieces, doc_ids: Array) -> Repeats:
    """The repeats of all pieces of some documents, the first copy being that of the smallest doc_id."""
    by_id = np.argsort(doc_ids, kind="stable")
    rank = np.empty(len(by_id), dtype=np.int64)
    rank[by_id] = np.arange(len(by_id))
    at = places(pieces, rank)
    # A range of hashes after the other: what is sorted at once stays in the cache.
    bits = min(max(len(at) // _RANGE_PIECES, 1).bit_length() - 1, 8)
    top = (pieces.hashes >> np.uint64(56)).astype(np.uint8) >> (8 - bits)
    found = []
    for k in range(1 << bits):
        rows = np.flatnonzero(top == k)
        found.append(first_copies(pieces.hashes[rows], at[rows]))
    repeated, first = (np.concatenate(arrays) for arrays in zip(*found, strict=True))
    return as_repeats(renumber(repeated, by_id), renumber(first, by_id))


def covered(counts: IntArray, repeats: Repeats, chosen: BoolArray, n: int) -> BoolArray:
    """Which elements lie in one of the chosen repeats, runs of n elements; bool (m,)."""
    begins = (np.cumsum(counts) - counts)[repeats.row[chosen]] + repeats.place[chosen]
    change = np.zeros(int(counts.sum()) + 1, dtype=np.int32)
    change[begins] += 1
    change[begins + n] -= 1
    inside: BoolArray = np.cumsum(change[:-1], dtype=np.int32) > 0
    return inside


def covered_fraction(counts: IntArray, is_covered: BoolArray, size: IntArray | None = None) -> FloatArray:
    """The share of each document's elements that are covered, float64 (d,), by their sizes if given; 0 of nothing."""
    filled = np.flatnonzero(counts)
    begins = (np.cumsum(counts) - counts)[filled]
    fraction = np.zeros(len(counts))
    if len(filled):
        part = is_covered if size is None else np.where(is_covered, size, 0)
        total = counts[filled] if size is None else np.add.reduceat(size, begins, dtype=np.int64)
        fraction[filled] = np.add.reduceat(part, begins, dtype=np.int64) / np.maximum(total, 1)
    return fraction


def first_holder(n: int, repeats: Repeats) -> IntArray:
    """For each of n rows the document that holds the first copy of its first piece that another one before it has,
    int64 (n,); -1 without one.
    """
    other = np.flatnonzero(repeats.first_document != repeats.document)
    rows, begins = np.unique(repeats.row[other], return_index=True)
    holder = np.full(n, -1, dtype=np.int64)
    holder[rows] = repeats.first_document[other[begins]]
    return holder


def scanned(
    pieces: Callable[[Columns, Any], Pieces], gather: Callable[[Columns, Any, Repeats], Columns]
) -> Callable[[Columns, Any, State, int], Columns]:
    """The scan, in memory, of a selector with these two functions."""

    def scan(columns: Columns, params: Any, state: State, seed: int) -> Columns:
        doc_ids = columns["doc_id"]
        found = gather(columns, params, find_repeats(pieces(columns, params), doc_ids))
        return named(found, lambda numbers: doc_ids[numbers])

    return scan


def named(found: Columns, ids: Callable[[IntArray], Array]) -> Columns:
    """What a gather found, with the id of the document that `first_copy` numbers; "" where there is none."""
    numbers = found["first_copy"]
    has = np.flatnonzero(numbers >= 0)
    names = strings([""] * len(numbers))
    if len(has):
        names[has] = ids(numbers[has])
    return {**found, "first_copy": names}
