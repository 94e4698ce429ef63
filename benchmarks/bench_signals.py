"""The published filters' signals: ours against datatrove's filters, the same documents in one run.

datatrove's filters stop at the first rule that a document fails and give a verdict; ours give every number. Both split
words themselves.
"""

from __future__ import annotations

import time


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

    sample = read(sample_corpus()).sample(1500, seed=0)
    megabytes = sum(len(text.encode()) for text in sample.texts) / 1e6
    inputs = Inputs(doc_ids=sample.doc_ids, sources=sample.sources, texts=sample.texts)
    pairs = {
        "gopher_n_words": GopherQualityFilter(),
        "gopher_dup_lines_fraction": GopherRepetitionFilter(),
        "fineweb_terminal_lines_fraction": FineWebQualityFilter(),
        "c4_n_lines": C4QualityFilter(filter_no_terminal_punct=False),
    }
    version = importlib.metadata.version("datatrove")
    print(f"datatrove {version}, {len(sample)} documents, {megabytes:.1f} MB, one run each")
    for name, peer in pairs.items():
        (step,) = plan_passes([name])
        warm = Inputs(doc_ids=["w"], sources=["w"], texts=["two words here"])
        step.run(warm, {})
        peer.filter(Document(text="two words here", id="w"))
        start = time.process_time()
        step.run(inputs, {})
        ours = time.process_time() - start
        start = time.process_time()
        for text in sample.texts:
            peer.filter(Document(text=text, id="x"))
        theirs = time.process_time() - start
        rates = f"ours {megabytes / ours:.2f} MB/s, datatrove {megabytes / theirs:.2f} MB/s"
        print(f"{type(peer).__name__}: {rates}, ratio {theirs / ours:.2f}")


if __name__ == "__main__":
    main()
