"""One type for each further column: over the rows of a jsonl shard, and over shards that differ.

The rule, everywhere: nulls have no say; values of one type keep it; integers beside fractions become
fractions as long as that is exact; everything else is carried as the JSON text of each value. Between shards,
a column that is strings in one and something else in another keeps its strings as they are, and the others
become JSON text.

JSON has no bound for integers; one beyond 64 bits is read as a fraction, by orjson's rule.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import orjson
import polars as pl

from workbench.errors import InputError

_EXACT_IN_FLOAT = 2**53
_MAX_COLUMNS = 2000
_SCALARS: dict[type, pl.DataType] = {
    bool: pl.Boolean(),
    int: pl.Int64(),
    float: pl.Float64(),
    str: pl.String(),
}


class Kinds:
    """The types that each key of a jsonl shard was met with."""

    def __init__(self) -> None:
        self._types: dict[str, set[type]] = {}
        self._largest: dict[str, int] = {}

    def observe(self, row: dict[str, Any]) -> None:
        """Count in one row."""
        types = self._types
        for key, value in row.items():
            kind = value.__class__
            met = types.get(key)
            if met is None:
                types[key] = {kind}
            elif kind not in met:
                met.add(kind)
            if kind is int and abs(value) > _EXACT_IN_FLOAT:
                # The largest number above 0 and below (as -n-1): both must fit into 64 bits.
                self._largest[key] = max(self._largest.get(key, 0), value if value >= 0 else ~value)

    def columns(self, where: str) -> dict[str, tuple[pl.DataType, bool]]:
        """{key: (type, whether values are carried as JSON text)}, in the order in which keys were first met.

        Raises
        ------
        InputError
            If there are so many keys that they are data rather than columns.
        """
        if len(self._types) > _MAX_COLUMNS:
            raise InputError(
                f"{where} has {len(self._types)} different keys, at most {_MAX_COLUMNS} can be columns; "
                "put the further ones into one object under a single key"
            )
        return {key: self._column(key) for key in self._types}

    def _column(self, key: str) -> tuple[pl.DataType, bool]:
        types = self._types[key] - {type(None)}
        largest = self._largest.get(key, 0)
        if not types:
            return pl.String(), False
        if types == {int, float} and not largest:
            return pl.Float64(), False
        if len(types) == 1 and largest < 2**63:
            (kind,) = types
            return (_SCALARS[kind], False) if kind in _SCALARS else (pl.String(), True)
        return pl.String(), True


def common_schema(schemas: Iterable[Mapping[str, pl.DataType]]) -> dict[str, pl.DataType]:
    """One schema for frames of several shards: columns as first met, each of a type that fits all."""
    found: dict[str, pl.DataType] = {}
    for schema in schemas:
        for name, dtype in schema.items():
            found[name] = _common_type(found[name], dtype) if name in found else dtype
    return found


def _common_type(one: pl.DataType, other: pl.DataType) -> pl.DataType:
    if one == other:
        return one
    if one.is_integer() and other.is_integer() and not {one, other} & {pl.UInt64(), pl.Int128()}:
        return pl.Int64()
    if one.is_float() and other.is_float():
        return pl.Float64()
    return pl.String()


def align(frames: list[pl.DataFrame]) -> pl.DataFrame:
    """The frames under one another; a column that a frame lacks is null there.

    A column that is null throughout a frame has no say in the type; else the module's rule holds.
    """
    said = [{c.name: c.dtype for c in frame if c.null_count() < frame.height} for frame in frames]
    every = [dict(frame.schema) for frame in frames]
    schema = common_schema(every) | common_schema(said)
    for name, dtype in schema.items():
        # Going by types alone, integers beside fractions became text; the values tell if they had to.
        if dtype == pl.String() and _fits_float(frames, said, name):
            schema[name] = pl.Float64()
    return pl.concat([to_schema(frame, schema) for frame in frames], how="vertical", rechunk=False)


def _fits_float(frames: list[pl.DataFrame], said: list[dict[str, pl.DataType]], name: str) -> bool:
    columns = [frame[name] for frame, types in zip(frames, said, strict=True) if name in types]
    if not columns or not all(column.dtype.is_integer() or column.dtype.is_float() for column in columns):
        return False
    integers = [column for column in columns if column.dtype.is_integer()]
    return all(
        int(column.min()) >= -_EXACT_IN_FLOAT and int(column.max()) <= _EXACT_IN_FLOAT  # type: ignore[arg-type]
        for column in integers
    )


def to_schema(frame: pl.DataFrame, schema: Mapping[str, pl.DataType]) -> pl.DataFrame:
    """The frame with exactly the columns of `schema`, in its order."""
    return pl.DataFrame([_cast(frame, name, dtype) for name, dtype in schema.items()])


def _cast(frame: pl.DataFrame, name: str, dtype: pl.DataType) -> pl.Series:
    if name not in frame.columns:
        return pl.Series(name, [None] * frame.height, dtype=dtype)
    column = frame[name]
    if column.dtype == dtype:
        return column
    if column.null_count() == len(column):
        return pl.Series(name, [None] * len(column), dtype=dtype)
    if dtype == pl.String():
        return pl.Series(name, [None if v is None else to_json(v) for v in column.to_list()], dtype=pl.String)
    return column.cast(dtype)


def to_json(value: object) -> str:
    """A value of any column as JSON text; what JSON doesn't know (bytes, decimals) becomes a string in it."""
    return orjson.dumps(value, default=_as_text, option=orjson.OPT_NON_STR_KEYS).decode()


def _as_text(value: object) -> object:
    if isinstance(value, bytes):
        return value.hex()
    return value.to_list() if isinstance(value, pl.Series) else str(value)
