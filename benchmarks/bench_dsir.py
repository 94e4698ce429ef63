"""DSIR's log-weights: ours against the package data-selection, both fitted and computed on the same texts, one core.

The target are the documents of one source of the committed sample, the raw texts all of it. Processor time; the package
reads its texts from a file of JSON lines, as it does for everyone.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from workbench.checks import FloatArray


def ours(raw: Sequence[str], target: Sequence[str]) -> FloatArray:
    """Log-weights of the raw texts; NaN where they are short."""
    from workbench.models.ngram import hashed
    from workbench.scores.base import Inputs
    from workbench.scores.dsir import DsirParams, compute, fit

    hashed._grams.cache_clear()
    aim = Inputs([""] * len(target), [""] * len(target), target)
    inputs = Inputs([""] * len(raw), [""] * len(raw), raw, target=aim)
    state = fit(inputs, DsirParams(), 0)
    return np.asarray(compute(inputs, DsirParams(), state)["dsir_log_weight"])


def theirs(folder: Path) -> FloatArray:
    """The same by the package."""
    from data_selection import HashedNgramDSIR

    peer = HashedNgramDSIR(
        [str(folder / "raw.jsonl")], [str(folder / "target.jsonl")], str(folder / "cache"), num_proc=1
    )
    peer.fit_importance_estimator()
    peer.compute_importance_weights()
    weights = np.load(folder / "cache" / "log_importance_weights" / "0.npy")
    length = np.load(folder / "cache" / "perexample_metadata" / "0.npy")
    return np.where(peer.perexample_metadata_filter(length), weights, np.nan)


def main() -> None:
    from workbench.corpus import read
    from workbench.embedded import sample_corpus

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--documents", type=int, default=None, help="of the sample; all by default")
    sample = read(sample_corpus()).whole()
    raw = sample.texts[: parser.parse_args().documents]
    target = [t for t, source in zip(raw, sample.sources, strict=False) if source == sample.sources[0]]
    megabytes = sum(len(text.encode()) for text in raw) / 1e6
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        for name, texts in (("raw", raw), ("target", target)):
            lines = "".join(json.dumps({"text": text}) + "\n" for text in texts)
            (folder / f"{name}.jsonl").write_text(lines, encoding="utf-8")
        start = time.process_time()
        peer = theirs(folder)
        between = time.process_time()
        mine = ours(raw, target)
        end = time.process_time()
    assert (np.isnan(mine) == np.isnan(peer)).all()
    print(f"{len(raw)} raw texts, {megabytes:.1f} MB; {len(target)} target texts of {sample.sources[0]!r}")
    print(f"largest difference of two log-weights: {np.nanmax(np.abs(mine - peer)):.1e}")
    print(
        f"ours {end - between:.2f} s, data-selection {between - start:.2f} s, "
        f"ratio {(between - start) / (end - between):.1f}"
    )


if __name__ == "__main__":
    main()
