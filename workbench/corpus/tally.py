"""The first pass over a corpus: counts per source, and of each document what it takes to draw it."""

from __future__ import annotations

from array import array
from copy import copy
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import polars as pl

from workbench.checks import keyed_uniform
from workbench.corpus.shards import Shard
from workbench.corpus.types import Batch, Quarantined

Index = npt.NDArray[np.int64]

#: So many quarantined rows are kept to be shown; the design counts all of them.
MAX_QUARANTINED = 100_000

_PURPOSE = "sample"
_ID_BYTES = 12


def uniforms(seed: int, doc_ids: list[str]) -> npt.NDArray[np.float64]:
    """The numbers by which documents are drawn: those with the smallest are."""
    return keyed_uniform(seed, doc_ids, _PURPOSE)


@dataclass
class Tally:
    """What is held of each document while a corpus is counted: at most 16 bytes.

    A given id is held as its uniform number (8 bytes), which serves the draw and finds an id that stands
    twice. An id made from content is held whole (12 bytes), since the number of a copy, which is part of its
    id, isn't known before all have been seen. Either way 4 bytes tell the source.
    """

    seed: int
    has_content_ids: bool
    counts: dict[str, int] = field(default_factory=dict)
    n_bytes: dict[str, int] = field(default_factory=dict)
    quarantined: list[Quarantined] = field(default_factory=list)
    n_quarantined: int = 0

    def __post_init__(self) -> None:
        self._codes: dict[str, int] = {}
        self._source = array("i")
        self._uniform = array("d")
        self._hi = array("Q")
        self._lo = array("I")
        self._shards: list[tuple[Shard, int, list[range | Index]]] = []

    def __len__(self) -> int:
        return len(self._source)

    def begin(self, shard: Shard) -> None:
        """The following batches are of this shard."""
        self._shards.append((shard, len(self), []))

    def add(self, batch: Batch) -> None:
        """Count in one batch."""
        self.n_quarantined += len(batch.quarantined)
        self.quarantined += batch.quarantined[: MAX_QUARANTINED - len(self.quarantined)]
        frame, rows = batch.frame, batch.rows
        if not len(rows):
            return
        contiguous = rows[-1] - rows[0] == len(rows) - 1
        self._shards[-1][2].append(range(int(rows[0]), int(rows[-1]) + 1) if contiguous else rows)
        codes = self._codes
        self._source.extend([codes.setdefault(source, len(codes)) for source in frame["source"].to_list()])
        sizes = frame.group_by("source").agg(pl.len(), pl.col("text").str.len_bytes().cast(pl.Int64).sum())
        for name, count, size in sizes.iter_rows():
            self.counts[name] = self.counts.get(name, 0) + count
            self.n_bytes[name] = self.n_bytes.get(name, 0) + size
        self._add_ids(frame["doc_id"].to_list())

    def _add_ids(self, ids: list[str]) -> None:
        if not self.has_content_ids:
            self._uniform.frombytes(uniforms(self.seed, ids).tobytes())
            return
        raw = np.frombuffer(bytes.fromhex("".join(ids)), dtype=[("hi", ">u8"), ("lo", ">u4")])
        self._hi.frombytes(raw["hi"].astype(np.uint64).tobytes())
        self._lo.frombytes(raw["lo"].astype(np.uint32).tobytes())

    def pooled(self) -> Tally:
        """The same documents as if all were of one source, named ""; it shares all that is held of them."""
        pool = copy(self)
        pool.counts = {"": len(self)}
        pool._codes = {"": 0}
        pool._source = array("i", bytes(4 * len(self)))
        return pool

    def suspects(self) -> Index:
        """The documents whose given id may stand twice: those that share their number with another one."""
        return _repeated(np.frombuffer(self._uniform, dtype=np.float64))

    def copies(self) -> dict[int, int]:
        """{document: number} of the second, third, ... of several documents whose content is the same."""
        hi, lo = np.frombuffer(self._hi, dtype=np.uint64), np.frombuffer(self._lo, dtype=np.uint32)
        found = _repeated(hi)
        order = found[np.lexsort((found, lo[found], hi[found]))]
        is_first = np.ones(len(order), dtype=bool)
        is_first[1:] = (hi[order[1:]] != hi[order[:-1]]) | (lo[order[1:]] != lo[order[:-1]])
        number = _rank_in_run(is_first) + 1
        return dict(zip(order[number > 1].tolist(), number[number > 1].tolist(), strict=True))

    def choose(self, quota: dict[str, int], copies: dict[int, int]) -> Index:
        """The documents with the smallest numbers of each source, to the `quota`, and those that tie.

        Parameters
        ----------
        quota
            Documents to draw from each source.
        copies
            What `copies` returned.

        Returns
        -------
        int64 (n,), sorted
            Places in the order in which documents were added.
        """
        if quota == self.counts:
            return np.arange(len(self), dtype=np.int64)
        limits = np.array([quota[name] for name in self._codes], dtype=np.int64)
        source = np.frombuffer(self._source, dtype=np.int32)
        # As large as what is chosen, so that few rounds sort it; and never so small that rounds cost most.
        block = max(1 << 18, int(limits.sum()))
        kept, kept_u = np.empty(0, dtype=np.int64), np.empty(0, dtype=np.float64)
        for start in range(0, len(self), block):
            end = min(start + block, len(self))
            index = np.concatenate([kept, np.arange(start, end, dtype=np.int64)])
            u = np.concatenate([kept_u, self._numbers(start, end, copies)])
            order = np.lexsort((u, source[index]))
            index, u = index[order], u[order]
            code = source[index]
            is_first = np.ones(len(code), dtype=bool)
            is_first[1:] = code[1:] != code[:-1]
            rank = _rank_in_run(is_first)
            limit = limits[code]
            # The last number within the quota, carried to all of its source: whoever ties with it stays.
            edge = u[np.minimum(np.arange(len(u)) - rank + np.maximum(limit - 1, 0), len(u) - 1)]
            keep = (rank < limit) | ((u == edge) & (limit > 0))
            kept, kept_u = index[keep], u[keep]
        return np.sort(kept)

    def _numbers(self, start: int, end: int, copies: dict[int, int]) -> npt.NDArray[np.float64]:
        if not self.has_content_ids:
            return np.frombuffer(self._uniform, dtype=np.float64)[start:end]
        raw = np.empty(end - start, dtype=[("hi", ">u8"), ("lo", ">u4")])
        raw["hi"] = np.frombuffer(self._hi, dtype=np.uint64)[start:end]
        raw["lo"] = np.frombuffer(self._lo, dtype=np.uint32)[start:end]
        text, width = raw.tobytes().hex(), 2 * _ID_BYTES
        ids = [text[i : i + width] for i in range(0, len(text), width)]
        if copies:
            ids = [numbered(id_, copies.get(start + i, 1)) for i, id_ in enumerate(ids)]
        return uniforms(self.seed, ids)

    def by_shard(self, chosen: Index) -> list[tuple[Shard, dict[int, int], bool]]:
        """Where chosen documents stand: for each shard {row: document}, and whether that is all of it."""
        result = []
        for shard, first, pieces in self._shards:
            found: dict[int, int] = {}
            start = first
            for rows in pieces:
                low, high = np.searchsorted(chosen, [start, start + len(rows)])
                for document in chosen[low:high].tolist():
                    found[int(rows[document - start])] = document
                start += len(rows)
            if found:
                result.append((shard, found, len(found) == start - first))
        return result


def numbered(doc_id: str, number: int) -> str:
    """The id of the first, second, ... of several documents with the same content."""
    return doc_id if number == 1 else f"{doc_id}#{number}"


def _repeated(keys: npt.NDArray[np.float64] | npt.NDArray[np.uint64]) -> Index:
    """Places, in order, of the keys that occur more than once. Holds one sorted copy beside the keys."""
    ordered = np.sort(keys)
    repeated = np.unique(ordered[1:][ordered[1:] == ordered[:-1]])
    del ordered
    if not len(repeated):
        return np.empty(0, dtype=np.int64)
    found = []
    for start in range(0, len(keys), 1 << 20):  # in blocks, as each needs several times its own size
        block = keys[start : start + (1 << 20)]
        place = np.minimum(np.searchsorted(repeated, block), len(repeated) - 1)
        found.append(np.flatnonzero(repeated[place] == block) + start)
    return np.concatenate(found)


def _rank_in_run(is_first: npt.NDArray[np.bool_]) -> Index:
    """0, 1, 2, ... within each run; a run begins where `is_first` is true."""
    places = np.arange(len(is_first), dtype=np.int64)
    starts = np.where(is_first, places, 0)
    return places - np.maximum.accumulate(starts) if len(places) else places
