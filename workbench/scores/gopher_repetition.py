"""What the Gopher repetition rules look at (Rae et al. 2021, table A1), as numbers."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import accumulate

import numpy as np
import numpy.typing as npt

from workbench.checks import Array
from workbench.scores.base import Inputs, NoParams, ScoreSpec, State, as_column
from workbench.scores.words import duplicates, split_words

_PARAGRAPH_BREAK = re.compile(r"\n{2,}")
_LINE_BREAK = re.compile(r"\n+")
_TOP_SIZES = (2, 3, 4)
_DUP_SIZES = (5, 6, 7, 8, 9, 10)

# Any odd number with well mixed bits (here 2^64 over the golden ratio) and its inverse modulo 2^64.
_BASE = 0x9E3779B97F4A7C15
_INVERSE = pow(_BASE, -1, 1 << 64)
_MASK = (1 << 64) - 1
_LONGEST_CACHED = 40

UintArray = npt.NDArray[np.uint64]
IndexArray = npt.NDArray[np.intp]


def gopher_repetition_signals(text: str, words: Sequence[str]) -> dict[str, float]:
    """The repetition signals of one document.

    Parameters
    ----------
    text
        Any text. Lines are parted by runs of newlines, paragraphs by runs of at least two.
    words
        Its words and marks, as `split_words` gives them.

    Returns
    -------
    dict of str to float
        The columns named in SPECS. All are NaN for an empty text; those of n-grams also where there are no
        words, and 0 where there are words, but fewer than n. Fractions lie in 0..1; a ratio can exceed 1.

    Notes
    -----
    As datatrove computes them; RedPajama-v2's differ (it marks first occurrences too), so a threshold for one
    isn't one for the other.

    - A repeat is a line or paragraph equal to an earlier one; the first isn't counted.
    - Top n-gram: the length of the most frequent n-gram, its words joined by spaces, times its count, even if
      that is 1, over the length of the text. Overlapping occurrences count each, and the spaces need not be
      in the text, hence a ratio.
    - Repeated n-gram: a scan takes each n-gram from the left; one that was seen is counted, without spaces,
      and the scan goes on behind it; over the length of the text.

    Gopher drops a document if a value is above: lines and paragraphs 0.30, their characters 0.20; top 2, 3,
    4-gram 0.20, 0.18, 0.16; repeated 5 to 10-gram 0.15, 0.14, 0.13, 0.12, 0.11, 0.10.

    Time is linear in the number of words but for a sort.

    Examples
    --------
    >>> text = "a b c d e a b c d e"
    >>> round(gopher_repetition_signals(text, text.split())["gopher_dup_5_gram_fraction"] * 19, 6)
    5.0
    """
    found = dict.fromkeys((spec.name for spec in SPECS), math.nan)
    if not text:
        return found
    for name, breaks, body in (("lines", _LINE_BREAK, text), ("paragraphs", _PARAGRAPH_BREAK, text.strip())):
        parts = breaks.split(body)
        n_repeats, n_chars = duplicates(parts)
        found[f"gopher_dup_{name}_fraction"] = n_repeats / len(parts)
        found[f"gopher_dup_{name}_chars_fraction"] = n_chars / len(text)
    if words:
        ngrams = _Ngrams(words)
        for n in _TOP_SIZES:
            found[f"gopher_top_{n}_gram_ratio"] = ngrams.top_chars(n) / len(text)
        for n in _DUP_SIZES:
            found[f"gopher_dup_{n}_gram_fraction"] = ngrams.repeated_chars(n) / len(text)
    return found


def compute(inputs: Inputs, params: NoParams, state: State) -> Mapping[str, Array]:
    """The columns named in SPECS, each float32 (n,)."""
    rows = [gopher_repetition_signals(text, split_words(text)) for text in inputs.texts]
    return {spec.name: as_column([row[spec.name] for row in rows]) for spec in SPECS}


class _Ngrams:
    """The n-grams of a word list.

    Comparing the strings of all n-grams would take most of the time and hundreds of bytes a word. So a hash
    sorts out those that can't have an equal; only the others are compared as strings, and the result is
    exact.
    """

    def __init__(self, words: Sequence[str]) -> None:
        self._words = words
        self._joined = "".join(words)
        self._starts = [0, *accumulate(map(len, words))]
        # hash(a + b) = hash(a) + base^len(a) * hash(b) modulo 2^64, which numpy's arithmetic wraps at: the
        # hash of any run of words comes from two prefix sums, and equal strings have equal hashes wherever
        # words part them.
        hashes = np.fromiter(map(_hash, words), dtype=np.uint64, count=len(words))
        starts = np.asarray(self._starts, dtype=np.uint64)
        self._sums = np.zeros(len(words) + 1, dtype=np.uint64)
        np.cumsum(hashes * np.power(np.uint64(_BASE), starts[:-1]), out=self._sums[1:])
        self._shift: UintArray = np.power(np.uint64(_INVERSE), starts[:-1])

    def top_chars(self, n: int) -> int:
        """Length of the most frequent n-gram, joined by spaces, times its count; 0 if there is no n-gram.

        Of equally frequent ones it is the first.
        """
        if len(self._words) < n:
            return 0
        candidates = (tuple(self._words[at : at + n]) for at in self._repeated(n))
        ngram, count = max(Counter(candidates).items(), key=lambda item: item[1], default=((), 1))
        if count == 1:
            ngram = tuple(self._words[:n])
        return count * (sum(map(len, ngram)) + n - 1)

    def repeated_chars(self, n: int) -> int:
        """Characters in the n-grams, joined by nothing, that a greedy scan has seen before."""
        seen: set[str] = set()
        n_chars = free = 0
        for at in self._repeated(n):
            if at < free:
                continue
            ngram = self._joined[self._starts[at] : self._starts[at + n]]
            if ngram in seen:
                n_chars += len(ngram)
                free = at + n
            else:
                seen.add(ngram)
        return n_chars

    def _repeated(self, n: int) -> list[int]:
        """Where n-grams begin, in order, whose hash occurs more than once."""
        if len(self._words) <= n:
            return []
        hashes = (self._sums[n:] - self._sums[:-n]) * self._shift[: len(self._words) - n + 1]
        order: IndexArray = np.argsort(hashes)
        ranked = hashes[order]
        equal = ranked[1:] == ranked[:-1]
        repeated = np.zeros(len(hashes), dtype=np.bool_)
        repeated[order[1:][equal]] = True
        repeated[order[:-1][equal]] = True
        places: list[int] = np.flatnonzero(repeated).tolist()
        return places


def _hash(word: str) -> int:
    """Sum of (code + 1) * base^place over the characters of `word`, modulo 2^64."""
    return _cached_hash(word) if len(word) <= _LONGEST_CACHED else _plain_hash(word)


def _plain_hash(word: str) -> int:
    value = 0
    for char in reversed(word):
        value = (value * _BASE + ord(char) + 1) & _MASK
    return value


_cached_hash = lru_cache(maxsize=1 << 16)(_plain_hash)


def _spec(name: str, title: str, unit: str) -> ScoreSpec:
    return ScoreSpec(
        name=name,
        version=1,
        title=title + ("; NaN if no words" if "gram" in name else "; NaN for an empty text"),
        unit=unit,
        better="lower",
        needs=("text",),
        compute=compute,
        paper="Rae et al. 2021, arXiv:2112.11446",
    )


SPECS: tuple[ScoreSpec, ...] = (
    _spec("gopher_dup_lines_fraction", "Repeated lines", "fraction of lines"),
    _spec("gopher_dup_lines_chars_fraction", "Characters in repeated lines", "fraction of characters"),
    _spec("gopher_dup_paragraphs_fraction", "Repeated paragraphs", "fraction of paragraphs"),
    _spec(
        "gopher_dup_paragraphs_chars_fraction", "Characters in repeated paragraphs", "fraction of characters"
    ),
    *(
        _spec(f"gopher_top_{n}_gram_ratio", f"Characters of the top {n}-gram over all", "ratio")
        for n in _TOP_SIZES
    ),
    *(
        _spec(f"gopher_dup_{n}_gram_fraction", f"Characters in repeated {n}-grams", "fraction of characters")
        for n in _DUP_SIZES
    ),
)
