"""The published filters' signals: ours in one pass against datatrove's four filters one after another, on one core.

datatrove's filters stop at the first rule that a document fails and give a verdict; ours give every number. Both have
their defaults. Cold is a first run, in which caches and tables are made; warm is a second run of the same.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable

FAMILIES = {
    "C4": "c4_n_lines",
    "Gopher quality": "gopher_n_words",
    "Gopher repetition": "gopher_dup_lines_fraction",
    "FineWeb": "fineweb_terminal_lines_fraction",
}


def cpu_seconds(work: Callable[[], object]) -> float:
    """Processor time of this process: with one thread, that of one core."""
    start = time.process_time()
    work()
    return time.process_time() - start


def main() -> None:
    import importlib.metadata

    from datatrove.data import Document
    from datatrove.pipeline.filters import (
        C4QualityFilter,
        FineWebQualityFilter,
        GopherQualityFilter,
        GopherRepetitionFilter,
    )

    from workbench.corpus import read
    from workbench.embedded import sample_corpus
    from workbench.engine.passes import plan_passes
    from workbench.scores.base import Inputs

    # datatrove takes the mean of no words where a document has none.
    warnings.simplefilter("ignore", RuntimeWarning)
    sample = read(sample_corpus()).whole()
    megabytes = sum(len(text.encode()) for text in sample.texts) / 1e6
    filters = dict(
        zip(
            FAMILIES,
            (C4QualityFilter(), GopherQualityFilter(), GopherRepetitionFilter(), FineWebQualityFilter()),
            strict=True,
        )
    )
    version = importlib.metadata.version("datatrove")
    print(f"datatrove {version}, {len(sample)} documents, {megabytes:.1f} MB, processor time of one core")

    def ours(names: list[str], words: str) -> float:
        (step,) = plan_passes(names, {name: {"words": words} for name in names})
        inputs = Inputs(doc_ids=sample.doc_ids, sources=sample.sources, texts=sample.texts)
        return cpu_seconds(lambda: step.run(inputs, {}))

    def theirs(peer: object) -> float:
        texts = [Document(text=text, id="x") for text in sample.texts]
        return cpu_seconds(lambda: [peer.filter(text) for text in texts])  # type: ignore[attr-defined]

    def rates(what: str, own: float, other: float) -> str:
        own_rate, other_rate = megabytes / own, megabytes / other
        return f"{what}: ours {own_rate:.2f} MB/s, datatrove {other_rate:.2f} MB/s, ratio {other / own:.1f}"

    for peer in filters.values():
        peer.filter(Document(text="two words here", id="w"))
    names = list(FAMILIES.values())
    one_pass = {
        (words, cache): ours(names, words) for words in ("fast", "datatrove") for cache in ("cold", "warm")
    }
    alone = {family: theirs(peer) for family, peer in filters.items()}
    for (words, cache), seconds in one_pass.items():
        print(rates(f"one pass, words={words}, {cache}", seconds, sum(alone.values())))
    for family, name in FAMILIES.items():
        print(rates(f"{family} alone, words=fast, warm", ours([name], "fast"), alone[family]))


if __name__ == "__main__":
    main()
