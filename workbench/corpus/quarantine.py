"""Where rows that are no documents go: a file of JSON lines that names each one with the reason."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from workbench.corpus.types import Quarantined
from workbench.files import written_aside


@contextmanager
def quarantine_writer(path: str | Path) -> Iterator[Callable[[Iterable[Quarantined]], None]]:
    """Give a function that writes rows as they come; the file appears under its name when all went well.

    The lines are `{"file", "row", "reason", "excerpt"}` in plain ASCII: control characters (also those beyond
    ASCII) stay escaped, so a line shows safely in a terminal.

    Raises
    ------
    StoreError
        If the file can't be written.
    """
    with written_aside(Path(path)) as aside, aside.open("wb") as file:

        def write(rows: Iterable[Quarantined]) -> None:
            for row in rows:
                value = {"file": row.shard, "row": row.row, "reason": row.reason, "excerpt": row.excerpt}
                file.write(json.dumps(value).encode() + b"\n")

        yield write


def write_quarantine(path: str | Path, rows: Iterable[Quarantined]) -> None:
    """Write quarantined rows as JSON lines, aside first and then renamed.

    Raises
    ------
    StoreError
        If the file can't be written.
    """
    with quarantine_writer(path) as write:
        write(rows)
