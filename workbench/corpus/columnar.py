"""Documents out of parquet files."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from workbench.corpus.arrow import (
    can_be,
    can_be_invalid,
    further_column,
    plain_type,
    polars_type,
    row_excerpt,
    string_column,
)
from workbench.corpus.layout import Layout, find_further, find_roles
from workbench.corpus.rows import content_id, too_large
from workbench.corpus.shards import Shard, one_line
from workbench.corpus.types import Batch, Options, Quarantined
from workbench.errors import InputError

_BUFFER_BYTES = 1 << 20
_STEP_ROWS = 128


def parquet_layout(shard: Shard, options: Options) -> Layout:
    """The columns of a parquet shard, from its footer. Further columns keep their types.

    Raises
    ------
    InputError
        If a column that was asked for isn't there or holds no strings, or if a column stands twice.
    InputError
        If the footer is broken.
    """
    with shard.open() as raw:
        return _layout(shard, options, _open(shard, raw).schema_arrow)


def parquet_batches(
    shard: Shard, options: Options, *, max_rows: int, max_bytes: int, further: bool = True
) -> Iterator[Batch]:
    """The batches of a parquet shard, each of at most `max_rows` rows and, but for a larger single row,
    `max_bytes`.

    Raises
    ------
    InputError
        If a column that was asked for isn't there or holds no strings, or the file is damaged.
    """
    with shard.open() as raw:
        file = _open(shard, raw)
        layout = _layout(shard, options, file.schema_arrow)
        n_rows, start, n_read = file.metadata.num_rows, 0, 0
        for table in _tables(shard, file, layout, further, max_rows, max_bytes):
            for piece in _cut(table, max_bytes):
                end = start + len(piece)
                position = shard.n_bytes * end // max(n_rows, 1)
                yield _batch(shard, options, layout, piece, start, further, position - n_read)
                start, n_read = end, position


def _open(shard: Shard, raw: Any) -> Any:
    try:
        # Read through a small buffer: otherwise a row group's whole column is held at once.
        return pq.ParquetFile(
            raw, buffer_size=_BUFFER_BYTES, pre_buffer=False, page_checksum_verification=True
        )
    except (OSError, ValueError, pa.ArrowException) as error:
        raise InputError(
            f"{shard.name} is no readable parquet file ({one_line(error)}); no row could be read; "
            "copy or download the file again"
        ) from error


def _layout(shard: Shard, options: Options, schema: Any) -> Layout:
    names = list(schema.names)
    twice = next((name for i, name in enumerate(names) if name in names[:i]), None)
    if twice is not None:
        raise InputError(f"{shard.name} has the column {twice!r} twice; give each column its own name")
    # A parquet file says its columns even if it has no rows, so a missing one is told there too.
    roles = find_roles(shard, options, names, names)
    for what, name in (("text", roles.text), ("id", roles.id), ("source", roles.source)):
        if name is not None and not can_be(what, plain_type(schema.field(name).type)):
            allowed = "strings" if what == "text" else "strings or integers"
            raise InputError(
                f"{shard.name} has {schema.field(name).type} in the {what} column {name!r}, "
                f"allowed are {allowed}; name another one with {what}_column"
            )
    return Layout(roles, shard.stem, find_further(roles, {f.name: polars_type(f.type) for f in schema}), True)


def _tables(
    shard: Shard, file: Any, layout: Layout, further: bool, max_rows: int, max_bytes: int
) -> Iterator[Any]:
    """Record batches of at most `max_rows` rows or about `max_bytes`, whatever the row groups are."""
    held: list[Any] = []
    n_rows = n_bytes = 0
    for table in _steps(shard, file, layout, further, max_rows, max_bytes):
        if held and (n_rows + len(table) > max_rows or n_bytes + table.nbytes > max_bytes):
            yield _joined(held)
            held, n_rows, n_bytes = [], 0, 0
        held.append(table)
        n_rows, n_bytes = n_rows + len(table), n_bytes + table.nbytes
    if held:
        yield _joined(held)


def _joined(tables: list[Any]) -> Any:
    return tables[0] if len(tables) == 1 else pa.concat_batches(tables)


def _steps(
    shard: Shard, file: Any, layout: Layout, further: bool, max_rows: int, max_bytes: int
) -> Iterator[Any]:
    """What the parquet reader decodes at a time: few rows, fewer where the footer says that rows are large.

    The footer tells encoded sizes, and a text that is repeated is encoded once; so even where rows look
    small, only few are decoded together.
    """
    groups = [file.metadata.row_group(i) for i in range(file.num_row_groups)]
    mean = max((group.total_byte_size // max(group.num_rows, 1) for group in groups), default=0)
    size = max(1, min(max_rows, _STEP_ROWS, max_bytes // max(mean, 1)))
    columns = None if further else [f.name for f in file.schema_arrow if _is_needed(f, layout)]
    if columns is not None and any("." in name for name in columns):
        columns = None  # pyarrow takes a dot for a step into a struct
    n_good = 0
    try:
        for table in file.iter_batches(batch_size=size, columns=columns, use_threads=False):
            yield table
            n_good += len(table)
    except (OSError, ValueError, pa.ArrowException) as error:
        last = f"the last good row is {n_good - 1}" if n_good else "no row could be read"
        raise InputError(
            f"{shard.name} is damaged ({one_line(error)}); {last}; copy or download the file again"
        ) from error


def _is_needed(field: Any, layout: Layout) -> bool:
    """Whether a column must be read even if the further ones aren't wanted: it may make a row unreadable."""
    roles = layout.roles
    return field.name in (roles.text, roles.id, roles.source) or can_be_invalid(field.type)


def _cut(table: Any, max_bytes: int) -> Iterator[Any]:
    """The table in pieces of at most about `max_bytes`, at least one row each."""
    if table.nbytes <= max_bytes or len(table) <= 1:
        yield table
        return
    half = len(table) // 2
    yield from _cut(table.slice(0, half), max_bytes)
    yield from _cut(table.slice(half), max_bytes)


def _batch(
    shard: Shard, options: Options, layout: Layout, table: Any, start: int, further: bool, n_read: int
) -> Batch:
    faults: dict[int, str] = {}
    roles, n = layout.roles, len(table)
    texts = _text_series(table, roles.text, options, faults)
    sources = pl.Series("source", [layout.stem], dtype=pl.String).new_from_index(0, n)
    if roles.source is not None:
        given = string_column(table, roles.source, "source", faults)
        sources = pl.select(pl.when(given != "").then(given).otherwise(pl.lit(layout.stem))).to_series()
    ids = None
    if roles.id is not None:
        ids = string_column(table, roles.id, "id", faults)
        for i in np.flatnonzero(ids.is_null().to_numpy()):
            faults.setdefault(int(i), f"the id column {roles.id!r} is null; an id is a string or an integer")
        for i in np.flatnonzero((ids == "").fill_null(False).to_numpy()):
            faults.setdefault(int(i), f"the id column {roles.id!r} is empty; an id is a string or an integer")
    # Even if they aren't wanted: which rows are documents mustn't depend on what is asked for.
    there = set(table.schema.names)
    series = [further_column(table, c, faults) for c in layout.further if c.column in there]
    if not further:
        series = []
    good = np.setdiff1d(np.arange(n, dtype=np.int64), np.fromiter(faults, dtype=np.int64))
    frame = pl.DataFrame([texts.alias("text"), sources.alias("source"), *series])
    if len(good) < n:
        frame = frame[good]
    if ids is None:
        made = map(content_id, frame["source"].to_list(), frame["text"].to_list())
        ids = pl.Series("doc_id", list(made), dtype=pl.String)
    else:
        ids = ids.alias("doc_id").gather(good)
    bad = tuple(
        Quarantined(shard.name, start + i, reason, row_excerpt(table, i))
        for i, reason in sorted(faults.items())
    )
    return Batch(frame.insert_column(0, ids), good + start, bad, n_read)


def _text_series(table: Any, column: str, options: Options, faults: dict[int, str]) -> pl.Series:
    texts = string_column(table, column, "text", faults)
    for i in np.flatnonzero(texts.is_null().to_numpy()):
        faults.setdefault(int(i), f"the text column {column!r} is null, not a string")
    sizes = texts.str.len_bytes().cast(pl.Int64)  # polars counts in 32 bits, in which the limit may not fit
    for i in np.flatnonzero((sizes > options.max_document_bytes).fill_null(False).to_numpy()):
        faults.setdefault(int(i), too_large(int(sizes[int(i)]), options.max_document_bytes))
    return texts
