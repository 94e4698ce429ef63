"""Where the pieces of all documents meet: hashes sorted on disk, and each range of them read by itself.

Memory is bounded by the bytes that are given, or by the copies of one piece where they are more, and 40 bytes a
document.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import count, pairwise
from pathlib import Path

import numpy as np

from workbench.checks import Array, IntArray
from workbench.files import write_array
from workbench.selectors.base import Pieces, Repeats
from workbench.selectors.pieces import as_at, as_repeats, first_copies, places, renumber

_SORTED_BYTES = 64  # a piece takes so many while it is sorted
_ID_BYTES = 7


def rank_ids(ids: Callable[[], Iterable[Sequence[str]]], n: int) -> IntArray:
    """Each id's number in the order of code points, int64 (n,); 24 bytes an id are in memory, and never the ids.

    Parameters
    ----------
    ids
        Gives n different ids, a few at a time; called once for every seven bytes of the longest.
    """
    rank = np.zeros(n, dtype=np.int64)
    for start in count(0, _ID_BYTES):
        bytes_of = [_seven_bytes(some, start) for some in ids()]
        if not n or not any(map(np.any, bytes_of)):
            return rank
        seven = np.concatenate(bytes_of)
        order = np.lexsort((seven, rank))
        is_new = (np.diff(rank[order]) != 0) | (seven[order][1:] != seven[order][:-1])
        rank[order] = np.r_[0, np.cumsum(is_new)]
        if is_new.all():
            return rank
    raise AssertionError("ids end")


def _seven_bytes(ids: Sequence[str], start: int) -> Array:
    """Seven bytes of each id as a number, and how many of them there are, so that an end comes before any byte."""
    parts = (one.encode()[start : start + _ID_BYTES] for one in ids)
    return np.frombuffer(b"".join(part.ljust(_ID_BYTES, b"\0") + bytes([len(part)]) for part in parts), ">u8")


class PiecesOnDisk:
    """The pieces of any number of documents, and those among them that have equals.

    Parameters
    ----------
    folder
        For files that are only needed as long as the object is.
    rank
        Each document's number in the order of ids, int64 (n,).
    n_bytes
        About how much is in memory at once.
    """

    def __init__(self, folder: Path, rank: IntArray, n_bytes: int) -> None:
        self._folder = folder
        self._rank = rank
        self._n_sorted = max(n_bytes // _SORTED_BYTES, 1)
        self._n_pieces = 0
        self._n_runs = 0
        self._repeats: list[Array] = []

    def add(self, documents: Iterable[tuple[int, Pieces]]) -> None:
        """Sort all pieces into files: of some documents at a time, with the number of the first of them."""
        held: list[tuple[Array, Array]] = []
        n_held = 0
        for first, pieces in documents:
            rank = self._rank[first : first + len(pieces.counts)]
            held.append((pieces.hashes, places(pieces, rank)))
            n_held += len(pieces.hashes)
            if n_held >= self._n_sorted:
                self._write_run(held)
                held, n_held = [], 0
        if n_held:
            self._write_run(held)

    def _write_run(self, held: list[tuple[Array, Array]]) -> None:
        hashes, at = (np.concatenate(arrays) for arrays in zip(*held, strict=True))
        order = np.argsort(hashes)
        write_array(self._run_file(self._n_runs), np.stack([hashes[order], at[order].astype(np.uint64)]))
        self._n_runs += 1
        self._n_pieces += len(hashes)

    def match(self) -> None:
        """Find the pieces that have equals, a range of hashes after the other."""
        by_rank = np.empty(len(self._rank), dtype=np.int64)
        by_rank[self._rank] = np.arange(len(self._rank))
        runs = [_mapped(self._run_file(k)) for k in range(self._n_runs)]
        n_ranges = -(-self._n_pieces // self._n_sorted)
        cuts = [k * 2**64 // max(n_ranges, 1) for k in range(n_ranges)]
        bounds = [np.searchsorted(run[0], np.array(cuts, dtype=np.uint64)).tolist() for run in runs]
        stops = [[*some, run.shape[1]] for some, run in zip(bounds, runs, strict=True)]
        for k in range(n_ranges):
            slices = [run[:, cut[k] : cut[k + 1]] for run, cut in zip(runs, stops, strict=True)]
            hashes, at = np.concatenate(slices, axis=1)
            repeated, first = (renumber(one, by_rank) for one in first_copies(hashes, at.astype(np.int64)))
            order = np.argsort(repeated)
            path = self._folder / f"repeats-{k:06d}.npy"
            write_array(path, np.stack([repeated[order], first[order]]))
            self._repeats.append(_mapped(path))

    def _run_file(self, k: int) -> Path:
        return self._folder / f"run-{k:06d}.npy"

    def repeats(self, first: int, stop: int) -> Repeats:
        """Those of the documents from number `first` up to `stop` (not included); their row 0 is the first."""
        bounds = as_at(np.array([first, stop]))
        found = [np.zeros((2, 0), dtype=np.int64)]
        for some in self._repeats:
            start, end = np.searchsorted(some[0], bounds)
            found.append(some[:, start:end])
        at, first_at = np.concatenate(found, axis=1)
        return as_repeats(at, first_at, first)


def _mapped(path: Path) -> Array:
    mapped: Array = np.load(path, mmap_mode="r", allow_pickle=False)
    return mapped


def chunks(sizes: Sequence[int], limit: int) -> Iterator[range]:
    """Numbers of parts in a row whose sizes add up to about `limit`."""
    filled = np.cumsum(sizes) // limit
    cuts = (np.flatnonzero(np.diff(filled)) + 1).tolist()
    return (range(start, stop) for start, stop in pairwise([0, *cuts, len(sizes)]) if stop > start)
