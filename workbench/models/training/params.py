"""What is trained on what, and where: the params of a reference model's training."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from workbench.checks import check_at_least, check_fraction
from workbench.errors import InputError, ModelError
from workbench.models.runtime import device as best_device
from workbench.models.runtime import resolve_dtype
from workbench.models.training.schedule import Schedule
from workbench.models.training.shapes import SHAPES, Shape, check_vocabulary


@dataclass(frozen=True)
class TrainLMParams:
    """What is trained on what; with the corpus it decides the model. None takes the shape's or the corpus's own.

    Attributes
    ----------
    shape
        One of workbench.models.training.shapes.SHAPES.
    tokenizer
        A tokenizer.json, a folder with one, or a model's name; None trains a byte-level BPE on the split.
    n_vocabulary
        Tokens of that BPE, at least 257 (the bytes and the separator).
    context_tokens
        Of a row, and the window that the model scores with.
    n_tokens, n_steps
        How long, one of the two; None for both: once over the split.
    reference_fraction
        Share of the documents that the model is trained on, 0..1.
    batch_tokens, learning_rate
        Of a step; None: the shape's.
    schedule, warmup_fraction, weight_decay
        See workbench.models.training.schedule.FitParams.
    seed
        Of the split, the initial weights and the order of the rows.
    """

    shape: Shape = SHAPES["2M"]
    tokenizer: str | None = None
    n_vocabulary: int = 4096
    context_tokens: int = 512
    n_tokens: int | None = None
    n_steps: int | None = None
    reference_fraction: float = 0.5
    batch_tokens: int | None = None
    learning_rate: float | None = None
    schedule: Schedule = "cosine"
    warmup_fraction: float = 0.06
    weight_decay: float = 0.1
    seed: int = 0

    @property
    def batch_rows(self) -> int:
        """Rows of a step."""
        return max(1, (self.batch_tokens or self.shape.batch_tokens) // self.context_tokens)

    def check(self) -> None:
        """Raise InputError for a value out of range."""
        check_fraction("reference_fraction", self.reference_fraction)
        check_fraction("warmup_fraction", self.warmup_fraction)
        for name, low in (
            ("seed", 0),
            ("n_tokens", 1),
            ("n_steps", 1),
            ("batch_tokens", 1),
            ("context_tokens", 2),
        ):
            if (value := getattr(self, name)) is not None:
                check_at_least(name, value, low)
        check_at_least("weight_decay", self.weight_decay, 0)
        if self.learning_rate is not None and not 0 < self.learning_rate < math.inf:
            raise InputError(f"learning_rate must be above 0, got {self.learning_rate:g}")
        if self.n_tokens is not None and self.n_steps is not None:
            raise InputError("n_tokens and n_steps both say how long the training is; give one of them")
        if self.tokenizer is None:
            check_at_least("n_vocabulary", self.n_vocabulary, 257)
            check_vocabulary(self.shape, self.n_vocabulary)


@dataclass(frozen=True)
class Hardware:
    """Where and how a training runs.

    Attributes
    ----------
    dtype
        "float32", "bfloat16" (autocast) or "auto": bfloat16 on CUDA, float32 on a CPU.
    device
        "cpu", "cuda" or "auto".
    compiles
        Whether torch.compile is tried; None: on CUDA.
    checkpoint_every
        Steps between checkpoints.
    """

    dtype: str = "auto"
    device: str = "auto"
    compiles: bool | None = None
    checkpoint_every: int = 100

    def resolved(self) -> Hardware:
        """With the choices made for this machine.

        Raises
        ------
        InputError, ModelError
            If a value isn't allowed, or there is no such device.
        """
        check_at_least("checkpoint_every", self.checkpoint_every, 1)
        if self.device not in ("auto", "cpu", "cuda"):
            raise InputError(f"device must be auto, cpu or cuda, got {self.device!r}")
        if self.device == "cuda" and best_device() != "cuda":
            raise ModelError("there is no CUDA device here; leave the device out, or set it to cpu")
        device = best_device() if self.device == "auto" else self.device
        dtype = self.dtype
        if dtype == "auto":
            dtype = resolve_dtype(None) if device == "cuda" else "float32"
        compiles = device == "cuda" if self.compiles is None else self.compiles
        return Hardware(resolve_dtype(dtype), device, compiles, self.checkpoint_every)


def params_from(value: Mapping[str, Any]) -> TrainLMParams:
    """Params as `dataclasses.asdict` and JSON gave them."""
    return TrainLMParams(**{**value, "shape": Shape(**value["shape"])})
