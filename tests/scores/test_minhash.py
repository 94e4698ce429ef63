"""MinHash signatures: held to datatrove, RedPajama-v2 (datasketch), and the probability that theory gives."""

from __future__ import annotations

import csv
import importlib
import string
from pathlib import Path

import numpy as np
import pytest

from workbench.corpus import read
from workbench.embedded import sample_corpus
from workbench.errors import InputError
from workbench.scores.base import Inputs
from workbench.scores.minhash import (
    PRESETS,
    MinhashParams,
    SignatureParams,
    compute_minhash,
    compute_signature,
    match_probability,
    optimal_bands,
    shape,
)
from workbench.scores.signatures import (
    band_hashes,
    hash_functions,
    minima,
    shingle_hashes,
    words_of,
)

PRIME = (1 << 61) - 1


def bands_of(*texts: str, **params: object) -> np.ndarray:
    ids = [f"d{i}" for i in range(len(texts))]
    inputs = Inputs(ids, ["web"] * len(texts), texts)
    return np.asarray(compute_minhash(inputs, MinhashParams(**params), {})["minhash_bands"])  # type: ignore[arg-type]


def words(n: int, seed: int = 0) -> list[str]:
    letters = np.random.default_rng(seed).choice(list(string.ascii_lowercase), (n, 7))
    return ["".join(row) for row in letters]


# ---- the arithmetic ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("bits", [64, 32])
def test_minima_are_those_of_whole_numbers_with_the_wrap_at_64_bits(bits: int) -> None:
    rng = np.random.default_rng(1)
    hashes = rng.integers(0, 2**64, 700, dtype=np.uint64)
    a, b = (rng.integers(1, PRIME, 90, dtype=np.uint64) for _ in range(2))
    expected = [
        min((int(h) * int(p) + int(q)) % 2**64 % PRIME % 2**bits for h in hashes)
        for p, q in zip(a, b, strict=True)
    ]
    assert minima(hashes, a, b, bits).tolist() == expected
    without_wrap = [
        min((int(h) * int(p) + int(q)) % PRIME for h in hashes) for p, q in zip(a, b, strict=True)
    ]
    assert bits == 32 or expected != without_wrap


@pytest.mark.parametrize("value", [PRIME - 1, PRIME, PRIME + 1, 2 * PRIME, 8 * PRIME, 2**61, 2**64 - 1, 0])
def test_the_remainder_is_right_at_its_edges(value: int) -> None:
    one, none = np.ones(1, dtype=np.uint64), np.zeros(1, dtype=np.uint64)
    assert minima(np.array([value], dtype=np.uint64), one, none).tolist() == [value % PRIME]


def test_more_hashes_than_a_block_takes_give_the_same_minima_as_piece_by_piece() -> None:
    rng = np.random.default_rng(2)
    hashes = rng.integers(0, 2**64, 1_001, dtype=np.uint64)
    a, b = (rng.integers(1, PRIME, 500, dtype=np.uint64) for _ in range(2))
    pieces = [minima(hashes[i : i + 10], a, b) for i in range(0, len(hashes), 10)]
    np.testing.assert_array_equal(minima(hashes, a, b), np.min(pieces, axis=0))


def test_mean_agreement_of_two_sets_is_their_jaccard_similarity() -> None:
    k, n_pairs = 112, 200
    a, b = hash_functions("datatrove", 112, 1)
    rng = np.random.default_rng(3)
    shares = []
    for _ in range(n_pairs):
        both = rng.integers(0, 2**64, 90, dtype=np.uint64)  # 30 in common of 90
        shares.append((minima(both[:60], a, b) == minima(both[30:], a, b)).mean())
    assert abs(np.mean(shares) - 1 / 3) < 3 * np.sqrt(1 / 3 * 2 / 3 / (k * n_pairs))


TABLE = {
    "fineweb": (0.565, 0.772, 0.924, 0.988),
    "refinedweb": (0.302, 0.761, 0.995, 1.0),
    "redpajama": (0.438, 0.665, 0.867, 0.975),
    "dclm": (0.358, 0.714, 0.964, 1.0),
}


@pytest.mark.parametrize("preset", TABLE)
def test_match_probability_is_that_of_the_table(preset: str) -> None:
    n_bands, n_rows, _ = shape(MinhashParams(preset=preset))  # type: ignore[arg-type]
    similarity = np.array([0.7, 0.75, 0.8, 0.85])
    assert match_probability(similarity, n_bands, n_rows) == pytest.approx(TABLE[preset], abs=6e-4)


@pytest.mark.parametrize(
    ("preset", "n_pairs", "similarity"), [("fineweb", 1500, 0.7), ("fineweb", 1500, 0.8), ("dclm", 150, 0.75)]
)
def test_pairs_share_a_band_as_often_as_theory_says(preset: str, n_pairs: int, similarity: float) -> None:
    params = MinhashParams(preset=preset)  # type: ignore[arg-type]
    n_bands, n_rows, _ = shape(params)
    a, b = hash_functions("datatrove", n_bands * n_rows, 1)
    rng = np.random.default_rng(4)
    n_all, n_common = 80, round(80 * similarity)
    n_own = (n_all - n_common) // 2
    signatures = np.empty((2, n_pairs, len(a)), dtype=np.uint64)
    for pair in range(n_pairs):
        both = rng.integers(0, 2**64, n_all, dtype=np.uint64)
        signatures[:, pair] = minima(both[: n_all - n_own], a, b), minima(both[n_own:], a, b)
    one, other = (band_hashes(s, n_bands) for s in signatures)
    found = (one == other).any(axis=1).mean()
    expected = float(match_probability(similarity, n_bands, n_rows))
    assert abs(found - expected) < 3 * np.sqrt(expected * (1 - expected) / n_pairs)


def test_bands_are_equal_where_all_their_minima_are_and_only_there() -> None:
    rng = np.random.default_rng(5)
    signatures = rng.integers(0, PRIME, (40, 6), dtype=np.uint64)
    signatures[1] = signatures[0]
    signatures[1, 4] ^= np.uint64(1)
    hashes = band_hashes(signatures, 3)
    assert hashes.shape == (40, 3)
    assert (hashes[0] == hashes[1]).tolist() == [True, True, False]
    assert len(np.unique(hashes)) == 40 * 3 - 2
    swapped = band_hashes(signatures[:, [1, 0, 3, 2, 5, 4]], 3)
    assert not (swapped == hashes).any()


def test_no_band_hash_is_zero() -> None:
    # The mixing of one row is one to one, so exactly one minimum would come out as 0.
    only = np.array([[2**64 - 0x9E3779B97F4A7C15]], dtype=np.uint64)
    assert band_hashes(only, 1).tolist() == [[1]]


@pytest.mark.parametrize(("similarity", "expected"), [(0.7, (14, 9)), (0.8, (9, 13)), (0.9, (5, 25))])
def test_bands_for_a_similarity_are_those_of_redpajama(similarity: float, expected: tuple[int, int]) -> None:
    assert optimal_bands(similarity, 128) == expected
    assert shape(MinhashParams(preset="redpajama", similarity=similarity)) == (*expected, 13)


def test_a_similarity_of_1_takes_one_band_of_all_hashes() -> None:
    assert optimal_bands(1.0, 128) == (1, 128)


# ---- texts -------------------------------------------------------------------------------------------------------


def test_texts_that_are_equal_when_normalised_have_equal_bands() -> None:
    text = "The committee met on Thursday, at 10.30, in the café of the town hall."
    same = "the COMMITTEE met on Thursday -- at 7\nin the cafe of (the) town hall!!"
    one, other = bands_of(text, same)
    assert (one == other).all()
    assert one.all()


def test_a_document_of_fewer_words_than_a_shingle_has_no_signature() -> None:
    bands = bands_of("", "one two three four", "one two three four five", "...")
    assert bands.any(axis=1).tolist() == [False, False, True, False]
    assert bands.shape == (4, 14)
    assert bands_of("one two three four", shingle=4).any()


def test_a_column_has_a_number_for_each_band_of_the_preset() -> None:
    for preset, n_bands in (("fineweb", 14), ("refinedweb", 450), ("redpajama", 14), ("dclm", 93)):
        assert bands_of(" ".join(words(13)), preset=preset).shape == (1, n_bands)
    assert bands_of("a b c d e f", n_bands=3, n_rows=2).shape == (1, 3)
    assert PRESETS["refinedweb"].n_rows == 20  # its sentence, read literally, has the two the other way round


def test_another_seed_gives_other_functions() -> None:
    text = " ".join(words(30))
    assert not (bands_of(text) == bands_of(text, seed=2)).any()


def sample_of(n: int) -> list[str]:
    return list(read(sample_corpus()).sample(n, seed=5).texts)


def test_signatures_are_those_of_datatrove_bit_for_bit() -> None:
    minhash = importlib.import_module("datatrove.pipeline.dedup.minhash")
    hashing = importlib.import_module("datatrove.utils.hashing")
    config = minhash.MinhashConfig(hash_config=hashing.HashConfig(precision=64, hash_fc="sha1"))
    step = minhash.MinhashDedupSignature("memory://signatures", config)
    a, b = hash_functions("datatrove", 112, 1)
    assert [x.ravel().tolist() for x in step.parameters] == [a.tolist(), b.tolist()]
    n_equal = 0
    texts = sample_of(25)
    for text in texts:
        theirs = step.get_shingles(text[:1_500])
        ours = shingle_hashes(words_of(text[:1_500], "datatrove"), 5, 64)
        assert set(ours.tolist()) == set(theirs.ravel().tolist())
        if len(ours):
            assert minima(ours, a, b).tolist() == [x for band in step.get_signature(theirs) for x in band]
            n_equal += 1
    assert n_equal > 20


def redpajama_minima(text: str, a: np.ndarray, b: np.ndarray) -> list[int]:
    """RedPajama-Data, app/src/utilities/text/normalization.py and dedupe/utils.py, by hand with whole numbers."""
    import hashlib
    import re
    import unicodedata

    text = text.translate(str.maketrans("", "", string.punctuation)).lower()
    tokens = unicodedata.normalize("NFD", re.sub(r"\s+", " ", text.strip())).split()
    grams = {" ".join(tokens[i : i + 13]) for i in range(len(tokens) - 12)}
    hashes = [int.from_bytes(hashlib.sha1(gram.encode()).digest()[:4], "little") for gram in grams]
    return [
        min((h * int(p) + int(q)) % 2**64 % PRIME % 2**32 for h in hashes) for p, q in zip(a, b, strict=True)
    ]


def test_signatures_of_redpajama_are_those_of_its_code() -> None:
    a, b = hash_functions("redpajama", 126, 42)
    n_equal = 0
    for text in sample_of(18):
        ours = shingle_hashes(words_of(text[:900], "redpajama"), 13, 32)
        if len(ours):
            assert minima(ours, a, b, 32).tolist() == redpajama_minima(text[:900], a, b)
            n_equal += 1
    assert n_equal > 6


def test_signatures_are_those_of_datasketch_for_the_same_shingles() -> None:
    datasketch = importlib.import_module("datasketch")
    import hashlib
    import inspect

    # From version 2 on the published scheme is one of several.
    legacy = {"scheme": "legacy"} if "scheme" in inspect.signature(datasketch.MinHash).parameters else {}

    def hash32(data: bytes) -> int:
        return int.from_bytes(hashlib.sha1(data).digest()[:4], "little")

    tokens = words(200)
    theirs = datasketch.MinHash(num_perm=126, seed=42, hashfunc=hash32, **legacy)
    for i in range(len(tokens) - 12):
        theirs.update(" ".join(tokens[i : i + 13]).encode())
    a, b = hash_functions("redpajama", 126, 42)
    assert minima(shingle_hashes(tokens, 13, 32), a, b, 32).tolist() == theirs.hashvalues.tolist()


def planted(shingle: int = 5, **params: float) -> tuple[np.ndarray, np.ndarray]:
    """Whether each planted pair of the committed sample shares a band, and its Jaccard similarity."""
    home = Path(sample_corpus()).parent
    with (home / "planted.csv").open(encoding="utf-8", newline="") as handle:
        pairs = [(row["planted_id"], row["original_id"]) for row in csv.DictReader(handle)]
    sample = read(sample_corpus()).whole()
    text = dict(zip(sample.doc_ids, sample.texts, strict=True))
    ones, others = ([text[pair[side]] for pair in pairs] for side in (0, 1))
    found = (bands_of(*ones, shingle=shingle, **params) == bands_of(*others, shingle=shingle, **params)).any(
        axis=1
    )
    similarity = []
    for one, other in zip(ones, others, strict=True):
        x, y = (set(shingle_hashes(words_of(t, "datatrove"), shingle, 64).tolist()) for t in (one, other))
        similarity.append(len(x & y) / len(x | y))
    return found, np.array(similarity)


def test_planted_near_copies_are_found() -> None:
    # 14 bands of 8 rows: the planted ones that are missed are those with a typo in many shingles of five words (a
    # Jaccard similarity below .75). Bands for a similarity of .4 (28 of 4 rows) find those too, and so do shingles of
    # two words, of which a typo spoils fewer.
    found, similarity = planted()
    assert len(found) == 60
    assert found[similarity >= 0.75].mean() >= 0.95
    assert (similarity >= 0.75).sum() >= 45
    assert shape(MinhashParams(similarity=0.4)) == (28, 4, 5)
    for found, _ in (planted(similarity=0.4), planted(shingle=2)):
        assert found.mean() >= 0.95


# ---- the signature that candidates are verified by -----------------------------------------------------------------


def signatures_of(*texts: str, **params: object) -> np.ndarray:
    inputs = Inputs([f"d{i}" for i in range(len(texts))], ["web"] * len(texts), texts)
    return np.asarray(compute_signature(inputs, SignatureParams(**params), {})["minhash_signature"])  # type: ignore[arg-type]


def test_the_share_of_equal_minima_estimates_the_similarity_of_two_documents() -> None:
    n_pairs, estimates = 40, []
    for seed in range(n_pairs):
        tokens = words(94, seed)  # 90 shingles in all, 60 in each, 30 in both
        one, other = signatures_of(" ".join(tokens[:64]), " ".join(tokens[30:]))
        estimates.append((one == other).mean())
    assert abs(np.mean(estimates) - 1 / 3) < 3 * np.sqrt(1 / 3 * 2 / 3 / (256 * n_pairs))


def test_a_signature_is_independent_of_the_bands_and_0_where_there_is_no_shingle() -> None:
    found = signatures_of("too few words here", "now there are five words", n_hashes=40)
    assert (found.dtype, found.shape) == (np.uint32, (2, 40))
    assert found.any(axis=1).tolist() == [False, True]
    assert SignatureParams().seed != MinhashParams().seed
    a, _ = hash_functions("datatrove", 112, SignatureParams().seed)
    assert not np.isin(a, hash_functions("datatrove", 112, MinhashParams().seed)[0]).any()


# ---- what is refused ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("params", "match"),
    [
        ({"preset": "c4"}, "preset must be one of fineweb, refinedweb, redpajama, dclm, got 'c4'"),
        ({"n_bands": 3}, "n_bands and n_rows belong together"),
        ({"n_bands": 0, "n_rows": 2}, "n_bands must be at least 1"),
        ({"n_bands": 2, "n_rows": 0}, "n_rows must be at least 1"),
        ({"shingle": 0}, "shingle must be at least 1"),
        ({"seed": -1}, "seed must be at least 0"),
        ({"similarity": 0.0}, "similarity must lie above 0"),
        ({"similarity": 1.5}, "similarity must lie above 0"),
        ({"similarity": 0.8, "n_bands": 2, "n_rows": 2}, "leave out one of the two"),
    ],
)
def test_params_out_of_range_are_refused(params: dict[str, object], match: str) -> None:
    with pytest.raises(InputError, match=match):
        bands_of("some text of five words", **params)


def test_a_signature_of_no_minima_is_refused() -> None:
    with pytest.raises(InputError, match="n_hashes must be at least 1"):
        signatures_of("some text", n_hashes=0)
    with pytest.raises(InputError, match="shingle must be at least 1"):
        signatures_of("some text", shingle=0)
