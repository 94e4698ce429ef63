"""Where rows that are no documents go: a file of JSON lines that names each one with the reason."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import IO

from workbench.corpus.types import Quarantined
from workbench.errors import InputError


@contextmanager
def aside(path: Path) -> Iterator[Path]:
    """A file beside `path` to write to; it is renamed to `path` if all went well, else removed.

    Raises
    ------
    InputError
        If it can't be written.
    """
    part = _part_of(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            yield part
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        raise _unwritable(path, error) from error


def _part_of(path: Path) -> Path:
    return path.with_name(f".{path.name}.{os.getpid()}.part")


def _unwritable(path: Path, error: OSError) -> InputError:
    return InputError(
        f"{path} can't be written ({error.strerror or error}); check the folder and the space left"
    )


class QuarantineWriter:
    """Writes quarantined rows as they come; the file appears under its name when the `with` ends well.

    The lines are `{"file", "row", "reason", "excerpt"}` in plain ASCII: control characters (also those beyond
    ASCII) stay escaped, so a line shows safely in a terminal.
    """

    def __init__(self, path: str | Path) -> None:
        self.n_rows = 0
        self._path = Path(path)
        self._part = _part_of(self._path)
        self._file: IO[bytes] | None = None

    def __enter__(self) -> QuarantineWriter:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self._part.open("wb")
        except OSError as error:
            raise _unwritable(self._path, error) from error
        return self

    def write(self, rows: Iterable[Quarantined]) -> None:
        """Append rows."""
        assert self._file is not None, "use the writer in a with"
        for row in rows:
            value = {"file": row.shard, "row": row.row, "reason": row.reason, "excerpt": row.excerpt}
            try:
                self._file.write(json.dumps(value).encode() + b"\n")
            except OSError as error:
                raise _unwritable(self._path, error) from error
            self.n_rows += 1

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._file is not None
        try:
            self._file.close()
            if kind is None:
                self._part.replace(self._path)
        except OSError as fault:
            raise _unwritable(self._path, fault) from fault
        finally:
            self._part.unlink(missing_ok=True)


def write_quarantine(path: str | Path, rows: Iterable[Quarantined]) -> None:
    """Write quarantined rows as JSON lines, aside first and then renamed.

    Raises
    ------
    InputError
        If the file can't be written.
    """
    with QuarantineWriter(path) as writer:
        writer.write(rows)
