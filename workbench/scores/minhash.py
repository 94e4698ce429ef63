"""MinHash: short numbers of a document that near-copies share, so that no two texts need be compared."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha1
from typing import Literal

import numpy as np
import numpy.typing as npt

from workbench.checks import Array, FloatArray, check_at_least
from workbench.errors import InputError
from workbench.scores.base import Inputs, ScoreSpec, State
from workbench.scores.words import split_words

UintArray = npt.NDArray[np.uint64]

_PRIME = np.uint64((1 << 61) - 1)
_BLOCK = 1 << 15  # hash values at a time: they stay in the processor's cache
_FEW = 64  # documents whose minima are in memory at once


@dataclass(frozen=True)
class _Preset:
    """A published recipe; `rules` are whose normalisation, words and hashes it has."""

    n_bands: int
    n_rows: int
    shingle: int
    n_hashes: int
    rules: Literal["datatrove", "redpajama"]


PRESETS = {
    "fineweb": _Preset(14, 8, 5, 112, "datatrove"),
    "refinedweb": _Preset(450, 20, 5, 9000, "datatrove"),
    "redpajama": _Preset(14, 9, 13, 128, "redpajama"),
    "dclm": _Preset(93, 15, 5, 1395, "datatrove"),
}
"""The published recipes by name."""


@dataclass(frozen=True)
class MinhashParams:
    """How a document is hashed, and how alike two must be to share a band.

    Attributes
    ----------
    preset
        Whose recipe: "fineweb" 14 bands x 8 rows of 5 words, "refinedweb" 450 x 20 of 5 (its text reads the other way
        round), "redpajama" 14 x 9 of 13 (RedPajama-v2 at a similarity of .7), "dclm" 93 x 15 of 5. A column of
        refinedweb takes 3.6 kB a document and 80 times the time of fineweb's.
    n_bands, n_rows
        Bands, and minima in each, both at least 1; None: the preset's. Give both or none.
    shingle
        Words in a shingle, at least 1; None: the preset's.
    similarity
        In 0..1: take the bands and rows that balance false positives and negatives at this Jaccard similarity with as
        many hashes as the preset has, as RedPajama-v2 does for its .7, .8, .9 and 1.0. None: the preset's.
    seed
        Of the hash functions, 0 or more; FineWeb has 1, RedPajama-v2's scripts 42. Two columns under two seeds can't
        be compared.
    """

    preset: Literal["fineweb", "refinedweb", "redpajama", "dclm"] = "fineweb"
    n_bands: int | None = None
    n_rows: int | None = None
    shingle: int | None = None
    similarity: float | None = None
    seed: int = 1


def compute_minhash(inputs: Inputs, params: MinhashParams, state: State) -> Mapping[str, Array]:
    """Of each document one 64-bit hash a band, of the band's minima.

    Returns
    -------
    minhash_bands : uint64 (n, n_bands)
        Two documents that share a number in the same column are candidates for near-copies. A document of fewer words
        than a shingle has no signature: its row is 0 throughout, which no hash is.

    Raises
    ------
    InputError
        If a param is out of range.

    Notes
    -----
    Broder 1997; Lee et al. 2021, arXiv:2107.06499; Penedo et al. 2024, arXiv:2406.17557 (FineWeb). Shingles are hashed
    by sha1, and the functions are (a h + b) mod (2^61 - 1) with a h + b modulo 2^64 first, as numpy has it: that wrap
    is part of what datatrove and RedPajama-v2 compute. With "fineweb" the minima are those of datatrove's
    MinhashDedupSignature, with "redpajama" those of RedPajama-v2, bit for bit, where the words are; datatrove's words
    are spaCy's, of which `split_words` finds all but a few. RefinedWeb has shingles of GPT-2 tokens where these are of
    words; its and DCLM's normalisation is taken to be datatrove's. Two bands that differ have the same hash with a
    probability of 2^-64.
    """
    n_bands, n_rows, shingle = shape(params)
    how = PRESETS[params.preset]
    a, b = hash_functions(params)
    bands = np.zeros((len(inputs), n_bands), dtype=np.uint64)
    for first in range(0, len(inputs), _FEW):
        texts = inputs.texts[first : first + _FEW]
        found = np.zeros((len(texts), n_bands * n_rows), dtype=np.uint64)
        has_any = np.zeros(len(texts), dtype=bool)
        for i, text in enumerate(texts):
            hashes = shingle_hashes(
                words_of(text, how.rules), shingle, 64 if how.rules == "datatrove" else 32
            )
            has_any[i] = len(hashes) > 0
            if has_any[i]:
                found[i] = minima(hashes, a, b, 64 if how.rules == "datatrove" else 32)
        bands[first : first + len(texts)][has_any] = band_hashes(found[has_any], n_bands)
    return {"minhash_bands": bands}


def shape(params: MinhashParams) -> tuple[int, int, int]:
    """Bands, rows and words in a shingle that the params come to.

    Raises
    ------
    InputError
        If one is out of range, or two contradict each other.
    """
    if params.preset not in PRESETS:
        raise InputError(f"preset must be one of {', '.join(PRESETS)}, got {params.preset!r}")
    how = PRESETS[params.preset]
    check_at_least("seed", params.seed, 0)
    shingle = how.shingle if params.shingle is None else params.shingle
    check_at_least("shingle", shingle, 1)
    if (params.n_bands is None) != (params.n_rows is None):
        raise InputError("n_bands and n_rows belong together and one is missing; give both or none")
    if params.n_bands is not None and params.n_rows is not None:
        if params.similarity is not None:
            raise InputError(
                "similarity chooses n_bands and n_rows, which are given too; leave out one of the two"
            )
        check_at_least("n_bands", params.n_bands, 1)
        check_at_least("n_rows", params.n_rows, 1)
        return params.n_bands, params.n_rows, shingle
    if params.similarity is not None:
        return *optimal_bands(params.similarity, how.n_hashes), shingle
    return how.n_bands, how.n_rows, shingle


def hash_functions(params: MinhashParams) -> tuple[UintArray, UintArray]:
    """The factors a and summands b of the hash functions, each uint64 (n_bands * n_rows,)."""
    n_bands, n_rows, _ = shape(params)
    k = n_bands * n_rows
    draw = np.random.RandomState(params.seed)  # the published signatures hold its draws
    if PRESETS[params.preset].rules == "datatrove":
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


def match_probability(similarity: FloatArray | float, n_bands: int, n_rows: int) -> FloatArray:
    """The chance that two documents of this Jaccard similarity share a band: 1 - (1 - s^r)^b.

    Examples
    --------
    >>> match_probability(np.array([0.7, 0.8]), 14, 8).round(3).tolist()
    [0.565, 0.924]
    """
    return np.asarray(1 - (1 - np.asarray(similarity) ** n_rows) ** n_bands)


@lru_cache(maxsize=64)
def optimal_bands(similarity: float, n_hashes: int) -> tuple[int, int]:
    """The bands and rows that err least around a similarity.

    What is minimised is half the chance to match summed over all smaller similarities, plus half the chance to miss
    over all larger ones, with at most `n_hashes` in all: datasketch's and RedPajama-v2's choice.

    Raises
    ------
    InputError
        If the similarity isn't above 0 and at most 1.

    Examples
    --------
    >>> optimal_bands(0.8, 128)
    (9, 13)
    """
    if not 0 < similarity <= 1:
        raise InputError(
            f"similarity must lie above 0 and at most at 1, got {similarity:g}; FineWeb's is about 0.72"
        )
    # Gauss-Legendre is exact for polynomials of degree 2 x 512 - 1, and near it for those of higher degree.
    nodes, shares = np.polynomial.legendre.leggauss(512)
    below, above = similarity * (nodes + 1) / 2, 1 - (1 - similarity) * (1 - nodes) / 2
    best, least = (1, 1), np.inf
    for n_bands in range(1, n_hashes + 1):
        rows = np.arange(1, n_hashes // n_bands + 1)[:, None]
        wrong = similarity * match_probability(below, n_bands, rows) @ shares  # type: ignore[arg-type]
        missed = (1 - similarity) * (1 - match_probability(above, n_bands, rows)) @ shares  # type: ignore[arg-type]
        error = wrong + missed
        if error.min() < least:
            best, least = (n_bands, int(error.argmin()) + 1), float(error.min())
    return best


_PUNCTUATION = (
    "0-8 b-1f 21-2f 3a-40 5b-60 7b-9f ab b4 bb 2013-2014 2019 201c-201e 2026 2236 2501 25ba 3001-3002 3008-300d "
    "3010-3011 ff01 ff05 ff08-ff09 ff0c ff0e ff11 ff1a-ff1b ff1f ff5e"
)
"""What datatrove 0.10 (Apache-2.0, utils/text.py) calls punctuation, in hex."""


def _codes(ranges: str) -> list[int]:
    ends = [[int(end, 16) for end in part.split("-")] for part in ranges.split()]
    return [code for pair in ends for code in range(pair[0], pair[-1] + 1)]


_TO_SPACE = dict.fromkeys(_codes(_PUNCTUATION), " ")
_ASCII_PUNCTUATION = dict.fromkeys(_codes("21-2f 3a-40 5b-60 7b-7e"))
_NUMBER = re.compile(r"\d+(?:[.,،٫⎖⎗⎘]\d+)?")


def words_of(text: str, rules: Literal["datatrove", "redpajama"]) -> list[str]:
    """The words of a normalised text.

    "datatrove": lower case, numbers become 0, punctuation becomes space, marks are taken off letters; words are those
    of `split_words`. "redpajama": ASCII punctuation goes without a trace, lower case, white space parts words, NFD.

    Examples
    --------
    >>> words_of("Café No. 3.14, isn't it?", "datatrove")
    ['cafe', 'no', '0', 'isn', 't', 'it']
    >>> words_of("A well-known, U.S. word", "redpajama")
    ['a', 'wellknown', 'us', 'word']
    """
    if rules == "redpajama":
        return unicodedata.normalize(
            "NFD", " ".join(text.translate(_ASCII_PUNCTUATION).lower().split())
        ).split()
    text = _NUMBER.sub("0", text.lower()).translate(_TO_SPACE)
    if not text.isascii():
        # White space goes before NFD turns some of it into other characters.
        text = unicodedata.normalize("NFD", " ".join(text.split()))
        text = text.translate({ord(c): None for c in set(text) if unicodedata.category(c) == "Mn"})
    return split_words(text)


SPECS: tuple[ScoreSpec, ...] = (
    ScoreSpec(
        name="minhash_bands",
        version=1,
        title="Hashes of a document's MinHash bands; all 0 if it has fewer words than a shingle",
        unit="64-bit hash",
        better="neither",
        needs=("text",),
        params=MinhashParams,
        compute=compute_minhash,
        dtype="uint64",
        vector=True,
        paper="Penedo et al. 2024, arXiv:2406.17557",
    ),
)
