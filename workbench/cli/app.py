"""The program: its name, its help, and how a fault ends it. Every sentence that a user sees on a fault is an
exception's text.
"""

from __future__ import annotations

import sys
import warnings
from io import TextIOWrapper
from typing import TextIO

import typer

from workbench.cli.console import print_json, printable
from workbench.errors import Cancelled, WorkbenchError, WorkbenchWarning

app = typer.Typer(
    help="Choose LLM training data: sample, score, select, export a manifest, apply and verify it.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

_SAYINGS: dict[object, str] = {
    WorkbenchError.exit_code: "the command line can't be read; standard error says why",
    Cancelled.exit_code: "stopped; finished parts are kept, run the same command to go on",
}
_python_shows = warnings.showwarning


def main() -> None:
    """Run the command line; faults that are foreseen become one sentence and an exit code.

    With --json the sentence also stands on standard output, as `{"error", "exit_code"}`, so that a program
    always finds one JSON value there.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            # what the terminal's encoding lacks is shown as a question mark
            stream.reconfigure(errors="replace")
    warnings.showwarning = _show_warning
    try:
        app(standalone_mode=True)
    except WorkbenchError as error:
        if "--json" in sys.argv[1:]:
            print_json({"error": str(error), "exit_code": error.exit_code})
        typer.echo(f"workbench: {printable(str(error))}", err=True)
        sys.exit(error.exit_code)
    except SystemExit as stop:
        # typer turns an interrupt into an exit without a word, and says itself what it can't read of the command line
        if stop.code in _SAYINGS and "--json" in sys.argv[1:]:
            print_json({"error": _SAYINGS[stop.code], "exit_code": stop.code})
        if stop.code == Cancelled.exit_code:
            typer.echo(f"workbench: {_SAYINGS[stop.code]}", err=True)
        raise


def _show_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    """Ours as a sentence; those of libraries speak to programmers, and stand where Python puts them."""
    if issubclass(category, WorkbenchWarning):
        typer.echo(f"warning: {printable(str(message))}", err=True)
    else:
        _python_shows(message, category, filename, lineno, file, line)
