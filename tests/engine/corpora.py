"""Small corpora made by rule, cut into shards of any format."""

from __future__ import annotations

import csv
import gzip
import json
import random
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import zstandard

Row = dict[str, Any]
FORMATS = ("parquet", "jsonl", "jsonl.gz", "jsonl.zst", "csv")

_WORDS = (
    "river stone lantern harbour meadow clock engine winter letter garden copper thunder window ladder "
    "basket orchard needle candle bridge feather saddle kettle marble anchor"
).split()
_GERMAN = "der Fluss und die Brücke liegen im Nebel während der Zug langsam über das Tal fährt".split()


def make_documents(n: int = 90, seed: int = 0) -> list[Row]:
    """`n` documents of three sources of unequal size; some are copies, near-copies, German or empty."""
    rng = random.Random(seed)
    rows: list[Row] = []
    for i in range(n):
        source = rng.choices(("poems", "letters", "manuals"), (1, 2, 4))[0]
        kind = rng.random()
        if rows and kind < 0.12:
            text = rng.choice(rows)["text"]
        elif rows and kind < 0.24:
            words = rng.choice(rows)["text"].split()
            text = " ".join([*words[: max(len(words) - 1, 0)], rng.choice(_WORDS)])
        elif kind < 0.32:
            text = " ".join(rng.choices(_GERMAN, k=rng.randint(3, 30))) + "."
        elif kind < 0.35:
            text = ""
        else:
            text = " ".join(rng.choices(_WORDS, k=rng.randint(1, 60))) + "."
            if rng.random() < 0.3:
                text = "\n".join([text] * rng.randint(2, 4))
        rows.append({"doc_id": f"d{i:04d}", "text": text, "source": source, "year": 1900 + i % 37})
    return rows


def write_shard(path: Path, rows: Sequence[Row], names: Sequence[str] = ("doc_id", "text", "source")) -> Path:
    """Write rows in the format that the name ends in; `names` are the columns where there is no row."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = b""
    if ".jsonl" in path.name:
        lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()
    if path.name.endswith(".parquet"):
        names = list(rows[0]) if rows else names
        columns = {name: [row[name] for row in rows] for name in names}
        pq.write_table(pa.table(columns if rows else {n: pa.array([], pa.string()) for n in names}), path)
    elif path.name.endswith(".jsonl"):
        path.write_bytes(lines)
    elif path.name.endswith(".jsonl.gz"):
        path.write_bytes(gzip.compress(lines, mtime=0))
    elif path.name.endswith(".jsonl.zst"):
        path.write_bytes(zstandard.ZstdCompressor().compress(lines))
    else:
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, rows[0].keys() if rows else names)
            writer.writeheader()
            writer.writerows(rows)
    return path


def write_corpus(
    folder: Path, rows: Iterable[Row], n_shards: int = 1, formats: Sequence[str] = ("jsonl",), seed: int = 0
) -> Path:
    """Deal shuffled rows to shards of unequal size, in the formats in turn."""
    rng = random.Random(seed)
    shuffled = list(rows)
    rng.shuffle(shuffled)
    cuts = sorted(rng.sample(range(len(shuffled) + 1), n_shards - 1))
    bounds = zip([0, *cuts], [*cuts, len(shuffled)], strict=True)
    for k, (start, end) in enumerate(bounds):
        write_shard(folder / f"shard-{k}.{formats[k % len(formats)]}", shuffled[start:end], list(shuffled[0]))
    return folder
