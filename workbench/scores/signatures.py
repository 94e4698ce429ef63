"""MinHash signatures of texts: normalise, cut into runs of words, hash, and keep each function's smallest value."""

from __future__ import annotations

import string
import unicodedata
from collections.abc import Iterator, Sequence
from hashlib import sha1
from typing import Literal

import numpy as np
import numpy.typing as npt

from workbench.scores.normal import simplify
from workbench.scores.words import split_words

UintArray = npt.NDArray[np.uint64]

Rules = Literal["datatrove", "redpajama"]
"""Whose normalisation, words and hashes: shingles get 64 bits or 32."""

_PRIME = np.uint64((1 << 61) - 1)
_BLOCK = 1 << 15  # hash values at a time: they stay in the processor's cache


def signatures(
    texts: Sequence[str], rules: Rules, *, shingle: int, k: int, seed: int
) -> Iterator[UintArray | None]:
    """Of each text the k minima over its shingles, uint64 (k,); None for one of fewer words than a shingle."""
    bits = 64 if rules == "datatrove" else 32
    a, b = hash_functions(rules, k, seed)
    for text in texts:
        hashes = shingle_hashes(words_of(text, rules), shingle, bits)
        yield minima(hashes, a, b, bits) if len(hashes) else None


def hash_functions(rules: Rules, k: int, seed: int) -> tuple[UintArray, UintArray]:
    """The factors a and summands b of k hash functions, each uint64 (k,)."""
    draw = np.random.RandomState(seed)  # the published signatures hold its draws
    if rules == "datatrove":
        a = draw.randint(1, _PRIME, dtype=np.uint64, size=k)
        return a, draw.randint(0, _PRIME, dtype=np.uint64, size=k)
    pairs = [
        (draw.randint(1, _PRIME, dtype=np.uint64), draw.randint(0, _PRIME, dtype=np.uint64)) for _ in range(k)
    ]
    a, b = np.array(pairs, dtype=np.uint64).T
    return np.ascontiguousarray(a), np.ascontiguousarray(b)


def shingle_hashes(words: Sequence[str], n: int, bits: int) -> UintArray:
    """The first bits of sha1 of each different run of n words, joined by spaces; uint64 (m,), in no order."""
    runs = set(map(" ".join, zip(*(words[i:] for i in range(n)), strict=False)))
    n_bytes = bits // 8
    raw = b"".join([sha1(run.encode()).digest()[:n_bytes] for run in runs])  # noqa: S324 - no secret
    return np.frombuffer(raw, dtype=f"<u{n_bytes}").astype(np.uint64)


def minima(hashes: UintArray, a: UintArray, b: UintArray, bits: int = 64) -> UintArray:
    """The smallest value of each function over the hashes: the signature.

    Parameters
    ----------
    hashes
        (m,), m at least 1.
    a, b
        (k,), as `hash_functions` gives them.
    bits
        64, or 32 to keep the low half of every value before the smallest is taken.

    Returns
    -------
    uint64 (k,): ((a h + b) mod 2^64) mod (2^61 - 1).
    """
    smallest = np.full(len(a), np.iinfo(np.uint64).max, dtype=np.uint64)
    step = max(1, _BLOCK // len(a))
    for start in range(0, len(hashes), step):
        values = hashes[start : start + step, None] * a
        values += b
        # 2^61 is 1 modulo 2^61 - 1, so what is above bit 61 is added; the sum is short of the modulus plus 8.
        high = values >> np.uint64(61)
        values &= _PRIME
        values += high
        if values.max() >= _PRIME:
            values[values >= _PRIME] -= _PRIME
        if bits == 32:
            values &= np.uint64(0xFFFFFFFF)
        np.minimum(smallest, values.min(axis=0), out=smallest)
    return smallest


def band_hashes(signatures: UintArray, n_bands: int) -> UintArray:
    """One hash of the minima of each band, uint64 (n, n_bands), never 0; `signatures` is (n, n_bands * n_rows)."""
    rows = signatures.reshape(len(signatures), n_bands, signatures.shape[1] // n_bands)
    state = np.zeros(rows.shape[:2], dtype=np.uint64)
    for row in range(rows.shape[2]):
        # SplitMix64's mixing (Steele et al. 2014): each bit of the minima moves all bits.
        state ^= rows[:, :, row]
        state += np.uint64(0x9E3779B97F4A7C15)
        state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        state ^= state >> np.uint64(31)
    state[state == 0] = 1
    return state


def words_of(text: str, rules: Rules) -> list[str]:
    """The words of a normalised text.

    "datatrove": `simplify`, and the words of `split_words`. "redpajama": ASCII punctuation goes without a trace, lower
    case, NFD; white space parts words.

    Examples
    --------
    >>> words_of("A well-known, U.S. word", "datatrove")
    ['a', 'well', 'known', 'u', 's', 'word']
    >>> words_of("A well-known, U.S. word", "redpajama")
    ['a', 'wellknown', 'us', 'word']
    """
    if rules == "redpajama":
        text = text.translate(_NO_PUNCTUATION).lower()
        return unicodedata.normalize("NFD", " ".join(text.split())).split()
    return split_words(simplify(text))


_NO_PUNCTUATION = str.maketrans("", "", string.punctuation)
