"""What a training is told, and what it tells of each step."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

Schedule = Literal["cosine", "wsd"]
_FLOOR = 0.1
_DECAY_FRACTION = 0.2


@dataclass(frozen=True)
class FitParams:
    """How a model is trained.

    Attributes
    ----------
    learning_rate, warmup_fraction, schedule
        The rate rises over `warmup_fraction` of the steps. "cosine" then falls to a tenth of it; "wsd" stays and falls
        in a line to a tenth over the last fifth (warmup, stable, decay).
    weight_decay
        Of matrices.
    micro_rows
        Rows of one forward pass; a divisor of a batch's rows. None: all of them.
    dtype
        "float32", or "bfloat16" for autocast over float32 weights.
    evaluate_every, checkpoint_every
        In steps, None for never; both also at the end.
    """

    n_steps: int
    learning_rate: float
    warmup_fraction: float = 0.06
    weight_decay: float = 0.1
    schedule: Schedule = "cosine"
    micro_rows: int | None = None
    dtype: str = "float32"
    device: str = "cpu"
    is_compiled: bool = False
    evaluate_every: int | None = None
    checkpoint_every: int | None = None


@dataclass(frozen=True)
class StepRecord:
    """What one step did.

    Attributes
    ----------
    step, n_steps
        Steps done, and those to do in all.
    loss, heldout
        Nats a token: of the step's batch before its update, and after it of the held-out text (None where that
        wasn't looked at).
    n_tokens
        Targets seen so far, from the first step on.
    tokens_per_second
        Of this run.
    """

    step: int
    n_steps: int
    loss: float
    heldout: float | None
    learning_rate: float
    n_tokens: int
    tokens_per_second: float


OnStep = Callable[[StepRecord], None]
"""Called after each step, in the thread that trains; it may raise `Cancelled`, as a `Progress` may."""


@dataclass
class Curve:
    """The losses of a training, in nats a token.

    Attributes
    ----------
    losses
        One a step.
    heldout
        (steps done, loss) wherever it was looked at.
    seconds
        Spent in steps and evaluations, over all runs.
    """

    losses: list[float] = field(default_factory=list)
    heldout: list[tuple[int, float]] = field(default_factory=list)
    seconds: float = 0.0


def learning_rate(step: int, params: FitParams) -> float:
    """The rate of a step, counted from 0."""
    warmup = max(1, round(params.warmup_fraction * params.n_steps))
    if step < warmup:
        return params.learning_rate * (step + 1) / warmup
    if params.schedule == "wsd":
        left = (params.n_steps - step) / max(1, round(_DECAY_FRACTION * params.n_steps))
        return params.learning_rate * (_FLOOR + (1 - _FLOOR) * min(1.0, left))
    done = (step - warmup) / max(1, params.n_steps - warmup)
    return params.learning_rate * (_FLOOR + (1 - _FLOOR) * 0.5 * (1 + math.cos(math.pi * done)))
