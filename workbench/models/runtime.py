"""Device, number format and noise: what every model that runs on torch has in common."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator
from typing import Any

from workbench.errors import ModelError

DTYPES = ("float32", "bfloat16")


def device() -> str:
    """Where models run: "cuda" if there is one, else "cpu"."""
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


def resolve_dtype(dtype: str | None) -> str:
    """The number format that a model runs in: as asked for, else bfloat16 on CUDA and float32 on a CPU.

    Also on a CPU with avx512_bf16: an Intel Xeon without AMX was measured at 6.6k tokens/s in bfloat16 and
    11.9k in float32 (MiniLM, torch 2.13, 2 threads). And the default's definition is then the same on every
    CPU.

    Raises
    ------
    ModelError
        If it is neither of the two.
    """
    if dtype is None:
        return "bfloat16" if device() == "cuda" else "float32"
    if dtype not in DTYPES:
        raise ModelError(f"dtype must be float32 or bfloat16, got {dtype!r}")
    return dtype


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """No bars and no notes from the libraries while a model loads: standard output and error are the
    program's.
    """
    from transformers.utils import logging as untyped

    hf_logging: Any = untyped

    bars, level = hf_logging.is_progress_bar_enabled(), hf_logging.get_verbosity()
    others = [logging.getLogger(name) for name in ("sentence_transformers", "accelerate")]
    levels = [logger.level for logger in others]
    hf_logging.disable_progress_bar()
    hf_logging.set_verbosity_error()
    for logger in others:
        logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        hf_logging.set_verbosity(level)
        if bars:
            hf_logging.enable_progress_bar()
        for logger, old in zip(others, levels, strict=True):
            logger.setLevel(old)


def reason(error: BaseException) -> str:
    """What a library's exception says, for use within a sentence: its class and its first line."""
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0].strip()}" if lines else type(error).__name__


def torch_dtype(name: str) -> Any:
    """Torch's own object for "float32" or "bfloat16"."""
    import torch

    return {"float32": torch.float32, "bfloat16": torch.bfloat16}[name]
