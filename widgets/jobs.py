"""Long work in a thread, so that the kernel keeps answering; its results come back on the kernel's own thread."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

from widgets.progress import STOPPED, NotebookProgress
from workbench.errors import Cancelled, InputError, WorkbenchError
from workbench.progress import as_current

Post = Callable[[Callable[[], None]], None]


def poster() -> Post:
    """How a thread hands a call to the thread that asks now: by its event loop, or at once where there is none."""
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        return lambda call: call()
    return lambda call: _post(loop, call)


def _post(loop: asyncio.AbstractEventLoop, call: Callable[[], None]) -> None:
    if not loop.is_closed():
        loop.call_soon_threadsafe(call)


class Jobs:
    """Runs one job at a time.

    Parameters
    ----------
    show
        Called with what a job's progress shows, None when there is none.
    report
        Called with the sentence of what went wrong.
    say
        Called with a sentence that is no complaint: that the person stopped the job.
    """

    def __init__(
        self,
        show: Callable[[dict[str, Any] | None], None],
        report: Callable[[str], None],
        say: Callable[[str], None],
    ) -> None:
        self._show = show
        self._report = report
        self._say = say
        self._progress: NotebookProgress | None = None
        self._thread: threading.Thread | None = None

    @property
    def is_busy(self) -> bool:
        """Whether a job is running."""
        return self._progress is not None

    def stop(self) -> None:
        """Ask the running job to stop."""
        if self._progress is not None:
            self._progress.stop()

    def wait(self, timeout: float | None = None) -> None:
        """Wait for the running job's thread (for tests; in a kernel its result comes once the cell has ended)."""
        if self._thread is not None:
            self._thread.join(timeout)

    def start(
        self,
        work: Callable[[NotebookProgress], Any],
        done: Callable[[Any], None],
        ended: Callable[[], None],
        n_parts: int = 1,
        *,
        what: str = "",
        began: Callable[[], None] = lambda: None,
        stopped: str = STOPPED,
    ) -> None:
        """Run `work` in a thread, then `done` with its result if it had one, and `ended` in any case.

        `what` is shown until the work tells of itself. `began` is called before the thread starts, since the work may
        have ended when `start` comes back. `stopped` is what is said if the person stops it.

        Raises
        ------
        InputError
            If a job is running.
        """
        post = poster()
        progress = self._begin(n_parts, post, stopped)
        if what:
            self._show({"what": what, "fraction": 0.0, "note": "estimating …"})
        began()

        def run() -> None:
            result, fault, tell = None, "", self._report
            try:
                with as_current(progress):
                    result = work(progress)
            except Cancelled as error:
                fault, tell = str(error), self._say
            except WorkbenchError as error:
                fault = str(error)
            except Exception as error:
                fault = f"this failed ({type(error).__name__}: {str(error)[:300]})"
            post(lambda: self._end(result, fault, tell, done, ended))

        self._thread = threading.Thread(target=run, name="bench-job", daemon=True)
        self._thread.start()

    def run(self, work: Callable[[NotebookProgress], Any], n_parts: int = 1) -> Any:
        """Run `work` here and now, with the same progress; what it raises is raised."""
        progress = self._begin(n_parts, lambda call: call())
        try:
            with as_current(progress):
                return work(progress)
        finally:
            self._progress = None
            self._show(None)

    def _begin(self, n_parts: int, post: Post, stopped: str = STOPPED) -> NotebookProgress:
        if self.is_busy:
            raise InputError("something is being computed already; wait until it has ended, or stop it")
        self._progress = NotebookProgress(
            lambda state: post(lambda: self._show_if_busy(state)), n_parts, stopped=stopped
        )
        return self._progress

    def _show_if_busy(self, state: dict[str, Any] | None) -> None:
        # A late call of a job that has ended must not bring its bar back.
        if self.is_busy:
            self._show(state)

    def _end(
        self,
        result: Any,
        fault: str,
        tell: Callable[[str], None],
        done: Callable[[Any], None],
        ended: Callable[[], None],
    ) -> None:
        self._progress = None
        self._show(None)
        try:
            if fault:
                tell(fault)
            else:
                done(result)
        except WorkbenchError as error:
            self._report(str(error))
        finally:
            ended()
