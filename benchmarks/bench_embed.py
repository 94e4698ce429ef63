"""Embedding documents: ours against `SentenceTransformer.encode`, the same texts and model in one run."""

from __future__ import annotations

import os
import time

import numpy as np

os.environ.setdefault("HF_HUB_OFFLINE", "1")


def main() -> None:
    import sentence_transformers
    import torch

    from workbench.corpus import read
    from workbench.embedded import sample_corpus
    from workbench.models.load import Models
    from workbench.models.locate import DEFAULT_EMBEDDER, locate
    from workbench.progress import Silent

    texts = read(sample_corpus()).sample(400, seed=0).texts
    embedder = Models(dtype="float32").embedder
    peer = sentence_transformers.SentenceTransformer(str(locate(DEFAULT_EMBEDDER, "embedder").folder))
    embedder.encode(texts[:32], Silent())
    peer.encode(texts[:32])
    seconds: dict[str, list[float]] = {"ours": [], "peer": []}
    for _ in range(3):
        start = time.perf_counter()
        ours = embedder.encode(texts, Silent())
        seconds["ours"].append(time.perf_counter() - start)
        start = time.perf_counter()
        theirs = peer.encode(texts, batch_size=32, normalize_embeddings=True)
        seconds["peer"].append(time.perf_counter() - start)
    best = {name: min(values) for name, values in seconds.items()}
    print(
        f"torch {torch.__version__}, sentence-transformers {sentence_transformers.__version__}, float32, best of 3"
    )
    print(
        f"ours {len(texts) / best['ours']:.1f} documents/s, peer {len(texts) / best['peer']:.1f} documents/s"
    )
    print(
        f"ratio ours/peer {best['peer'] / best['ours']:.2f}; largest difference {np.abs(ours - theirs).max():.1e}"
    )


if __name__ == "__main__":
    main()
