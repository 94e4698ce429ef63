"""A training in a notebook."""

from __future__ import annotations

import asyncio
import json
import threading
from pathlib import Path
from typing import Any

import pytest

import widgets
from tests.engine.corpora import make_documents, write_shard
from tests.engine.test_train import OFTEN, PARAMS
from tests.widgets.sending import send
from widgets.loss_curve import LossCurve, curve_state
from workbench.corpus import read
from workbench.engine.train import train_lm
from workbench.errors import ModelError
from workbench.models.training.schedule import OnStep, StepRecord
from workbench.progress import Progress


def step(number: int, n: int = 10, heldout: float | None = None) -> StepRecord:
    return StepRecord(number, n, 5.0 - number / 10, heldout, 1e-3, 64 * number, 100.0)


def test_it_stands_beside_the_bench() -> None:
    assert widgets.LossCurve is LossCurve


def test_places_lie_in_the_plot_and_the_lower_loss_is_lower() -> None:
    state = curve_state({1: 5.0, 2: 4.0, 3: 3.0}, {3: 3.5}, 6)
    assert [x for x, _ in state["trained"]] == pytest.approx([1 / 6, 2 / 6, 3 / 6])
    heights = [y for _, y in state["trained"]]
    assert 1 >= heights[0] > heights[1] > heights[2] >= 0
    assert heights[2] < state["heldout"][0][1] < heights[1]
    assert state["last"] == {"step": 3, "loss": 3.0, "heldout": 3.5}
    json.dumps(state, allow_nan=False)
    assert curve_state({}, {}, 0)["last"] is None


def test_a_training_that_went_on_is_drawn_at_its_own_steps() -> None:
    state = curve_state({step: 4.0 - step / 100 for step in range(51, 101)}, {}, 100)
    assert state["trained"][0][0] == pytest.approx(0.51)
    assert state["trained"][-1][0] == 1


def test_many_steps_are_few_points() -> None:
    state = curve_state(dict.fromkeys(range(1, 50001), 4.0), {}, 50_000)
    assert len(json.dumps(state)) < 20_000


def test_it_trains_stops_and_goes_on(tmp_path: Path) -> None:
    """The real training, on this thread's own terms: stopped after some steps, it ends with the unbroken losses."""
    write_shard(tmp_path / "c" / "a.jsonl", make_documents(150))
    corpus = read(tmp_path / "c")
    began = threading.Event()

    def train(progress: Progress, on_step: OnStep) -> Any:
        def seen(record: StepRecord) -> None:
            on_step(record)
            if record.step == 4:
                began.set()
                stopped.wait(20)

        return train_lm(corpus, tmp_path / "lm", PARAMS, hardware=OFTEN, progress=progress, on_step=seen)

    curve, stopped = LossCurve(train), threading.Event()
    assert (curve.state["button"], curve.state["busy"], curve.state["last"]) == ("Train", False, None)
    send(curve, type="train")
    assert began.wait(60)
    assert curve.state["busy"]
    send(curve, type="stop")
    stopped.set()
    curve.wait(60)
    assert not curve.state["busy"]
    assert (curve.state["button"], curve.state["done"]) == ("Go on", False)
    assert curve.state["message"].startswith("Stopped; a checkpoint is kept")
    assert curve.state["last"]["step"] in (4, 5)
    assert curve.progress == {}
    send(curve, type="train")
    curve.wait(60)
    assert curve.state["done"]
    assert curve.state["message"] == "Finished."
    assert curve.state["last"]["step"] == 12
    whole = train_lm(corpus, tmp_path / "unbroken", PARAMS, hardware=OFTEN)
    assert list(curve._losses.values()) == whole["losses"]
    json.dumps(curve.state, allow_nan=False)


def test_steps_are_told_four_times_a_second_at_most() -> None:
    now = 0.0

    def train(progress: Progress, on_step: OnStep) -> Any:
        nonlocal now
        for number in range(1, 1001):
            now += 0.01
            on_step(step(number, 1000))
        return {"losses": [1.0], "heldout": [], "seconds": 10.0, "warnings": ["too little text"]}

    curve = LossCurve(train, clock=lambda: now)
    shown: list[Any] = []
    curve.observe(lambda change: shown.append(change.new), "state")
    curve.start()
    curve.wait(10)
    assert 30 < len(shown) < 50
    assert curve.state["message"] == "Finished. too little text"


def test_what_goes_wrong_is_one_sentence_and_it_may_go_on() -> None:
    def train(progress: Progress, on_step: OnStep) -> Any:
        on_step(step(1))
        raise ModelError("the loss is no number at step 2")

    curve = LossCurve(train)
    curve.start()
    curve.wait(10)
    assert (curve.state["kind"], curve.state["message"]) == ("error", "the loss is no number at step 2")
    assert (curve.state["button"], curve.state["busy"]) == ("Go on", False)
    send(curve, type="fly")
    assert "unknown message 'fly'" in curve.state["message"]


def test_in_a_kernel_states_are_sent_by_its_own_thread() -> None:
    threads: set[threading.Thread] = set()

    async def kernel() -> None:
        done = asyncio.Event()

        def train(progress: Progress, on_step: OnStep) -> Any:
            on_step(step(1, heldout=5.5))
            return {"losses": [4.9], "heldout": [[1, 5.5]], "seconds": 1.0, "warnings": []}

        curve = LossCurve(train)
        curve.observe(lambda change: threads.add(threading.current_thread()), "state")
        curve.observe(lambda change: done.set() if change.new["done"] else None, "state")
        curve.start()
        await asyncio.wait_for(done.wait(), 10)

    asyncio.run(kernel())
    assert threads == {threading.main_thread()}
