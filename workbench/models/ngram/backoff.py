"""An n-gram model in backoff form, as arrays: what an ARPA file holds, what a trainer makes and a scorer reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from workbench.checks import Array, FloatArray, IntArray

UNKNOWN, START, END = "<unk>", "<s>", "</s>"
RESERVED = (UNKNOWN, START, END)
"""They have the word ids 0, 1 and 2."""
UNKNOWN_ID, START_ID, END_ID = range(3)

_ESCAPED = {word: word.replace("<", "\u2039").replace(">", "\u203a") for word in RESERVED}


def escaped(words: list[str]) -> list[str]:
    """Words of a text as words of a model: one that looks like a mark of the model's own is written otherwise.

    Examples
    --------
    >>> escaped(["a", "</s>", "<b>"])
    ['a', '‹/s›', '<b>']
    """
    return words if _ESCAPED.keys().isdisjoint(words) else [_ESCAPED.get(word, word) for word in words]


@dataclass(frozen=True)
class Grams:
    """The m n-grams of one order, sorted by (prefix, word).

    Attributes
    ----------
    prefix
        Row in the next lower order of the n-gram without its last word, int64 (m,); 0 everywhere in order 1.
    word
        The last word's id, int64 (m,); in order 1 row i is word i.
    log_prob
        log10 of the last word's probability after the others, (m,).
    log_backoff
        log10 of the weight that lower orders have after this n-gram, (m,); 0 where nothing follows it.
    """

    prefix: IntArray
    word: IntArray
    log_prob: FloatArray
    log_backoff: FloatArray

    def __len__(self) -> int:
        return len(self.word)


@dataclass(frozen=True)
class BackoffModel:
    """An n-gram model in backoff form.

    Attributes
    ----------
    words
        The vocabulary by id; the first three are RESERVED.
    orders
        The n-grams by order, from 1.
    """

    words: Sequence[str]
    orders: tuple[Grams, ...]

    @cached_property
    def ids(self) -> Mapping[str, int]:
        """Id by word."""
        return {word: i for i, word in enumerate(self.words)}

    @cached_property
    def _keys(self) -> tuple[IntArray, ...]:
        """One sorted number for each n-gram, by order."""
        return tuple(grams.prefix * len(self.words) + grams.word for grams in self.orders)

    def find(self, order: int, prefix: IntArray, word: IntArray) -> IntArray:
        """Rows of the n-grams with the given prefixes' rows and last words, int64 (m,); -1 where there is none."""
        if order == 1:
            return word
        keys = self._keys[order - 1]
        wanted = prefix * len(self.words) + word
        rows = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
        return (
            np.where((prefix >= 0) & (keys[rows] == wanted), rows, -1)
            if len(keys)
            else np.full_like(word, -1)
        )

    def log10_probs(self, stream: IntArray) -> FloatArray:
        """log10 probability of each word after those before it in its sentence.

        Parameters
        ----------
        stream
            Word ids (t,): sentences one after another, each from START_ID to END_ID.

        Returns
        -------
        float64 (t,); 0 for START_ID, which isn't predicted.

        Notes
        -----
        p(w | h) is that of the longest n-gram "h w" that there is, times the backoff weights of the longer h.
        """
        stream = stream.astype(np.int64)
        start = np.maximum.accumulate(np.where(stream == START_ID, np.arange(len(stream)), 0))
        room = np.arange(len(stream)) - start  # words before this one in its sentence
        # `rows` of an n-gram by the place of its LAST word; `context` is that of the word before.
        rows = stream
        out = self.orders[0].log_prob[rows].astype(np.float64)
        for n in range(2, len(self.orders) + 1):
            context = np.r_[-1, rows[:-1]]
            context[room < n - 1] = -1
            rows = self.find(n, context, stream)
            found, falls_back = rows >= 0, (rows < 0) & (context >= 0)
            out[falls_back] += self.orders[n - 2].log_backoff[context[falls_back]]
            out[found] = self.orders[n - 1].log_prob[rows[found]]
        out[stream == START_ID] = 0.0
        return out


def sentence_sums(values: FloatArray, stream: Array) -> FloatArray:
    """Sum by sentence of a stream, float64 (n sentences,); one doesn't depend on those beside it, to the bit."""
    starts = np.flatnonzero(stream == START_ID)
    return np.add.reduceat(values, starts) if len(starts) else np.zeros(0)
