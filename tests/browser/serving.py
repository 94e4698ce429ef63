"""Start JupyterLab or voila as `make lab` and `make app` do, wait until it answers, and end it."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Kind = Literal["lab", "app"]

TOKEN = "token-of-the-browser-tests"  # an address without it is answered with the login page
START_SECONDS = 120
STOP_SECONDS = 20


@dataclass(frozen=True)
class Server:
    """A running server.

    Attributes
    ----------
    kind
        "lab" or "app".
    origin
        `http://127.0.0.1:port`.
    page
        The address that shows the notebook.
    log
        What the server printed.
    """

    kind: Kind
    origin: str
    page: str
    log: Path


def free_port() -> int:
    """A port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def serve(
    kind: Kind, notebook: Path, folder: Path, env: dict[str, str] | None = None, extra: Sequence[str] = ()
) -> Iterator[Server]:
    """Serve `notebook`; logs and what the notebook writes go to `folder`."""
    port = free_port()
    origin = f"http://127.0.0.1:{port}"
    command = [
        sys.executable,
        "-m",
        "widgets.servers",
        kind,
        str(notebook),
        f"--port={port}",
        "--no-browser",
        *extra,
    ]
    page = origin + "/"
    if kind == "lab":
        # The app object lets a test run the notebook's cells by command.
        command += [f"--IdentityProvider.token={TOKEN}", "--expose-app-in-browser"]
        page = f"{origin}/lab/tree/{notebook.name}?token={TOKEN}"
    log = folder / f"{kind}-{notebook.stem}-{port}.log"
    # JupyterLab opens again what was open when it ended: without a folder of its own, another test's notebook.
    own = {"WORKBENCH_OUT": str(folder / "out"), "JUPYTERLAB_WORKSPACES_DIR": str(folder / "workspaces")}
    full = {**os.environ, **own, **(env or {})}
    with log.open("wb") as out:
        process = subprocess.Popen(
            command,
            env=full,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        _wait_until_it_answers(process, origin, log, kind)
        yield Server(kind, origin, page, log)
    finally:
        _end(process)


def _wait_until_it_answers(process: subprocess.Popen[bytes], origin: str, log: Path, kind: Kind) -> None:
    # A path that both answer without starting a kernel.
    probe = origin + ("/api/status" if kind == "lab" else "/voila/static/none")
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"the server ended with {process.returncode}:\n{log.read_text()[-3000:]}")
        try:
            with urllib.request.urlopen(probe, timeout=5):
                return
        except urllib.error.HTTPError:
            return  # an answer, if only "not found" or "log in first"
        except OSError:
            time.sleep(0.1)  # nothing tells us when it listens
    raise RuntimeError(f"the server didn't answer in {START_SECONDS} s:\n{log.read_text()[-3000:]}")


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ask it to stop, so that it ends its kernels; then end what is left of its process group."""
    process.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(STOP_SECONDS)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(STOP_SECONDS)
