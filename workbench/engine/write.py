"""Writing what a shard keeps, drops and quarantines."""

from __future__ import annotations

import contextlib
import json
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from workbench.checks import Array, file_digest
from workbench.corpus import Batch, Quarantined, quarantine_writer
from workbench.engine.batch import UNSCORED
from workbench.engine.parts import NumberedBatch, numbered_batches, read_part, read_steps
from workbench.engine.plan import Plan
from workbench.engine.select import KEPT
from workbench.engine.work import TABLES, Job
from workbench.files import write_json, written_aside
from workbench.progress import Progress
from workbench.scores import SCORES

_SIDECAR = pa.schema(
    [
        ("shard", pa.dictionary(pa.int32(), pa.string())),
        ("row", pa.int64()),
        ("doc_id", pa.large_string()),
        ("weight", pa.float32()),
        ("step", pa.int16()),
    ]
)
_AMOUNTS = ("n_documents", "n_tokens", "n_bytes")
_DROPPED = pa.schema(
    [
        ("doc_id", pa.large_string()),
        ("source", pa.large_string()),
        ("step", pa.int16()),
        ("select", pa.large_string()),
        ("reason", pa.large_string()),
    ]
)


def write_shard(job: Job, plan: Plan, k: int, first_part: int, progress: Progress) -> None:
    """Write the outputs of shard k aside, rename them, and mark the shard with counts and digests.

    Parameters
    ----------
    first_part
        Number of the shard's first part among all parts.
    """
    if job.written_file(k).is_file():
        progress.advance(job.shard(k).n_bytes)
        return
    paths = {kind: job.output_file(kind, k) for kind in job.outputs}
    tally, n_quarantined = _Tally(), 0
    with contextlib.ExitStack() as stack:
        write = {kind: stack.enter_context(_table_writer(paths[kind])) for kind in TABLES[job.form]}
        write_quarantined: Callable[[list[Quarantined]], None] | None = None
        for item, columns in _decided_batches(job, plan, k, first_part):
            sources = np.array(item.batch.frame["source"].to_list(), dtype=object)
            kept = _kept_frame(plan, item, columns)
            if job.form == "sidecar":
                write["sidecar"](_sidecar_table(job.shard(k).name, item, columns))
            else:
                write["kept"](kept.to_arrow())
                write["dropped"](_dropped_table(plan, item.doc_ids, sources, columns))
            quarantined = [*item.batch.quarantined, *_unscored(job, k, item, columns)]
            if quarantined:
                write_quarantined = write_quarantined or stack.enter_context(
                    quarantine_writer(paths["quarantine"])
                )
                write_quarantined(quarantined)
                n_quarantined += len(quarantined)
            tally.add(plan, sources, columns, kept)
            progress.advance(item.batch.n_bytes_read)
    files = [path for kind, path in paths.items() if kind != "quarantine" or n_quarantined]
    written = {
        "shard": job.shard(k).name,
        "n_quarantined": n_quarantined,
        "files": {str(p.relative_to(job.out)): file_digest(p) for p in files},
        **tally.to_json(),
    }
    write_json(job.written_file(k), written)


@contextlib.contextmanager
def _table_writer(path: Path) -> Iterator[Any]:
    """A function that appends tables of one schema to a parquet file, which is renamed to `path` at the
    end.
    """
    writer: pq.ParquetWriter | None = None

    def write(table: pa.Table) -> None:
        nonlocal writer
        if writer is None:
            writer = pq.ParquetWriter(aside, table.schema, compression="zstd")
        writer.write_table(table.cast(writer.schema))

    with written_aside(path) as aside:
        try:
            yield write
        finally:
            if writer is not None:
                writer.close()


def _decided_batches(
    job: Job, plan: Plan, k: int, first_part: int
) -> Iterator[tuple[NumberedBatch, dict[str, Array]]]:
    """The batches of a shard with their decisions; an empty one for a shard without rows: it has columns."""
    batch = None
    for batch in numbered_batches(job, k):
        yield batch, _decided(job, plan, k, batch, first_part)
    if batch is None:
        frame = pl.DataFrame(schema=job.corpus.layout(job.shard(k)).schema())
        columns: dict[str, Array] = {name: np.zeros(0, SCORES[name].dtype) for name in plan.written_scores}
        columns |= {"step": np.zeros(0, np.int16), "reason": np.zeros(0, object)}
        columns["weight"] = np.zeros(0, np.float32)
        yield NumberedBatch(0, Batch(frame, np.zeros(0, np.int64), (), 0), []), columns


def _decided(job: Job, plan: Plan, k: int, item: NumberedBatch, first_part: int) -> dict[str, Array]:
    """A part's columns with the decisions of all steps."""
    path = job.part_file(k, item.number)
    columns = read_part(path, ["step", "reason", "weight", *plan.written_scores])
    columns = {name: np.array(column) for name, column in columns.items()}
    later = read_steps(job, plan.first_group, len(plan.steps), first_part + item.number)
    rows = later["row"].to_numpy()
    columns["step"][rows] = later["step"].to_numpy()
    columns["reason"][rows] = later["reason"].to_list()
    np.multiply.at(columns["weight"], rows, later["weight"].to_numpy())
    return columns


def _kept_frame(plan: Plan, item: NumberedBatch, columns: dict[str, Array]) -> pl.DataFrame:
    """The corpus's own columns, the scores used, and the repeat weight of each kept document.

    A corpus column that has the name of one of ours is kept as `corpus_<name>`, with underscores added until
    the name is free. Arrow ends the process at a NUL in a name: in its place stands its sign.
    """
    frame = item.batch.frame.with_columns(pl.Series("doc_id", item.doc_ids, pl.String))
    ours = {*plan.written_scores, "weight"}
    taken = set(frame.columns)
    for name in frame.columns:
        if "\0" in str(frame.schema[name]):
            frame = frame.with_columns(_as_json(frame[name]))
        if name not in ours and "\0" not in name:
            continue
        other = (f"corpus_{name}" if name in ours else name).replace("\0", "\u2400")
        while other in taken:
            other += "_"
        taken.add(other)
        frame = frame.rename({name: other})
    scores = [_score_series(name, columns[name]) for name in plan.written_scores]
    weight = pl.Series("weight", columns["weight"])
    return frame.with_columns(*scores, weight).filter(pl.Series(columns["step"] == KEPT))


def _as_json(column: pl.Series) -> pl.Series:
    """A nested column as JSON: so are its fields' names kept."""
    texts = [None if value is None else json.dumps(value, default=str) for value in column.to_list()]
    return pl.Series(column.name, texts, pl.String)


def _score_series(name: str, values: Array) -> pl.Series:
    labels = SCORES[name].labels
    if labels:
        names = [None if np.isnan(v) else labels[int(v)] for v in values]
        return pl.Series(name, names, pl.String)
    return pl.Series(name, values)


def _dropped_table(plan: Plan, doc_ids: list[str], sources: Array, columns: dict[str, Array]) -> pa.Table:
    rows = np.flatnonzero(columns["step"] >= 0)
    steps = columns["step"][rows]
    arrays = [
        [doc_ids[i] for i in rows],
        sources[rows].tolist(),
        steps,
        [plan.steps[s].select for s in steps],
        columns["reason"][rows].tolist(),
    ]
    return pa.table(
        [pa.array(a, field.type) for a, field in zip(arrays, _DROPPED, strict=True)], schema=_DROPPED
    )


def _sidecar_table(shard: str, item: NumberedBatch, columns: dict[str, Array]) -> pa.Table:
    rows = np.flatnonzero(columns["step"] >= KEPT)
    step = columns["step"][rows]
    arrays = {
        "shard": pa.DictionaryArray.from_arrays(pa.array(np.zeros(len(rows), np.int32)), pa.array([shard])),
        "row": pa.array(item.batch.rows[rows]),
        "doc_id": [item.doc_ids[i] for i in rows],
        "weight": pa.array(np.where(step == KEPT, columns["weight"][rows], np.float32(0))),
        "step": pa.array(step),
    }
    return pa.table(arrays, schema=_SIDECAR)


def _unscored(job: Job, k: int, item: NumberedBatch, columns: dict[str, Array]) -> list[Quarantined]:
    rows = np.flatnonzero(columns["step"] == UNSCORED)
    texts = item.batch.frame["text"]
    return [
        Quarantined(
            job.shard(k).name, int(item.batch.rows[i]), str(columns["reason"][i]), texts[int(i)][:200]
        )
        for i in rows
    ]


class _Tally:
    """Counts of one shard: documents read and kept (with tokens and bytes), and dropped, per source and
    step.
    """

    def __init__(self) -> None:
        self._read: Counter[str] = Counter()
        self._dropped: Counter[tuple[int, str]] = Counter()
        self._kept: dict[str, list[int]] = {}

    def add(self, plan: Plan, sources: Array, columns: dict[str, Array], kept: pl.DataFrame) -> None:
        """Count one batch."""
        self._read.update(sources.tolist())
        for step in range(len(plan.steps)):
            for source, n in Counter(sources[columns["step"] == step].tolist()).items():
                self._dropped[step, source] += n
        amounts = kept.group_by("source").agg(
            pl.len().alias("n_documents"), pl.col("n_tokens", "n_bytes").cast(pl.Float64).sum()
        )
        for source, *values in amounts.select("source", *_AMOUNTS).iter_rows():
            held = self._kept.setdefault(source, [0, 0, 0])
            self._kept[source] = [a + int(b) for a, b in zip(held, values, strict=True)]

    def to_json(self) -> dict[str, Any]:
        """`read` and `kept` by source, `dropped` by step and source."""
        dropped: dict[str, dict[str, int]] = {}
        for (step, source), n in sorted(self._dropped.items()):
            dropped.setdefault(str(step), {})[source] = n
        return {
            "read": dict(sorted(self._read.items())),
            "kept": {s: dict(zip(_AMOUNTS, v, strict=True)) for s, v in sorted(self._kept.items())},
            "dropped": dropped,
        }
