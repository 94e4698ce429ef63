"""Columns on disk: parts written aside and renamed, completeness marked last."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from workbench.checks import Array, file_digest
from workbench.errors import StoreError
from workbench.files import write_array, write_json, written_aside
from workbench.store.key import ColumnKey

PART_ROWS = 512
"""Rows a part: small enough that an interrupted LM scoring loses little, large enough to fill model
batches.
"""

_MARK = "complete.json"


class Store:
    """A folder of columns.

    Parameters
    ----------
    root
        The folder; made on the first write.
    """

    def __init__(self, root: Path | str) -> None:
        self.root = Path(root)

    def is_complete(self, key: ColumnKey) -> bool:
        """Whether the column was written to its end."""
        return (self.root / key.folder / _MARK).is_file()

    def writer(
        self, key: ColumnKey, n_rows: int, stored: str | None = None, *, ragged: bool = False
    ) -> ColumnWriter:
        """A writer that goes on where an interrupted one stopped; `stored` is the type on disk, if not the values', and
        a row of a ragged column is an array of any length.
        """
        return ColumnWriter(self.root / key.folder, key, n_rows, stored, ragged=ragged)

    def read(self, key: ColumnKey) -> Array:
        """The whole column, (n,), (n, d), or an object array (n,) of arrays, its parts held against their digests.

        Raises
        ------
        StoreError
            If the column isn't complete, a part is missing or differs from its digest, or the mark was changed.
        """
        folder = self.root / key.folder
        if not self.is_complete(key):
            raise StoreError(f"column {key.name} is not complete in {self.root}; run `workbench score` again")
        digests, n_rows, dtype, is_ragged = _read_mark(folder)
        parts: list[Array] = [np.load(path, allow_pickle=False) for path in _checked(folder, digests)]
        if is_ragged:
            parts, dtype = [unpack(part) for part in parts], np.dtype(object)
        if sum(map(len, parts)) != n_rows:
            raise _changed(folder / _MARK, folder)
        return np.concatenate(parts, dtype=dtype) if parts else np.zeros(0, dtype=dtype)

    def open(self, key: ColumnKey) -> StoredColumn:
        """The column by rows, its parts mapped into memory as they are asked for.

        Every part is held against its digest first, which reads the files once but holds 1 MiB of them.

        Raises
        ------
        StoreError
            As `read`, or if the column is ragged.
        """
        folder = self.root / key.folder
        if not self.is_complete(key):
            raise StoreError(f"column {key.name} is not complete in {self.root}; run `workbench score` again")
        digests, n_rows, dtype, is_ragged = _read_mark(folder)
        if is_ragged:
            raise StoreError(
                f"column {key.name} has rows of any length, which can't be mapped; read it whole"
            )
        column = StoredColumn(_checked(folder, digests), n_rows, dtype)
        if n_rows and sum(len(column.part(p)) for p in range(len(digests))) != n_rows:
            raise _changed(folder / _MARK, folder)
        return column

    def write_state(self, key: ColumnKey, state: Mapping[str, Array]) -> None:
        """Save a fitted artefact as safetensors."""
        write_state(self._state_path(key), state)

    def read_state(self, key: ColumnKey) -> dict[str, Array] | None:
        """A fitted artefact, None if it isn't there."""
        path = self._state_path(key)
        return read_state(path) if path.is_file() else None

    def _state_path(self, key: ColumnKey) -> Path:
        return self.root / "fitted" / f"{key.folder}.safetensors"


class StoredColumn:
    """A column on disk, read by rows: what isn't asked for stays there.

    Attributes
    ----------
    shape
        (n,) or (n, d).
    dtype
        Of the rows that are given; on disk they may be narrower.
    """

    def __init__(self, paths: list[Path], n_rows: int, dtype: np.dtype[Any]) -> None:
        self._paths = paths
        self.dtype = dtype
        self.shape: tuple[int, ...] = (n_rows, *(self.part(0).shape[1:] if paths else ()))

    def __len__(self) -> int:
        return self.shape[0]

    def part(self, part: int) -> Array:
        """The rows of one part, mapped into memory read-only, of the type that they have on disk."""
        mapped: Array = np.load(self._paths[part], mmap_mode="r", allow_pickle=False)
        return mapped

    def rows(self, rows: slice | Array) -> Array:
        """Some rows in the order given, as an array of `dtype`.

        Parameters
        ----------
        rows
            A slice, or row numbers (m,), each -n..n-1.

        Raises
        ------
        IndexError
            If a number lies outside the column.
        """
        wanted = np.arange(len(self))[rows]
        out = np.empty((len(wanted), *self.shape[1:]), dtype=self.dtype)
        part_of = wanted // PART_ROWS
        for part in np.unique(part_of):
            mine = part_of == part
            out[mine] = self.part(int(part))[wanted[mine] - part * PART_ROWS]
        return out


class ColumnWriter:
    """Writes one column part by part; parts that are there already are skipped."""

    def __init__(
        self, folder: Path, key: ColumnKey, n_rows: int, stored: str | None = None, *, ragged: bool = False
    ) -> None:
        self._stored = stored
        self._ragged = ragged
        self._folder = folder
        self._key = key
        self.n_rows = n_rows
        self.n_parts = -(-n_rows // PART_ROWS)

    def rows(self, part: int) -> slice:
        """The rows of a part."""
        return slice(part * PART_ROWS, min((part + 1) * PART_ROWS, self.n_rows))

    def has_part(self, part: int) -> bool:
        """Whether a part was written."""
        return self._path(part).is_file()

    def write_part(self, part: int, values: Array) -> None:
        """Write a part aside and rename it.

        Raises
        ------
        StoreError
            If `values` hasn't one entry a row of the part, or isn't the same in the type on disk, or the disk can't
            take it.
        """
        rows = self.rows(part)
        if len(values) != rows.stop - rows.start:
            raise StoreError(
                f"{self._key.name}: part {part} has {len(values)} values for {rows.stop - rows.start} rows"
            )
        if self._ragged:
            values = pack(values)
        if self._stored is not None and values.dtype != self._stored:
            narrow = values.astype(self._stored)
            if not np.array_equal(narrow, values, equal_nan=True):
                raise StoreError(
                    f"{self._key.name}: part {part} isn't exact as {self._stored}; mend the score"
                )
            values = narrow
        write_array(self._path(part), values)

    def finish(self, dtype: str) -> None:
        """Mark the column complete; every part must have been written."""
        parts = [self._path(part) for part in range(self.n_parts)]
        missing = [path.name for path in parts if not path.is_file()]
        if missing:
            raise StoreError(
                f"{self._key.name} can't be marked complete: {missing[0]} is missing; score it again"
            )
        mark = {
            "name": self._key.name,
            "definition": self._key.definition,
            "n_rows": self.n_rows,
            "dtype": dtype,
            **({"ragged": True} if self._ragged else {}),
            "parts": [{"file": path.name, "sha256": file_digest(path)} for path in parts],
        }
        write_json(self._folder / _MARK, mark)

    def _path(self, part: int) -> Path:
        return self._folder / f"part-{part:05d}-of-{self.n_parts:05d}.npy"


def pack(rows: Array) -> Array:
    """Arrays of any length as one: how many there are, the length of each, then all of them.

    Examples
    --------
    >>> rows = np.empty(2, dtype=object)
    >>> rows[0], rows[1] = np.array([7, 8], dtype=np.uint32), np.array([9], dtype=np.uint32)
    >>> pack(rows).tolist()
    [2, 2, 1, 7, 8, 9]
    """
    dtype = rows[0].dtype if len(rows) else np.dtype(np.uint32)
    return np.concatenate([np.array([len(rows), *map(len, rows)], dtype=dtype), *rows], dtype=dtype)


def unpack(packed: Array) -> Array:
    """What `pack` was given, as views."""
    n = int(packed[0])
    ends = n + 1 + np.cumsum(packed[1 : n + 1], dtype=np.int64)
    rows = np.empty(n, dtype=object)
    for i, (start, stop) in enumerate(pairwise([n + 1, *ends.tolist()])):
        rows[i] = packed[start:stop]
    return rows


def _changed(path: Path, folder: Path) -> StoreError:
    return StoreError(
        f"{path} is missing or was changed after it was written; delete the folder {folder} "
        "and run `workbench score` again"
    )


def _checked(folder: Path, digests: Mapping[str, str]) -> list[Path]:
    """The parts' files, each held against its digest."""
    for name, digest in digests.items():
        path = folder / name
        if not path.is_file() or file_digest(path) != digest:
            raise _changed(path, folder)
    return [folder / name for name in digests]


def _read_mark(folder: Path) -> tuple[dict[str, str], int, np.dtype[Any], bool]:
    """The digest of each part by file name, in order, the number of rows, the column's type, and if it's ragged."""
    path = folder / _MARK
    try:
        mark = orjson.loads(path.read_bytes())
        digests = {str(part["file"]): str(part["sha256"]) for part in mark["parts"]}
        return digests, int(mark["n_rows"]), np.dtype(mark["dtype"]), bool(mark.get("ragged"))
    except (ValueError, KeyError, TypeError) as error:
        raise _changed(path, folder) from error


def write_state(path: Path, state: Mapping[str, Array]) -> None:
    """Write named arrays as safetensors, aside and renamed."""
    from safetensors.numpy import save

    data = save({name: np.ascontiguousarray(array) for name, array in state.items()})
    with written_aside(path) as aside:
        aside.write_bytes(data)


def read_state(path: Path) -> dict[str, Array]:
    """Read named arrays from a safetensors file.

    Raises
    ------
    StoreError
        If the file isn't safetensors.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        return dict(load(path.read_bytes()))
    except SafetensorError as error:
        raise StoreError(
            f"{path} is not a readable safetensors file ({error}); delete it and run again"
        ) from error
