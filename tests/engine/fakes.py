"""Models that need no weights: quick, the same on every machine, and each text's numbers are its own."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import Any, ClassVar

import numpy as np
import pytest

from workbench.checks import Array
from workbench.errors import ModelError
from workbench.models.token_cache import TokenCache
from workbench.progress import Progress, Silent

DIMENSION = 12


class FakeTokenizer:
    """A token a word."""

    def __init__(self, calls: list[tuple[str, list[str]]]) -> None:
        self._calls = calls

    def definition(self) -> Mapping[str, Any]:
        return FakeModels.definitions["tokenizer"]

    def count(self, texts: Sequence[str]) -> Array:
        self._calls.append(("tokenizer", list(texts)))
        return np.array([len(text.split()) for text in texts], dtype=np.int64)

    def keep(self, texts: Sequence[str], max_tokens: int) -> list[Any]:
        self._calls.append(("tokenizer", list(texts)))
        return [SimpleNamespace(ids=_word_ids(text)[:max_tokens]) for text in texts]


def _word_ids(text: str) -> Array:
    digests = (hashlib.blake2b(word.encode(), digest_size=4).digest() for word in text.split())
    return np.array([int.from_bytes(one, "little") for one in digests], dtype=np.int64)


class FakeEmbedder:
    """Words hashed to directions, and a small constant, so that no text has the zero vector."""

    dimension = DIMENSION

    def __init__(self, calls: list[tuple[str, list[str]]]) -> None:
        self._calls = calls

    def definition(self) -> Mapping[str, Any]:
        return FakeModels.definitions["embedder"]

    def count_chunks(self, texts: Sequence[str]) -> Array:
        return np.array([bool(text) for text in texts], dtype=np.int64)

    def encode(self, texts: Sequence[str], progress: Progress, *, max_chunks: int = 1) -> Array:
        self._calls.append(("embedder", list(texts)))
        rows = np.zeros((len(texts), DIMENSION), dtype=np.float32)
        for row, text in zip(rows, texts, strict=True):
            row[0] = 0.1
            for word in text.split():
                digest = hashlib.blake2b(word.encode(), digest_size=4).digest()
                row[digest[0] % DIMENSION] += 1.0 if digest[1] % 2 else -1.0
            row /= np.linalg.norm(row)
            progress.advance(len(text))
        return rows


class FakeLM:
    """A loss that is a hash of the text; a text without a word has none."""

    def __init__(self, calls: list[tuple[str, list[str]]]) -> None:
        self._calls = calls

    def definition(self) -> Mapping[str, Any]:
        return FakeModels.definitions["lm"]

    def record(self, texts: Sequence[str], progress: Progress) -> Mapping[str, Array]:
        self._calls.append(("lm", list(texts)))
        n_scored = np.array([len(text.split()) for text in texts], dtype=np.int64)
        loss = [hashlib.blake2b(t.encode(), digest_size=2).digest()[0] / 50 + 1 for t in texts]
        progress.advance(sum(map(len, texts)))
        return {
            "nll_sum": np.where(n_scored > 0, np.array(loss) * n_scored, np.nan),
            "n_scored": n_scored,
            "n_truncated_tokens": np.zeros(len(texts), dtype=np.int64),
            "n_bytes_scored": np.array([len(t.encode()) for t in texts], dtype=np.int64),
        }


class FakeModels:
    """Stands in for workbench.models.load.Models."""

    definitions: ClassVar[dict[str, dict[str, Any]]] = {
        kind: {"id": f"fake-{kind}", "files": {"weights": "0" * 64}}
        for kind in ("tokenizer", "lm", "embedder")
    }
    calls: ClassVar[list[tuple[str, list[str]]]] = []

    def __init__(self, embedder: str = "fake", lm: str = "fake", **_: Any) -> None:
        self.progress: Progress = Silent()
        self.tokens = TokenCache()
        self.names = {"embedder": embedder, "lm": lm}
        self.tokenizer = FakeTokenizer(self.calls)
        self.embedder = FakeEmbedder(self.calls)
        self.lm = FakeLM(self.calls)

    def definition(self, kind: str) -> Mapping[str, Any]:
        return self.definitions[kind]

    @classmethod
    def from_definitions(
        cls, definitions: Mapping[str, Any], embedder: str | None = None, lm: str | None = None, **_: Any
    ) -> FakeModels:
        for kind, definition in definitions.items():
            if definition != cls.definitions[kind]:
                raise ModelError(f"weights of model {kind!r} differ; get the model again")
        return cls(embedder or "fake", lm or "fake")

    @classmethod
    def n_texts(cls, kind: str) -> int:
        """Texts that a model was given so far."""
        return sum(len(texts) for called, texts in cls.calls if called == kind)


def install(monkeypatch: pytest.MonkeyPatch) -> type[FakeModels]:
    """Put the fakes where models are looked up, with an empty list of calls."""
    from workbench.engine import local

    FakeModels.calls.clear()
    local._plan.cache_clear()
    for module in ("workbench.engine.score", "workbench.engine.plan", "workbench.models.load"):
        monkeypatch.setattr(f"{module}.Models", FakeModels)
    return FakeModels


def die(*_: object) -> int:
    """A task that takes its worker with it, as the kernel does when memory runs out."""
    os._exit(9)
