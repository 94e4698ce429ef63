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
from workbench.engine.pack_rows import n_copies
from workbench.errors import InputError
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


def test_a_document_is_packed_as_often_as_its_weight_says(tmp_path: Path, documents: Rows) -> None:
    weight = {row["doc_id"]: float(i % 4) for i, row in enumerate(documents)}
    kept = write_kept(tmp_path / "run", [{**row, "weight": weight[row["doc_id"]]} for row in documents], (9,))
    record = pack(kept, tmp_path / "out", PARAMS)
    backend = find_tokenizer("reference-lm")
    end = separator(backend)[1]
    rows = read_rows(tmp_path / "out")
    found: dict[str, list[list[int]]] = defaultdict(list)
    for row in rows:
        here = [span["doc_id"] for span in row["spans"] if span["start"] == 0]
        assert len(here) == len(set(here)), "a document stands twice in a row"
        at = 0
        for span in row["spans"]:
            size = span["end"] - span["start"]
            found[span["doc_id"]].append([span["start"], *row["input_ids"][at : at + size]])
            at += size
    n_tokens = 0
    for document in documents:
        ids = backend.encode(document["text"], add_special_tokens=False).ids
        whole = [*ids, end] if ids else []
        pieces = [[start, *whole[start : start + 32]] for start in range(0, len(whole), 32)]
        copies = int(weight[document["doc_id"]])
        assert sorted(found[document["doc_id"]]) == sorted(pieces * copies)
        n_tokens += len(whole) * copies
    assert record["n_tokens"] == n_tokens == sum(row["n_tokens"] for row in rows)
    assert record["n_lost_tokens"] == 0
    sizes = {
        row["doc_id"]: len(backend.encode(row["text"], add_special_tokens=False).ids) for row in documents
    }
    full = [name for name, size in sizes.items() if size]
    assert record["n_documents"] == sum(weight[name] > 0 for name in full)
    assert record["n_left_out_documents"] == sum(weight[name] == 0 for name in full) > 0
    assert record["n_copies"] == sum(weight[name] for name in full)
    assert record["n_cut_documents"] == sum(weight[name] for name in full if sizes[name] >= 32)
    assert record["concatenation"]["n_rows"] == -(-n_tokens // 32)


def test_the_fraction_of_a_weight_is_drawn_by_the_id_alone(tmp_path: Path) -> None:
    ids = np.array([f"d{i}" for i in range(4_000)])
    weight = np.tile([2.3, 1.0, 0.75, 3.0], 1_000)
    copies = n_copies(weight, ids, 0)
    assert ((copies == np.floor(weight)) | (copies == np.ceil(weight))).all()
    for w in (2.3, 0.75):
        part = w % 1
        drawn = (copies[weight == w] > np.floor(w)).sum()
        # 1,000 draws: five deviations of a binomial count
        assert abs(drawn - 1_000 * part) < 5 * np.sqrt(1_000 * part * (1 - part))
    shuffled = np.random.default_rng(0).permutation(len(ids))
    assert np.array_equal(n_copies(weight[shuffled], ids[shuffled], 0), copies[shuffled])
    assert not np.array_equal(n_copies(weight, ids, 1), copies)


def test_repeated_documents_give_the_same_rows_however_they_are_sharded(
    tmp_path: Path, documents: Rows
) -> None:
    rows = [{**row, "weight": 0.6 * (i % 5)} for i, row in enumerate(documents)]
    one = pack(write_kept(tmp_path / "one-run", rows, (7, 30)), tmp_path / "one", PARAMS)
    two = pack(write_kept(tmp_path / "two-run", rows[::-1]), tmp_path / "two", PARAMS)
    assert digests(tmp_path / "one") == digests(tmp_path / "two")
    assert one["n_copies"] == two["n_copies"] > one["n_documents"]


@pytest.mark.parametrize("weight", [-1.0, float("nan"), float("inf"), 1e6])
def test_a_weight_that_is_no_number_of_times_is_refused(tmp_path: Path, weight: float) -> None:
    kept = write_kept(tmp_path / "run", [{"doc_id": "odd", "text": "a few words", "weight": weight}])
    with pytest.raises(InputError, match=r"a weight must lie in 0\.\.10,000, got .* for 'odd'; lower"):
        pack(kept, tmp_path / "out", PARAMS)


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


def test_the_summary_names_a_tokenizer_by_digest_and_by_no_path(tmp_path: Path, kept: Path) -> None:
    one = pack(kept, tmp_path / "one", PARAMS)
    copy = tmp_path / "mine" / "tokenizer.json"
    copy.parent.mkdir()
    copy.write_text(find_tokenizer("reference-lm").to_str())
    two = pack(kept, tmp_path / "two", PackParams(context=32, tokenizer=str(copy)))
    assert (one["settings"]["tokenizer"], two["settings"]["tokenizer"]) == ("reference-lm", "tokenizer.json")
    assert one["settings"]["tokenizer_sha256"] == two["settings"]["tokenizer_sha256"]
    assert one["identity"] == two["identity"]
    assert digests(tmp_path / "one") == digests(tmp_path / "two")
