"""Documents out of JSON lines, plain or compressed."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from itertools import islice
from typing import Any

import orjson

from workbench.corpus.further import Kinds
from workbench.corpus.layout import Layout, find_further, find_roles
from workbench.corpus.rows import RowBuffer, kind_of
from workbench.corpus.shards import Shard
from workbench.corpus.streams import BrokenStream, ShardStream
from workbench.corpus.types import Batch, Options, excerpt_of
from workbench.errors import InputError

_HEAD_ROWS = 1000
_CACHE_SIZE = 4096
# A byte of text takes at most 6 bytes as an escape (\u0041); the rest is for the further columns.
_ESCAPED = 6
_OTHER_BYTES = 4 * 2**20

_kinds: dict[tuple[object, ...], Kinds] = {}
_heads: dict[tuple[object, ...], Kinds] = {}


def jsonl_layout(shard: Shard, options: Options, further: bool = True) -> Layout:
    """The columns of a jsonl shard.

    The default columns (`doc_id`, `id`, `source`) are looked for in the first 1,000 lines. The further
    columns and their types need a pass over the whole shard, whose result is kept; it is left out with
    `further=False`.

    Raises
    ------
    InputError
        If a column that was asked for is in no row, or the file can't be read.
    """
    head = _head(shard, options).columns(shard.name)
    asked = {options.text_column, options.id_column or None, options.source_column or None} - {None}
    if not further and asked <= head.keys():
        return Layout(find_roles(shard, options, head, head), shard.stem, (), bool(head))
    whole = _whole(shard, options).columns(shard.name)
    roles = find_roles(shard, options, head, whole)
    return Layout(roles, shard.stem, find_further(roles, whole), bool(head))


def jsonl_batches(
    shard: Shard,
    options: Options,
    *,
    max_rows: int,
    max_bytes: int,
    further: bool = True,
    wanted: Collection[int] | None = None,
) -> Iterator[Batch]:
    """The batches of a jsonl shard: each ends with the row that reaches `max_rows` or `max_bytes`.

    With `wanted`, only rows of those numbers are looked at.

    Raises
    ------
    InputError
        If a column that was asked for is in no row, or the file is truncated or damaged.
    """
    layout = jsonl_layout(shard, options, further)
    stamp = _stamp(shard, options)
    # Whoever reads all rows for the first time finds the types on the way.
    kinds = Kinds() if wanted is None and stamp not in _kinds else None
    buffer = RowBuffer(shard, options, layout, further)
    max_line = _max_line(options)
    with ShardStream(shard) as stream:
        for number, line in _numbered(shard, stream, max_line):
            if (wanted is not None and number not in wanted) or not line.strip():
                continue
            row = parse(line, max_line)
            if type(row) is dict:
                if kinds is not None:
                    kinds.observe(row)
                fault = buffer.add(number, row)
            else:
                fault = str(row)
            if fault is not None:
                buffer.put_aside(number, fault, excerpt_of(line))
            buffer.n_rows += 1
            buffer.n_bytes += len(line)
            if buffer.n_rows >= max_rows or buffer.n_bytes >= max_bytes:
                yield buffer.batch(stream.position)
        position = stream.position
    if kinds is not None:
        _keep(_kinds, stamp, kinds)
    if buffer.n_rows:
        yield buffer.batch(position)


def parse(line: bytes, max_line_bytes: int) -> dict[str, Any] | str:
    """The object on a line, or the reason why there is none."""
    if len(line) > max_line_bytes:
        return f"the line has more than {max_line_bytes} bytes"
    try:
        row = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        return _json_fault(line, error)
    return row if type(row) is dict else f"the line is {kind_of(row)}, not a JSON object"


def _json_fault(line: bytes, error: orjson.JSONDecodeError) -> str:
    try:
        line.decode()
    except UnicodeDecodeError as fault:
        return f"not valid UTF-8 at byte {fault.start}"
    if "surrogate" in error.msg:
        return f"a lone surrogate at character {error.pos}: {error.msg}"
    return f"not JSON at character {error.pos}: {error.msg}"


def _numbered(shard: Shard, stream: ShardStream, max_line: int) -> Iterator[tuple[int, bytes]]:
    """The lines with their numbers; a broken file becomes an InputError that names the last good one."""
    number = 0
    try:
        for lines in stream.line_lists(max_line):
            for line in lines:
                yield number, line
                number += 1
    except BrokenStream as error:
        last = f"the last good row is {number - 1}" if number else "no row could be read"
        raise InputError(
            f"{shard.name} is truncated or damaged ({error}); {last}; copy or download the file again"
        ) from error


def _head(shard: Shard, options: Options) -> Kinds:
    """The keys of the first lines."""
    stamp = _stamp(shard, options)
    if stamp not in _heads:
        kinds = Kinds()
        max_line = _max_line(options)
        with ShardStream(shard) as stream:
            for _, line in islice(_numbered(shard, stream, max_line), _HEAD_ROWS):
                if isinstance(row := parse(line, max_line), dict):
                    kinds.observe(row)
        _keep(_heads, stamp, kinds)
    return _heads[stamp]


def _whole(shard: Shard, options: Options) -> Kinds:
    """The keys and types of all lines."""
    stamp = _stamp(shard, options)
    if stamp not in _kinds:
        kinds = Kinds()
        max_line = _max_line(options)
        with ShardStream(shard) as stream:
            for _, line in _numbered(shard, stream, max_line):
                if isinstance(row := parse(line, max_line), dict):
                    kinds.observe(row)
        _keep(_kinds, stamp, kinds)
    return _kinds[stamp]


def _keep(cache: dict[tuple[object, ...], Kinds], stamp: tuple[object, ...], kinds: Kinds) -> None:
    """Keep a result; the oldest goes when there are many, so that a long process doesn't grow."""
    if len(cache) >= _CACHE_SIZE:
        del cache[next(iter(cache))]
    cache[stamp] = kinds


def _stamp(shard: Shard, options: Options) -> tuple[object, ...]:
    return (*shard.stamp(), _max_line(options))


def _max_line(options: Options) -> int:
    return _ESCAPED * options.max_document_bytes + _OTHER_BYTES
