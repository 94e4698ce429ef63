"""The rows of a packing as parquet files: token ids of fixed length, and which document each came from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from workbench.checks import Array, FloatArray, IntArray, file_digest, keyed_uniform, strings
from workbench.engine.packing import Packing
from workbench.errors import InputError
from workbench.files import written_aside
from workbench.progress import Progress, shown

_MAX_WEIGHT = 10_000  # each time round is a packing of its own, and nobody trains on a document more often
_TOKENS_PER_FILE = 1 << 24  # 64 MiB of ids in memory at once


@dataclass(frozen=True)
class Stream:
    """The documents of all kept files.

    Attributes
    ----------
    doc_ids, n_tokens
        (n,): ids (str), and int64 numbers of tokens without the end token.
    weight
        float64 (n,): how often each is to be repeated.
    end_id
        The token that ends a document.
    file, begin
        int64 (n,): in which of `tokens` a document's tokens are, and from where on.
    tokens
        The ids of each file, mapped into memory.
    """

    doc_ids: Array
    n_tokens: IntArray
    weight: FloatArray
    end_id: int
    file: IntArray
    begin: IntArray
    tokens: tuple[Array, ...]

    def piece(self, doc: int, start: int, end: int) -> Array:
        """Tokens start to end - 1 of a document, of which the end token is the last; (end - start,)."""
        begin, n = int(self.begin[doc]), int(self.n_tokens[doc])
        ids = self.tokens[self.file[doc]][begin + start : begin + min(end, n)]
        return np.append(ids, np.uint32(self.end_id)) if end > n else np.asarray(ids)


def read_stream(
    kept: Sequence[Path], tokens: Sequence[Path], n_tokens: Sequence[IntArray], end_id: int
) -> Stream:
    """The documents of some kept files, whose token ids stand in as many files as uint32.

    Raises
    ------
    InputError
        If a weight lies outside 0..10,000.
    """
    ids: list[str] = []
    weights = [np.zeros(0)]
    for path in kept:
        table = pq.read_table(path, columns=["doc_id", "weight"])
        ids += table["doc_id"].to_pylist()
        weights.append(table["weight"].to_numpy().astype(np.float64))
    weight = np.concatenate(weights)
    wrong = np.flatnonzero(~((weight >= 0) & (weight <= _MAX_WEIGHT)))
    if len(wrong):
        raise InputError(
            f"a weight must lie in 0..{_MAX_WEIGHT:,}, got {weight[wrong[0]]:g} for {ids[wrong[0]][:80]!r}; lower the "
            "repeats of the recipe and apply it again"
        )
    none = np.zeros(0, dtype=np.int64)
    return Stream(
        doc_ids=strings(ids),
        n_tokens=np.concatenate([none, *n_tokens]),
        weight=weight,
        end_id=end_id,
        file=np.repeat(np.arange(len(n_tokens)), [len(one) for one in n_tokens]),
        begin=np.concatenate([none, *(np.cumsum(one) - one for one in n_tokens)]),
        tokens=tuple(map(_mapped, tokens)),
    )


def n_copies(weight: FloatArray, doc_ids: Array, seed: int) -> IntArray:
    """How often each document is packed, int64 (n,): its weight, of whose fraction a keyed draw by its id decides.

    A weight of 2.3 gives 3 copies with a chance of 0.3, else 2: 2.3 on average. By (seed, doc_id) alone, so that order
    and shards make no difference.

    Examples
    --------
    >>> n_copies(np.array([1.0, 2.0, 0.0]), np.array(["a", "b", "c"]), 0).tolist()
    [1, 2, 0]
    """
    whole = np.floor(weight)
    return np.asarray(
        whole + (keyed_uniform(seed, list(doc_ids), "pack-copies") < weight - whole), dtype=np.int64
    )


def _mapped(path: Path) -> Array:
    # an empty file can't be mapped
    return np.memmap(path, dtype="<u4", mode="r") if path.stat().st_size else np.zeros(0, dtype=np.uint32)


def write_rows(
    out: Path, stream: Stream, packed: Packing, rounds: IntArray, context: int, seed: int, progress: Progress
) -> dict[str, str]:
    """Write the rows in a keyed random order into `out/rows`, a file that is there already not again.

    The rounds are mixed: the later ones hold only what is repeated.

    Returns
    -------
    The digest of each file, by its name from `out`.
    """
    stops = np.searchsorted(packed.row, np.arange(packed.n_rows), side="right")
    starts = np.r_[0, stops[:-1]][: packed.n_rows]
    names = [f"{stream.doc_ids[packed.doc[at]]}:{packed.start[at]}:{rounds[at]}" for at in starts.tolist()]
    order = np.lexsort((strings(names), keyed_uniform(seed, names, "pack")))
    per_file = max(1, _TOKENS_PER_FILE // context)
    files = {}
    with shown(progress, "write", packed.n_rows):
        for number, first in enumerate(range(0, max(packed.n_rows, 1), per_file)):
            path = out / "rows" / f"part-{number:05d}.parquet"
            rows = order[first : first + per_file]
            if not path.is_file():
                table = _table(stream, packed, [(int(starts[row]), int(stops[row])) for row in rows], context)
                with written_aside(path) as aside:
                    pq.write_table(table, aside, compression="zstd")
            files[str(path.relative_to(out))] = file_digest(path)
            progress.advance(len(rows))
    return files


def _table(stream: Stream, packed: Packing, rows: list[tuple[int, int]], context: int) -> pa.Table:
    ids = np.full((len(rows), context), stream.end_id, dtype=np.int32)
    n_tokens, spans = [], []
    for line, (start, stop) in zip(ids, rows, strict=True):
        at, found = 0, []
        for piece in range(start, stop):
            doc, first, last = int(packed.doc[piece]), int(packed.start[piece]), int(packed.end[piece])
            line[at : at + last - first] = stream.piece(doc, first, last)
            found.append({"doc_id": stream.doc_ids[doc], "start": first, "end": last})
            at += last - first
        n_tokens.append(at)
        spans.append(found)
    span = pa.struct([("doc_id", pa.large_string()), ("start", pa.int64()), ("end", pa.int64())])
    return pa.table(
        {
            "input_ids": pa.FixedSizeListArray.from_arrays(pa.array(ids.ravel()), context),
            "n_tokens": pa.array(n_tokens, pa.int32()),
            "spans": pa.array(spans, pa.list_(span)),
        }
    )
