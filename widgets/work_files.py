"""Files of saved work: reading them, and telling whether one is still what was written."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from widgets.recipe_files import read_json
from widgets.work import MAX_WORK_BYTES, Work, parse_work
from workbench.engine.passes import params_json
from workbench.engine.table import Table
from workbench.errors import InputError
from workbench.scores import SCORES

Stamp = tuple[int, int, int]


def read_work(path: Path) -> Work:
    """The work in a file.

    Raises
    ------
    InputError
        If it isn't there, is too large, or isn't saved work.
    """
    return parse_work(read_json(path, MAX_WORK_BYTES, "saved work"))


def check_name(path: Path) -> None:
    """Raise InputError if saved work can't have that name."""
    if path.suffix != ".json":
        raise InputError(
            f"saved work's file ends in .json, got {path.name!r}; name it so, e.g. my.bench.json"
        )


def stamp(path: Path) -> Stamp | None:
    """What tells whether a file is the one that was written; None where there is none."""
    try:
        stat = path.stat()
    except OSError:
        return None
    return stat.st_ino, stat.st_mtime_ns, stat.st_size


def score_settings(table: Table) -> dict[str, Mapping[str, Any]]:
    """Every computed score with those of its settings that aren't the defaults."""
    out: dict[str, Mapping[str, Any]] = {}
    for name in table.scores:
        given = table.definitions.get(name, {}).get("params", {})
        default = params_json(SCORES[name].params())
        out[name] = {key: value for key, value in given.items() if default.get(key) != value}
    return out
