"""Before anything is scored: is every document's id its own? Found early, since scoring is what costs."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np

from workbench.checks import Array
from workbench.engine.work import MAX_ROWS, Job
from workbench.errors import InputError
from workbench.files import write_array
from workbench.progress import Progress


def id_hashes(doc_ids: Sequence[str]) -> Array:
    """64-bit hashes of ids, uint64 (n,)."""
    raw = b"".join(hashlib.blake2b(doc_id.encode(), digest_size=8).digest() for doc_id in doc_ids)
    return np.frombuffer(raw, dtype="<u8")


def hash_shard(job: Job, k: int, progress: Progress) -> None:
    """Write the id hashes of shard k, in the order of its readable rows."""
    path = job.ids_file(k)
    if path.is_file():
        progress.advance(job.shard(k).n_bytes)
        return
    hashes = [np.zeros(0, dtype=np.uint64)]
    for batch in job.corpus.batches(job.shard(k), max_rows=MAX_ROWS):
        hashes.append(id_hashes(batch.frame["doc_id"].to_list()))
        progress.advance(batch.n_bytes_read)
    write_array(path, np.concatenate(hashes))


def number_copies(job: Job) -> int:
    """Find ids that stand twice in the corpus; return the number of readable documents.

    Ids that are made from content are the same for copies: their later occurrences get a number, by shard and
    row.

    Raises
    ------
    InputError
        If given ids aren't unique.
    InputError
        If the corpus has no readable document.
    """
    hashes = [np.load(job.ids_file(k), allow_pickle=False) for k in range(len(job.corpus.shards))]
    lengths = [len(h) for h in hashes]
    merged = np.concatenate(hashes)
    if not len(merged):
        raise InputError("the corpus has no readable document; the quarantine file says why for each row")
    order = np.argsort(merged, kind="stable")
    ordered = merged[order]
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
    occurrence = np.empty(len(merged), dtype=np.int64)
    occurrence[order] = np.arange(len(merged)) - np.repeat(starts, np.diff(np.r_[starts, len(merged)]))
    shard = np.repeat(np.arange(len(lengths)), lengths)
    row = np.concatenate([np.arange(length) for length in lengths])
    again = np.flatnonzero(occurrence)
    if len(again) and not job.corpus.has_content_ids:
        _refuse_twins(job, merged, again)
        return len(merged)
    for k in np.unique(shard[again]):
        own = again[shard[again] == k]
        write_array(job.copies_file(int(k)), np.stack([row[own], occurrence[own] + 1], axis=1))
    return len(merged)


def _refuse_twins(job: Job, merged: Array, again: Array) -> None:
    """Confirm by the ids themselves, since two ids may share a hash, and name the first twins."""
    suspects = set(merged[again].tolist())
    seen: dict[str, str] = {}
    for shard in job.corpus.shards:
        for batch in job.corpus.batches(shard, max_rows=MAX_ROWS):
            ids = batch.frame["doc_id"].to_list()
            for doc_id, hashed, row in zip(ids, id_hashes(ids).tolist(), batch.rows.tolist(), strict=True):
                if hashed not in suspects:
                    continue
                place = f"{shard.name} row {row}"
                if doc_id in seen:
                    raise InputError(
                        f"doc_id {doc_id[:80]!r} stands twice, in {seen[doc_id]} and {place}; "
                        'make the ids unique, or give --id-column "" so that ids are made from content'
                    )
                seen[doc_id] = place


def final_ids(job: Job, k: int, first: int, doc_ids: Sequence[str]) -> list[str]:
    """The ids of a batch whose first readable row is number `first` of its shard, copies numbered
    ("id#2").
    """
    path = job.copies_file(k)
    out = list(doc_ids)
    if path.is_file():
        rows, numbers = np.load(path, allow_pickle=False).T
        for i in range(np.searchsorted(rows, first), np.searchsorted(rows, first + len(out))):
            out[rows[i] - first] += f"#{numbers[i]}"
    return out
