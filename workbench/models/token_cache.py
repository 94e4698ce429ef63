"""Token ids of texts, made once: of the batches seen last in memory, of a sample also in files beside its scores."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from workbench.checks import IntArray, json_digest, text_digests
from workbench.files import written_aside
from workbench.models.base import Definition

_IN_MEMORY = 8


@dataclass(frozen=True)
class Tokens:
    """The tokens of n texts, one text after the other.

    Attributes
    ----------
    ids, ends
        Of each token its id and where it ends in its text (in characters), uint32 (total,).
    starts
        The tokens of text i stand at starts[i] to starts[i + 1], int64 (n + 1,).
    n_tokens
        Of each whole text, int64 (n,): more than are held of a text that is longer than the limit.
    """

    ids: npt.NDArray[np.uint32]
    ends: npt.NDArray[np.uint32]
    starts: IntArray
    n_tokens: IntArray

    def of(self, i: int, n: int) -> tuple[IntArray, int]:
        """The first `n` ids of text i, int64, and where the last of them ends; at most as many as are held."""
        first = int(self.starts[i])
        last = min(first + n, int(self.starts[i + 1]))
        return self.ids[first:last].astype(np.int64), int(self.ends[last - 1]) if last > first else 0


class TokenCache:
    """Keeps tokens by what they were made of: the tokenizer's definition and the texts.

    Attributes
    ----------
    folder
        Where they are kept on disk too; None for memory alone. A file that can't be read there is made anew.
    n_found
        How often tokens were there and hadn't to be made.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder
        self.n_found = 0
        self._last: OrderedDict[str, Tokens] = OrderedDict()

    def get(self, definition: Definition, texts: Sequence[str], make: Callable[[], Tokens]) -> Tokens:
        """The tokens of these texts; `make` is called if they aren't there."""
        key = _key(definition, texts)
        return self._found(key) or self._hold(key, self._made(key, make))

    def find(self, definition: Definition, texts: Sequence[str]) -> Tokens | None:
        """The tokens of these texts if they are there."""
        return self._found(_key(definition, texts))

    def _found(self, key: str) -> Tokens | None:
        tokens = self._last.get(key) or self._read(key)
        if tokens is None:
            return None
        self.n_found += 1
        return self._hold(key, tokens)

    def _hold(self, key: str, tokens: Tokens) -> Tokens:
        self._last[key] = tokens
        self._last.move_to_end(key)
        if len(self._last) > _IN_MEMORY:
            self._last.popitem(last=False)
        return tokens

    def _made(self, key: str, make: Callable[[], Tokens]) -> Tokens:
        from safetensors.numpy import save

        tokens = make()
        if self.folder is not None:
            with written_aside(self.folder / f"{key}.safetensors") as aside:
                aside.write_bytes(save(dict(vars(tokens))))
        return tokens

    def _read(self, key: str) -> Tokens | None:
        from safetensors import SafetensorError
        from safetensors.numpy import load

        path = None if self.folder is None else self.folder / f"{key}.safetensors"
        if path is None or not path.is_file():
            return None
        try:
            return Tokens(**load(path.read_bytes()))
        except (SafetensorError, TypeError, OSError):
            return None


def _key(definition: Definition, texts: Sequence[str]) -> str:
    digest = hashlib.sha256(json_digest(dict(definition)).encode())
    digest.update(text_digests(texts).tobytes())
    return digest.hexdigest()[:32]
