"""`apply --as sidecar`: of each document where it stands and what was decided, and nothing more."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tests.engine.commands import Commands
from tests.engine.outputs import rows_of
from tests.engine.test_apply import Killed, killed_at
from workbench.checks import file_digest, json_digest
from workbench.corpus import Corpus, read
from workbench.engine.apply import apply
from workbench.engine.pack import PackParams, pack
from workbench.engine.verify import verify
from workbench.errors import InputError


@pytest.fixture
def spoilt(corpus: Corpus, tmp_path: Path) -> Corpus:
    """The corpus with a row before the others of its shard that isn't a document."""
    shard = tmp_path / "corpus" / "shard-1.jsonl"
    shard.write_bytes(b"{broken\n" + shard.read_bytes())
    return read(tmp_path / "corpus")


@pytest.fixture
def out(manifest: Path, spoilt: Corpus, tmp_path: Path) -> Path:
    return apply(manifest, spoilt, tmp_path / "side", form="sidecar").out


def digests(out: Path) -> dict[str, str]:
    return {str(p.relative_to(out)): file_digest(p) for p in sorted(out.rglob("*.*")) if p.name != "run.json"}


def test_it_holds_what_apply_decides_and_no_more(
    manifest: Path, spoilt: Corpus, out: Path, tmp_path: Path
) -> None:
    data = apply(manifest, spoilt, tmp_path / "data")
    rows = rows_of(out, "sidecar")
    assert list(rows[0]) == ["shard", "row", "doc_id", "weight", "step"]
    assert {r["doc_id"]: r["weight"] for r in rows if r["step"] == -1} == {
        r["doc_id"]: r["weight"] for r in rows_of(data.out, "kept")
    }
    dropped = {r["doc_id"]: r["step"] for r in rows if r["step"] != -1}
    assert dropped == {r["doc_id"]: r["step"] for r in rows_of(data.out, "dropped")}
    assert dropped
    assert {r["weight"] for r in rows if r["step"] != -1} == {0.0}
    side = json.loads((out / "run.json").read_bytes())
    for name in ("counts", "kept", "by_source", "by_step"):
        assert side[name] == data.record[name]
    assert {path.name for path in out.iterdir()} == {"sidecar", "quarantine", "run.json"}


def test_shard_and_row_find_each_document_in_the_corpus(out: Path, spoilt: Corpus) -> None:
    found: dict[tuple[str, int], str] = {}
    for shard in spoilt.shards:
        for batch in spoilt.batches(shard):
            found |= {
                (shard.name, int(row)): i for row, i in zip(batch.rows, batch.frame["doc_id"], strict=True)
            }
    assert {(r["shard"], r["row"]): r["doc_id"] for r in rows_of(out, "sidecar")} == found
    # The broken line is a row too: the first document of its shard stands in row 1.
    assert min(r["row"] for r in rows_of(out, "sidecar") if r["shard"].endswith("shard-1.jsonl")) == 1


def test_interruptions_leave_the_same_bytes(
    manifest: Path, spoilt: Corpus, out: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = digests(out)
    for moment in (1, 9, 15, 17, 21, 23):
        with killed_at(moment, "before", monkeypatch), pytest.raises(Killed):
            apply(manifest, spoilt, tmp_path / f"out-{moment}", form="sidecar")
        assert digests(apply(manifest, spoilt, tmp_path / f"out-{moment}", form="sidecar").out) == whole


def test_a_folder_has_one_form(manifest: Path, spoilt: Corpus, out: Path) -> None:
    with pytest.raises(
        InputError, match="holds the result of another manifest, corpus or form; give a new folder"
    ):
        apply(manifest, spoilt, out)


def test_an_untouched_sidecar_holds(manifest: Path, corpus: Corpus, tmp_path: Path) -> None:
    checked = verify(manifest, apply(manifest, corpus, tmp_path / "side", form="sidecar").out)
    assert checked.holds
    assert any("decisions weren't made again" in line for line in checked.warnings)
    assert any("agrees with the expected" in line for line in checked.passed)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (pl.lit(0.0).alias("weight"), "have a weight that their step denies"),
        (pl.when(pl.col("step") >= 0).then(5).otherwise(pl.col("step")).alias("step"), "sums by source or by step"),
        (pl.lit(-1).alias("step"), "the files hold"),
        (pl.lit("else.jsonl").alias("shard"), "names shards that the run didn't read"),
        (pl.lit("same").alias("doc_id"), "stand twice"),
    ],
    ids=["weight", "step", "kept", "shard", "id"],
)  # fmt: skip
def test_a_changed_sidecar_fails(manifest: Path, out: Path, change: pl.Expr, said: str) -> None:
    path = out / "sidecar" / "part-00000.parquet"
    frame = pl.read_parquet(path)
    kinds = {"weight": pl.Float32, "step": pl.Int16, "shard": pl.String}
    name = change.meta.output_name()
    frame.with_columns(change.cast(kinds.get(name, pl.String))).write_parquet(path)
    assert "1 files are missing or changed" in verify(manifest, out).failed[0]
    run: dict[str, Any] = json.loads((out / "run.json").read_bytes())
    run["files"]["sidecar/part-00000.parquet"] = file_digest(path)
    run["output_digest"] = json_digest(run["files"])
    (out / "run.json").write_text(json.dumps(run))
    assert any(said in line for line in verify(manifest, out).failed)


def test_a_sidecar_can_not_be_packed(out: Path, tmp_path: Path) -> None:
    with pytest.raises(
        InputError, match="is a sidecar, which holds no text; give a folder of `workbench apply --as data`"
    ):
        pack(out, tmp_path / "rows", PackParams(context=32))


def test_the_command_line_writes_one(
    manifest: Path,
    spoilt: Corpus,
    out: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(out.parent)
    ran = Commands(monkeypatch, capfd)("apply", manifest, "corpus", "--out", "cli", "--as", "sidecar")
    assert ran.code == 3, ran.err
    assert digests(Path("cli")) == digests(out)
