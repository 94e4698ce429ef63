"""A corpus as one file of token ids, and the rows that a model is trained on.

The file is read through a memory map, so it may be larger than memory. Which rows a step takes is a pure function of
the seed and the step: a run that goes on after a kill sees what an unbroken one sees.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from workbench.checks import Array, IntArray
from workbench.models.tokens import BATCH_CHARS, safe_pieces

_ROUNDS = 4
U64 = npt.NDArray[np.uint64]


def token_dtype(n_vocabulary: int) -> np.dtype[Any]:
    """The smallest type that holds every id, little-endian."""
    return np.dtype("<u2" if n_vocabulary <= 1 << 16 else "<u4")


def encode(backend: Any, texts: Sequence[str]) -> Iterator[Array]:
    """The token ids of each text, in order, uint32; long texts are cut where that changes no token."""
    waiting: list[tuple[int, str]] = []
    parts: list[list[Array]] = [[] for _ in texts]
    chars = first = 0
    for i, text in enumerate(texts):
        for _, piece in safe_pieces(backend, text):
            waiting.append((i, piece))
            chars += len(piece)
            if chars >= BATCH_CHARS:
                _encode_pieces(backend, waiting, parts)
                waiting, chars = [], 0
                while first < i:  # what is complete is given away, and so is its memory
                    yield np.concatenate(parts[first])
                    parts[first], first = [], first + 1
    _encode_pieces(backend, waiting, parts)
    for one in parts[first:]:
        yield np.concatenate(one)


def _encode_pieces(backend: Any, pieces: list[tuple[int, str]], parts: list[list[Array]]) -> None:
    encoded = backend.encode_batch_fast([piece for _, piece in pieces], add_special_tokens=False)
    for (i, _), one in zip(pieces, encoded, strict=True):
        parts[i].append(np.array(one.ids, dtype=np.uint32))


def pack(documents: Iterable[Array], separator_id: int, n_vocabulary: int) -> Iterator[bytes]:
    """The bytes of each document in a token file: the separator, then its ids. An empty document is left out."""
    dtype = token_dtype(n_vocabulary)
    for ids in documents:
        if len(ids):
            yield np.concatenate([np.array([separator_id], dtype=np.uint32), ids]).astype(dtype).tobytes()


def open_tokens(path: Path, n_vocabulary: int) -> Array:
    """The ids of a token file, (n,), mapped into memory."""
    dtype = token_dtype(n_vocabulary)
    if path.stat().st_size < dtype.itemsize:  # an empty file can't be mapped
        return np.zeros(0, dtype=dtype)
    return np.memmap(path, dtype=dtype, mode="r")


def n_rows(n_tokens: int, context_tokens: int) -> int:
    """Whole rows in a stream of tokens. A row's last target is the next row's first input."""
    return max(0, n_tokens - 1) // context_tokens


class Rows:
    """Batches of rows, epoch after epoch, in a new keyed order in each.

    Parameters
    ----------
    tokens
        The stream, (n,).
    context_tokens, batch_rows
        Size of a batch; at least `batch_rows` rows must be there.
    seed
        Of the order.
    """

    def __init__(self, tokens: Array, context_tokens: int, batch_rows: int, seed: int) -> None:
        self._tokens, self._context, self._batch, self._seed = tokens, context_tokens, batch_rows, seed
        self.n_rows = n_rows(len(tokens), context_tokens)

    def __call__(self, step: int) -> IntArray:
        """The batch of a step, int64 (batch_rows, context_tokens + 1)."""
        places = np.arange(step * self._batch, (step + 1) * self._batch)
        epochs = places // self.n_rows
        order = np.empty(self._batch, dtype=np.int64)
        for epoch in np.unique(epochs).tolist():
            inside = epochs == epoch
            order[inside] = keyed_order(
                places[inside] - epoch * self.n_rows, self.n_rows, (self._seed, epoch)
            )
        starts = order[:, None] * self._context + np.arange(self._context + 1)
        return np.asarray(self._tokens[starts], dtype=np.int64)


def all_rows(tokens: Array, context_tokens: int) -> IntArray:
    """All rows in order, int64 (k, context_tokens + 1)."""
    starts = np.arange(n_rows(len(tokens), context_tokens)) * context_tokens
    return np.asarray(tokens[starts[:, None] + np.arange(context_tokens + 1)], dtype=np.int64)


def keyed_order(places: IntArray, n: int, key: tuple[int, int]) -> IntArray:
    """Where each place goes in a random permutation of 0..n-1, without making the permutation.

    Notes
    -----
    A Feistel network over the next even power of two, walked until it falls below n (Black and Rogaway 2002,
    "Ciphers with arbitrary finite domains"): a bijection for any round function.

    Examples
    --------
    >>> sorted(keyed_order(np.arange(7), 7, (0, 3)).tolist())
    [0, 1, 2, 3, 4, 5, 6]
    """
    half = np.uint64(max(1, (max(n - 1, 1).bit_length() + 1) // 2))
    mask = np.uint64((1 << int(half)) - 1)
    keys = np.random.SeedSequence(key).generate_state(_ROUNDS, dtype=np.uint64)
    out = places.astype(np.uint64)
    outside = np.ones(len(out), dtype=bool)
    while outside.any():
        left, right = out[outside] >> half, out[outside] & mask
        for round_key in keys:
            left, right = right, left ^ (_mixed(right ^ round_key) & mask)
        out[outside] = (left << half) | right
        outside = out >= n
    return out.astype(np.int64)


def _mixed(x: U64) -> U64:
    """SplitMix64's finaliser (Steele et al. 2014); products wrap around."""
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))
