"""Makes what the sample carries besides its text: the reference language model, and SmolLM2's scores.

python data_samples/build_models.py reference     about 10 minutes on 2 cores -> models/reference-lm/
python data_samples/build_models.py smollm2       about 25 minutes            -> store/
python data_samples/build_models.py report        bits per byte of the reference model on both splits
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from workbench.corpus import Sample, read
from workbench.engine.score import score
from workbench.models.load import Models
from workbench.models.locate import SMOLLM2
from workbench.models.training.reference import ReferenceParams, in_reference, train
from workbench.progress import Silent, Terminal

HERE = Path(__file__).resolve().parent


def sample() -> Sample:
    """The committed corpus, whole, sorted by id."""
    return read(HERE / "corpus").whole()


def build_reference() -> None:
    """Train the reference model on a random half of the sample."""
    documents = sample()
    folder = HERE / "models" / "reference-lm"
    train(documents.texts, documents.doc_ids, folder, ReferenceParams(), Terminal())
    report()


def report() -> None:
    """Print how well the reference model predicts what it was trained on, and what it wasn't."""
    documents = sample()
    record = Models().lm.record(documents.texts, Silent())
    inside = in_reference(documents.doc_ids, ReferenceParams().seed)
    for name, rows in (("trained on", inside), ("held out", ~inside)):
        nll, n = np.nansum(record["nll_sum"][rows]), record["n_scored"][rows].sum()
        bits = nll / np.log(2) / record["n_bytes_scored"][rows].sum()
        print(f"{name}: {rows.sum()} documents, {nll / n:.4f} nats/token, {bits:.4f} bits/byte")


def build_smollm2() -> None:
    """Score the whole sample into the committed store; stopped, it goes on from the last 512 documents."""
    models = Models(lm=SMOLLM2, dtype="float32")
    table = score(sample(), ["perplexity"], store=HERE / "store", models=models, progress=Terminal())
    print(f"median perplexity {np.median(table.scores['perplexity']):.2f} of {len(table)} documents")


if __name__ == "__main__":
    {"reference": build_reference, "smollm2": build_smollm2, "report": report}[sys.argv[1]]()
