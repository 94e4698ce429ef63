"""The difference of two texts, word by word, within a bound on time and memory. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

import numpy as np

from workbench.checks import IntArray

MAX_CHARS = 12_000
"""Characters of each text that are looked at."""

MAX_WORDS = 1_200
"""Words of each text between what both begin and end with that are compared: a table of 1,200 x 1,200."""

Span = tuple[Literal["same", "only", "rest"], str]
"""Text that both have, that only this one has, or that wasn't compared."""

_WORDS = re.compile(r"\s*\S+")


@dataclass(frozen=True)
class Difference:
    """Two texts as spans, which put together are the texts up to MAX_CHARS.

    Attributes
    ----------
    n_same
        Words that both have, in the same order.
    is_whole
        Whether all of both texts was compared.
    """

    one: list[Span]
    other: list[Span]
    n_same: int
    is_whole: bool


def difference(one: str, other: str) -> Difference:
    """Tell two texts apart by a longest common subsequence of their words; white space doesn't count.

    Examples
    --------
    >>> found = difference("the cat sat", "the dog sat")
    >>> found.one
    [('same', 'the'), ('only', ' cat'), ('same', ' sat')]
    """
    texts = [one[:MAX_CHARS], other[:MAX_CHARS]]
    words = [_WORDS.findall(text) for text in texts]
    codes = _codes(*words)
    head = _common(codes[0], codes[1])
    tail = _common(codes[0][head:][::-1], codes[1][head:][::-1])
    middle = [code[head : len(code) - tail] for code in codes]
    found = common_words(middle[0][:MAX_WORDS], middle[1][:MAX_WORDS])
    spans = []
    for text, parts, places in zip(texts, words, found, strict=True):
        kinds = ["only"] * len(parts)
        kinds[head + MAX_WORDS :] = ["rest"] * max(0, len(parts) - head - MAX_WORDS)
        kinds[:head] = ["same"] * head
        kinds[len(parts) - tail :] = ["same"] * tail
        for place in places.tolist():
            kinds[head + place] = "same"
        spans.append(_spans(text, parts, kinds))
    is_whole = max(map(len, middle)) <= MAX_WORDS and max(len(one), len(other)) <= MAX_CHARS
    return Difference(spans[0], spans[1], head + tail + len(found[0]), is_whole)


def _codes(one: list[str], other: list[str]) -> tuple[IntArray, IntArray]:
    """A number for each distinct word."""
    numbers: dict[str, int] = {}
    first, second = (
        np.array([numbers.setdefault(word.strip(), len(numbers)) for word in words], dtype=np.int64)
        for words in (one, other)
    )
    return first, second


def _common(one: IntArray, other: IntArray) -> int:
    """How many words both begin with."""
    n = min(len(one), len(other))
    differ = np.flatnonzero(one[:n] != other[:n])
    return int(differ[0]) if len(differ) else n


def common_words(one: IntArray, other: IntArray) -> tuple[IntArray, IntArray]:
    """The places of a longest common subsequence in both, each int64, in order."""
    n, m = len(one), len(other)
    # best[i, j]: the length of the longest one of one[i:] and other[j:], a row at a time.
    best = np.zeros((n + 1, m + 1), dtype=np.int16)
    for i in range(n - 1, -1, -1):
        diagonal = best[i + 1, 1:] + (other == one[i])
        row = np.maximum(best[i + 1, :-1], diagonal)
        best[i, :-1] = np.maximum.accumulate(row[::-1])[::-1]
    firsts, seconds, i, j = [], [], 0, 0
    while i < n and j < m:
        if one[i] == other[j]:
            firsts.append(i)
            seconds.append(j)
            i, j = i + 1, j + 1
        elif best[i + 1, j] >= best[i, j + 1]:
            i += 1
        else:
            j += 1
    return np.array(firsts, dtype=np.int64), np.array(seconds, dtype=np.int64)


def _spans(text: str, words: list[str], kinds: list[str]) -> list[Span]:
    """Words put together to spans; white space behind the last word goes with it."""
    spans: list[tuple[str, list[str]]] = []
    for word, kind in zip(words, kinds, strict=True):
        if not spans or spans[-1][0] != kind:
            spans.append((kind, []))
        spans[-1][1].append(word)
    if behind := text[sum(map(len, words)) :]:
        spans = spans or [("same", [])]
        spans[-1][1].append(behind)
    return [(kind, "".join(parts)) for kind, parts in spans]  # type: ignore[misc]  # kind is one of the three
