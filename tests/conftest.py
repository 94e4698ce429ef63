"""What all tests share: an environment that is the same on every machine, and a corpus small enough to reason about."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Generator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.untraced import untraced

# Set before anything imports torch, tokenizers or Jupyter, and inherited by every process that a test starts.
os.environ["HF_HUB_OFFLINE"] = "1"  # a test that would ask a hub must fail, not wait
os.environ["TOKENIZERS_PARALLELISM"] = "false"  # it warns, and may deadlock, when a test forks
os.environ.setdefault("OMP_NUM_THREADS", "2")  # the same sums in the same order whatever the machine has
_JUPYTER = tempfile.TemporaryDirectory(prefix="workbench-jupyter-")
for _name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR"):
    os.environ[_name] = str(Path(_JUPYTER.name) / _name.lower())  # what the user has set up mustn't matter

# How long an example takes on a busy machine is not what any test asks.
settings.register_profile("any machine", deadline=None)
settings.load_profile("any machine")

ROOT = Path(__file__).resolve().parent.parent

# Sources of unequal size, so that a mix-up of sources or a transposition shows.
TINY_SOURCES = {"poems": 5, "letters": 9, "manuals": 16}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with long tests first: where several processes share the tests, none is left with one at the end."""
    long = {item.path for item in items if is_long(item)}
    items.sort(key=lambda item: item.path not in long)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Long tests aren't traced for coverage, nor is what they start: they would take twice the time, and what they use
    of it and of memory wouldn't be what a user sees. What they run other tests run too.
    """
    plugin = item.config.pluginmanager.getplugin("_cov")
    controller = getattr(plugin, "cov_controller", None)
    if controller is None or not is_long(item):
        return (yield)
    controller.pause()
    try:
        with pytest.MonkeyPatch.context() as patch:
            for name in os.environ.keys() - untraced().keys():
                patch.delenv(name)
            return (yield)
    finally:
        controller.resume()


def is_long(item: pytest.Item) -> bool:
    """Whether a test is marked as slow or opens a browser."""
    return any(item.get_closest_marker(name) for name in ("slow", "browser"))


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository."""
    return ROOT


@pytest.fixture(scope="session")
def tiny_documents() -> list[dict[str, str]]:
    """30 documents of 3 sources; the last two of `manuals` are exact duplicates of its first two."""
    rows = []
    for source, n in TINY_SOURCES.items():
        for i in range(n):
            same_as = i - (n - 2) if source == "manuals" and i >= n - 2 else i
            words = " ".join(f"{source}{(same_as * 7 + k) % 23}" for k in range(4 + 3 * same_as))
            text = f"The {source} number {same_as} says {words}."
            rows.append({"doc_id": f"{source}-{i:02d}", "text": text, "source": source})
    return rows


@pytest.fixture
def tiny_corpus(tmp_path: Path, tiny_documents: list[dict[str, str]]) -> Path:
    """A folder with the 30 documents as two jsonl files of 11 and 19 lines."""
    folder = tmp_path / "tiny"
    folder.mkdir()
    for name, rows in (("a.jsonl", tiny_documents[:11]), ("b.jsonl", tiny_documents[11:])):
        (folder / name).write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return folder


@pytest.fixture
def in_tmp_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A test that runs in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    return tmp_path
