"""Drawing a sample from a corpus larger than memory: a first pass counts, a second reads the chosen."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from workbench.corpus.design import Design, Stratum, allocate
from workbench.corpus.further import align
from workbench.corpus.rows import changed
from workbench.corpus.sample import Sample, empty_frame
from workbench.corpus.shards import Shard
from workbench.corpus.tally import Index, Tally, numbered, uniforms
from workbench.errors import InputError
from workbench.progress import Progress

if TYPE_CHECKING:
    from workbench.corpus.read import Corpus

_MAX_WHOLE_BYTES = 2 * 2**30


def draw(corpus: Corpus, n: int, *, by: str | None, seed: int, progress: Progress) -> Sample:
    """Draw `n` documents at random.

    Which ones depends on the documents, `n`, `by` and `seed` alone, not on the order or number of files or
    rows: those with the smallest keyed hash of their id.

    Parameters
    ----------
    corpus
        Where from.
    n
        Number of documents; a corpus of no more is taken whole, at rate 1.
    by
        "source": each source gives its share in proportion to its count, rounded by largest remainder, but at
        least two documents or all it has. None: all documents have one rate, and a source gives what chance
        makes it.
    seed
        Another one draws another sample.
    progress
        Is told of bytes.

    Returns
    -------
    Sample
        Copies of one content have the ids "x", "x#2", "x#3", ... in the order of shard and row, and are drawn
        independently of each other.

    Raises
    ------
    InputError
        If `n` is too small for the number of sources, if `by` is unknown, if a given id stands twice in the
        corpus, if there is no row at all, or if a file can't be read.
    """
    if by not in ("source", None):
        raise InputError(
            f"by must be 'source' or None, got {by!r}; set source_column to sample by another column"
        )
    if n < 1:
        raise InputError(f"n must be at least 1, got {n}")
    return _draw(corpus, n, by, seed, progress, None)


def take_all(corpus: Corpus, *, progress: Progress) -> Sample:
    """Every document of the corpus, as a sample of rate 1.

    Raises
    ------
    InputError
        If the texts have more than 2 GiB, or for the reasons `draw` has.
    """
    return _draw(corpus, None, "source", 0, progress, _MAX_WHOLE_BYTES)


def _draw(
    corpus: Corpus, n: int | None, by: str | None, seed: int, progress: Progress, max_bytes: int | None
) -> Sample:
    tally = _count(corpus, seed, progress, max_bytes)
    copies: dict[int, int] = {}
    if tally.has_content_ids:
        copies = tally.copies()
    else:
        _require_unique_ids(corpus, tally)
    size = len(tally) if n is None else n
    pool = tally if by else tally.pooled()
    quota = allocate(size, pool.counts)
    chosen = pool.choose(quota, copies)
    frame = _collect(corpus, tally, chosen, copies, progress)
    frame = _cut_ties(frame, quota, by, seed)
    return Sample(frame, _design(corpus, tally, frame, by, seed), tuple(tally.quarantined))


def _count(corpus: Corpus, seed: int, progress: Progress, max_bytes: int | None) -> Tally:
    """The first pass."""
    tally = Tally(seed, corpus.has_content_ids)
    with _shown(progress, "counting the corpus", corpus.n_bytes):
        for shard in corpus.shards:
            tally.begin(shard)
            for batch in corpus.scan_batches(shard, further=False):
                tally.add(batch)
                if max_bytes is not None and sum(tally.n_bytes.values()) > max_bytes:
                    raise InputError(
                        f"the corpus has more than {max_bytes / 2**30:g} GiB of text, too much to be held "
                        "whole; draw a sample of it first (`workbench sample`)"
                    )
                progress.advance(batch.n_bytes_read)
    if not len(tally) and not tally.n_quarantined:
        names = ", ".join(shard.name for shard in corpus.shards[:5])
        raise InputError(f"the corpus has no rows ({names}); give files that hold documents")
    return tally


def _collect(
    corpus: Corpus, tally: Tally, chosen: Index, copies: dict[int, int], progress: Progress
) -> pl.DataFrame:
    """The second pass: the chosen documents with all their columns, sorted by id."""
    places = tally.by_shard(chosen)
    frames: list[pl.DataFrame] = []
    with _shown(progress, "reading the documents", sum(shard.n_bytes for shard, _, _ in places)):
        for shard, rows, is_whole in places:
            parts = []
            for batch in corpus.scan_batches(shard, wanted=None if is_whole else rows.keys()):
                progress.advance(batch.n_bytes_read)
                if not len(batch.rows):
                    continue
                frame = batch.frame
                if copies:
                    numbers = [copies.get(rows.get(row, -1), 1) for row in batch.rows.tolist()]
                    ids = map(numbered, frame["doc_id"].to_list(), numbers)
                    frame = frame.with_columns(pl.Series("doc_id", list(ids), dtype=pl.String))
                parts.append(frame)
            if sum(part.height for part in parts) != len(rows):
                raise changed(shard)
            frames.append(pl.concat(parts))
    return align(frames).sort("doc_id") if frames else empty_frame()


def _cut_ties(frame: pl.DataFrame, quota: dict[str, int], by: str | None, seed: int) -> pl.DataFrame:
    """Leave out what was chosen only because its number ties with the last one; the larger id goes."""
    if frame.height == sum(quota.values()):
        return frame
    numbers = uniforms(seed, frame["doc_id"].to_list())
    sources = frame["source"].to_list() if by else [""] * frame.height
    left = dict(quota)
    keep = []
    # The frame is sorted by id and the sort is stable, so ties stand in the order of ids.
    for i in np.argsort(numbers, kind="stable").tolist():
        if left[sources[i]]:
            left[sources[i]] -= 1
            keep.append(i)
    return frame[sorted(keep)]


def _design(corpus: Corpus, tally: Tally, frame: pl.DataFrame, by: str | None, seed: int) -> Design:
    drawn = dict(frame.group_by("source").len().iter_rows())
    strata = {}
    for name in sorted(tally.counts):
        n_corpus, n_sample = tally.counts[name], int(drawn.get(name, 0))
        rate = n_sample / n_corpus if by else frame.height / len(tally)
        strata[name] = Stratum(n_corpus, n_sample, tally.n_bytes[name], rate)
    return Design(by, seed, strata, corpus.fingerprint(), tally.n_quarantined)


def _require_unique_ids(corpus: Corpus, tally: Tally) -> None:
    """Read the ids that may stand twice, and raise if one does."""
    first: dict[str, tuple[Shard, int]] = {}
    for shard, rows, _ in tally.by_shard(tally.suspects()):
        for batch in corpus.scan_batches(shard, further=False, wanted=rows.keys()):
            for doc_id, row in zip(batch.frame["doc_id"].to_list(), batch.rows.tolist(), strict=True):
                if doc_id in first:
                    other, other_row = first[doc_id]
                    raise InputError(
                        f"the id {doc_id[:200]!r} stands in {other.name} row {other_row} and in "
                        f"{shard.name} row {row}; "
                        'make the ids unique, or let ids be made from content (--id-column "", id_column="")'
                    )
                first[doc_id] = (shard, row)


@contextmanager
def _shown(progress: Progress, what: str, total: int) -> Iterator[None]:
    progress.start(what, total)
    try:
        yield
    finally:
        progress.finish()
