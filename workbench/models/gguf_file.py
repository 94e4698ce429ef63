"""GGUF files, read once."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import Any


@contextlib.contextmanager
def read_once(file: str | None) -> Iterator[None]:
    """Inside, a GGUF file is parsed once, however often transformers asks for it; `file` None: there is none.

    It asks for the settings, the tokenizer and the weights apart, and for the names of all tensors once a tensor. The
    parser is in Python: SmolLM2's 49,152 tokens and as many merges take seconds each time.
    """
    if file is None:
        yield
        return
    gguf: Any = import_module("gguf")
    before = gguf.GGUFReader, gguf.get_tensor_name_map
    gguf.GGUFReader, gguf.get_tensor_name_map = _reader, _tensor_names
    try:
        yield
    finally:
        gguf.GGUFReader, gguf.get_tensor_name_map = before


def _reader(path: Any) -> Any:
    stat = Path(path).stat()
    return _parsed(str(path), stat.st_size, stat.st_mtime_ns)


# Size and time are part of the key: another file at the same path is read anew.
@lru_cache(maxsize=1)
def _parsed(path: str, n_bytes: int, time_ns: int) -> Any:
    from gguf.gguf_reader import GGUFReader

    return GGUFReader(path)


@lru_cache(maxsize=2)
def _tensor_names(arch: Any, n_blocks: int) -> Any:
    from gguf.tensor_mapping import get_tensor_name_map

    return get_tensor_name_map(arch, n_blocks)
