"""MinHash: short numbers of a document that near-copies share, so that no two texts need be compared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import Literal

import numpy as np

from workbench.checks import Array, FloatArray, check_at_least
from workbench.errors import InputError
from workbench.scores.base import Inputs, ScoreSpec, State
from workbench.scores.signatures import Rules, band_hashes, signatures

_FEW = 64  # documents whose minima are in memory at once


@dataclass(frozen=True)
class _Preset:
    """A published recipe; `rules` are whose normalisation, words and hashes it has."""

    n_bands: int
    n_rows: int
    shingle: int
    n_hashes: int
    rules: Rules


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
    rules = PRESETS[params.preset].rules
    bands = np.zeros((len(inputs), n_bands), dtype=np.uint64)
    found = enumerate(signatures(inputs.texts, rules, shingle=shingle, k=n_bands * n_rows, seed=params.seed))
    while few := list(islice(found, _FEW)):
        having = {i: signature for i, signature in few if signature is not None}
        if having:
            bands[list(having)] = band_hashes(np.stack(list(having.values())), n_bands)
    return {"minhash_bands": bands}


@dataclass(frozen=True)
class SignatureParams:
    """How similarity is estimated; preset and shingle should be those of `minhash_bands`.

    Attributes
    ----------
    preset
        Whose normalisation and shingles.
    shingle
        Words in a shingle, at least 1; None: the preset's.
    n_hashes
        Minima, at least 1. The estimate of a similarity s is off by sqrt(s (1 - s) / n_hashes): 0.025 at .8 of 256.
    seed
        Of the hash functions, 0 or more. Under the seed of `minhash_bands` the minima that made two documents
        candidates would be counted again, and the estimate be too high.
    """

    preset: Literal["fineweb", "refinedweb", "redpajama", "dclm"] = "fineweb"
    shingle: int | None = None
    n_hashes: int = 256
    seed: int = 2


def compute_signature(inputs: Inputs, params: SignatureParams, state: State) -> Mapping[str, Array]:
    """Of each document the minima of its shingles, to estimate how alike two documents are.

    Returns
    -------
    minhash_signature : uint32 (n, n_hashes)
        The low half of each minimum. The share of equal ones estimates the Jaccard similarity of two documents'
        shingles. A document of fewer words than a shingle has a row of 0.

    Raises
    ------
    InputError
        If a param is out of range.

    Notes
    -----
    Broder 1997.
    """
    check_at_least("n_hashes", params.n_hashes, 1)
    shingle = shape(MinhashParams(params.preset, shingle=params.shingle, seed=params.seed))[2]
    rules, k = PRESETS[params.preset].rules, params.n_hashes
    out = np.zeros((len(inputs), k), dtype=np.uint32)
    for i, found in enumerate(signatures(inputs.texts, rules, shingle=shingle, k=k, seed=params.seed)):
        if found is not None:
            out[i] = found & np.uint64(0xFFFFFFFF)
    return {"minhash_signature": out}


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
    ScoreSpec(
        name="minhash_signature",
        version=1,
        title="A document's MinHash signature; all 0 if it has fewer words than a shingle",
        unit="32-bit hash",
        better="neither",
        needs=("text",),
        params=SignatureParams,
        compute=compute_signature,
        dtype="uint32",
        vector=True,
        paper="Broder 1997",
    ),
)
