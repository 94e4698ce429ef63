"""Makes what the sample carries besides its text: the reference language model, and SmolLM2's scores.

    python data_samples/build_models.py reference     about 10 minutes on 2 cores -> models/reference-lm/
    python data_samples/build_models.py smollm2       about 25 minutes            -> smollm2.parquet
    python data_samples/build_models.py report        bits per byte of the reference model on both splits

Scoring with SmolLM2 can be stopped at any time and goes on from the last 128 documents.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow.parquet as pq

from workbench.checks import canonical_json, json_digest
from workbench.models.load import Models
from workbench.models.locate import SMOLLM2
from workbench.models.reference import ReferenceParams, in_reference, train
from workbench.progress import Silent, Terminal

HERE = Path(__file__).resolve().parent
REFERENCE = HERE / "models" / "reference-lm"
SCORES = HERE / "smollm2.parquet"
_STEP = 128


def sample() -> pl.DataFrame:
    """Ids and texts of the committed corpus, sorted by id."""
    frames = [
        (pl.read_parquet(path) if path.suffix == ".parquet" else pl.read_ndjson(path)).select(
            "doc_id", "text"
        )
        for path in sorted((HERE / "corpus").iterdir())
    ]
    return pl.concat(frames).sort("doc_id")


def build_reference() -> None:
    documents = sample()
    progress = Terminal()
    train(documents["text"].to_list(), documents["doc_id"].to_list(), REFERENCE, ReferenceParams(), progress)
    report()


def report() -> None:
    documents = sample()
    record = Models().lm.record(documents["text"].to_list(), Silent())
    inside = in_reference(documents["doc_id"].to_list(), ReferenceParams().seed)
    for name, rows in (("trained on", inside), ("held out", ~inside)):
        nll, n = np.nansum(record["nll_sum"][rows]), record["n_scored"][rows].sum()
        n_bytes = record["n_bytes_scored"][rows].sum()
        print(
            f"{name}: {rows.sum()} documents, {nll / n:.4f} nats/token, "
            f"{nll / np.log(2) / n_bytes:.4f} bits/byte"
        )


def build_smollm2() -> None:
    models = Models(lm=SMOLLM2, dtype="float32")
    definition = models.definition("lm")
    documents = sample()
    aside = SCORES.with_name(f".smollm2-{json_digest(dict(definition))[:12]}.partial.parquet")
    done = pl.read_parquet(aside) if aside.is_file() else None
    left = documents if done is None else documents.join(done.select("doc_id"), on="doc_id", how="anti")
    # Texts of like length together: a batch has a fixed shape, whether it is full or not.
    left = left[np.argsort(-models.tokenizer.count(left["text"].to_list()), kind="stable")]
    progress = Terminal()
    progress.start("scoring with SmolLM2", int(left["text"].str.len_chars().sum()))
    for batch in left.iter_slices(_STEP):
        record = models.lm.record(batch["text"].to_list(), progress)
        scored = pl.DataFrame({"doc_id": batch["doc_id"], **record})
        done = scored if done is None else pl.concat([done, scored])
        written = aside.with_suffix(".new")
        done.write_parquet(written)
        written.replace(aside)
        print(f"{len(done)} of {len(documents)}", file=sys.stderr, flush=True)
    progress.finish()
    assert done is not None
    done = documents.select("doc_id").join(done, on="doc_id", how="left", maintain_order="left")
    metadata = {b"model": canonical_json(dict(definition)).encode()}
    pq.write_table(
        done.to_arrow(compat_level=pl.CompatLevel.oldest()).replace_schema_metadata(metadata), SCORES
    )
    aside.unlink()
    print(f"{SCORES}: {len(done)} rows")


if __name__ == "__main__":
    {"reference": build_reference, "smollm2": build_smollm2, "report": report}[sys.argv[1]]()
