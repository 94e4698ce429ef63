"""Files that can't be read to their end: an error that names the file, the last good row and what to do."""

from __future__ import annotations

import os
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.corpus.writers import batches_of, write
from workbench.corpus import read
from workbench.errors import InputError

ROWS = [{"text": f"text number {i}" * 20, "n": i} for i in range(3000)]


@pytest.mark.parametrize("name", ["a.jsonl.gz", "a.jsonl.zst"])
@pytest.mark.parametrize("cut", [0.6, 0.999])
def test_a_truncated_file_names_its_last_good_row(tmp_path: Path, name: str, cut: float) -> None:
    path = write(tmp_path / name, ROWS)
    raw = path.read_bytes()
    path.write_bytes(raw[: int(len(raw) * cut)])
    corpus = read(path, id_column="")
    message = (
        rf"{name} is truncated or damaged \(.*\); the last good row is (\d+); copy or download the file again"
    )
    with pytest.raises(InputError, match=message) as caught:
        corpus.whole()
    last = int(str(caught.value).split("the last good row is ")[1].split(";")[0])
    # As good as the bytes allow: at these ratios the rows are spread evenly over the file.
    assert 0.4 * len(ROWS) * cut < last < len(ROWS)


@pytest.mark.parametrize("name", ["a.jsonl.gz", "a.jsonl.zst"])
def test_a_file_that_isnt_compressed_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b'{"text": "x"}\n')
    with pytest.raises(InputError, match=rf"{name} is truncated or damaged .*; no row could be read; copy"):
        read(tmp_path).whole()


def test_a_damaged_gzip_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl.gz", [{"text": os.urandom(500).hex()} for _ in range(3000)])
    raw = bytearray(path.read_bytes())
    raw[-6] ^= 0xFF  # the checksum of the content
    path.write_bytes(raw)
    with pytest.raises(InputError, match=r"truncated or damaged .*; the last good row is \d+"):
        read(path).whole()


def test_several_compressed_parts_in_one_file_are_all_read(tmp_path: Path) -> None:
    for name in ["a.jsonl.gz", "a.jsonl.zst"]:
        path = write(tmp_path / name, ROWS)
        path.write_bytes(path.read_bytes() * 2)
        assert sum(len(batch.rows) for batch in batches_of(read(path))) == 6000


@pytest.mark.parametrize("what", ["empty", "header", "footer", "truncated", "text"])
def test_a_broken_parquet_is_refused(tmp_path: Path, what: str) -> None:
    path = write(tmp_path / "a.parquet", ROWS)
    raw = path.read_bytes()
    broken = {
        "empty": b"",
        "header": b"XXXX" + raw[4:-4] + b"XXXX",
        "footer": raw[:-40] + b"\xff" * 30 + raw[-10:],
        "truncated": raw[: len(raw) // 2],
        "text": b"this is no parquet file at all",
    }
    path.write_bytes(broken[what])
    with pytest.raises(
        InputError, match=r"a\.parquet is no readable parquet file .*; no row could be read; copy"
    ):
        read(path).whole()


def test_a_damaged_page_names_the_last_good_row(tmp_path: Path) -> None:
    table = pa.table({"text": [os.urandom(50).hex() for _ in range(5000)]})
    pq.write_table(table, tmp_path / "a.parquet", row_group_size=1000, write_page_checksum=True)
    raw = bytearray((tmp_path / "a.parquet").read_bytes())
    raw[len(raw) // 2] ^= 0xFF
    (tmp_path / "a.parquet").write_bytes(raw)
    with pytest.raises(
        InputError, match=r"a\.parquet is damaged .*; the last good row is \d+; copy or download"
    ):
        read(tmp_path).whole()


def test_a_csv_with_an_open_quote_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text('text,n\na,1\nb,2\n"c,3\nd,4\n')
    with pytest.raises(
        InputError,
        match=r"a\.csv can't be read on: a quote opened in row 2 isn't closed; the last good row is 1; mend",
    ):
        read(tmp_path).whole()
    (tmp_path / "a.csv").write_bytes(b"te\xffxt,n\na,1\n")
    with pytest.raises(InputError, match="the header can't be read; no row could be read"):
        read(tmp_path).whole()


def test_a_csv_record_beyond_all_bounds_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workbench.corpus.delimited._MIN_FIELD_CHARS", 200_000)
    (tmp_path / "a.csv").write_text("text,n\na,1\n" + "x" * 300_000)
    with pytest.raises(InputError, match="a line has more than 200000 characters; the last good row is 0"):
        read(tmp_path, max_document_bytes=100).whole()


@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz", "a.csv", "a.parquet"])
def test_a_file_that_is_gone_is_refused(tmp_path: Path, name: str) -> None:
    path = write(tmp_path / name, ROWS[:3])
    corpus = read(path)
    path.unlink()
    with pytest.raises(InputError, match=r"can't be read \(.*No such file.*\); check that the file is there"):
        corpus.whole()
    with pytest.raises(InputError, match="can't be read"):
        corpus.fingerprint()


@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz", "a.csv", "a.parquet"])
def test_no_row_at_all_is_refused(tmp_path: Path, name: str) -> None:
    if name == "a.parquet":
        pq.write_table(pa.table({"text": pa.array([], type=pa.string())}), tmp_path / name)
    else:
        (tmp_path / name).write_bytes(b"text,n\n" if name == "a.csv" else b"")
    for corpus in (read(tmp_path), read(tmp_path, id_column="")):
        with pytest.raises(
            InputError, match=rf"the corpus has no rows \({name}\); give files that hold documents"
        ):
            corpus.whole()
    # An empty file beside others is nothing to complain about.
    write(tmp_path / "b.jsonl", [{"text": "x"}])
    assert len(read(tmp_path).sample(5)) == 1


def test_a_file_that_changes_while_it_is_read_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", ROWS)
    corpus = read(path)
    batches = corpus.batches(corpus.shards[0], max_rows=10)
    next(batches)
    with path.open("r+b") as file:
        file.write(path.read_bytes().replace(b'"n": 2999', b'"n": "xx"'))
    with pytest.raises(InputError, match=r"a\.jsonl changed while it was being read; read it again"):
        list(batches)
