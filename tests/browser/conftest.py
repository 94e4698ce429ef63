"""A real Chromium, and a guard that fails a test on any request that leaves this machine."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import nbformat
import pytest
from playwright.sync_api import BrowserContext, ConsoleMessage, Page, Playwright, sync_playwright

from tests.browser import chromium
from tests.browser.pages import Notebook
from tests.browser.serving import Kind, Server, serve

LOCAL_HOSTS = ("127.0.0.1", "localhost", "::1")
LOCAL_SCHEMES = ("data", "blob", "about", "file")
# Nothing else resolves: a page that asks a CDN gets no answer, here as on a machine without a network.
NO_NAMES = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1"
ROOT = Path(__file__).resolve().parents[2]
WAIT_MS = 120_000  # the machine may be busy; a wait ends as soon as what it waits for is there


def is_local(url: str) -> bool:
    """True if a request to `url` stays on this machine."""
    parts = urlsplit(url)
    return parts.scheme in LOCAL_SCHEMES or parts.hostname in LOCAL_HOSTS


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    """Ends with its module: while it runs, the thread has a running event loop, which other tests mustn't see."""
    with sync_playwright() as running:
        yield running


KNOWN = {
    "Ignoring draw call": "jscatter doesn't wait for a drawing that is under way when it is given other colours; the "
    "later ones are drawn with the next change",
    "[anywidget] Failed to initialize model.": "anywidget gives a widget's module two seconds to load, which a machine "
    "with ten times more work than cores doesn't keep; a view that is missing then fails the test that looks for it",
}
"""What a console may be told as an error (a part of its address or text), and why it can't be helped."""


@dataclass
class Watch:
    """What the pages of one test asked for and tried.

    Attributes
    ----------
    asked
        Every address that was requested.
    refused
        What the content-security policy stopped; a test that makes it do so empties the list.
    errors
        What the pages' consoles were told as errors, and what their scripts threw; a test that makes one happen
        empties the list.
    """

    asked: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def follow(self, page: Page) -> None:
        page.on("websocket", lambda socket: self.asked.append(socket.url))
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self._note(f"thrown: {str(error)[:300]}"))

    def _hear(self, message: ConsoleMessage) -> None:
        if "Content Security Policy" in message.text:
            self.refused.append(message.text[:300])
        elif message.type == "error":
            self._note(f"{message.location.get('url', '')}: {message.text[:300]}")

    def _note(self, error: str) -> None:
        if not any(part in error for part in KNOWN):
            self.errors.append(error)


@pytest.fixture
def watch() -> Watch:
    return Watch()


@contextmanager
def browser(playwright: Playwright, watch: Watch) -> Iterator[BrowserContext]:
    """A browser with a profile of its own; at the end no request may have left this machine."""
    with tempfile.TemporaryDirectory(prefix="workbench-chromium-", ignore_cleanup_errors=True) as profile:
        context = playwright.chromium.launch_persistent_context(
            profile,
            executable_path=chromium.require(),
            args=[*chromium.FLAGS, NO_NAMES],
            viewport={"width": 1400, "height": 1000},
            timeout=WAIT_MS,
        )
        context.set_default_timeout(WAIT_MS)
        context.on("request", lambda request: watch.asked.append(request.url))
        context.on("page", watch.follow)
        for page in context.pages:
            watch.follow(page)
        try:
            yield context
        finally:
            context.close()
    foreign = sorted({url for url in watch.asked if not is_local(url)})
    assert not foreign, f"the page asked for {foreign}"
    assert not watch.refused, "what the page needs must pass the policy, and nothing else must be tried"
    assert not watch.errors, "a page that a person uses logs no error"


@pytest.fixture
def context(playwright: Playwright, watch: Watch) -> Iterator[BrowserContext]:
    with browser(playwright, watch) as context:
        yield context


@pytest.fixture
def page(context: BrowserContext) -> Page:
    return context.pages[0]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[Kind, str], Server]]:
    """`served(kind, code)` serves a notebook whose one cell is `code`; the same call gives the same server."""
    running: dict[tuple[Kind, str], tuple[Any, Server]] = {}

    def start(kind: Kind, code: str) -> Server:
        if (kind, code) not in running:
            folder = tmp_path_factory.mktemp(kind)
            notebook = write_notebook(folder / "page.ipynb", code)
            context = serve(kind, notebook, folder)
            running[kind, code] = (context, context.__enter__())
        return running[kind, code][1]

    yield start
    for context, _ in running.values():
        context.__exit__(None, None, None)


@pytest.fixture
def open_notebook(page: Page, served: Callable[[Kind, str], Server]) -> Callable[[Kind, str], Notebook]:
    """`open_notebook(kind, code)`: the notebook in the browser, its cell running."""

    def open_(kind: Kind, code: str) -> Notebook:
        return Notebook.open(page, served(kind, code))

    return open_


def write_notebook(path: Path, *cells: str) -> Path:
    """A notebook of code cells."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(notebook, path)
    return path
