"""MinHash signatures of the committed sample: ours against datatrove's signature step and datasketch, on one core.

All have 112 functions over shingles of five words. datatrove does the same work from text to signature and gets the
same bits. datasketch knows no words, so it is given ours, and both sides start from the words; its hashes have 32 bits,
ours 64. text-dedup, rensa and semhash follow where they are installed (`benchmarks.duplicate_peers`). Last, documents
are joined by their bands, which is all that is left to do when a step is added.
"""

from __future__ import annotations

import importlib.metadata
import inspect
import logging
import time
from collections.abc import Callable

DATATROVE_DOCUMENTS = 600  # drawn by source; spaCy takes minutes for all


def cpu_seconds(work: Callable[[], object]) -> float:
    """Processor time of this process: with one thread, that of one core."""
    start = time.process_time()
    work()
    return time.process_time() - start


def main() -> None:
    import numpy as np

    from benchmarks.duplicate_peers import against_rensa, against_semhash, against_text_dedup
    from workbench.corpus import Sample, read
    from workbench.embedded import sample_corpus
    from workbench.scores.base import Inputs
    from workbench.scores.minhash import MinhashParams, compute_minhash
    from workbench.scores.signatures import hash_functions, minima, shingle_hashes, words_of
    from workbench.selectors.minhash import candidates, joined

    logging.disable()
    corpus = read(sample_corpus())
    whole, part = corpus.whole(), corpus.sample(DATATROVE_DOCUMENTS, seed=0)

    def megabytes(sample: Sample) -> float:
        return sum(len(text.encode()) for text in sample.texts) / 1e6

    def bands(sample: Sample, **params: object) -> np.ndarray:
        inputs = Inputs(sample.doc_ids, sample.sources, sample.texts)
        return compute_minhash(inputs, MinhashParams(**params), {})["minhash_bands"]  # type: ignore[arg-type]

    def rate(sample: Sample, seconds: float) -> str:
        return f"{len(sample) / seconds:,.0f} documents/s, {megabytes(sample) / seconds:.2f} MB/s"

    print(f"{len(whole)} documents, {megabytes(whole):.1f} MB, processor time of one core")
    for preset in ("fineweb", "redpajama", "dclm"):
        print(f"{preset}: {rate(whole, cpu_seconds(lambda: bands(whole, preset=preset)))}")  # noqa: B023 - called here
    few = corpus.sample(60, seed=0)
    print(f"refinedweb: {rate(few, cpu_seconds(lambda: bands(few, preset='refinedweb')))}")

    try:
        from datatrove.pipeline.dedup.minhash import MinhashConfig, MinhashDedupSignature
        from datatrove.utils.hashing import HashConfig
    except ImportError:
        print("datatrove isn't installed")
    else:
        step = MinhashDedupSignature(
            "memory://signatures", MinhashConfig(hash_config=HashConfig(precision=64, hash_fc="sha1"))
        )
        step.get_shingles("Words that load what is loaded on first use.")
        ours = cpu_seconds(lambda: bands(part))
        theirs = cpu_seconds(
            lambda: [step.get_signature(s) for text in part.texts if (s := step.get_shingles(text)).size]
        )
        version = importlib.metadata.version("datatrove")
        print(
            f"text to signature, {len(part)} documents, {megabytes(part):.1f} MB: ours {rate(part, ours)}; "
            f"datatrove {version} {rate(part, theirs)}; ratio {theirs / ours:.1f}"
        )

    words = [w for text in part.texts if len(w := words_of(text, "datatrove")) >= 5]
    try:
        from datasketch import MinHash
    except ImportError:
        print("datasketch isn't installed")
    else:
        legacy = {"scheme": "legacy"} if "scheme" in inspect.signature(MinHash).parameters else {}
        a, b = hash_functions("datatrove", 112, seed=1)

        def sketch(tokens: list[str]) -> None:
            one = MinHash(num_perm=112, seed=1, permutations=permutations, **legacy)
            one.update_batch(
                {" ".join(run).encode() for run in zip(*(tokens[i:] for i in range(5)), strict=False)}
            )

        permutations = MinHash(num_perm=112, seed=1, **legacy).permutations
        ours = cpu_seconds(lambda: [minima(shingle_hashes(w, 5, 64), a, b) for w in words])
        theirs = cpu_seconds(lambda: [sketch(w) for w in words])
        version = importlib.metadata.version("datasketch")
        print(
            f"words to signature: ours {rate(part, ours)}; datasketch {version} {rate(part, theirs)}; "
            f"ratio {theirs / ours:.1f}"
        )

    against_text_dedup(part.texts, cpu_seconds)
    against_rensa(words, cpu_seconds)
    against_semhash(cpu_seconds)

    rng = np.random.default_rng(0)
    many = rng.integers(1, 2**63, (100_000, 14), dtype=np.uint64)
    many[rng.permutation(100_000)[:20_000]] = many[:20_000]
    print(
        f"joining 100,000 documents of 14 bands: {cpu_seconds(lambda: joined(100_000, *candidates(many))):.2f} s"
    )


if __name__ == "__main__":
    main()
