"""Long work of a view: in a thread, on the state as it stood, so that the kernel and all other tabs go on."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from widgets.jobs import Jobs
from widgets.state import BenchState
from widgets.view import Report

T = TypeVar("T")

_STOPPED = "stopped; nothing was changed"


def snapshot(bench: BenchState) -> BenchState:
    """A state of its own with the same sample, recipe and selection, to which nobody listens, for a thread."""
    now = BenchState(bench.recipe)
    now.table, now.outcome, now.problem = bench.table, bench.outcome, bench.problem
    now.selection = bench.selection
    now.thresholds.as_quantile |= bench.thresholds.as_quantile
    # The memo isn't safe to share between threads.
    now.memo = bench.memo.copy()
    return now


def is_still(bench: BenchState, then: BenchState) -> bool:
    """Whether a state has the sample and the recipe that it had at a snapshot."""
    return bench.table is then.table and bench.recipe == then.recipe


class Aside:
    """A view's long work, by the bench's one job at a time, with its progress and its stop.

    Parameters
    ----------
    bench
        The shared state.
    jobs
        The bench's; None for one of its own.
    refresh
        Shows the view again, when the work has begun and when it has ended.

    Attributes
    ----------
    is_busy
        Whether this view's work is under way.
    """

    def __init__(
        self, bench: BenchState, report: Report, jobs: Jobs | None, refresh: Callable[[], None]
    ) -> None:
        self.is_busy = False
        self._bench = bench
        self._jobs = jobs or Jobs(lambda progress: None, report, report)
        self._refresh = refresh

    @property
    def may_start(self) -> bool:
        """Whether no job is running, of any view."""
        return not self._jobs.is_busy

    def start(
        self,
        work: Callable[[BenchState], T],
        done: Callable[[T, BenchState], None],
        failed: Callable[[BenchState], None] = lambda then: None,
        *,
        what: str,
    ) -> None:
        """Run `work` on a snapshot, then `done` with what it found and that snapshot; `what` names it to the person.

        What recipes were fitted to on the way is known to the state from then on. `failed` is called if the person
        stopped the work or it raised; the sentence is told by then.

        Raises
        ------
        InputError
            If something else is being computed.
        """
        then, is_done = snapshot(self._bench), False

        def finish(found: T) -> None:
            nonlocal is_done
            is_done = True
            if self._bench.table is then.table:
                self._bench.fits.adopt(then.fits)
            done(found, then)

        def ended() -> None:
            self.is_busy = False
            if not is_done:
                failed(then)
            self._refresh()

        self._jobs.start(
            lambda progress: work(then), finish, ended, what=what, began=self._begin, stopped=_STOPPED
        )

    def wait(self, timeout: float | None = None) -> None:
        """Wait for the running work (for tests)."""
        self._jobs.wait(timeout)

    def _begin(self) -> None:
        self.is_busy = True
        self._refresh()
