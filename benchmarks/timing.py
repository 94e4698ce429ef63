"""How long a call takes, by the clock and by the processor."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Times:
    """Median and 95th percentile by the clock, median and minimum of the processor time, in ms.

    On a machine that others use only the processor's times say something, and the minimum the most.
    """

    median: float
    high: float
    processor: float
    least: float

    def row(self, what: str, note: str = "") -> None:
        """Print a row."""
        clock = f"{self.median:9.3f} ms median {self.high:9.3f} ms p95"
        print(
            f"{what:60s} {clock} {self.processor:9.3f} ms CPU {self.least:9.3f} ms least  {note}", flush=True
        )


def timed(work: Callable[[int], object], repeats: int) -> Times:
    """Call `work` with 0, 1, ...."""
    clock, processor = [], []
    for i in range(repeats):
        start, start_processor = time.perf_counter(), time.process_time()
        work(i)
        processor.append(1000 * (time.process_time() - start_processor))
        clock.append(1000 * (time.perf_counter() - start))
    return times_of(clock, processor)


def times_of(clock: list[float], processor: list[float]) -> Times:
    """The times of calls that were taken, in ms."""
    high = float(np.quantile(clock, 0.95))
    return Times(statistics.median(clock), high, statistics.median(processor), min(processor))
