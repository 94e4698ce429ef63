"""A training in a notebook: its loss as it falls, how long still, Stop and Go on."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import traitlets

from widgets.jobs import Jobs, Post, poster
from widgets.view import View, script, style
from workbench.models.training.schedule import OnStep, StepRecord
from workbench.plots.axis import fit_axis, ticks
from workbench.plots.loss import loss_curve
from workbench.progress import Progress

Train = Callable[[Progress, OnStep], Mapping[str, Any]]

_INTERVAL_S = 0.25
_N_POINTS = 200


class LossCurve(View):
    """Runs a training in a thread and shows it.

    Parameters
    ----------
    train
        Called with a progress and a function to call after each step; returns what is in training.json. Called again
        it must go on where it was stopped, as `train_lm` does.
    clock
        Seconds, for tests.

    Examples
    --------
    In a notebook::

        import workbench as wb
        from widgets import LossCurve

        corpus = wb.read("corpus")
        LossCurve(lambda progress, on_step: wb.train_lm(corpus, "lm", progress=progress, on_step=on_step))
    """

    _esm = script("loss_curve")
    _css = style("common") + style("loss_curve")
    progress = traitlets.Dict().tag(sync=True)

    def __init__(self, train: Train, clock: Callable[[], float] = time.monotonic) -> None:
        self._train, self._clock = train, clock
        self._losses: dict[int, float] = {}
        self._heldout: dict[int, float] = {}
        self._n_steps = 0
        self._note = self._message = ""
        self._kind = "info"
        self._is_done = False
        self._shown_at = float("-inf")
        self._post: Post = lambda call: call()
        self._jobs = Jobs(self._show_progress, self._complain, self._say_stopped)
        super().__init__({"train": lambda _: self.start(), "stop": lambda _: self.stop()}, self._complain)
        self.refresh()

    def start(self) -> None:
        """Train, or go on; the cell ends at once.

        Raises
        ------
        InputError
            If it is training already.
        """
        # Here, since this is the thread that speaks to the page.
        self._post = poster()
        self._message = ""
        self._jobs.start(lambda progress: self._train(progress, self._on_step), self._end, self.refresh)
        self.refresh()

    def stop(self) -> None:
        """Stop after the step under way; a checkpoint is kept."""
        self._jobs.stop()

    def wait(self, timeout: float | None = None) -> None:
        """Wait for the thread that trains (for tests, and for scripts)."""
        self._jobs.wait(timeout)

    def _on_step(self, record: StepRecord) -> None:
        """In the thread that trains."""
        self._losses[record.step], self._n_steps = record.loss, record.n_steps
        if record.heldout is not None:
            self._heldout[record.step] = record.heldout
        self._note = f"step {record.step:,} of {record.n_steps:,}, {record.tokens_per_second:,.0f} tokens/s"
        now = self._clock()
        if now - self._shown_at >= _INTERVAL_S:
            self._shown_at = now
            self._post(self.refresh)

    def _end(self, training: Mapping[str, Any]) -> None:
        self._losses = dict(enumerate(training["losses"], 1))
        self._heldout = {int(step): float(loss) for step, loss in training["heldout"]}
        self._n_steps, self._is_done = len(self._losses), True
        self._note = f"{self._n_steps:,} steps, {training['seconds']:,.0f} s"
        self._message, self._kind = " ".join(["Finished.", *training["warnings"]]), "info"

    def _say_stopped(self, sentence: str) -> None:
        self._message, self._kind = "Stopped; a checkpoint is kept, and Go on continues from it.", "info"

    def _complain(self, sentence: str) -> None:
        self._message, self._kind = sentence, "error"
        self.refresh()

    def _show_progress(self, progress: dict[str, Any] | None) -> None:
        self.progress = progress or {}

    def refresh(self) -> None:
        """Show the training as it is."""
        # A copy at once: the other thread may add a step meanwhile.
        losses, heldout = dict(self._losses), dict(self._heldout)
        self.show(
            {
                **curve_state(losses, heldout, self._n_steps),
                "note": self._note,
                "message": self._message,
                "kind": self._kind,
                "busy": self._jobs.is_busy,
                "button": "Go on" if losses else "Train",
                "done": self._is_done,
            }
        )


def curve_state(losses: Mapping[int, float], heldout: Mapping[int, float], n_steps: int) -> dict[str, Any]:
    """The curves as places between 0 and 1, left to right and bottom to top, with the ticks of both axes.

    After going on in another kernel the first step isn't 1: what was before is drawn when the training has ended.
    """
    steps = sorted(losses)
    first = steps[0] - 1 if steps else 0
    curve = loss_curve([losses[step] for step in steps], sorted(heldout.items()), _N_POINTS)
    points = [(first + point.step, point.mean) for point in curve.points]
    axis = fit_axis(np.array([loss for _, loss in (*points, *curve.heldout)]))
    if axis is None:
        return {"trained": [], "heldout": [], "ticks": [], "last": None}
    return {
        "trained": [[step / n_steps, axis.position(loss)] for step, loss in points],
        "heldout": [[step / n_steps, axis.position(loss)] for step, loss in curve.heldout],
        "ticks": [list(tick) for tick in ticks(axis)],
        "steps": n_steps,
        "last": {
            "step": steps[-1],
            "loss": losses[steps[-1]],
            "heldout": curve.heldout[-1][1] if curve.heldout else None,
        },
    }
