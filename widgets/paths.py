"""Which files the page may name. In voila the page belongs to a visitor, who must not reach beyond the app's folder."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import parse_qs

from workbench.errors import InputError


def is_voila() -> bool:
    """Whether this kernel serves a voila page."""
    return bool(os.environ.get("VOILA_REQUEST_URL") or os.environ.get("VOILA_BASE_URL"))


def default_root() -> Path | None:
    """Under voila the folder that WORKBENCH_ROOT names, else the working folder; None (no limit) in a notebook, whose
    user can run any code anyway.
    """
    return Path(os.environ.get("WORKBENCH_ROOT") or Path.cwd()) if is_voila() else None


def linked_work() -> str | None:
    """The saved work that a voila page's address names, as `?state=my.bench.json`; a visitor's input."""
    # voila hands the address's query to the kernel as CGI does.
    given = parse_qs(os.environ.get("QUERY_STRING", "")).get("state") if is_voila() else None
    return given[0] if given else None


def allowed(given: str, root: Path | None) -> str:
    """The path or URL that the page named.

    Raises
    ------
    InputError
        If it is empty, or `root` is set and it lies outside of that folder (links followed) or is a URL.
    """
    if not given.strip() or "\0" in given:
        raise InputError("the path is empty; name a file or folder")
    if root is None:
        return given.strip()
    base = root.resolve()
    path = (base / given.strip()).resolve()
    if "://" in given or not path.is_relative_to(base):
        raise InputError(f"{given!r} is outside of this app's folder; name a path within it")
    return str(path)
