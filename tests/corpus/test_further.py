"""Further columns: one type over a shard, and one over shards that differ."""

from __future__ import annotations

import datetime
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.corpus.writers import batches_of, frame_of, write
from workbench.corpus import read, read_sample
from workbench.corpus.arrow import further_column, polars_type
from workbench.corpus.further import to_json
from workbench.corpus.layout import Further
from workbench.errors import InputError


@pytest.mark.parametrize(
    ("values", "dtype", "carried"),
    [
        ([1, None, -5], pl.Int64, [1, None, -5]),
        ([1, 2.5, None], pl.Float64, [1.0, 2.5, None]),
        ([True, None], pl.Boolean, [True, None]),
        (["a", None, ""], pl.String, ["a", None, ""]),
        ([None, None], pl.String, [None, None]),
        ([1, "1", None], pl.String, ["1", '"1"', None]),
        ([True, 1], pl.String, ["true", "1"]),
        ([{"a": [1]}, None], pl.String, ['{"a":[1]}', None]),
        ([[1, "ä"], []], pl.String, ['[1,"ä"]', "[]"]),
        ([2**63 - 1, -(2**63)], pl.Int64, [2**63 - 1, -(2**63)]),
        ([2**63, 1], pl.String, ["9223372036854775808", "1"]),
        ([2**53 + 1, 0.5], pl.String, ["9007199254740993", "0.5"]),
    ],
)
def test_a_jsonl_column_has_one_type(
    tmp_path: Path, values: list[Any], dtype: Any, carried: list[Any]
) -> None:
    rows = [{"text": f"t{i}", "x": value} for i, value in enumerate(values)]
    corpus = read(write(tmp_path / "a.jsonl", rows))
    frame = frame_of(corpus, max_rows=1)
    assert frame.schema["x"] == dtype
    assert frame["x"].to_list() == carried
    assert corpus.further_columns(corpus.shards[0]) == {"x": dtype}


def test_a_column_that_comes_late_is_null_before(tmp_path: Path) -> None:
    rows = [{"text": "a"}] * 2000 + [{"text": "b", "late": 3}] + [{"text": "c", "late": "x"}]
    batches = batches_of(read(write(tmp_path / "a.jsonl", rows)), max_rows=500)
    assert {batch.frame.schema["late"] for batch in batches} == {pl.String}
    assert pl.concat([b.frame for b in batches])["late"].to_list() == [None] * 2000 + ["3", '"x"']


def test_keys_that_are_data_are_refused(tmp_path: Path) -> None:
    rows = [{"text": "a", f"key {i}": 1} for i in range(2500)]
    with pytest.raises(
        InputError, match=r"a\.jsonl has 2501 different keys, at most 2000 can be columns; put"
    ):
        read(write(tmp_path / "a.jsonl", rows)).whole()


PARQUET = {
    "list": pa.array([["a", None], None]),
    "struct": pa.array([{"a": 1}, None]),
    "map": pa.array([[("a", 1)], None], type=pa.map_(pa.string(), pa.int64())),
    "dict": pa.array(["x", None]).dictionary_encode(),
    "null": pa.nulls(2),
    "when": pa.array([datetime.datetime(2024, 1, 2, tzinfo=datetime.UTC), None]),
    "day": pa.array([datetime.date(2024, 1, 2), None]),
    "price": pa.array([Decimal("1.50"), None]),
    "raw": pa.array([b"\xff", None]),
    "fixed": pa.array([b"abc", None], type=pa.binary(3)),
    "half": pa.array([1.5, None], type=pa.float16()),
    "small": pa.array([1, None], type=pa.int8()),
    "view": pa.array(["x", None], type=pa.string_view()),
    "took": pa.array([5, None], type=pa.duration("ms")),
}


def test_parquet_columns_keep_their_types_through_a_sample(tmp_path: Path) -> None:
    pq.write_table(pa.table({"text": ["t0", "t1"], **PARQUET}), tmp_path / "a.parquet")
    corpus = read(tmp_path)
    frame = frame_of(corpus)
    assert frame.columns == ["doc_id", "text", "source", *PARQUET]
    assert frame.schema["dict"] == pl.String
    assert frame.schema["list"] == pl.List(pl.String)
    assert frame.schema["small"] == pl.Int8
    assert frame["price"].to_list() == [Decimal("1.50"), None]
    assert frame["raw"].to_list() == [b"\xff", None]
    sample = corpus.sample(10)
    sample.write(tmp_path / "s" / "s.parquet")
    again = read_sample(tmp_path / "s" / "s.parquet")
    assert again.frame.equals(sample.frame)
    assert again.frame.schema == sample.frame.schema


def test_types_that_polars_lacks_become_json() -> None:
    interval = pa.array([pa.MonthDayNano([1, 2, 3]), None])
    dtype, as_json = polars_type(interval.type)
    assert (dtype, as_json) == (pl.String(), True)
    table = pa.record_batch([interval], names=["x"])
    assert further_column(table, Further("x", "y", dtype, as_json), {})[0].startswith(
        '"MonthDayNano(months=1'
    )


def test_parquet_columns_may_have_dots_in_their_names_or_hold_nothing(tmp_path: Path) -> None:
    table = pa.table({"a.b": ["x", "y"], "a": [{"b": 1}, {"b": 2}], "source": pa.nulls(2), "id": [1, 2]})
    pq.write_table(table, tmp_path / "a.parquet")
    corpus = read(tmp_path, text_column="a.b")
    assert corpus.sample(1).frame.columns == ["doc_id", "text", "source", "a"]
    assert corpus.whole().texts == ["x", "y"]
    assert corpus.whole().sources == ["a", "a"]


def test_shards_with_different_columns_are_put_under_one_another(tmp_path: Path) -> None:
    write(tmp_path / "a.jsonl", [{"text": "a", "n": 1, "k": None, "f": 1, "m": 1}])
    write(tmp_path / "b.jsonl", [{"text": "b", "n": 2, "k": 3, "f": 0.5, "m": "one"}])
    write(tmp_path / "c.parquet", [{"text": "c", "k": 4, "only": [1, 2], "m": [1]}])
    frame = read(tmp_path).whole().frame.sort("text")
    assert dict(frame.schema) == {
        "doc_id": pl.String, "text": pl.String, "source": pl.String, "n": pl.Int64, "k": pl.Int64,
        "f": pl.Float64, "m": pl.String, "only": pl.List(pl.Int64),
    }  # fmt: skip
    assert frame.drop("doc_id").rows() == [
        ("a", "a", 1, None, 1.0, "1", None),
        ("b", "b", 2, 3, 0.5, "one", None),
        ("c", "c", None, 4, None, "[1]", [1, 2]),
    ]


def test_integers_that_a_fraction_would_change_are_kept_as_text(tmp_path: Path) -> None:
    write(tmp_path / "a.jsonl", [{"text": "a", "n": 2**53 + 1}])
    write(tmp_path / "b.jsonl", [{"text": "b", "n": 0.5}])
    assert read(tmp_path).whole().frame.sort("text")["n"].to_list() == [str(2**53 + 1), "0.5"]


def test_values_of_any_kind_have_a_json_text() -> None:
    values = [
        b"\xff",
        Decimal("1.5"),
        datetime.date(2024, 1, 2),
        {"a": pl.Series([1])},
        datetime.timedelta(1),
    ]
    assert [json.loads(to_json(v)) for v in values] == [
        "ff",
        "1.5",
        "2024-01-02",
        {"a": [1]},
        "1 day, 0:00:00",
    ]
