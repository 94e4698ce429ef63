"""Scoring a shard part by part, and reading parts again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from workbench.checks import Array
from workbench.corpus import Batch
from workbench.engine.batch import Decided, decide_batch
from workbench.engine.identify import final_ids
from workbench.engine.plan import Plan
from workbench.engine.vectors import batch_vectors
from workbench.engine.work import MAX_ROWS, Job, read_json
from workbench.files import write_json, written_aside
from workbench.progress import Progress
from workbench.scores import SCORES
from workbench.scores.base import as_ragged

_VECTORS = {
    "text_digest": pa.uint64(),
    **{name: pa.from_numpy_dtype(spec.dtype) for name, spec in SCORES.items() if spec.vector},
}
_RAGGED = {name for name, spec in SCORES.items() if spec.ragged}


@dataclass(frozen=True)
class NumberedBatch:
    """A batch with its place in the shard and its final ids."""

    number: int
    batch: Batch
    doc_ids: list[str]


def numbered_batches(job: Job, k: int) -> Iterator[NumberedBatch]:
    """The batches of a shard: the same boundaries at every reading."""
    first = 0
    for number, batch in enumerate(job.corpus.batches(job.shard(k), max_rows=MAX_ROWS)):
        ids = batch.frame["doc_id"].to_list()
        yield NumberedBatch(number, batch, final_ids(job, k, first, ids))
        first += len(ids)


def score_shard(job: Job, plan: Plan, k: int, progress: Progress) -> None:
    """Score the parts of shard k that aren't there yet, then mark it."""
    if job.scored_file(k).is_file():
        progress.advance(job.shard(k).n_bytes)
        return
    n_parts = 0
    for item in numbered_batches(job, k):
        n_parts = item.number + 1
        path = job.part_file(k, item.number)
        if not path.is_file():
            frame = item.batch.frame
            sources, texts = frame["source"].to_list(), frame["text"].to_list()
            vectors = batch_vectors(plan, frame)
            decided = decide_batch(plan, item.doc_ids, sources, texts, job.known, vectors)
            _write_part(path, item.doc_ids, decided)
        progress.advance(item.batch.n_bytes_read)
    write_json(job.scored_file(k), {"n_parts": n_parts})


def _write_part(path: Path, doc_ids: Sequence[str], decided: Decided) -> None:
    arrays = {
        "doc_id": pa.array(doc_ids, pa.large_string()),
        "step": pa.array(decided.step, pa.int16()),
        "reason": pa.array(decided.reasons, pa.large_string()),
        "weight": pa.array(decided.weight, pa.float32()),
        **{name: _to_arrow(name, values) for name, values in decided.columns.items()},
    }
    with written_aside(path) as aside:
        pq.write_table(pa.table(arrays), aside, compression="zstd")


def _to_arrow(name: str, values: Array) -> pa.Array:
    if name in _RAGGED:
        ends = np.cumsum(np.fromiter(map(len, values), dtype=np.int64, count=len(values)))
        flat = np.concatenate([*values, np.zeros(0, dtype=np.uint8)]).astype(SCORES[name].dtype)
        return pa.LargeListArray.from_arrays(pa.array(np.r_[0, ends]), pa.array(flat, _VECTORS[name]))
    if name in _VECTORS:
        # where no document of the part got a vector, its dimension isn't known
        width = values.shape[1] if values.ndim > 1 else 1
        return pa.FixedSizeListArray.from_arrays(pa.array(values.reshape(-1), _VECTORS[name]), width)
    return pa.array(values, pa.large_string() if values.dtype == object else None)


def read_part(path: Path, names: Sequence[str]) -> dict[str, Array]:
    """Columns of a part as arrays; `doc_id` and `reason` as objects."""
    table = pq.read_table(path, columns=list(dict.fromkeys(names)))
    out: dict[str, Array] = {}
    for name in table.column_names:
        column = table[name].combine_chunks()
        if name in _RAGGED:
            flat, ends = column.values.to_numpy(), column.offsets.to_numpy().tolist()
            out[name] = as_ragged([flat[start:stop] for start, stop in pairwise(ends)])
        elif name in _VECTORS:
            flat = column.flatten().to_numpy(zero_copy_only=False)
            out[name] = flat.reshape(len(column), -1)
        else:
            out[name] = column.to_numpy(zero_copy_only=False)
    return out


def part_paths(job: Job) -> list[tuple[int, Path]]:
    """(shard, path) of every part, in order; the place in this list is the part's number in step files."""
    return [
        (k, job.part_file(k, j))
        for k in range(len(job.corpus.shards))
        for j in range(read_json(job.scored_file(k))["n_parts"])
    ]


def read_steps(job: Job, first: int, last: int, part: int) -> pl.DataFrame:
    """What steps `first` up to `last` (not included) decided about one part: row, step, reason, weight."""
    frames = [
        pl.scan_parquet(job.step_file(index))
        .filter(pl.col("part") == part)
        .select("row", "step", "reason", "weight")
        .collect()
        for index in range(first, last)
    ]
    return (
        pl.concat(frames)
        if frames
        else pl.DataFrame(
            schema={"row": pl.Int32, "step": pl.Int16, "reason": pl.String, "weight": pl.Float32}
        )
    )


def steps_of_part(job: Job, path: Path, part: int, first: int, last: int) -> Array:
    """The `step` column of a part after the steps before `last`, int16 (n,)."""
    step = np.array(read_part(path, ["step"])["step"], dtype=np.int16)
    later = read_steps(job, first, last, part)
    step[later["row"].to_numpy()] = later["step"].to_numpy()
    return step
