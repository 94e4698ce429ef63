"""Writing so that nothing is lost: aside first, to disk, then renamed."""

from __future__ import annotations

import errno
import json
import math
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np

from workbench.checks import Array
from workbench.errors import InputError, StoreError, WorkbenchWarning

PARTIAL = ".partial"
# What flock says where there are no locks.
_NO_LOCKS = (errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL)
_NO_PLACE = (errno.ENOTDIR, errno.EEXIST, errno.EACCES, errno.EPERM, errno.EROFS, errno.EISDIR)


@contextmanager
def written_aside(path: Path) -> Iterator[Path]:
    """Give a path beside `path` to write to; on leaving it is flushed to disk and renamed to `path`.

    If the block raises, what was written aside is removed and `path` stays as it was.

    Raises
    ------
    StoreError
        If the disk is full or can't be written.
    """
    aside = path.with_name(path.name + PARTIAL)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield aside
        with aside.open("rb") as file:
            os.fsync(file.fileno())
        aside.replace(path)
    except OSError as error:
        _remove(aside)
        # A place that can't be written to is mended by another name, a full disk by space.
        remedy = (
            "choose a folder that can be written to"
            if error.errno in _NO_PLACE
            else "free space or choose another folder, then run again: finished parts are kept"
        )
        raise StoreError(
            f"{path.name} can't be written in {path.parent}: {error.strerror or error}; {remedy}"
        ) from error
    except BaseException:
        _remove(aside)
        raise


def _remove(path: Path) -> None:
    """Remove a file; where even that fails, the error that led here is the one to be told."""
    with suppress(OSError):
        path.unlink(missing_ok=True)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a lock file as long as the block runs; the system lets go of it however the process ends.

    Where there are no locks the block runs with a warning.

    Raises
    ------
    InputError
        If another process holds it.
    StoreError
        If the lock fails otherwise.
    """
    with path.open("ab") as file:
        try:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InputError(
                f"another process is at work in {path.parent.parent}; wait for its end, or give a new folder"
            ) from None
        except (OSError, ImportError) as error:
            # A system, or a network's file system, without locks; any other failure isn't one to go on from.
            if isinstance(error, OSError) and error.errno not in _NO_LOCKS:
                raise StoreError(
                    f"{path} can't be locked ({error.strerror or error}); choose a folder that can be written to"
                ) from error
            warnings.warn(
                f"{path.parent.parent} has no file locks, so a second process there wouldn't be noticed; "
                "run one at a time",
                WorkbenchWarning,
                stacklevel=3,
            )
        yield


def write_json(path: Path, value: object) -> None:
    """Write `value` as indented JSON with sorted keys, aside and renamed."""
    with written_aside(path) as aside:
        aside.write_bytes(json_bytes(value))


def write_array(path: Path, array: Array) -> None:
    """Write a .npy file, aside and renamed.

    By way of bytes: `np.save` into a file on a full disk ends without an error and leaves half of the array.
    """
    with written_aside(path) as aside, aside.open("wb") as file:
        buffer = BytesIO()
        np.save(buffer, np.ascontiguousarray(array), allow_pickle=False)
        file.write(buffer.getbuffer())


def parse_json(text: str | bytes) -> Any:
    """The value of a JSON text, more strictly than `json.loads`.

    Raises
    ------
    ValueError
        If it isn't JSON, is nested too deep, has a name twice in one object, or holds NaN, infinity or a number
        that no float can hold.
    """
    try:
        return json.loads(text, parse_constant=_finite, parse_float=_finite, object_pairs_hook=_unique)
    except RecursionError:
        raise ValueError("it is nested too deep") from None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object's members; of two with one name the last would win silently."""
    out = dict(pairs)
    if len(out) < len(pairs):
        twice = next(name for i, (name, _) in enumerate(pairs) if name in dict(pairs[:i]))
        raise ValueError(f"{twice[:40]!r} stands twice in one object")
    return out


def _finite(number: str) -> float:
    value = float(number)
    if not math.isfinite(value):
        raise ValueError(f"{number[:30]} is no number that JSON or a float can hold")
    return value


def json_bytes(value: object) -> bytes:
    """Indented JSON with sorted keys and a final newline."""
    import orjson  # here, since a bare GPU machine has models and no orjson

    return orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE)
