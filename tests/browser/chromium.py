"""Where the browser for the tests is, and how to get one: `python -m tests.browser.chromium` prints its path."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable

VARIABLE = "WORKBENCH_CHROMIUM"
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
FLAGS = (
    "--headless=new",
    "--no-sandbox",  # CI runs as root in a container, where Chromium's sandbox can't start
    "--disable-quic",
    "--no-first-run",
    # Chromium's own calls home, which would be taken for the page's.
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # WebGL for the map without a graphics card.
    "--use-gl=angle",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    # All else is drawn without it: through WebGL's emulation each frame of a page takes ten times the CPU.
    "--disable-gpu-compositing",
    "--disable-gpu-rasterization",
)


class NoBrowserError(Exception):
    """No Chromium is to be had; the text says what to do."""


def find(
    environ: dict[str, str] | None = None, which: Callable[[str], str | None] = shutil.which
) -> str | None:
    """The path of a Chromium or Chrome that is there already: named by the variable, on PATH, or playwright's own.

    Raises
    ------
    NoBrowserError
        If the variable names something that can't be run.
    """
    environ = dict(os.environ) if environ is None else environ
    named = environ.get(VARIABLE)
    if named:
        path = which(named)
        if path is None:
            raise NoBrowserError(f"{VARIABLE}={named} can't be run; name a Chromium or Chrome, or unset it")
        return path
    return next((path for path in map(which, NAMES) if path), None) or _playwrights_own(which)


def _playwrights_own(which: Callable[[str], str | None]) -> str | None:
    # Asked in a process of its own: playwright can't be started a second time where a test has it running.
    code = "from playwright.sync_api import sync_playwright as s\nwith s() as p: print(p.chromium.executable_path)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    return which(done.stdout.strip()) if done.returncode == 0 else None


def installers(*, root: bool, which: Callable[[str], str | None] = shutil.which) -> list[list[list[str]]]:
    """The ways to get a browser, best first, each a list of commands."""
    debian = [["apt-get", "update"], ["apt-get", "install", "-y", "--no-install-recommends", "chromium"]]
    own = [[sys.executable, "-m", "playwright", "install", "chromium"]]
    return [debian, own] if root and which("apt-get") else [own]


def install(ways: Iterable[list[list[str]]]) -> None:
    """Try one way after the other until one works; what it prints goes to standard error."""
    for commands in ways:
        if all(_succeeds(command) for command in commands):
            return


def _succeeds(command: list[str]) -> bool:
    print("$", *command, file=sys.stderr, flush=True)
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    try:
        return (
            subprocess.run(
                command, stdin=subprocess.DEVNULL, stdout=sys.stderr, env=env, timeout=900
            ).returncode
            == 0
        )
    except (OSError, subprocess.TimeoutExpired):
        return False


def require() -> str:
    """The path of a browser, which is installed if there is none.

    Raises
    ------
    NoBrowserError
        If there is none and none can be installed.
    """
    path = find()
    if path is None:
        install(installers(root=os.geteuid() == 0))
        path = find()
    if path is None:
        raise NoBrowserError(
            "the browser tests need Chromium or Chrome and none could be installed; install one "
            f"(Debian: apt-get install chromium) or name one with {VARIABLE}=/path/to/chromium"
        )
    return path


if __name__ == "__main__":
    try:
        print(require())
    except NoBrowserError as error:
        print(error, file=sys.stderr)
        raise SystemExit(1) from None
