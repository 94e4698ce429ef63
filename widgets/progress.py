"""Progress in a notebook: how far, how long still, and a way to stop."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from workbench.errors import Cancelled

Show = Callable[[dict[str, Any] | None], None]

STOPPED = "stopped; what was finished is kept in the store, and the next run goes on from there"

_INTERVAL_S = 0.1
_WARM_UP_S = 1.0


def seconds_left(elapsed_s: float, done: int, total: int) -> float | None:
    """Seconds that the rest will take at the speed so far; None while too little is done to tell."""
    if done <= 0 or elapsed_s < _WARM_UP_S:
        return None
    return max(0.0, elapsed_s * (total - done) / done)


def duration(seconds: float) -> str:
    """A time as people say it, no more exact than an estimate is."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


class NotebookProgress:
    """A `workbench.progress.Progress` that tells a view, ten times a second at most, and can be stopped.

    Parameters
    ----------
    show
        Called with what to show, `{"what", "fraction", "note"}`, and with None when all is done. It is called from
        the thread that works, so it must hand on to the main one itself.
    n_parts
        How many pieces of work there will be.
    clock
        Seconds, for tests.
    stopped
        What is said when the work was stopped.
    """

    def __init__(
        self,
        show: Show,
        n_parts: int = 1,
        clock: Callable[[], float] = time.monotonic,
        *,
        stopped: str = STOPPED,
    ) -> None:
        self._show = show
        self._stopped = stopped
        self._clock = clock
        self._n_parts = max(1, n_parts)
        self._part = 0
        self._stop = threading.Event()
        self._work: list[tuple[str, int, int, float]] = []
        self._shown_at = float("-inf")

    def stop(self) -> None:
        """Let the next `advance` raise `Cancelled`; may be called from any thread."""
        self._stop.set()

    def start(self, what: str, total: int) -> None:
        """Begin a piece of work."""
        self._check()
        if not self._work:
            self._part += 1
        self._work.append((what, 0, max(1, total), self._clock()))
        self._tell(force=True)

    def advance(self, n: int) -> None:
        """Count `n` further units.

        Raises
        ------
        Cancelled
            If the person pressed Stop.
        """
        self._check()
        what, done, total, began = self._work[-1]
        self._work[-1] = (what, min(total, done + n), total, began)
        self._tell()

    def finish(self) -> None:
        """End the piece of work begun last."""
        self._work.pop()

    def _check(self) -> None:
        if self._stop.is_set():
            raise Cancelled(self._stopped)

    def _tell(self, force: bool = False) -> None:
        now = self._clock()
        if not force and now - self._shown_at < _INTERVAL_S:
            return
        self._shown_at = now
        what, done, total, began = self._work[0]
        left = seconds_left(now - began, done, total)
        part = f"{min(self._part, self._n_parts)} of {self._n_parts}" if self._n_parts > 1 else ""
        rest = "estimating …" if left is None else f"about {duration(left)} left"
        self._show({"what": what, "fraction": done / total, "note": ", ".join(s for s in (part, rest) if s)})
