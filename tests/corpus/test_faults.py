"""Rows that are no documents: each is put aside with its reason, and reading goes on."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.corpus.writers import batches_of, frame_of, quarantined_of
from workbench.corpus import read
from workbench.errors import InputError

GOOD = b'{"text": "good", "id": 1}\n'


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b'{"text": "x"', "not JSON at character 12: unexpected end of data"),
        (b"hello", "not JSON at character 0"),
        (b'{"text": "x", "id": NaN}', "not JSON at character 20"),
        (b"[1, 2]", "the line is a list, not a JSON object"),
        (b'"text"', "the line is a string, not a JSON object"),
        (b"null", "the line is null, not a JSON object"),
        (b'{"text": null, "id": 2}', "the text column 'text' is null, not a string"),
        (b'{"id": 2}', "the text column 'text' is missing in this row"),
        (b'{"text": 5, "id": 2}', "the text column 'text' is an integer, not a string"),
        (b'{"text": ["x"], "id": 2}', "the text column 'text' is a list, not a string"),
        (b'{"text": "a\xffb", "id": 2}', "not valid UTF-8 at byte 11"),
        (b'{"text": "a\\ud800b", "id": 2}', "a lone surrogate at character"),
        (b'{"text": "a\\udc00b", "id": 2}', "a lone surrogate at character"),
        (b'{"text": "a\xed\xa0\x80b", "id": 2}', "not valid UTF-8 at byte 11"),
        (b'{"text": "x", "id": null}', "the id column 'id' is null; an id is a string or an integer"),
        (b'{"text": "x", "id": ""}', "the id column 'id' is empty"),
        (b'{"text": "x"}', "the id column 'id' is missing in this row"),
        (b'{"text": "x", "id": 1.5}', "the id column 'id' is a number with a fraction"),
        (b'{"text": "x", "id": true}', "the id column 'id' is a boolean"),
        (b'{"text": "x", "id": 123456789012345678901234567890}', "an integer of up to 64 bits"),
        (
            b'{"text": "x", "id": 2, "source": {"a": 1}}',
            "the source column 'source' is an object; a source is",
        ),
        (
            b'{"text": "' + b"x" * 101 + b'", "id": 2}',
            "the text has 101 bytes, more than max_document_bytes=100",
        ),
        ('{"text": "' + "€" * 34 + '", "id": 2}', "the text has 102 bytes, more than max_document_bytes=100"),
        (b'{"a":' * 2000 + b"1" + b"}" * 2000, "not JSON at character"),
    ],
)
def test_a_jsonl_line_that_is_no_document_is_put_aside(
    tmp_path: Path, line: bytes | str, reason: str
) -> None:
    raw = line.encode() if isinstance(line, str) else line
    source = b'{"text": "good", "id": 9, "source": "s"}\n'
    (tmp_path / "a.jsonl").write_bytes(GOOD + b"\n  \n" + raw + b"\n" + source)
    corpus = read(tmp_path, max_document_bytes=100)
    (batch,) = batches_of(corpus)
    (bad,) = batch.quarantined
    assert bad.row == 3
    assert reason in bad.reason
    assert bad.shard == "a.jsonl"
    assert bad.excerpt == raw.decode("utf-8", "backslashreplace")[:200]
    assert batch.rows.tolist() == [0, 4]
    assert batch.frame["text"].to_list() == ["good", "good"]
    sample = corpus.whole()
    assert (len(sample), sample.design.n_quarantined) == (2, 1)
    assert sample.quarantined == (bad,)


def test_texts_at_the_limit_and_empty_ones_are_documents(tmp_path: Path) -> None:
    texts = ["", "x" * 100, "€" * 33, "\0", "a\u2028b"]
    (tmp_path / "a.jsonl").write_text("".join(json.dumps({"text": t}) + "\n" for t in texts))
    assert frame_of(read(tmp_path, max_document_bytes=100))["text"].to_list() == texts


def test_the_last_line_needs_no_line_feed_and_the_first_may_have_a_bom(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(b'\xef\xbb\xbf{"text": "a"}\r\n{"text": "b"}')
    assert frame_of(read(tmp_path))["text"].to_list() == ["a", "b"]


def test_a_line_without_end_is_put_aside_without_being_held(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(GOOD + b'{"text": "' + b"x" * 20_000_000 + b'"}\n' + GOOD)
    (bad,) = quarantined_of(read(tmp_path, max_document_bytes=1000, id_column=""))
    assert bad.row == 1
    assert bad.reason == f"the line has more than {6 * 1000 + 4 * 2**20} bytes"
    assert frame_of(read(tmp_path, max_document_bytes=1000, id_column="")).height == 2


def test_a_shard_of_bad_rows_only_is_an_empty_sample(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(b"x\n" * 20)
    sample = read(tmp_path).whole()
    assert (len(sample), sample.design.n_quarantined, sample.design.strata) == (0, 20, {})
    assert sample.frame.columns == ["doc_id", "text", "source"]
    sample.write(tmp_path / "s.parquet")


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (b"1,x,y,z\n", "the row has 4 fields, the header has 3"),
        (b"1\n", "the row has 1 fields, the header has 3"),
        (b"1,a\xffb,y\n", "not valid UTF-8"),
        (b'1,"a"b,y\n', "a quote within a field isn't doubled"),
        (b",x,y\n", "the id column 'id' is empty"),
        (b"1," + b"x" * 101 + b",y\n", "the text has 101 bytes, more than max_document_bytes=100"),
    ],
)
def test_a_csv_row_that_is_no_document_is_put_aside(tmp_path: Path, row: bytes, reason: str) -> None:
    raw = b'\xef\xbb\xbfid,text,k\n0,"a\r\nb",y\n\n' + row + b'9,"say ""x"", then",y\n'
    (tmp_path / "a.csv").write_bytes(raw)
    (batch,) = batches_of(read(tmp_path, max_document_bytes=100))
    (bad,) = batch.quarantined
    assert bad.row == 2
    assert reason in bad.reason
    assert bad.excerpt == row.decode("utf-8", "backslashreplace")[:200]
    assert batch.frame["text"].to_list() == ["a\r\nb", 'say "x", then']
    assert batch.frame["doc_id"].to_list() == ["0", "9"]
    assert batch.rows.tolist() == [0, 3]


def test_csv_fields_may_be_long_and_hold_nul(tmp_path: Path) -> None:
    long = "x" * 300_000
    (tmp_path / "a.csv").write_bytes(f'text\n{long}\n"a\0b"\n'.encode())
    assert frame_of(read(tmp_path))["text"].to_list() == [long, "a\0b"]


def _invalid_strings(*values: bytes) -> pa.Array:
    return pa.array(values, type=pa.binary()).view(pa.string())


@pytest.mark.parametrize("kind", ["string", "binary", "large_binary", "binary_view"])
def test_parquet_text_that_isnt_utf8_is_put_aside(tmp_path: Path, kind: str) -> None:
    values = [b"good", b"a\xffb", "ä".encode()]
    text = _invalid_strings(*values) if kind == "string" else pa.array(values, type=getattr(pa, kind)())
    pq.write_table(pa.table({"text": text}), tmp_path / "a.parquet")
    (batch,) = batches_of(read(tmp_path))
    (bad,) = batch.quarantined
    assert (bad.row, bad.reason) == (1, "the text column 'text' isn't valid UTF-8 at byte 1")
    assert bad.excerpt == "text: 'a\\\\xffb'"
    assert batch.frame["text"].to_list() == ["good", "ä"]


def test_parquet_strings_elsewhere_that_arent_utf8_are_put_aside(tmp_path: Path) -> None:
    nested = pa.ListArray.from_arrays(pa.array([0, 1, 2, 3, 3, 3]), _invalid_strings(b"a", b"\xff", b"b"))
    table = pa.table(
        {
            "text": [f"t{i}" for i in range(5)],
            "id": _invalid_strings(b"0", b"1", b"\xff", b"", b"4"),
            "url": _invalid_strings(b"u", b"u", b"u", b"u", b"\xfe"),
            "tags": nested,
        }
    )
    pq.write_table(table, tmp_path / "a.parquet")
    corpus = read(tmp_path)
    (batch,) = batches_of(corpus)
    assert [(bad.row, bad.reason) for bad in batch.quarantined] == [
        (1, "the column 'tags' isn't valid UTF-8"),
        (2, "the id column 'id' isn't valid UTF-8 at byte 0"),
        (3, "the id column 'id' is empty; an id is a string or an integer"),
        (4, "the column 'url' isn't valid UTF-8 at byte 0"),
    ]
    assert batch.frame.to_dicts() == [{"doc_id": "0", "text": "t0", "source": "a", "url": "u", "tags": ["a"]}]
    # The counting pass leaves out the further columns and must still come to the same documents.
    assert len(corpus.sample(1)) == 1


def test_parquet_nulls_and_large_texts_are_put_aside(tmp_path: Path) -> None:
    table = pa.table({"text": ["a", None, "x" * 101, "b"], "id": pa.array([1, 2, 3, None], type=pa.uint64())})
    pq.write_table(table, tmp_path / "a.parquet")
    (batch,) = batches_of(read(tmp_path, max_document_bytes=100))
    assert [(bad.row, bad.reason) for bad in batch.quarantined] == [
        (1, "the text column 'text' is null, not a string"),
        (2, "the text has 101 bytes, more than max_document_bytes=100"),
        (3, "the id column 'id' is null; an id is a string or an integer"),
    ]
    assert batch.quarantined[0].excerpt == "text: None, id: 2"


@pytest.mark.parametrize(
    ("column", "message"),
    [
        (
            {"text": [1]},
            r"a\.parquet has int64 in the text column 'text', allowed are strings; name another one",
        ),
        ({"text": ["x"], "id": [1.5]}, r"double in the id column 'id', allowed are strings or integers"),
        ({"text": ["x"], "source": [[1]]}, r"in the source column 'source', allowed are strings or integers"),
    ],
)
def test_a_parquet_column_of_another_type_is_refused(tmp_path: Path, column: dict, message: str) -> None:
    pq.write_table(pa.table(column), tmp_path / "a.parquet")
    with pytest.raises(InputError, match=message):
        read(tmp_path).whole()
