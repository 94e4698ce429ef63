"""How long work tells that it advances, and how it is stopped: one small protocol for terminal, notebook and
tests.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Protocol


class Progress(Protocol):
    """Something that shows progress. `advance` may raise `Cancelled` to stop the work at the next safe
    point.
    """

    def start(self, what: str, total: int) -> None:
        """Begin a piece of work named `what` of `total` units (characters, documents, steps)."""

    def advance(self, n: int) -> None:
        """Count `n` further units as done."""

    def finish(self) -> None:
        """End the piece of work begun last."""


@contextmanager
def shown(progress: Progress, what: str, total: int) -> Iterator[None]:
    """Begin a piece of work and end it, also when it fails: a bar left running keeps the cursor."""
    progress.start(what, total)
    try:
        yield
    finally:
        progress.finish()


class Silent:
    """Shows nothing."""

    def start(self, what: str, total: int) -> None: ...

    def advance(self, n: int) -> None: ...

    def finish(self) -> None: ...


_CURRENT: ContextVar[Progress | None] = ContextVar("progress", default=None)


def current() -> Progress:
    """The progress of the job that runs here, one that shows nothing where there is none.

    A selector's signature (columns, params, seed) has no room for a progress, so the long loops below it ask here.
    """
    return _CURRENT.get() or Silent()


@contextmanager
def as_current(progress: Progress) -> Iterator[None]:
    """Let what runs in this block, in this thread, find `progress` as `current`."""
    token = _CURRENT.set(progress)
    try:
        yield
    finally:
        _CURRENT.reset(token)


class Share:
    """Passes a model's own progress on to the bar above it, and completes what it left of its share."""

    def __init__(self, progress: Progress, total: int) -> None:
        self._progress = progress
        self._left = total

    def start(self, what: str, total: int) -> None: ...

    def advance(self, n: int) -> None:
        n = min(n, self._left)
        self._left -= n
        self._progress.advance(n)

    def finish(self) -> None: ...

    def complete(self) -> None:
        """Count what is left of the share as done."""
        self.advance(self._left)


class Terminal:
    """A bar with elapsed time and an estimate on standard error; nothing is drawn where that is no
    terminal.
    """

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            TaskProgressColumn,
            TextColumn,
            TimeElapsedColumn,
            TimeRemainingColumn,
        )
        from rich.progress import Progress as Bar

        self._bar = Bar(
            # markup=False: a name may come from a corpus, and is never markup.
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TaskProgressColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=Console(stderr=True),
        )
        self._tasks: list[Any] = []

    def start(self, what: str, total: int) -> None:
        if not self._tasks:
            self._bar.start()
        self._tasks.append(self._bar.add_task(what, total=max(total, 1)))

    def advance(self, n: int) -> None:
        self._bar.advance(self._tasks[-1], n)

    def finish(self) -> None:
        task = self._tasks.pop()
        # Work that was stopped or failed isn't done: its bar stays where it is.
        if sys.exc_info()[0] is None:
            self._bar.update(task, completed=self._bar.tasks[self._bar.task_ids.index(task)].total)
        if not self._tasks:
            self._bar.stop()
