"""Running tasks on this machine, in this process or in several."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from functools import lru_cache
from multiprocessing.sharedctypes import Synchronized
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Protocol

from workbench.engine.identify import hash_shard
from workbench.engine.parts import score_shard
from workbench.engine.plan import Plan, load_plan
from workbench.engine.work import Job
from workbench.engine.write import write_shard
from workbench.errors import ManifestError, WorkbenchError
from workbench.progress import Progress, Silent

_WATCH_SECONDS = 0.2


class Runner(Protocol):
    """Runs one kind of task for many shards, in any order."""

    def map(self, task: str, job: Job, items: Iterable[tuple[int, ...]], progress: Progress) -> None:
        """Run a task of `TASKS` for each item, whose first number is the shard's; progress advances by its
        bytes.
        """

    def close(self) -> None:
        """End what `map` started; a later `map` starts anew."""


@lru_cache(maxsize=2)
def _plan(folder: str, digest: str, embedder: str | None, lm: str | None, ngram: str | None) -> Plan:
    """One plan a process, so that a worker loads its models once."""
    plan = load_plan(folder, embedder=embedder, lm=lm, ngram=ngram)
    if plan.manifest.digest != digest:
        raise ManifestError(
            f"{folder} was replaced while it was being applied; apply it again to a new folder"
        )
    return plan


def plan_of(job: Job) -> Plan:
    """The job's plan, loaded once in each process."""
    return _plan(str(job.manifest), job.digest, job.embedder, job.lm, job.ngram)


def fresh_plan(job: Job) -> Plan:
    """The job's plan read anew: the models may have changed since this process last loaded it."""
    _plan.cache_clear()
    return plan_of(job)


def _hash(job: Job, item: tuple[int, ...], progress: Progress) -> None:
    hash_shard(job, item[0], progress)


def _score(job: Job, item: tuple[int, ...], progress: Progress) -> None:
    score_shard(job, plan_of(job), item[0], progress)


def _write(job: Job, item: tuple[int, ...], progress: Progress) -> None:
    write_shard(job, plan_of(job), item[0], item[1], progress)


TASKS: dict[str, Callable[[Job, tuple[int, ...], Progress], None]] = {
    "hash": _hash,
    "score": _score,
    "write": _write,
}
"""The tasks by name; a name travels to a worker where a function might not."""


def run_task(task: str, job: Job, item: tuple[int, ...]) -> int:
    """Run one task in a worker; return the bytes of its shard."""
    TASKS[task](job, item, Silent())
    return job.shard(item[0]).n_bytes


def gpus() -> list[str]:
    """The GPUs of this machine by CUDA's numbers, or those that CUDA_VISIBLE_DEVICES leaves; torch isn't asked."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is not None:
        return [one.strip() for one in visible.split(",") if one.strip()]
    return [str(i) for i in range(len(list(Path("/dev").glob("nvidia[0-9]*"))))]


def take_gpu(number: int, all_gpus: Sequence[str]) -> None:
    """Leave this process the one GPU that is its own by its number; with fewer GPUs than workers some share one."""
    if all_gpus:
        os.environ["CUDA_VISIBLE_DEVICES"] = all_gpus[number % len(all_gpus)]


def _begin(parent: int, stop: Event, counter: Synchronized[int], all_gpus: Sequence[str]) -> None:
    """Make a process a worker, before it imports anything heavy."""
    with counter.get_lock():
        number = counter.value
        counter.value += 1
    take_gpu(number, all_gpus)
    _end_with_parent(parent, stop)


def _end_with_parent(parent: int, stop: Event) -> None:
    """Let a worker end soon after its parent stops or is killed, and not go on beside the run that follows."""

    def watch() -> None:
        while os.getppid() == parent and not stop.wait(_WATCH_SECONDS):
            pass
        os._exit(1)

    # An interrupt reaches every process of a terminal; the parent answers it, in one sentence.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=watch, daemon=True).start()


class LocalRunner:
    """Runs tasks in this process (one worker) or in `n_workers` processes, a shard each at a time.

    Where there are several GPUs, each process has one of its own. The processes stay from one `map` to the next, since
    to start one and to load its models takes seconds.
    """

    def __init__(self, n_workers: int = 1) -> None:
        self._n_workers = n_workers
        self._pool: ProcessPoolExecutor | None = None
        self._stop: Event | None = None

    def map(self, task: str, job: Job, items: Iterable[tuple[int, ...]], progress: Progress) -> None:
        """See `Runner`."""
        todo = list(items)
        if self._n_workers == 1 or len(todo) == 1:
            for item in todo:
                TASKS[task](job, item, progress)
            return
        pool = self._pool = self._pool or self._start()
        try:
            waiting: set[Future[int]] = {pool.submit(run_task, task, job, item) for item in todo}
            while waiting:
                done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                for future in done:
                    progress.advance(future.result())
        except BrokenProcessPool:
            self.close()
            raise WorkbenchError(
                "a worker process ended, most likely for want of memory; run again with fewer --workers: "
                "finished parts are kept"
            ) from None
        except BaseException:
            # Whole parts are on disk, so nothing is lost by not waiting for a shard's end.
            if self._stop is not None:
                self._stop.set()
            self.close()
            raise

    def close(self) -> None:
        """See `Runner`."""
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)
        self._pool = self._stop = None

    def _start(self) -> ProcessPoolExecutor:
        # spawn: a forked child of a process with torch's threads may hang
        context = multiprocessing.get_context("spawn")
        self._stop = context.Event()
        given = (os.getpid(), self._stop, context.Value("i", 0), gpus())
        return ProcessPoolExecutor(self._n_workers, context, _begin, given)
