"""Where two texts differ, word by word. Pure arithmetic, whose time is bounded whatever the texts are."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

Side = Literal["both", "first", "second"]

MAX_WORDS = 2000
"""Of each text, beyond what they begin and end with alike: 8 MB of table, some 30 ms."""
MAX_CHARS = 200_000
"""Of each text that is looked at, so that a text of 20 MB isn't split into words."""

_WORD = re.compile(r"\s*\S+|\s+")


@dataclass(frozen=True)
class Difference:
    """Two texts as runs of words.

    Attributes
    ----------
    runs
        In order: what both texts have, only the first, only the second. Those of "both" and "first" joined are the
        first text, as far as it was compared.
    is_whole
        False where the texts are longer than what was compared.
    """

    runs: tuple[tuple[Side, str], ...]
    is_whole: bool


def difference(first: str, second: str) -> Difference:
    """The longest common subsequence of the words of two texts, and what each has besides.

    Words keep the white space before them. Of the words between a common beginning and a common end, the first
    MAX_WORDS of each text are compared.

    Examples
    --------
    >>> difference("a b c", "a x c").runs
    (('both', 'a'), ('first', ' b'), ('second', ' x'), ('both', ' c'))
    """
    is_whole = max(len(first), len(second)) <= MAX_CHARS
    a, b = (_WORD.findall(text[:MAX_CHARS]) for text in (first, second))
    start = _common(a, b)
    end = _common(a[start:][::-1], b[start:][::-1])
    tail = a[len(a) - end :]
    a_middle, b_middle = a[start : len(a) - end], b[start : len(b) - end]
    if max(len(a_middle), len(b_middle)) > MAX_WORDS:
        # What comes after isn't compared, so the ends aren't aligned with it either.
        is_whole, tail = False, []
    kinds = _aligned(a_middle[:MAX_WORDS], b_middle[:MAX_WORDS])
    words: list[tuple[Side, str]] = [("both", word) for word in a[:start]]
    words += [*kinds, *(("both", word) for word in tail)]
    return Difference(tuple(_joined(words)), is_whole)


def _common(a: Sequence[str], b: Sequence[str]) -> int:
    for i, (one, other) in enumerate(zip(a, b, strict=False)):
        if one != other:
            return i
    return min(len(a), len(b))


def _aligned(a: Sequence[str], b: Sequence[str]) -> list[tuple[Side, str]]:
    """The words of both in order, by a table of the longest common subsequences of all pairs of suffixes."""
    codes: dict[str, int] = {}
    x, y = (np.array([codes.setdefault(w, len(codes)) for w in words], dtype=np.int32) for words in (a, b))
    table = np.zeros((len(x) + 1, len(y) + 1), dtype=np.int16)
    for i in range(len(x) - 1, -1, -1):
        # The best without this word, or with it at each place; then the best of all places to the right.
        best = np.maximum(table[i + 1, :-1], table[i + 1, 1:] + (y == x[i]))
        table[i, :-1] = np.maximum.accumulate(best[::-1])[::-1]
    out: list[tuple[Side, str]] = []
    i = j = 0
    while i < len(a) and j < len(b):
        if x[i] == y[j]:
            out.append(("both", a[i]))
            i, j = i + 1, j + 1
        elif table[i + 1, j] >= table[i, j + 1]:
            out.append(("first", a[i]))
            i += 1
        else:
            out.append(("second", b[j]))
            j += 1
    return [*out, *(("first", word) for word in a[i:]), *(("second", word) for word in b[j:])]


def _joined(words: Sequence[tuple[Side, str]]) -> list[tuple[Side, str]]:
    runs: list[tuple[Side, list[str]]] = []
    for side, word in words:
        if not runs or runs[-1][0] != side:
            runs.append((side, []))
        runs[-1][1].append(word)
    return [(side, "".join(parts)) for side, parts in runs]
