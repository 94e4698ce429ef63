"""Steps that need all rows of a group (copies, clusters), or the pieces of all documents, over a sharded corpus: bucket
by bucket.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from workbench.checks import Array, IntArray, strings
from workbench.engine.batch import UNSCORED
from workbench.engine.parts import part_paths, read_part, steps_of_part
from workbench.engine.pieces import PiecesOnDisk, chunks, rank_ids
from workbench.engine.plan import Plan
from workbench.engine.select import KEPT, decide, group_keys
from workbench.engine.table import select_columns
from workbench.engine.work import Job
from workbench.files import written_aside
from workbench.progress import Progress
from workbench.selectors.base import Columns, Selection
from workbench.selectors.pieces import named

BUCKET_BYTES = 256 * 2**20
"""How much of the columns of a group step is in memory at once; a bucket holds whole groups."""

_ID_BYTES = 64
_GROUP_ROWS = 65536
_CHUNK_ROWS = 1 << 18
_SCHEMA = pa.schema(
    [
        ("part", pa.int32()),
        ("row", pa.int32()),
        ("step", pa.int16()),
        ("reason", pa.large_string()),
        ("weight", pa.float32()),
    ]
)


def decide_steps(job: Job, plan: Plan, progress: Progress) -> None:
    """Run the steps from the first group step on, each over the whole corpus, each kept when done."""
    paths = [path for _, path in part_paths(job)]
    for index in range(plan.first_group, len(plan.steps)):
        if not job.step_file(index).is_file():
            decide = {"row": _row_step, "pieces": _pieces_step}.get(plan.steps[index].spec.scope, _group_step)
            with (
                written_aside(job.step_file(index)) as aside,
                pq.ParquetWriter(aside, _SCHEMA, compression="zstd") as writer,
            ):
                for drops in _row_groups(decide(job, plan, index, paths)):
                    writer.write_table(drops, row_group_size=len(drops))
        progress.advance(1)


def _drops(selection: Selection, index: int, part: IntArray, row: IntArray) -> Iterator[pa.Table]:
    """What a selection dropped or weighed, in pieces, since the reasons of many drops take memory."""
    undecided = np.zeros(len(part), dtype=bool) if selection.unscored is None else selection.unscored
    dropped = ~selection.keep | undecided
    weight = np.ones(len(part)) if selection.weight is None else np.where(dropped, 1, selection.weight)
    told = np.flatnonzero(dropped | (weight != 1))
    for start in range(0, len(told), _GROUP_ROWS):
        rows = told[start : start + _GROUP_ROWS]
        step = np.where(undecided[rows], UNSCORED, np.where(dropped[rows], index, KEPT))
        reasons = [selection.explain(int(i)) if dropped[i] else None for i in rows]
        arrays = [part[rows], row[rows], step, reasons, weight[rows].astype(np.float32)]
        yield pa.table([pa.array(a, f.type) for a, f in zip(arrays, _SCHEMA, strict=True)], schema=_SCHEMA)


def _row_groups(tables: Iterable[pa.Table]) -> Iterator[pa.Table]:
    """The tables put together to row groups of some size: `read_steps` skips those without its part."""
    held: list[pa.Table] = []
    for table in tables:
        held.append(table)
        if sum(map(len, held)) >= _GROUP_ROWS:
            yield pa.concat_tables(held)
            held = []
    if held:
        yield pa.concat_tables(held)


def _columns(plan: Plan, index: int, path: Path, rows: IntArray) -> dict[str, Array]:
    """The step's columns at some rows of a part, as its selector reads them."""
    needs = plan.steps[index].needs
    read = read_part(path, ["doc_id", *needs])
    return select_columns(needs, lambda name: read[name][rows], strings(read["doc_id"][rows]))


def _row_step(job: Job, plan: Plan, index: int, paths: list[Path]) -> Iterator[pa.Table]:
    step = plan.steps[index]
    for part, path in enumerate(paths):
        rows = np.flatnonzero(steps_of_part(job, path, part, plan.first_group, index) == KEPT)
        if not len(rows):
            continue
        selection = decide(step, _columns(plan, index, path, rows), plan.states[index], plan.seed)
        yield from _drops(selection, index, np.full(len(rows), part), rows)


def _group_step(job: Job, plan: Plan, index: int, paths: list[Path]) -> Iterator[pa.Table]:
    step, state = plan.steps[index], plan.states[index]
    keys: list[IntArray] = []
    rows_of: list[IntArray] = []
    row_bytes = _ID_BYTES
    for part, path in enumerate(paths):
        rows = np.flatnonzero(steps_of_part(job, path, part, plan.first_group, index) == KEPT)
        rows_of.append(rows)
        if not len(rows):
            keys.append(np.zeros(0, dtype=np.int64))
            continue
        columns = _columns(plan, index, path, rows)
        keys.append(group_keys(step, columns, state))
        row_bytes = max(row_bytes, _ID_BYTES + sum(c.nbytes for c in columns.values()) // max(len(rows), 1))
    if not any(map(len, keys)):
        return
    buckets = _buckets(np.concatenate(keys), row_bytes)
    buckets_of = np.split(buckets, np.cumsum([len(k) for k in keys])[:-1])
    for bucket in range(int(buckets.max(initial=-1)) + 1):
        chosen = [rows[mine == bucket] for rows, mine in zip(rows_of, buckets_of, strict=True)]
        pieces = [
            _columns(plan, index, path, rows) for path, rows in zip(paths, chosen, strict=True) if len(rows)
        ]
        merged = {name: np.concatenate([piece[name] for piece in pieces]) for name in pieces[0]}
        selection = decide(step, merged, state, plan.seed)
        parts = np.repeat(np.arange(len(chosen)), [len(rows) for rows in chosen])
        yield from _drops(selection, index, parts, np.concatenate(chosen))


def _pieces_step(job: Job, plan: Plan, index: int, paths: list[Path]) -> Iterator[pa.Table]:
    step, spec = plan.steps[index], plan.steps[index].spec
    assert spec.pieces is not None
    assert spec.gather is not None
    rows_of = [
        np.flatnonzero(steps_of_part(job, path, part, plan.first_group, index) == KEPT)
        for part, path in enumerate(paths)
    ]
    sizes = [len(rows) for rows in rows_of]
    firsts = (np.cumsum(sizes) - sizes).tolist()

    def ids(part: int) -> Array:
        return strings(read_part(paths[part], ["doc_id"])["doc_id"][rows_of[part]])

    def columns(part: int) -> dict[str, Array]:
        return _columns(plan, index, paths[part], rows_of[part])

    def ids_of(numbers: IntArray) -> Array:
        """The ids of documents by their numbers, a part at a time."""
        wanted, place = np.unique(numbers, return_inverse=True)
        part_of = np.searchsorted(firsts, wanted, side="right") - 1
        found = [ids(int(part))[wanted[part_of == part] - firsts[part]] for part in np.unique(part_of)]
        return np.concatenate(found)[place]

    filled = [part for part, size in enumerate(sizes) if size]
    folder = job.pieces_folder(index)
    shutil.rmtree(folder, ignore_errors=True)
    rank = rank_ids(lambda: (ids(part).tolist() for part in filled), sum(sizes))
    disk = PiecesOnDisk(folder, rank, BUCKET_BYTES)
    disk.add((firsts[part], spec.pieces(columns(part), step.params)) for part in filled)
    disk.match()
    for some in chunks([sizes[part] for part in filled], _CHUNK_ROWS):
        chunk = [filled[k] for k in some]
        found = [
            spec.gather(columns(part), step.params, disk.repeats(firsts[part], firsts[part] + sizes[part]))
            for part in chunk
        ]
        joined = named({name: np.concatenate([one[name] for one in found]) for name in found[0]}, ids_of)
        doc_ids = np.concatenate([ids(part) for part in chunk])
        selection = decide(step, {"doc_id": doc_ids}, plan.states[index], plan.seed, partial(_given, joined))
        rows = np.concatenate([rows_of[part] for part in chunk])
        yield from _drops(selection, index, np.repeat(chunk, [sizes[part] for part in chunk]), rows)
    shutil.rmtree(folder, ignore_errors=True)


def _given(found: Columns, columns: Columns) -> Columns:
    """A scan that was made already."""
    return found


def _buckets(keys: IntArray, row_bytes: int) -> IntArray:
    """The bucket of each row: whole groups, filled in the order of keys up to BUCKET_BYTES (a larger group
    alone).
    """
    _, group, sizes = np.unique(keys, return_inverse=True, return_counts=True)
    before = np.cumsum(sizes) - sizes
    rows_a_bucket = max(BUCKET_BYTES // row_bytes, 1)
    buckets: IntArray = (before // rows_a_bucket)[group]
    # a group that starts in a bucket ends in it, so some numbers may stay empty
    return np.unique(buckets, return_inverse=True)[1]
