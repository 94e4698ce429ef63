from __future__ import annotations

import pytest

from workbench.errors import Cancelled
from workbench.progress import Terminal, shown


def fractions(bar: Terminal) -> list[float]:
    return [task.percentage / 100 for task in bar._bar.tasks]


def test_a_bar_that_ended_is_full_also_where_less_was_to_do() -> None:
    bar = Terminal()
    with shown(bar, "outer", 10):
        bar.advance(4)
        with shown(bar, "inner", 2):
            bar.advance(2)
    assert fractions(bar) == [1.0, 1.0]


def test_a_bar_that_was_stopped_stays_where_it_is() -> None:
    bar = Terminal()

    def work() -> None:
        with shown(bar, "outer", 10):
            bar.advance(4)
            with shown(bar, "inner", 4):
                bar.advance(1)
                raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        work()
    assert fractions(bar) == [0.4, 0.25]
    assert not bar._bar.live.is_started
