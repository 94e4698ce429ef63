"""200,000 documents through the command line: bounded memory, and the same result after five kills."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engine.corpora import write_shard
from tests.engine.outputs import digests
from workbench import read, sample_corpus

N_DOCUMENTS = 200_000
N_SHARDS = 8
N_KILLS = 5
MAX_RSS_BYTES = 1.5 * 2**30
COPY_FRACTION = 0.1
ENDINGS = (".json", ".npy", ".parquet")
# Read ids, score, groups, write: so many files stand in out/work when nearly all is done.
N_FILES = 2 + N_SHARDS + N_DOCUMENTS // 2048 + 2 * N_SHARDS

# Of scores that take little: how much is held, and what a kill leaves behind, is no matter of what a score takes.
RECIPE = {
    "format": "selection-recipe/1",
    "seed": 5,
    "steps": [
        {"select": "band", "score": "n_tokens", "low": 12},
        {"select": "band", "score": "compression_ratio", "high": {"quantile": 0.99}, "unscored": "drop"},
        {"select": "band", "score": "n_bytes", "high": 95},
        {"select": "exact"},
        {"select": "random", "fraction": 0.5},
    ],
}


def documents() -> Iterator[dict[str, str]]:
    """The sample corpus again and again, each time cut to 50 to 99 characters and changed but for a tenth."""
    sample = read(sample_corpus()).whole()
    texts = [text[: 50 + row * 37 % 50] for row, text in enumerate(sample.texts)]
    rng = random.Random(0)
    for i in range(N_DOCUMENTS):
        turn, row = divmod(i, len(texts))
        text = texts[row]
        if turn and rng.random() >= COPY_FRACTION:
            text = f"{text} {turn}"
        yield {"doc_id": f"doc-{i:06d}", "text": text, "source": sample.sources[row]}


def workbench(*args: str | int | Path) -> list[str]:
    return [sys.executable, "-c", "from workbench.cli import main; main()", *map(str, args)]


def peak_rss(process: subprocess.Popen[bytes]) -> int:
    """Wait for a process; the most memory that it held at once, in bytes (it has no children)."""
    peak = 0
    while process.poll() is None:
        for line in Path(f"/proc/{process.pid}/status").read_text().splitlines():
            if line.startswith(
                "VmHWM:"
            ):  # the kernel's own high-water mark, so nothing between two looks is missed
                peak = max(peak, int(line.split()[1]) * 1024)
        time.sleep(0.05)
    return peak


def run_until(command: list[str], work: Path, n_files: int, cwd: Path) -> bool:
    """Run and kill (SIGKILL) as soon as so many whole files stand in `work`; False if it ended before."""
    process = subprocess.Popen(command, cwd=cwd, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    while process.poll() is None:
        if sum(name.endswith(ENDINGS) for *_, names in os.walk(work) for name in names) >= n_files:
            process.kill()
            process.wait()
            return True
        time.sleep(0.02)
    assert process.returncode == 0, process.communicate()[1]
    return False


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_200_000_documents_fit_in_memory_and_five_kills_change_nothing(tmp_path: Path, root: Path) -> None:
    rows = list(documents())
    for k in range(N_SHARDS):
        ending = ("parquet", "jsonl.zst", "parquet")[k % 3]
        cut = [N_DOCUMENTS * j // N_SHARDS for j in (k, k + 1)]
        write_shard(tmp_path / "corpus" / f"shard-{k}.{ending}", rows[slice(*cut)])
    del rows
    (tmp_path / "recipe.json").write_text(json.dumps(RECIPE))
    sample, manifest = tmp_path / "sample.parquet", tmp_path / "large.manifest"
    freeze = ("--recipe", tmp_path / "recipe.json", "--store", tmp_path / "store", "--out", manifest)
    for command in (
        ("sample", tmp_path / "corpus", "--n", 3000, "--out", sample),
        ("export", sample, *freeze),
    ):
        subprocess.run(workbench(*command), cwd=root, check=True, capture_output=True)

    apply = ("apply", manifest, tmp_path / "corpus", "--json", "--out")
    started = time.monotonic()
    whole = subprocess.Popen(workbench(*apply, tmp_path / "whole"), cwd=root, stdout=subprocess.DEVNULL)
    peak = peak_rss(whole)
    seconds = time.monotonic() - started
    assert whole.returncode == 0
    print(f"\n{N_DOCUMENTS / seconds:,.0f} documents/s in {seconds:.0f} s, peak {peak / 2**20:,.0f} MB")
    assert 0 < peak < MAX_RSS_BYTES

    # With two workers: other processes, which must end with the one that is killed, and the same bytes.
    out = tmp_path / "killed"
    apply = (*apply[:-1], "--workers", 2, "--out")
    for n_files in sorted(random.Random(1).sample(range(2, N_FILES), N_KILLS)):
        assert run_until(workbench(*apply, out), out / "work", n_files, root), f"over before {n_files} files"
        assert not (out / "run.json").exists()
    subprocess.run(workbench(*apply, out), cwd=root, check=True, capture_output=True)

    assert digests(out) == digests(tmp_path / "whole")
    ran = [json.loads((folder / "run.json").read_bytes()) for folder in (out, tmp_path / "whole")]
    assert ran[0]["output_digest"] == ran[1]["output_digest"]
    assert ran[0]["counts"]["read"] == N_DOCUMENTS
    assert 0.2 * N_DOCUMENTS < ran[0]["counts"]["kept"] < 0.8 * N_DOCUMENTS
    verified = subprocess.run(workbench("verify", manifest, out, "--json"), cwd=root, capture_output=True)
    assert verified.returncode == 0, verified.stdout
