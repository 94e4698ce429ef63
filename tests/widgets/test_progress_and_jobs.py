from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from widgets.jobs import Jobs
from widgets.progress import NotebookProgress, duration, seconds_left
from workbench.errors import Cancelled, InputError


def test_the_rest_is_estimated_from_the_speed_so_far() -> None:
    assert seconds_left(10, 25, 100) == 30
    assert seconds_left(10, 100, 100) == 0
    assert seconds_left(0.2, 25, 100) is None
    assert seconds_left(10, 0, 100) is None


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.4, "0 s"), (59, "59 s"), (61, "1 min 01 s"), (7325, "2 h 02 min")]
)
def test_durations_read_as_people_say_them(seconds: float, text: str) -> None:
    assert duration(seconds) == text


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_progress_tells_part_fraction_and_time_left() -> None:
    shown: list[Any] = []
    clock = Clock()
    progress = NotebookProgress(shown.append, n_parts=3, clock=clock)
    progress.start("perplexity", 200)
    clock.now = 4.0
    progress.advance(50)
    progress.finish()
    progress.start("language", 10)
    assert shown[0] == {"what": "perplexity", "fraction": 0, "note": "1 of 3, estimating …"}
    assert shown[1] == {"what": "perplexity", "fraction": 0.25, "note": "1 of 3, about 12 s left"}
    assert shown[2]["note"].startswith("2 of 3")


def test_progress_is_told_ten_times_a_second_at_most() -> None:
    shown: list[Any] = []
    clock = Clock()
    progress = NotebookProgress(shown.append, clock=clock)
    progress.start("many", 1000)
    for _ in range(1000):
        clock.now += 0.001
        progress.advance(1)
    assert len(shown) <= 12
    progress.advance(50)
    assert all(state["fraction"] <= 1 for state in shown)


def test_stop_raises_at_the_next_step() -> None:
    progress = NotebookProgress(lambda state: None)
    progress.start("long", 10)
    progress.advance(1)
    progress.stop()
    with pytest.raises(Cancelled, match="stopped; what was finished is kept"):
        progress.advance(1)
    with pytest.raises(Cancelled, match="stopped"):
        progress.start("next", 1)


def make_jobs() -> tuple[Jobs, list[Any], list[str]]:
    shown: list[Any] = []
    heard: list[str] = []
    return Jobs(shown.append, heard.append, lambda sentence: heard.append(f"said: {sentence}")), shown, heard


def test_a_job_gives_its_result_and_takes_its_bar_away() -> None:
    jobs, shown, heard = make_jobs()
    ended: list[Any] = []

    def work(progress: NotebookProgress) -> int:
        progress.start("work", 2)
        progress.advance(2)
        progress.finish()
        return 42

    jobs.start(work, ended.append, lambda: ended.append("ended"))
    jobs.wait()
    assert ended == [42, "ended"]
    assert heard == []
    assert shown[0]["what"] == "work"
    assert shown[-1] is None
    assert not jobs.is_busy


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (InputError("low must be below high"), "low must be below high"),
        (KeyError("x"), "this failed (KeyError: 'x')"),
    ],
)
def test_a_failed_job_says_one_sentence(error: Exception, sentence: str) -> None:
    jobs, _, heard = make_jobs()
    ended: list[str] = []

    def work(progress: NotebookProgress) -> None:
        raise error

    jobs.start(work, lambda result: ended.append("done"), lambda: ended.append("ended"))
    jobs.wait()
    assert heard == [sentence]
    assert ended == ["ended"]


def test_one_job_at_a_time_and_it_can_be_stopped() -> None:
    jobs, _, heard = make_jobs()
    began = threading.Event()

    def work(progress: NotebookProgress) -> None:
        progress.start("long", 10**9)
        while True:
            progress.advance(1)
            began.set()

    jobs.start(work, lambda result: None, lambda: None)
    began.wait(10)
    with pytest.raises(InputError, match="something is being computed already"):
        jobs.start(work, lambda result: None, lambda: None)
    jobs.stop()
    jobs.wait(10)
    assert not jobs.is_busy
    assert heard[0].startswith("said: stopped; what was finished is kept")


def test_in_a_kernel_results_come_back_on_its_own_thread() -> None:
    jobs, _, _ = make_jobs()
    threads: list[threading.Thread] = []

    async def kernel() -> None:
        done = asyncio.Event()
        jobs.start(lambda progress: threading.current_thread(), threads.append, done.set)
        await asyncio.wait_for(done.wait(), 10)
        threads.append(threading.current_thread())

    asyncio.run(kernel())
    assert threads[0] is not threads[1]
    assert threads[1] is threading.main_thread()


def test_work_in_a_cell_raises_what_it_raised() -> None:
    jobs, shown, _ = make_jobs()

    def work(progress: NotebookProgress) -> None:
        raise InputError("no such file")

    with pytest.raises(InputError, match="no such file"):
        jobs.run(work)
    assert shown == [None]
    assert jobs.run(lambda progress: 7) == 7
