"""Reading and drawing hold a small part of a corpus, and columns of more than 2 GiB are no obstacle."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from workbench.corpus import Design, Sample, Stratum, read, read_sample

PROGRAM = """
import sys, threading, time
import psutil
from workbench.corpus import read

corpus = read(sys.argv[1])
read(sys.argv[2]).sample(50)  # what the libraries take for themselves
process, peak = psutil.Process(), [0]

# getrusage's peak would do, but it is inherited from the process that starts this one.
def watch():
    while True:
        peak[0] = max(peak[0], process.memory_info().rss)
        time.sleep(0.002)

before = process.memory_info().rss
threading.Thread(target=watch, daemon=True).start()
sample = corpus.sample(2000)
print(len(sample), (peak[0] - before) // 2**20)
"""


def _documents(n_bytes: int) -> list[bytes]:
    rng = np.random.default_rng(0)
    words = np.array([f"{i:x}" * 2 for i in range(30_000)])
    made, lines = 0, []
    while made < n_bytes:
        text = " ".join(words[rng.integers(0, len(words), rng.integers(20, 900))])
        lines.append(
            f'{{"text": "{text}", "source": "{"abc"[len(lines) % 3]}", "n": {len(lines)}}}\n'.encode()
        )
        made += len(lines[-1])
    return lines


def _measure(corpus: Path, small: Path) -> tuple[int, int]:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(corpus), str(small)], capture_output=True, text=True, check=True
    )
    n, grown = map(int, done.stdout.split())
    return n, grown


@pytest.mark.slow
def test_drawing_holds_a_small_part_of_the_corpus(tmp_path: Path) -> None:
    lines = _documents(10_000_000)
    small = tmp_path / "small.jsonl"
    small.write_bytes(b"".join(lines[:500]))
    with (tmp_path / "a.jsonl").open("wb") as file:
        for k in range(30):  # 300 MB; the texts of each round are their own
            file.writelines(line.replace(b'"text": "', b'"text": "%d ' % k) for line in lines)
    n, grown = _measure(tmp_path / "a.jsonl", small)
    print(f"jsonl: 300 MB, {grown} MiB more")
    assert n == 2000
    assert grown < 100

    frame = pl.read_ndjson(tmp_path / "a.jsonl")
    frame.write_parquet(tmp_path / "a.parquet", row_group_size=frame.height)
    frame.write_csv(tmp_path / "a.csv")
    del frame
    for name in ("a.parquet", "a.csv"):
        n, grown = _measure(tmp_path / name, small)
        print(f"{name}: 300 MB, {grown} MiB more")
        assert n == 2000
        assert grown < 200  # one row group of 300 MB


@pytest.mark.slow
def test_columns_of_more_than_2_gib_are_written_and_read(tmp_path: Path) -> None:
    text = "0123456789abcdef" * 2**16  # 1 MiB
    n = 2200
    frame = pl.DataFrame(
        {
            "doc_id": [f"{i:05}" for i in range(n)],
            "text": pl.Series([text], dtype=pl.String).new_from_index(0, n),
            "source": ["s"] * n,
        }
    )
    design = Design("source", 0, {"s": Stratum(n, n, n * 2**20, 1.0)}, "", 0)
    Sample(frame, design).write(tmp_path / "s.parquet")
    again = read_sample(tmp_path / "s.parquet")
    assert again.frame["text"].str.len_bytes().cast(pl.Int64).sum() == n * 2**20
    del again
    corpus = read(tmp_path / "s.parquet")
    sizes = [batch.frame["text"].str.len_bytes().sum() for batch in corpus.batches(corpus.shards[0])]
    assert sum(sizes) == n * 2**20
    assert max(sizes) <= 32 * 2**20
    assert corpus.sample(10).design.strata["s"].n_bytes_corpus == n * 2**20


def test_32_bit_offsets_and_row_groups_of_any_size_are_read(tmp_path: Path) -> None:
    table = pa.table({"text": pa.array([f"t{i}" for i in range(300)], type=pa.string())})
    with pq.ParquetWriter(tmp_path / "a.parquet", table.schema) as writer:
        for start, size in ((0, 1), (1, 250), (251, 3), (254, 46)):
            writer.write_table(table.slice(start, size))
    corpus = read(tmp_path)
    batches = list(corpus.batches(corpus.shards[0], max_rows=100))
    assert pl.concat([b.frame for b in batches])["text"].to_list() == [f"t{i}" for i in range(300)]
    assert np.concatenate([b.rows for b in batches]).tolist() == list(range(300))
