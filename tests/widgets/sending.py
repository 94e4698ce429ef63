"""Speaking to a view as its page does."""

from __future__ import annotations

import threading
from typing import Any

from widgets.aside import Aside
from widgets.jobs import Jobs
from widgets.view import View

_WAIT_S = 60


def complain(sentence: str) -> None:
    assert sentence == "", sentence


def send(view: View, **content: object) -> None:
    view._receive(view, content, [])


def ask(view: View, aside: Aside, **content: object) -> None:
    """Send, and wait for the work that the view began aside."""
    send(view, **content)
    aside.wait(_WAIT_S)


class Held:
    """Jobs that stand still where they first tell of themselves, until they are let go."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.shown: list[Any] = []
        self.began, self.go = threading.Event(), threading.Event()
        self.jobs = Jobs(self._show, self.said.append, self.said.append)

    def _show(self, progress: Any) -> None:
        self.shown.append(progress)
        # What is told in the job's own thread.
        if progress is not None and threading.current_thread() is not threading.main_thread():
            self.began.set()
            self.go.wait(60)

    def until_it_works(self) -> None:
        assert self.began.wait(60)

    def let_go(self) -> None:
        self.go.set()
        self.jobs.wait(60)
