"""Writing the same documents in every format that is read."""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import zstandard

from workbench.corpus import Batch, Corpus, Quarantined

FORMATS = ["a.jsonl", "a.ndjson", "a.jsonl.gz", "a.jsonl.zst", "a.csv", "a.parquet"]


def jsonl(rows: Sequence[dict[str, Any]]) -> bytes:
    return b"".join(json.dumps(row, ensure_ascii=i % 2 == 0).encode() + b"\n" for i, row in enumerate(rows))


def write(path: Path, rows: Sequence[dict[str, Any]]) -> Path:
    """Write rows, all of the same keys, in the format that the path's ending says."""
    path.parent.mkdir(parents=True, exist_ok=True)
    name = path.name
    if name.endswith(".parquet"):
        pq.write_table(pa.Table.from_pylist(list(rows)), path, row_group_size=7)
    elif name.endswith(".csv"):
        text = io.StringIO(newline="")
        writer = csv.DictWriter(text, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
        path.write_bytes(text.getvalue().encode())
    elif name.endswith(".gz"):
        path.write_bytes(gzip.compress(jsonl(rows)))
    elif name.endswith(".zst"):
        path.write_bytes(zstandard.compress(jsonl(rows)))
    else:
        path.write_bytes(jsonl(rows))
    return path


def frame_of(corpus: Corpus, **limits: int) -> pl.DataFrame:
    """The documents of the only shard."""
    return pl.concat([batch.frame for batch in batches_of(corpus, **limits)])


def batches_of(corpus: Corpus, **limits: int) -> list[Batch]:
    (shard,) = corpus.shards
    return list(corpus.batches(shard, **limits))


def quarantined_of(corpus: Corpus) -> list[Quarantined]:
    return [row for batch in batches_of(corpus) for row in batch.quarantined]
