"""Texts to measure with: the committed sample, or made-up ones on a machine that has only torch."""

from __future__ import annotations

import numpy as np


def sample_texts(n: int) -> list[str]:
    """Documents, n, of the committed sample, drawn by source."""
    from workbench.corpus import read
    from workbench.embedded import sample_corpus

    return list(read(sample_corpus()).sample(n, seed=0).texts)


def random_ids(n: int, shortest: int, longest: int, n_vocabulary: int, seed: int = 0) -> list[np.ndarray]:
    """Token ids of n documents, their lengths uniform over shortest..longest."""
    rng = np.random.default_rng(seed)
    lengths = rng.integers(shortest, longest + 1, n)
    return [rng.integers(0, n_vocabulary, int(length)) for length in lengths]
