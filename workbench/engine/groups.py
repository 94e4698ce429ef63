"""Steps that need all rows of a group (copies, clusters) over a sharded corpus: bucket by bucket."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import polars as pl

from workbench.checks import Array, IntArray, strings
from workbench.engine.batch import UNSCORED
from workbench.engine.parts import part_paths, read_part, steps_of_part
from workbench.engine.plan import Plan
from workbench.engine.score import select_columns
from workbench.engine.select import KEPT
from workbench.engine.work import Job
from workbench.files import written_aside
from workbench.progress import Progress
from workbench.selectors.base import Selection

BUCKET_BYTES = 256 * 2**20
"""How much of the columns of a group step is in memory at once; a bucket holds whole groups."""

_ID_BYTES = 64
_SCHEMA = {"part": pl.Int32, "row": pl.Int32, "step": pl.Int16, "reason": pl.String}


def decide_steps(job: Job, plan: Plan, progress: Progress) -> None:
    """Run the steps from the first group step on, each over the whole corpus, each kept when done."""
    paths = [path for _, path in part_paths(job)]
    for index in range(plan.first_group, len(plan.steps)):
        if not job.step_file(index).is_file():
            rows = _row_step if plan.steps[index].spec.scope == "row" else _group_step
            drops = pl.DataFrame(list(rows(job, plan, index, paths)), schema=_SCHEMA, orient="row")
            with written_aside(job.step_file(index)) as aside:
                drops.write_parquet(aside)
        progress.advance(1)


Drop = tuple[int, int, int, str]


def _drops(selection: Selection, index: int, part: IntArray, row: IntArray) -> Iterable[Drop]:
    undecided = np.zeros(len(part), dtype=bool) if selection.unscored is None else selection.unscored
    for i in np.flatnonzero(~selection.keep | undecided):
        yield int(part[i]), int(row[i]), UNSCORED if undecided[i] else index, selection.explain(int(i))


def _columns(plan: Plan, index: int, path: Path, rows: IntArray) -> dict[str, Array]:
    """The step's columns at some rows of a part, as its selector reads them."""
    needs = plan.steps[index].needs
    read = read_part(path, ["doc_id", *needs])
    return select_columns(needs, lambda name: read[name][rows], strings(read["doc_id"][rows]))


def _row_step(job: Job, plan: Plan, index: int, paths: list[Path]) -> Iterable[Drop]:
    step = plan.steps[index]
    for part, path in enumerate(paths):
        rows = np.flatnonzero(steps_of_part(job, path, part, plan.first_group, index) == KEPT)
        if not len(rows):
            continue
        selection = step.spec.select(
            _columns(plan, index, path, rows), step.params, plan.states[index], plan.seed
        )
        yield from _drops(selection, index, np.full(len(rows), part), rows)


def _group_step(job: Job, plan: Plan, index: int, paths: list[Path]) -> Iterable[Drop]:
    step, state = plan.steps[index], plan.states[index]
    if step.spec.group is None:
        raise AssertionError(f"{step.select} has scope {step.spec.scope} and no group function")
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
        keys.append(step.spec.group(columns, step.params, state))
        row_bytes = max(row_bytes, _ID_BYTES + sum(c.nbytes for c in columns.values()) // max(len(rows), 1))
    buckets = _buckets(np.concatenate(keys), row_bytes)
    ends = np.cumsum([len(k) for k in keys])
    for bucket in range(int(buckets.max(initial=-1)) + 1):
        chosen = [
            rows[mine == bucket] for rows, mine in zip(rows_of, np.split(buckets, ends[:-1]), strict=True)
        ]
        pieces = [
            _columns(plan, index, path, rows) for path, rows in zip(paths, chosen, strict=True) if len(rows)
        ]
        merged = {name: np.concatenate([piece[name] for piece in pieces]) for name in pieces[0]}
        selection = step.spec.select(merged, step.params, state, plan.seed)
        parts = np.repeat(np.arange(len(chosen)), [len(rows) for rows in chosen])
        yield from _drops(selection, index, parts, np.concatenate(chosen))


def _buckets(keys: IntArray, row_bytes: int) -> IntArray:
    """The bucket of each row: whole groups, filled in the order of keys up to BUCKET_BYTES (a larger group
    alone).
    """
    if not len(keys):
        return np.zeros(0, dtype=np.int64)
    _, group, sizes = np.unique(keys, return_inverse=True, return_counts=True)
    before = np.cumsum(sizes) - sizes
    rows_a_bucket = max(BUCKET_BYTES // row_bytes, 1)
    buckets: IntArray = (before // rows_a_bucket)[group]
    # a group that starts in a bucket ends in it, so some numbers may stay empty
    return np.unique(buckets, return_inverse=True)[1]
