"""Small checks on arguments, and the digests that everything else is keyed by."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from workbench.errors import InputError

FloatArray = npt.NDArray[np.floating[Any]]
IntArray = npt.NDArray[np.integer[Any]]
BoolArray = npt.NDArray[np.bool_]
Array = npt.NDArray[Any]

_CHUNK_BYTES = 1 << 20


def check_fraction(name: str, value: float) -> float:
    """Return `value` if it lies in 0..1.

    Raises
    ------
    InputError
        If it is NaN or outside 0..1.
    """
    if not 0.0 <= value <= 1.0:
        raise InputError(f"{name} must lie in 0..1, got {value:g}; give a fraction, not a percentage")
    return float(value)


def check_at_least(name: str, value: float, low: float) -> None:
    """Raise InputError unless `value` is a finite number of at least `low`."""
    if not math.isfinite(value) or value < low:
        raise InputError(f"{name} must be at least {low:g}, got {value:g}")


def check_range(low: float | None, high: float | None) -> None:
    """Raise InputError unless `low` lies at or below `high` (None is an open side) and neither is NaN."""
    for name, bound in (("low", low), ("high", high)):
        # Nothing is above or below NaN, so it would silently drop every document.
        if bound is not None and math.isnan(bound):
            raise InputError(f"{name} must be a number or open, got nan; leave it out for an open side")
    if low is not None and high is not None and low > high:
        raise InputError(f"low must be below high, got low={low:g}, high={high:g}; swap them")


def canonical_json(value: object) -> str:
    """`value` as JSON with sorted keys and no spaces: equal values give equal text, so it can be digested.

    NaN and infinity are refused (ValueError), since JSON has no form for them.
    """
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def json_digest(value: object) -> str:
    """SHA-256 (hex) of `canonical_json(value)`."""
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()


def file_digest(path: Path) -> str:
    """SHA-256 (hex) of a file's bytes, read in pieces of 1 MiB."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def hash_bytes(array: Array) -> bytes:
    """128-bit blake2b digest of an array's bytes."""
    return hashlib.blake2b(np.ascontiguousarray(array).tobytes(), digest_size=16).digest()


def text_digests(texts: Iterable[str]) -> npt.NDArray[np.uint64]:
    """128-bit blake2b digest of each text's UTF-8 bytes, as uint64 (n, 2)."""
    raw = b"".join(hashlib.blake2b(text.encode(), digest_size=16).digest() for text in texts)
    return np.frombuffer(raw, dtype="<u8").reshape(-1, 2).astype(np.uint64)


def keyed_uniform(seed: int, doc_ids: Sequence[str], purpose: str) -> npt.NDArray[np.float64]:
    """A uniform number in [0, 1) for each document, from a keyed hash of its id.

    The number depends on (`seed`, `purpose`, doc_id) alone, never on a row's place, shard or worker.
    `purpose` keeps two uses under one seed independent (say, drawing the sample and a random selector).
    """
    key = hashlib.blake2b(f"{purpose}:{seed}".encode(), digest_size=32).digest()
    raw = b"".join(hashlib.blake2b(i.encode(), key=key, digest_size=8).digest() for i in doc_ids)
    return (np.frombuffer(raw, dtype="<u8") >> np.uint64(11)).astype(np.float64) * 2.0**-53


def require_keys(where: str, given: Mapping[str, object], needed: Iterable[str]) -> None:
    """Raise InputError naming the first of `needed` that `given` lacks."""
    for name in needed:
        if name not in given:
            raise InputError(f"{where} needs {name!r}; there are {', '.join(sorted(given)) or 'none'}")


def strings(values: Iterable[str]) -> Array:
    """Texts as an object array (n,).

    Not numpy's StringDType, whose lexsort crashes (2.4.6), nor its fixed-width type, where one long id costs
    that width for every row.
    """
    listed = list(values)
    out = np.empty(len(listed), dtype=object)
    out[:] = listed
    return out
