"""The words of one document as arrays: their characters, and the runs of n words that it says more than once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np
import numpy.typing as npt

from workbench.checks import BoolArray, IntArray
from workbench.scores.words import PUNCTUATION

UintArray = npt.NDArray[np.uint64]

# Any odd number with well mixed bits: 2^64 over the golden ratio.
_BASE = 0x9E3779B97F4A7C15
_CACHED_POWERS = 1 << 17
_MANY_WORDS = 1 << 14
_ALPHA, _NO_MARK = 1, 2


class Words:
    """The words of a document, with the arrays that are found from them once.

    Parameters
    ----------
    words
        In order, none empty.
    """

    def __init__(self, words: Sequence[str]) -> None:
        self.list = words

    def __len__(self) -> int:
        return len(self.list)

    @cached_property
    def lengths(self) -> IntArray:
        """Characters of each word, int64 (n,)."""
        return np.fromiter(map(len, self.list), dtype=np.int64, count=len(self.list))

    @cached_property
    def starts(self) -> IntArray:
        """Where each word begins when they are joined by nothing, and where the last ends, int64 (n + 1,)."""
        starts = np.zeros(len(self.list) + 1, dtype=np.int64)
        np.cumsum(self.lengths, out=starts[1:])
        return starts

    @cached_property
    def joined(self) -> str:
        """The words joined by nothing."""
        return "".join(self.list)

    @cached_property
    def _codes(self) -> npt.NDArray[np.uint32]:
        return np.frombuffer(self.joined.encode("utf-32-le", "surrogatepass"), dtype="<u4")

    @cached_property
    def _flags(self) -> npt.NDArray[np.uint8]:
        return np.bitwise_or.reduceat(_char_flags()[self._codes], self.starts[:-1])

    @property
    def has_letter(self) -> BoolArray:
        """Whether a word holds a letter, bool (n,)."""
        return (self._flags & _ALPHA).astype(np.bool_) if self.list else np.zeros(0, dtype=np.bool_)

    @property
    def is_word(self) -> BoolArray:
        """Whether a word holds more than marks, bool (n,)."""
        return (self._flags & _NO_MARK).astype(np.bool_) if self.list else np.zeros(0, dtype=np.bool_)

    @cached_property
    def _hash_sums(self) -> UintArray:
        """The sum of (code + 1) * base^place over the characters before each word, modulo 2^64, (n + 1,)."""
        sums = np.zeros(len(self.joined) + 1, dtype=np.uint64)
        np.cumsum((self._codes + np.uint64(1)) * powers(len(self.joined)), out=sums[1:])
        return sums[self.starts]

    @cached_property
    def _shifts(self) -> UintArray:
        return powers(len(self.joined) + 1)[::-1][self.starts[:-1]]

    def ranked_runs(self, sizes: Sequence[int]) -> Iterator[Runs]:
        """The runs of each number of words in `sizes`, sorted by a hash of their characters."""
        # All sizes at once cost few calls, one at a time little memory.
        step = len(sizes) if len(self.list) <= _MANY_WORDS else 1
        for first in range(0, len(sizes), step):
            some = sizes[first : first + step]
            places, is_equal = self._rank(np.array(some)[:, None])
            has_equal: list[bool] = np.logical_or.reduce(is_equal, axis=1).tolist()
            for n, place, equal, any_equal in zip(some, places, is_equal, has_equal, strict=True):
                yield Runs(n, place, equal, any_equal)

    def _rank(self, sizes: IntArray) -> tuple[IntArray, BoolArray]:
        n_words = len(self.list)
        places = np.arange(n_words)
        # A power of the base that depends on where the run begins brings all runs to one place.
        stops = np.minimum(places + sizes, n_words)
        hashes = (self._hash_sums[stops] - self._hash_sums[:-1]) * self._shifts
        # The place takes the hash's low bits, which are its worst: one sort gives the order and the places.
        place_bits = np.uint64((1 << n_words.bit_length()) - 1)
        hashes &= ~place_bits
        hashes |= places.astype(np.uint64)
        hashes.sort(axis=1)
        is_equal = (hashes[:, 1:] ^ hashes[:, :-1]) <= place_bits
        return (hashes & place_bits).astype(np.int64), is_equal


@dataclass(frozen=True)
class Runs:
    """The runs of `n` words in a document of m, sorted so that those of the same characters stand together.

    Attributes
    ----------
    n
        Words in a run. A run that the document's end cuts short is among them all the same.
    places
        Where each begins, int64 (m,), those of equal runs in the order of the text.
    is_equal
        Whether a run's hash is that of the next one, bool (m - 1,). Runs of the same characters have the same,
        wherever words part them; of two others, hardly.
    has_equal
        Whether any is.
    """

    n: int
    places: IntArray
    is_equal: BoolArray
    has_equal: bool

    def repeated(self) -> IntArray:
        """The places, in order, of whole runs whose hash occurs more than once."""
        if not self.has_equal:
            return np.zeros(0, dtype=np.int64)
        found = np.zeros(len(self.places), dtype=np.bool_)
        found[self.places[1:][self.is_equal]] = True
        found[self.places[:-1][self.is_equal]] = True
        return np.flatnonzero(found[: max(0, len(self.places) - self.n + 1)])


def top_run(words: Words, runs: Runs) -> tuple[int, int]:
    """Where the most frequent run of words begins (of equally frequent ones the first), and its count.

    Parameters
    ----------
    words
        At least as many as a run has.
    runs
        Of these words.
    """
    if not runs.has_equal:
        return 0, 1
    n, places = runs.n, runs.places
    lasts = np.append(np.flatnonzero(~runs.is_equal), len(places) - 1)
    counts = lasts.copy()
    counts[0] += 1
    counts[1:] -= lasts[:-1]
    count = int(counts.max())
    firsts = lasts[counts == count] - (count - 1)
    first = int(firsts[places[firsts].argmin()])
    found = places[first : first + count].tolist()
    run = words.list[found[0] : found[0] + n]
    if all(words.list[place : place + n] == run for place in found):
        return found[0], count
    # Two have one hash: count the words themselves.
    n_runs = len(words) - n + 1
    grams = Counter(tuple(words.list[at : at + n]) for at in range(n_runs))
    top, count = grams.most_common(1)[0]
    return next(at for at in range(n_runs) if tuple(words.list[at : at + n]) == top), count


def powers(n: int) -> UintArray:
    """base^0 ... base^(n - 1) modulo 2^64, uint64 (n,)."""
    # One table for all shorter texts; that of a longer text goes with it.
    return _cached_powers()[:n] if n <= _CACHED_POWERS else _powers(n)


def _powers(n: int) -> UintArray:
    table = np.full(n, _BASE, dtype=np.uint64)
    table[:1] = 1
    return np.multiply.accumulate(table, dtype=np.uint64)


@cache
def _cached_powers() -> UintArray:
    return _powers(_CACHED_POWERS)


@cache
def _char_flags() -> npt.NDArray[np.uint8]:
    """For each code point, whether it is a letter and whether it is no mark, as bits, uint8 (1,114,112,)."""
    n = 0x110000
    flags = np.fromiter(map(str.isalpha, map(chr, range(n))), dtype=np.uint8, count=n) * np.uint8(_ALPHA)
    flags |= np.uint8(_NO_MARK)
    flags[[ord(mark) for mark in PUNCTUATION]] ^= np.uint8(_NO_MARK)
    return flags
