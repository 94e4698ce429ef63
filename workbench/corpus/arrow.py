"""Columns as Arrow has them, made into polars series that hold nothing invalid."""

from __future__ import annotations

from typing import Any

import polars as pl
import pyarrow as pa

from workbench.corpus.further import to_json
from workbench.corpus.layout import Further
from workbench.corpus.types import EXCERPT_CHARS, excerpt_of


def can_be(what: str, dtype: Any) -> bool:
    """Whether a column of this type can hold the "text", the "id" or the "source"."""
    types = pa.types
    return bool(_is_stringy(dtype) or types.is_null(dtype) or (what != "text" and types.is_integer(dtype)))


def _is_stringy(dtype: Any) -> bool:
    types = pa.types
    checks = (types.is_binary, types.is_large_binary, types.is_binary_view, types.is_fixed_size_binary)
    return _is_text(dtype) or any(check(dtype) for check in checks)


def _is_text(dtype: Any) -> bool:
    types = pa.types
    return bool(types.is_string(dtype) or types.is_large_string(dtype) or types.is_string_view(dtype))


def plain_type(dtype: Any) -> Any:
    """The type of the values: a dictionary is a way of storing, which differs from batch to batch."""
    return dtype.value_type if pa.types.is_dictionary(dtype) else dtype


def polars_type(dtype: Any) -> tuple[pl.DataType, bool]:
    """The type a further column goes on under; what polars has no type for is carried as JSON text."""
    plain = plain_type(dtype)
    if pa.types.is_null(plain):
        return pl.String(), False
    try:
        return _series("", pa.array([], type=plain)).dtype, False
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, ValueError, TypeError):
        return pl.String(), True


def _series(name: str, array: Any) -> pl.Series:
    result = pl.from_arrow(array)
    assert isinstance(result, pl.Series)
    return result.alias(name)


def can_be_invalid(dtype: Any) -> bool:
    """Whether a column of this type has to be read to know that its rows are sound: it holds strings."""
    plain = plain_type(dtype)
    return _is_text(plain) or bool(pa.types.is_nested(plain))


def string_column(table: Any, column: str, what: str, faults: dict[int, str]) -> pl.Series:
    """A column as strings; null where the value isn't valid UTF-8, which is noted as the row's fault."""
    array = _decoded(table, column)
    if pa.types.is_integer(array.type):
        return _series(column, array.cast(pa.large_string()))
    if pa.types.is_null(array.type):
        return pl.Series(column, [None] * len(array), dtype=pl.String)
    return _series(column, _valid(array, f"the {what} column {column!r}", faults))


def _valid(array: Any, what: str, faults: dict[int, str]) -> Any:
    """A column of strings or bytes as large strings, with null for what isn't UTF-8."""
    raw = array.cast(pa.large_binary())
    try:
        # This cast looks at every byte; the parquet reader doesn't, and polars trusts what it is given.
        return raw.cast(pa.large_string())
    except pa.ArrowInvalid:
        pass
    values: list[str | None] = []
    for i, value in enumerate(raw.to_pylist()):
        try:
            values.append(None if value is None else value.decode())
        except UnicodeDecodeError as error:
            values.append(None)
            faults.setdefault(i, f"{what} isn't valid UTF-8 at byte {error.start}")
    return pa.array(values, type=pa.large_string())


def further_column(table: Any, column: Further, faults: dict[int, str]) -> pl.Series:
    """A further column under its name and type; a string in it that isn't valid UTF-8 is the row's fault."""
    array = _decoded(table, column.column)
    what = f"the column {column.column!r}"
    if pa.types.is_null(array.type):
        return pl.Series(column.name, [None] * len(array), dtype=column.dtype)
    if _is_text(array.type):
        array = _valid(array, what, faults)
    elif pa.types.is_nested(array.type):
        array = _valid_nested(array, what, faults)
    if column.as_json:
        values = [None if v is None else to_json(v) for v in array.to_pylist()]
        return pl.Series(column.name, values, dtype=pl.String)
    return _series(column.name, array)


def _valid_nested(array: Any, what: str, faults: dict[int, str]) -> Any:
    """A nested column with null in place of values in which a string isn't valid UTF-8."""
    try:
        array.validate(full=True)
        return array
    except pa.ArrowInvalid:
        pass
    good: list[int | None] = []
    for i in range(len(array)):
        try:
            # take makes a copy of the one value: a slice would be checked together with its neighbours.
            array.take(pa.array([i])).validate(full=True)
            good.append(i)
        except pa.ArrowInvalid:
            good.append(None)
            faults.setdefault(i, f"{what} isn't valid UTF-8")
    return array.take(pa.array(good, type=pa.int64()))


def _decoded(table: Any, column: str) -> Any:
    array = table.column(table.schema.names.index(column))
    return array.dictionary_decode() if pa.types.is_dictionary(array.type) else array


def row_excerpt(table: Any, i: int) -> str:
    """The beginning of a row, column by column, as JSON would have it."""
    parts = []
    for name in table.schema.names[:EXCERPT_CHARS]:
        value = _decoded(table, name).slice(i, 1)
        if _is_stringy(value.type):
            raw = value.cast(pa.large_binary())[0].as_py()
            parts.append(f"{name}: {None if raw is None else excerpt_of(raw)!r}")
        elif not pa.types.is_nested(value.type):
            parts.append(f"{name}: {value[0].as_py()}")
    return ", ".join(parts)[:EXCERPT_CHARS]
