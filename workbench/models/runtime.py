"""Device, number format and noise: what every model that runs on torch has in common."""

from __future__ import annotations

import contextlib
import json
import logging
import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from workbench.errors import ModelError

DTYPES = ("float32", "bfloat16")
_NO = ("", "off", "false", "f", "no", "n", "0")  # as the tokenizers library reads its variable


def device() -> str:
    """Where models run: "cuda" if there is one, else "cpu"."""
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


@cache
def device_name() -> str:
    """What models run on, for people: the GPU's name, or a CPU's threads."""
    import torch

    if device() == "cuda":
        return f"cuda {torch.cuda.get_device_name()}"
    return _cpu_name(torch.get_num_threads())


def tokenizer_device_name() -> str:
    """What tokenizers run on: the CPU's threads as they are told of them; torch, slow to import, isn't needed."""
    is_serial = os.environ.get("TOKENIZERS_PARALLELISM", "true").lower() in _NO
    told = os.environ.get("RAYON_NUM_THREADS", "")
    n = int(told) if told.isdecimal() and int(told) else os.cpu_count() or 1
    return _cpu_name(1 if is_serial else n)


def _cpu_name(n: int) -> str:
    return f"cpu, {n} thread{'s' if n > 1 else ''}"


def device_errors() -> tuple[type[Exception], ...]:
    """What torch raises when a device runs out of memory or fails."""
    import torch

    return (torch.OutOfMemoryError, getattr(torch, "AcceleratorError", torch.OutOfMemoryError))


def batch_tokens(config: Any, dtype: Any, where: str) -> int:
    """Tokens of one batch of a causal model: on a GPU as many as half of its free memory holds.

    A power of two, so that the same machine comes to the same number although the free memory varies a little.
    On a CPU larger batches are no faster, and a call with few texts pays for a batch of each length that it has.
    """
    import torch

    if where == "cpu":
        return 1024
    free, _ = torch.cuda.mem_get_info()
    width = int(getattr(config, "hidden_size", 1024))
    inner = int(getattr(config, "intermediate_size", None) or 4 * width)
    # What lives at once in a layer: the stream, its norm, queries, keys, values, attention's output; and the MLP's two.
    n_bytes = (6 * width + 3 * inner) * dtype.itemsize
    tokens = min(max(free // 2 // n_bytes, 4096), 1 << 17)
    return 1 << (int(tokens).bit_length() - 1)


def resolve_dtype(dtype: str | None, on_cpu: str = "float32") -> str:
    """The number format that a model runs in: as asked for, else bfloat16 on CUDA and `on_cpu` on a CPU.

    Raises
    ------
    ModelError
        If it is neither of the two.
    """
    if dtype is None:
        return "bfloat16" if device() == "cuda" else on_cpu
    if dtype not in DTYPES:
        raise ModelError(f"dtype must be float32 or bfloat16, got {dtype!r}")
    return dtype


def fast_cpu_dtype() -> str:
    """bfloat16 where the CPU is faster in it, else float32.

    Faster were AMD's cores with AVX512-BF16 (MiniLM 2.2 times on an EPYC), and AMX is made for it. An Intel Xeon with
    AVX512-BF16 and no AMX has it too and was slower: 6.6k tokens/s against 11.9k in float32 (torch 2.13, 2 threads).
    """
    flags = _cpu_flags()
    amd = "AuthenticAMD" in flags and "avx512_bf16" in flags
    return "bfloat16" if amd or "amx_bf16" in flags else "float32"


@cache
def _cpu_flags() -> frozenset[str]:
    """The words of /proc/cpuinfo; none where there isn't one."""
    try:
        return frozenset(Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").split())
    except OSError:
        return frozenset()


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


def read_settings(path: Path) -> dict[str, Any]:
    """The object in a model's JSON file.

    Raises
    ------
    ModelError
        If it isn't JSON, or no object.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(f"{path} can't be read ({reason(error)}); get the model again") from error
    if not isinstance(found, dict):
        raise ModelError(f"{path} holds no settings (a JSON object); get the model again")
    return found


def torch_dtype(name: str) -> Any:
    """Torch's own object for "float32" or "bfloat16"."""
    import torch

    return {"float32": torch.float32, "bfloat16": torch.bfloat16}[name]
