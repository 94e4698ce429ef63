"""Applying a manifest to a corpus: shard by shard, in bounded memory, resumable to the same bytes."""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workbench.checks import json_digest
from workbench.corpus import Corpus
from workbench.engine.export import versions
from workbench.engine.groups import decide_steps
from workbench.engine.identify import number_copies
from workbench.engine.known import known_scores
from workbench.engine.local import LocalRunner, Runner, fresh_plan
from workbench.engine.parts import part_paths
from workbench.engine.plan import Plan
from workbench.engine.table import Table
from workbench.engine.work import RUN_FILE, Form, Job, read_json
from workbench.errors import InputError, StoreError
from workbench.files import PARTIAL, locked, write_json
from workbench.progress import Progress, Silent, shown
from workbench.recipe.manifest import read_manifest

RUN_FORMAT = "selection-run/1"
_LOCK = "lock"


@dataclass(frozen=True)
class Run:
    """A complete run.

    Attributes
    ----------
    out
        Its folder.
    record
        run.json: counts in all, by source and by step, digests of every file, versions, seconds.
    """

    out: Path
    record: Mapping[str, Any]

    @property
    def n_quarantined(self) -> int:
        """Rows that could be neither kept nor dropped."""
        return int(self.record["counts"]["quarantined"])


def apply(
    manifest: Path | str,
    corpus: Corpus,
    out: Path | str,
    *,
    embedder: str | None = None,
    lm: str | None = None,
    ngram: str | None = None,
    known: Table | None = None,
    form: Form = "data",
    runner: Runner | None = None,
    progress: Progress | None = None,
) -> Run:
    """Decide for every document of a corpus as the manifest says, and write what is kept and what is dropped.

    Killed at any moment and called again with the same arguments it goes on from the last finished part and
    ends with the same bytes in every file but `run.json` (which holds the seconds). Memory is bounded by a part (2,048
    documents), by a bucket of a group step (256 MiB, or the largest group), and by 8 to 40 bytes a document.

    Parameters
    ----------
    manifest
        The manifest folder.
    corpus
        The documents; see `workbench.read`.
    out
        An empty or new folder, or the one of an interrupted run of the same manifest and corpus.
    embedder, lm, ngram
        Where the manifest's models lie, if not under the names that it gives.
    known
        A scored sample: a document that stands in it with the same id and text takes its scores from there, where
        their definitions are the manifest's, instead of being scored a second time.
    form
        "data": the kept documents whole, in `kept`, and what was dropped with its reasons, in `dropped`. "sidecar": the
        corpus stays where it is, and `sidecar` holds of each document `shard`, `row` (from 0, in the shard as it is
        read), `doc_id`, `weight` (0 if it is dropped) and `step` (what dropped it, from 0; -1 if it is kept).
    runner
        Who runs the tasks; this process if None.
    progress
        Shown progress, in bytes of the corpus.

    Raises
    ------
    ManifestError
        If the manifest was changed or isn't for this version.
    ModelError
        If a model isn't found or differs from the manifest's digests.
    InputError
        If the corpus can't be read, has no readable document or ids that stand twice, or `out` holds
        something else.
    StoreError
        If the disk is full; finished parts are kept.
    """
    started = time.monotonic()
    # absolute, since a worker may run in another folder
    folder = Path(manifest).absolute()
    held = read_manifest(folder)
    scored = known_scores(known, held) if known is not None else None
    job = Job(folder, held.digest, corpus, Path(out).absolute(), embedder, lm, scored, ngram, form)
    runner, progress = runner or LocalRunner(), progress or Silent()
    plan = fresh_plan(job)
    identity = {"manifest": plan.manifest.digest, "corpus": corpus.fingerprint(), "form": form}
    if (finished := _finished(job, identity)) is not None:
        return finished
    with _claimed(job, identity), contextlib.closing(runner):
        shards = [(k,) for k in range(len(corpus.shards))]
        _stage(runner, "hash", "read ids", job, shards, progress)
        number_copies(job)
        _stage(runner, "score", "score", job, shards, progress)
        with shown(progress, "groups", max(len(plan.steps) - plan.first_group, 1)):
            decide_steps(job, plan, progress)
        _stage(runner, "write", "write", job, _with_first_parts(job), progress)
        record = _record(job, plan, identity)
        _remove_asides(job)
        write_json(job.out / RUN_FILE, {**record, "seconds": round(time.monotonic() - started, 3)})
        shutil.rmtree(job.work, ignore_errors=True)
    return Run(Path(out), read_json(job.out / RUN_FILE))


def _stage(
    runner: Runner, task: str, title: str, job: Job, items: Sequence[tuple[int, ...]], progress: Progress
) -> None:
    with shown(progress, title, job.corpus.n_bytes):
        runner.map(task, job, items, progress)


def _finished(job: Job, identity: Mapping[str, str]) -> Run | None:
    path = job.out / RUN_FILE
    if not path.is_file():
        return None
    try:
        record = read_json(path)
    except ValueError:
        record = None
    if isinstance(record, dict) and {name: record.get(name) for name in identity} == identity:
        # a kill between the last two lines of `apply` leaves it behind
        shutil.rmtree(job.work, ignore_errors=True)
        return Run(job.out, record)
    raise InputError(f"{job.out} holds the result of another manifest, corpus or form; give a new folder")


@contextlib.contextmanager
def _claimed(job: Job, identity: Mapping[str, str]) -> Iterator[None]:
    """Mark the folder as this run's, or see that it is, and keep other processes out of it."""
    mark = job.work / "claim.json"
    if not mark.is_file():
        _make_folders(job)
    with locked(job.work / _LOCK):
        if not mark.is_file():
            write_json(mark, identity)
        elif read_json(mark) != identity:
            raise InputError(
                f"{job.out} holds an unfinished run of another manifest, corpus or form; "
                "give a new folder, or delete it"
            )
        yield


def _make_folders(job: Job) -> None:
    # A run that was killed before its mark stood has left no more than these.
    ours = {job.work, job.work / _LOCK, *(job.out / kind for kind in job.outputs)}
    found = job.out.rglob("*") if job.out.is_dir() else iter(())
    if any(path not in ours and path.suffix != PARTIAL for path in found):
        raise InputError(f"{job.out} is not empty; give a new folder")
    try:
        for folder in (*(job.out / kind for kind in job.outputs), job.work):
            folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"{job.out} can't be made ({error.strerror}); choose another folder") from error


def _remove_asides(job: Job) -> None:
    """Remove what a killed run had written aside and this one has written anew."""
    for kind in job.outputs:
        for path in (job.out / kind).iterdir():
            if path.suffix in (PARTIAL, ".part"):
                path.unlink(missing_ok=True)


def _with_first_parts(job: Job) -> list[tuple[int, int]]:
    n_parts = Counter(k for k, _ in part_paths(job))
    items, first = [], 0
    for k in range(len(job.corpus.shards)):
        items.append((k, first))
        first += n_parts[k]
    return items


def _record(job: Job, plan: Plan, identity: Mapping[str, str]) -> dict[str, Any]:
    """run.json without the seconds: sums over shards, and every file's digest."""
    written = [read_json(job.written_file(k)) for k in range(len(job.corpus.shards))]
    read: Counter[str] = Counter()
    kept: dict[str, Counter[str]] = {}
    by_step = [Counter[str]() for _ in plan.steps]
    for shard in written:
        read.update(shard["read"])
        for source, amounts in shard["kept"].items():
            kept.setdefault(source, Counter()).update(amounts)
        for step, sources in shard["dropped"].items():
            by_step[int(step)].update(sources)
    files = {name: digest for shard in written for name, digest in shard["files"].items()}
    n_quarantined = sum(shard["n_quarantined"] for shard in written)
    total = sum(kept.values(), Counter({"n_documents": 0, "n_tokens": 0, "n_bytes": 0}))
    n_kept, n_dropped = total["n_documents"], sum(sum(c.values()) for c in by_step)
    n_unscored = sum(read.values()) - n_kept - n_dropped
    counts = {
        # an unscored document was read as a row, and is in quarantine
        "read": sum(read.values()) + n_quarantined - n_unscored,
        "kept": n_kept,
        "dropped": n_dropped,
        "quarantined": n_quarantined,
    }
    names = ("n_documents", "n_tokens", "n_bytes")
    return {
        "format": RUN_FORMAT,
        **identity,
        "counts": counts,
        "kept": {name: total[name] for name in names},
        "by_source": {
            s: {"n_read": read[s], **{n: kept.get(s, Counter())[n] for n in names}} for s in sorted(read)
        },
        "by_step": [
            {
                "step": i,
                "select": step.select,
                "dropped": sum(by_step[i].values()),
                "by_source": dict(by_step[i]),
            }
            for i, step in enumerate(plan.steps)
        ],
        "shards": [{"shard": shard["shard"], "files": sorted(shard["files"])} for shard in written],
        "files": files,
        "output_digest": json_digest(files),
        "versions": versions(),
        "host_cores": os.cpu_count(),
    }
