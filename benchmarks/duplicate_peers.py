"""text-dedup, rensa and semhash beside us on the same documents, for `bench_minhash`; none has to be installed."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

N_VECTORS, N_COPIES, WIDTH = 20_000, 4_000, 256
SIMILARITY = 0.9


def against_text_dedup(texts: Sequence[str], cpu_seconds: Callable[[Callable[[], object]], float]) -> None:
    """From text to the documents that are dropped: five words, 112 functions, 14 bands of 8, chains joined."""
    try:
        from text_dedup.minhash import RNG, SIGNATURE_COLUMN, embed_func
        from text_dedup.utils import UnionFind, sha1_hash
    except ImportError:
        print("text-dedup isn't installed")
        return
    from workbench.scores.base import Inputs
    from workbench.scores.minhash import MinhashParams, compute_minhash
    from workbench.selectors.minhash import candidates, joined

    dropped: dict[str, set[int]] = {}

    def ours() -> None:
        inputs = Inputs([str(i) for i in range(len(texts))], ["s"] * len(texts), texts)
        bands = compute_minhash(inputs, MinhashParams(), {})["minhash_bands"]
        dropped["ours"] = all_but_first(joined(len(texts), *candidates(bands)))

    prime = np.uint64(2**61 - 1)
    permutations = [RNG.randint(low, prime, size=112, dtype=np.uint64) for low in (1, 0)]

    def theirs() -> None:
        chains, tables = UnionFind(), [dict[bytes, int]() for _ in range(14)]
        for row, text in enumerate(texts):
            made = embed_func(
                text, row, num_perm=112, ngram_size=5, min_length=5, permutations=permutations,
                hashranges=[(8 * i, 8 * i + 8) for i in range(14)], hash_func=lambda b: sha1_hash(b, d=32),
                dtype=np.uint64, max_hash=np.uint32(2**32 - 1), modulo_prime=prime,
            )  # fmt: skip
            if len(text.split()) < 5:
                continue
            for table, band in zip(tables, made[SIGNATURE_COLUMN], strict=True):
                chains.union(row, table.setdefault(band, row))
        dropped["theirs"] = all_but_first(np.array([chains.find(row) for row in range(len(texts))]))

    seconds = cpu_seconds(ours), cpu_seconds(theirs)
    report("text to what is dropped", "text-dedup", seconds, len(texts), "documents", dropped)


def against_rensa(words: Sequence[list[str]], cpu_seconds: Callable[[Callable[[], object]], float]) -> None:
    """From words to signatures of 112 numbers; rensa's functions are others, so estimates are compared, not bits."""
    try:
        from rensa import RMinHash
    except ImportError:
        print("rensa isn't installed")
        return
    from workbench.scores.signatures import hash_functions, minima, shingle_hashes

    a, b = hash_functions("datatrove", 112, seed=1)
    made: dict[str, np.ndarray] = {}

    def ours() -> None:
        made["ours"] = np.stack([minima(shingle_hashes(w, 5, 64), a, b) for w in words])

    def theirs() -> None:
        shingles = [[" ".join(run) for run in zip(*(w[i:] for i in range(5)), strict=False)] for w in words]
        rows = []
        for one in shingles:
            sketch = RMinHash(num_perm=112, seed=1)
            sketch.update(one)
            rows.append(sketch.digest())
        made["theirs"] = np.array(rows)

    seconds = cpu_seconds(ours), cpu_seconds(theirs)
    pairs = np.random.default_rng(0).integers(0, len(words), (20_000, 2))
    alike = {name: (m[pairs[:, 0]] == m[pairs[:, 1]]).mean(axis=1) for name, m in made.items()}
    report("words to signature", "rensa", seconds, len(words), "documents", {})
    print(
        f"  estimated Jaccard similarity differs by {np.abs(alike['ours'] - alike['theirs']).max():.3f} at most"
    )


def against_semhash(cpu_seconds: Callable[[Callable[[], object]], float]) -> None:
    """From vectors to what is dropped above a cosine similarity: all pairs here, approximate neighbours there."""
    try:
        from semhash import SemHash
    except ImportError:
        print("semhash isn't installed")
        return
    from workbench.models.geometry.neighbours import nearest_earlier
    from workbench.models.geometry.rows import unit_rows

    rng = np.random.default_rng(0)
    x = rng.normal(size=(N_VECTORS, WIDTH))
    copies = rng.permutation(N_VECTORS)[:N_COPIES]
    x[copies] = x[rng.permutation(N_VECTORS)[:N_COPIES]] + rng.normal(0, 0.2, (N_COPIES, WIDTH))
    x = unit_rows(x)
    texts = [f"document {i}" for i in range(N_VECTORS)]
    dropped: dict[str, set[int]] = {}

    class NoModel:
        """Vectors are given; nothing is to be encoded."""

        def encode(self, inputs: Sequence[str], **_: Any) -> np.ndarray:
            raise NotImplementedError(f"{len(inputs)} texts")

    def ours() -> None:
        dropped["ours"] = set(np.flatnonzero(nearest_earlier(x)[0] > SIMILARITY).tolist())

    def theirs() -> None:
        index = SemHash.from_embeddings(x, texts, NoModel())
        kept = set(index.self_deduplicate(SIMILARITY).selected)
        dropped["theirs"] = {i for i, text in enumerate(texts) if text not in kept}

    seconds = cpu_seconds(ours), cpu_seconds(theirs)
    report("vectors to what is dropped", "semhash", seconds, N_VECTORS, "vectors", dropped)


def all_but_first(chain: np.ndarray) -> set[int]:
    """The rows that aren't the first of their chain."""
    first = np.unique(chain, return_index=True)[1]
    return set(range(len(chain))) - set(first.tolist())


def report(
    what: str, peer: str, seconds: tuple[float, float], n: int, unit: str, dropped: dict[str, set[int]]
) -> None:
    ours, theirs = seconds
    version = importlib.metadata.version(peer)
    print(
        f"{what}: ours {n / ours:,.0f} {unit}/s; {peer} {version} {n / theirs:,.0f} {unit}/s; ratio {theirs / ours:.1f}"
    )
    if dropped:
        one, other = dropped["ours"], dropped["theirs"]
        print(f"  dropped: ours {len(one):,}, {peer} {len(other):,}, both {len(one & other):,}")
