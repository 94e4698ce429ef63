"""A progress that counts, and stops the work where it is told to."""

from __future__ import annotations

from workbench.errors import Cancelled
from workbench.progress import Silent


class Counting(Silent):
    """Counts in `n`; beyond `stop` it raises `Cancelled`."""

    def __init__(self, stop: int = 10**9) -> None:
        self.n, self.stop = 0, stop

    def advance(self, n: int) -> None:
        self.n += n
        if self.n > self.stop:
            raise Cancelled("stopped")
