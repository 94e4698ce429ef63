"""Running tasks on a Ray cluster: the same tasks, each a shard, on workers that see the same files."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from workbench.engine.local import run_task
from workbench.engine.work import Job
from workbench.errors import InputError, WorkbenchError
from workbench.progress import Progress

_MAX_RETRIES = 3
"""How often a task is begun again whose worker or node was lost; what it finished it doesn't do twice."""


class RayRunner:
    """Runs tasks on the Ray cluster that `RAY_ADDRESS` names, or on one of this machine's own.

    Parameters
    ----------
    n_workers
        Tasks at a time; each is given one CPU.

    Raises
    ------
    InputError
        If Ray isn't installed.
    WorkbenchError
        If it can't be started.
    """

    def __init__(self, n_workers: int) -> None:
        try:
            import ray
        except ImportError:
            raise InputError(
                "engine ray needs Ray; install selection-workbench[ray], or use --engine local"
            ) from None
        self._ray = ray
        self._n_workers = n_workers
        if not ray.is_initialized():
            _start(ray, n_workers)
        self._run = ray.remote(max_retries=_MAX_RETRIES)(run_task)

    def map(self, task: str, job: Job, items: Iterable[tuple[int, ...]], progress: Progress) -> None:
        """See `workbench.engine.local.Runner`."""
        ray = self._ray
        todo = list(items)
        running: list[object] = []
        while todo or running:
            while todo and len(running) < self._n_workers:
                running.append(self._run.remote(task, job, todo.pop(0)))
            done, running = ray.wait(running, num_returns=1)
            for reference in done:
                try:
                    progress.advance(ray.get(reference))
                except ray.exceptions.RayTaskError as error:
                    if isinstance(error.cause, WorkbenchError):
                        raise error.cause from None
                    raise
                except ray.exceptions.RayError as error:
                    raise WorkbenchError(
                        f"Ray ended a task ({type(error).__name__}), most likely for want of memory; "
                        "run again with fewer --workers: finished parts are kept"
                    ) from error

    def close(self) -> None:
        """See `workbench.engine.local.Runner`. Nothing is to do: the workers are the cluster's."""


def _start(ray: Any, n_workers: int) -> None:
    """Join the cluster, or start Ray here; a second time if it wasn't up in the 30 s that Ray grants itself."""
    for attempt in (1, 2):
        try:
            ray.init(
                num_cpus=None if _has_cluster() else n_workers, include_dashboard=False, log_to_driver=False
            )
            return
        except Exception as error:
            ray.shutdown()
            if attempt == 2:
                raise WorkbenchError(
                    f"Ray can't be started ({type(error).__name__}: {str(error).strip().splitlines()[0]}); "
                    "look at the cluster, or use --engine local"
                ) from error


def _has_cluster() -> bool:
    import os

    return bool(os.environ.get("RAY_ADDRESS"))
