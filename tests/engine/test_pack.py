"""Rows of token ids from kept documents: complete, the same however sharded or interrupted."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from tests.engine.corpora import make_documents
from workbench.checks import file_digest
from workbench.engine import pack as pack_module
from workbench.engine import pack_rows
from workbench.engine.pack import PACK_FILE, PackParams, pack
from workbench.errors import InputError, WorkbenchWarning
from workbench.files import write_json
from workbench.models.training.separator import find_tokenizer, separator

PARAMS = PackParams(context=32)
Rows = list[dict[str, Any]]


def write_kept(folder: Path, rows: Rows, cuts: Iterable[int] = ()) -> Path:
    """What `apply` leaves of these documents, in files that are parted at `cuts`."""
    (folder / "kept").mkdir(parents=True)
    files = {}
    edges = [0, *cuts, len(rows)]
    for k in range(len(edges) - 1):
        path = folder / "kept" / f"part-{k:05d}.parquet"
        pl.DataFrame(
            [{"weight": 1.0, **row} for row in rows[edges[k] : edges[k + 1]]],
            schema={"doc_id": pl.String, "text": pl.String, "weight": pl.Float32},
        ).write_parquet(path)
        files[f"kept/{path.name}"] = file_digest(path)
    write_json(folder / "run.json", {"files": {**files, "dropped/part-00000.parquet": "0" * 64}})
    return folder


@pytest.fixture
def documents() -> Rows:
    rows = [{"doc_id": row["doc_id"], "text": row["text"]} for row in make_documents(60)]
    return [
        *rows,
        {"doc_id": "odd", "text": "<|endoftext|> as text 👩‍👩‍👧 " * 9},
        {"doc_id": "empty", "text": ""},
    ]


@pytest.fixture
def kept(tmp_path: Path, documents: Rows) -> Path:
    return write_kept(tmp_path / "kept-run", documents, (7, 7, 40))


def read_rows(out: Path) -> Rows:
    files = sorted((out / "rows").iterdir())
    return [row for file in files for row in pl.read_parquet(file).to_dicts()]


def digests(out: Path) -> dict[str, str]:
    return {path.name: file_digest(path) for path in sorted((out / "rows").iterdir())}


def test_every_document_is_whole_in_the_rows_with_its_end(
    tmp_path: Path, kept: Path, documents: Rows
) -> None:
    record = pack(kept, tmp_path / "out", PARAMS)
    backend = find_tokenizer("reference-lm")
    end = separator(backend)[1]
    found: dict[str, dict[int, list[int]]] = defaultdict(dict)
    rows = read_rows(tmp_path / "out")
    for row in rows:
        assert len(row["input_ids"]) == 32
        assert row["input_ids"][row["n_tokens"] :] == [end] * (32 - row["n_tokens"])
        at = 0
        for span in row["spans"]:
            size = span["end"] - span["start"]
            found[span["doc_id"]][span["start"]] = row["input_ids"][at : at + size]
            at += size
        assert at == row["n_tokens"]
    for document in documents:
        pieces = found.pop(document["doc_id"], {})
        ids = backend.encode(document["text"], add_special_tokens=False).ids
        assert [i for start in sorted(pieces) for i in pieces[start]] == ([*ids, end] if ids else [])
        assert end not in ids, "text that looks like a special token is text"
    assert not found
    assert len(rows) == record["n_rows"]


def test_the_summary_says_what_was_packed_and_what_is_cut(
    tmp_path: Path, kept: Path, documents: Rows
) -> None:
    record = pack(kept, tmp_path / "out", PARAMS)
    backend = find_tokenizer("reference-lm")
    by_id = sorted(documents, key=lambda row: row["doc_id"])
    sizes = [len(backend.encode(row["text"], add_special_tokens=False).ids) for row in by_id]
    lengths = np.array([size + 1 for size in sizes if size])
    assert record["n_documents"] == len(lengths)
    assert record["n_empty_documents"] == len(documents) - len(lengths) > 1
    assert record["n_tokens"] == lengths.sum()
    assert record["n_lost_tokens"] == 0
    assert record["n_cut_documents"] == (lengths > 32).sum() > 0
    assert record["filled_fraction"] == lengths.sum() / (record["n_rows"] * 32)
    assert record["concatenation"]["n_rows"] == -(-lengths.sum() // 32) <= record["n_rows"]
    stops = np.cumsum(lengths)
    assert record["concatenation"]["n_cut_documents"] == ((stops - lengths) // 32 < (stops - 1) // 32).sum()
    assert record["concatenation"]["n_cut_documents"] > record["n_cut_documents"]
    assert record["files"] == {f"rows/{name}": digest for name, digest in digests(tmp_path / "out").items()}
    assert json.loads((tmp_path / "out" / PACK_FILE).read_bytes()) == record
    assert not (tmp_path / "out" / "work").exists()


def test_rows_are_the_same_however_the_documents_are_sharded(
    tmp_path: Path, kept: Path, documents: Rows
) -> None:
    pack(kept, tmp_path / "one", PARAMS)
    pack(write_kept(tmp_path / "other-run", documents[::-1]), tmp_path / "two", PARAMS)
    assert digests(tmp_path / "one") == digests(tmp_path / "two")


def test_a_seed_orders_the_rows_and_changes_none(tmp_path: Path, kept: Path) -> None:
    pack(kept, tmp_path / "one", PARAMS)
    pack(kept, tmp_path / "two", PackParams(context=32, seed=1))
    one, two = (read_rows(tmp_path / name) for name in ("one", "two"))
    assert one != two
    assert sorted(map(str, one)) == sorted(map(str, two))


def test_trls_way_loses_the_rest_of_a_long_document(tmp_path: Path, kept: Path) -> None:
    record = pack(kept, tmp_path / "out", PackParams(context=32, variant="repo"))
    starts = [span["start"] for row in read_rows(tmp_path / "out") for span in row["spans"]]
    assert set(starts) == {0}
    assert record["n_lost_tokens"] > 0


@pytest.mark.parametrize("stage", ["tokenise", "write"])
def test_an_interrupted_run_goes_on_to_the_same_bytes(
    stage: str, tmp_path: Path, kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pack_rows, "_TOKENS_PER_FILE", 32 * 9)
    pack(kept, tmp_path / "whole", PARAMS)
    assert len(digests(tmp_path / "whole")) > 3
    module, name = (pack_module, "_tokenise") if stage == "tokenise" else (pack_rows, "_table")
    true, calls = getattr(module, name), []

    def dies_at_the_third(*given: Any) -> Any:
        calls.append(given)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return true(*given)

    with monkeypatch.context() as patch:
        patch.setattr(module, name, dies_at_the_third)
        with pytest.raises(KeyboardInterrupt):
            pack(kept, tmp_path / "out", PARAMS)
    assert not (tmp_path / "out" / PACK_FILE).exists()
    done = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*.[bp]*") if path.is_file()}
    assert len(done) >= 2
    with pytest.raises(InputError, match="holds unfinished work of other documents or settings"):
        pack(kept, tmp_path / "out", PackParams(context=33))
    pack(kept, tmp_path / "out", PARAMS)
    assert digests(tmp_path / "out") == digests(tmp_path / "whole")
    left = {path: time for path, time in done.items() if path.parent.name == "rows"}
    assert all(path.stat().st_mtime_ns == time for path, time in left.items())
    assert bool(left) == (stage == "write")


def test_what_is_done_is_not_done_again(tmp_path: Path, kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    record = pack(kept, tmp_path / "out", PARAMS)
    monkeypatch.setattr(pack_module, "_tokenise", None)
    assert pack(kept, tmp_path / "out", PARAMS) == record
    with pytest.raises(InputError, match="holds the rows of other documents or settings; give a new folder"):
        pack(kept, tmp_path / "out", PackParams(context=64))


def test_documents_with_weights_are_packed_once_and_that_is_told(tmp_path: Path) -> None:
    rows = [{"doc_id": f"d{i}", "text": "a few words", "weight": w} for i, w in enumerate([1.0, 2.5, 1.0])]
    kept = write_kept(tmp_path / "run", rows)
    with pytest.warns(WorkbenchWarning, match="1 documents have a weight other than 1"):
        record = pack(kept, tmp_path / "out", PARAMS)
    assert (record["n_documents"], record["n_weighted_documents"]) == (3, 1)


def test_nothing_kept_makes_no_rows(tmp_path: Path) -> None:
    record = pack(write_kept(tmp_path / "run", []), tmp_path / "out", PARAMS)
    assert (record["n_rows"], record["filled_fraction"]) == (0, None)
    assert read_rows(tmp_path / "out") == []


def test_another_end_token_is_taken_by_name(tmp_path: Path, kept: Path) -> None:
    record = pack(kept, tmp_path / "out", PackParams(context=32, end="e"))
    assert record["settings"]["end_id"] == find_tokenizer("reference-lm").token_to_id("e")
    with pytest.raises(
        InputError, match="the tokenizer has no token '<none>'; name one that ends a document"
    ):
        pack(kept, tmp_path / "other", PackParams(context=32, end="<none>"))


def test_what_is_no_run_or_was_changed_is_refused(tmp_path: Path, kept: Path) -> None:
    with pytest.raises(InputError, match=r"holds no complete run \(run.json is missing\)"):
        pack(tmp_path / "nothing", tmp_path / "out", PARAMS)
    with pytest.raises(InputError, match="context must be at least 2"):
        pack(kept, tmp_path / "out", PackParams(context=1))
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("x")
    with pytest.raises(InputError, match="full is not empty; give a new folder"):
        pack(kept, tmp_path / "full", PARAMS)
    path = kept / "kept" / "part-00002.parquet"
    path.write_bytes(path.read_bytes() + b"x")
    with pytest.raises(InputError, match=r"part-00002.parquet is missing or was changed.*apply again"):
        pack(kept, tmp_path / "out", PARAMS)
    (kept / "run.json").write_text('{"files": 3}')
    with pytest.raises(InputError, match=r"run\.json was damaged"):
        pack(kept, tmp_path / "out", PARAMS)
