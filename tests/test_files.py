"""Locks: held, refused, and missing."""

from __future__ import annotations

import errno
import fcntl
import warnings
from pathlib import Path

import pytest

from workbench.cli.app import main
from workbench.errors import InputError, StoreError, WorkbenchWarning
from workbench.files import locked


def fails(number: int):
    def flock(file: object, how: int) -> None:
        raise OSError(number, "told so")

    return flock


def test_a_lock_is_held_and_let_go(tmp_path: Path) -> None:
    refused = pytest.raises(InputError, match="another process is at work in")
    with locked(tmp_path / "lock"), refused, locked(tmp_path / "lock"):
        pytest.fail("held twice")
    with locked(tmp_path / "lock"):
        pass


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.ENOTSUP])
def test_where_there_are_no_locks_the_work_goes_on_with_a_word(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    monkeypatch.setattr(fcntl, "flock", fails(number))
    entered = False
    with (
        pytest.warns(WorkbenchWarning, match="has no file locks, so a second process"),
        locked(tmp_path / "lock"),
    ):
        entered = True
    assert entered


def test_a_lock_that_fails_otherwise_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fcntl, "flock", fails(errno.EIO))
    with (
        pytest.raises(StoreError, match=r"lock can't be locked \(told so\); choose a folder"),
        locked(tmp_path / "lock"),
    ):
        pytest.fail("went on")


def test_the_command_line_says_our_warnings_in_a_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def work(*, standalone_mode: bool) -> None:
        warnings.warn("mind the \x1b[31mgap", WorkbenchWarning, stacklevel=1)

    monkeypatch.setattr("workbench.cli.app.app", work)
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        main()
    assert capsys.readouterr().err == "warning: mind the \N{REPLACEMENT CHARACTER}[31mgap\n"
