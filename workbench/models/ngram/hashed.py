"""n-grams of tokens hashed into buckets, as DSIR counts them; each n-gram is hashed once."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import chain, repeat
from threading import Lock
from typing import Literal

import numpy as np
import numpy.typing as npt

from workbench.checks import IntArray

_BATCH = 256
# NLTK's WordPunctTokenizer: runs of word characters and runs of other visible ones.
_PATTERN = r"\w+|[^\w\s]+"
_RE = re.compile(_PATTERN)
_ASCII = re.compile(_PATTERN, re.ASCII)  # the same as `regex` on ASCII, and quicker
Words = Literal["regex", "re"]
"""What a word's characters are. "regex": combining marks belong to it, as in NLTK from 3.10 on; "re": they part it, as
in NLTK before that."""
# Some 150 bytes each; beyond it all is forgotten, and what is frequent is soon there again.
_REMEMBERED = 2_000_000
_LIMB = 65536


def ngram_buckets(
    texts: Sequence[str], n: int = 2, n_buckets: int = 10_000, words: Words = "regex"
) -> tuple[IntArray, IntArray, IntArray]:
    """The buckets of all n-grams of 1 to n tokens of some texts, in lower case.

    A token is one of NLTK's WordPunctTokenizer. The tokens of an n-gram are joined by a space; its bucket is its
    SHA-256 as a number, modulo `n_buckets`.

    Returns
    -------
    bucket : int64 (m,)
        One for each n-gram, in 0..n_buckets - 1: single tokens first, then pairs, each in the order of the texts.
    text : int64 (m,)
        The number of the text that it stands in.
    n_tokens : int64 (n_texts,)

    Examples
    --------
    >>> buckets, text, n_tokens = ngram_buckets(["Alice went to the store"])
    >>> len(buckets), buckets[0], buckets[5], n_tokens.tolist()
    (9, np.int64(6720), np.int64(114), [5])
    """
    tokens = _tokens(words)
    split = [tokens(text.lower()) for text in texts]
    n_tokens = np.fromiter(map(len, split), dtype=np.int64, count=len(split))
    text = np.repeat(np.arange(len(split)), n_tokens)
    found, where = _grams(n_buckets).find(list(chain.from_iterable(split)), text, n)
    return found, where, n_tokens


def bucket_counts(
    texts: Sequence[str], n: int = 2, n_buckets: int = 10_000, words: Words = "regex"
) -> npt.NDArray[np.int64]:
    """How often each bucket is hit by the n-grams of all texts, int64 (n_buckets,)."""
    counts = np.zeros(n_buckets, dtype=np.int64)
    for first in range(0, len(texts), _BATCH):
        found = ngram_buckets(texts[first : first + _BATCH], n, n_buckets, words)[0]
        counts += np.bincount(found, minlength=n_buckets)
    return counts


class _Grams:
    """n-grams met so far: each has a number, and by that number a bucket.

    An n-gram of more than one token is known by two numbers: of all but its last token, and of its last token.
    """

    def __init__(self, n_buckets: int) -> None:
        self._n_buckets = n_buckets
        self._lock = Lock()
        self._forget()

    def _forget(self) -> None:
        self._tokens: dict[str, int] = {}
        self._longer: dict[int, int] = {}
        self._bucket = np.zeros(0, dtype=np.int64)

    def find(self, tokens: list[str], text: IntArray, n: int) -> tuple[IntArray, IntArray]:
        """Bucket and text of each n-gram of 1 to n tokens that lies within one text."""
        with self._lock:
            if len(self._bucket) > _REMEMBERED:
                self._forget()
            single = shorter = self._number_tokens(tokens)
            found, where = [self._bucket[single]], [text]
            for size in range(2, n + 1):
                shorter = self._number_longer(tokens, shorter[:-1] << 32 | single[size - 1 :], size)
                within = text[: len(shorter)] == text[size - 1 :]
                found.append(self._bucket[shorter[within]])
                where.append(text[size - 1 :][within])
            return np.concatenate(found), np.concatenate(where)

    def _number_tokens(self, tokens: list[str]) -> IntArray:
        number = np.fromiter(map(self._tokens.get, tokens, repeat(-1)), dtype=np.int64, count=len(tokens))
        unknown = np.flatnonzero(number < 0)
        new = list(dict.fromkeys(tokens[i] for i in unknown))
        self._tokens.update(zip(new, self._add(new).tolist(), strict=True))
        number[unknown] = [self._tokens[tokens[i]] for i in unknown]
        return number

    def _number_longer(self, tokens: list[str], key: IntArray, size: int) -> IntArray:
        unique, first, inverse = np.unique(key, return_index=True, return_inverse=True)
        keys = unique.tolist()
        number = np.fromiter(map(self._longer.get, keys, repeat(-1)), dtype=np.int64, count=len(keys))
        unknown = np.flatnonzero(number < 0)
        number[unknown] = self._add([" ".join(tokens[i : i + size]) for i in first[unknown].tolist()])
        self._longer.update(zip(unique[unknown].tolist(), number[unknown].tolist(), strict=True))
        return np.asarray(number[inverse])

    def _add(self, grams: list[str]) -> IntArray:
        """Numbers for new n-grams, whose buckets are found."""
        raw = b"".join(hashlib.sha256(gram.encode()).digest() for gram in grams)
        bucket = np.zeros(len(grams), dtype=np.int64)
        for limb in np.frombuffer(raw, dtype=">u2").reshape(-1, 16).T:
            bucket = (bucket * _LIMB + limb) % self._n_buckets
        start = len(self._bucket)
        self._bucket = np.concatenate([self._bucket, bucket])
        return np.arange(start, len(self._bucket))


def _tokens(words: Words) -> Callable[[str], list[str]]:
    if words == "re":
        return _RE.findall
    import regex

    unicode = regex.compile(_PATTERN)
    return lambda text: _ASCII.findall(text) if text.isascii() else unicode.findall(text)


@lru_cache(maxsize=2)
def _grams(n_buckets: int) -> _Grams:
    return _Grams(n_buckets)
