"""Running the command line in this process, as a user would see it."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from workbench.cli import main


@dataclass(frozen=True)
class Result:
    """What a command left: its exit code, standard output and standard error."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output as one JSON value; it fails on anything else there."""
        return json.loads(self.out)


class Commands:
    """Calls `workbench` commands."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
        self._monkeypatch, self._capfd = monkeypatch, capfd

    def __call__(self, *args: str | int | Path) -> Result:
        self._capfd.readouterr()
        self._monkeypatch.setattr(sys, "argv", ["workbench", *map(str, args)])
        code = 0
        try:
            main()
        except SystemExit as stop:
            code = stop.code if isinstance(stop.code, int) else 1
        out, err = self._capfd.readouterr()
        assert "Traceback" not in err
        return Result(code, out, err)

    def fails(self, *args: str | int | Path) -> str:
        """The sentence of a command that fails with exit code 2 and prints nothing else."""
        result = self(*args)
        assert result.code == 2, result
        assert result.out == ""
        assert result.err.startswith("workbench: ")
        assert result.err.count("\n") == 1, "more than one line"
        return result.err.removeprefix("workbench: ").rstrip("\n")
