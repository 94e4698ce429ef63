"""From single rows to batches: what makes a row a document, and what is wrong with one that isn't."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import orjson
import polars as pl

from workbench.corpus.layout import Further, Layout
from workbench.corpus.shards import Shard
from workbench.corpus.types import Batch, Options, Quarantined
from workbench.errors import InputError

_CONTENT_ID_CHARS = 24
_KINDS = {
    type(None): "null",
    bool: "a boolean",
    int: "an integer",
    float: "a number with a fraction",
    list: "a list",
    dict: "an object",
}
_MISSING = object()


def content_id(source: str, text: str) -> str:
    """The id made from content: the first 24 hex characters of blake2b over source, NUL, text."""
    return hashlib.blake2b(f"{source}\0{text}".encode()).hexdigest()[:_CONTENT_ID_CHARS]


def kind_of(value: object) -> str:
    """What a JSON value is, in words."""
    return _KINDS.get(type(value), "a string")


def text_fault(row: dict[str, Any], column: str, max_bytes: int) -> str | None:
    """Why a row has no usable text; None if it has."""
    value = row.get(column, _MISSING)
    if type(value) is str:
        # A character takes at most 4 bytes, so most texts needn't be encoded to know.
        if len(value) * 4 > max_bytes and (n_bytes := len(value.encode())) > max_bytes:
            return too_large(n_bytes, max_bytes)
        return None
    if value is _MISSING:
        return f"the text column {column!r} is missing in this row"
    return f"the text column {column!r} is {kind_of(value)}, not a string"


def too_large(n_bytes: int, max_bytes: int) -> str:
    """The reason why a document over the limit is put aside."""
    return f"the text has {n_bytes} bytes, more than max_document_bytes={max_bytes}"


def id_fault(row: dict[str, Any], column: str) -> str | None:
    """Why a row has no usable id; None if it has: a string that isn't empty, or an integer."""
    value = row.get(column, _MISSING)
    if type(value) is int or (type(value) is str and value):
        return None
    if value is _MISSING:
        return f"the id column {column!r} is missing in this row"
    what = "empty" if value == "" else kind_of(value)
    return f"the id column {column!r} is {what}; an id is a string or an integer of up to 64 bits"


def source_fault(row: dict[str, Any], column: str) -> str | None:
    """Why a row's source can't be used; None if it can: a string, an integer, null or missing."""
    value = row.get(column)
    if value is None or type(value) is str or type(value) is int:
        return None
    return f"the source column {column!r} is {kind_of(value)}; a source is a string"


class RowBuffer:
    """Collects the rows of one batch from dicts, and makes the batch."""

    def __init__(self, shard: Shard, options: Options, layout: Layout, further: bool) -> None:
        self._shard = shard
        self._options = options
        self._layout = layout
        self._further = layout.further if further else ()
        self._position = 0
        self._clear()

    def _clear(self) -> None:
        self.n_rows = 0
        self.n_bytes = 0
        self._rows: list[int] = []
        self._documents: list[dict[str, Any]] = []
        self._bad: list[Quarantined] = []

    def add(self, number: int, row: dict[str, Any]) -> str | None:
        """Take a row as a document; the reason if it is none."""
        roles = self._layout.roles
        fault = text_fault(row, roles.text, self._options.max_document_bytes)
        if fault is None and roles.id is not None:
            fault = id_fault(row, roles.id)
        if fault is None and roles.source is not None:
            fault = source_fault(row, roles.source)
        if fault is None:
            self._rows.append(number)
            self._documents.append(row)
        return fault

    def put_aside(self, number: int, reason: str, excerpt: str) -> None:
        """Note a row that is no document."""
        self._bad.append(Quarantined(self._shard.name, number, reason, excerpt))

    def batch(self, position: int) -> Batch:
        """The batch of what was collected up to byte `position` of the file; empties the buffer."""
        documents, roles = self._documents, self._layout.roles
        texts = [row[roles.text] for row in documents]
        stem = self._layout.stem
        sources = [stem] * len(texts)
        if roles.source is not None:
            # An empty source says as little as a missing one.
            sources = [
                stem if (s := row.get(roles.source)) is None or s == "" else str(s) for row in documents
            ]
        if roles.id is not None:
            ids = [str(row[roles.id]) for row in documents]
        else:
            ids = list(map(content_id, sources, texts))
        series = [_strings("doc_id", ids), _strings("text", texts), _strings("source", sources)]
        series += [self._column(column, documents) for column in self._further]
        n_read, self._position = max(position - self._position, 0), max(position, self._position)
        result = Batch(pl.DataFrame(series), np.array(self._rows, dtype=np.int64), tuple(self._bad), n_read)
        self._clear()
        return result

    def _column(self, column: Further, documents: Sequence[dict[str, Any]]) -> pl.Series:
        values = [row.get(column.column) for row in documents]
        try:
            return further_series(column, values)
        except (TypeError, ValueError, OverflowError, pl.exceptions.PolarsError) as error:
            # The types come from a pass over the whole shard, so a value that doesn't fit wasn't there then.
            raise changed(self._shard) from error


def further_series(column: Further, values: Sequence[Any]) -> pl.Series:
    """A further column's values as a series of its type."""
    if column.as_json:
        values = [None if v is None else orjson.dumps(v).decode() for v in values]
    elif column.dtype == pl.Float64:
        values = [None if v is None else float(v) for v in values]
    return pl.Series(column.name, values, dtype=column.dtype, strict=True)


def changed(shard: Shard) -> InputError:
    """The error that says a file changed under the reader."""
    return InputError(f"{shard.name} changed while it was being read; read it again once it stays as it is")


def _strings(name: str, values: list[str]) -> pl.Series:
    return pl.Series(name, values, dtype=pl.String)
