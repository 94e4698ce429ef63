"""Documents out of comma-separated files as in RFC 4180: quotes, line feeds within fields, a header."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import IO

import polars as pl

from workbench.corpus.layout import Layout, find_further, find_roles
from workbench.corpus.rows import RowBuffer
from workbench.corpus.shards import Shard, one_line
from workbench.corpus.types import Batch, Options, excerpt_of
from workbench.errors import InputError

# Below this a field is never refused by the parser, so that a document over a small limit is still put aside.
_MIN_FIELD_CHARS = 64 * 2**20


def csv_layout(shard: Shard, options: Options) -> Layout:
    """The columns of a csv shard, from its header; every further column is a string.

    Raises
    ------
    InputError
        If a column that was asked for isn't there, a column stands twice, or the header can't be read.
    """
    with shard.open() as raw:
        header = _Records(shard, raw, options).header()
    return _layout(shard, options, header)


def _layout(shard: Shard, options: Options, header: list[str]) -> Layout:
    roles = find_roles(shard, options, header, header)
    string: pl.DataType = pl.String()
    return Layout(
        roles, shard.stem, find_further(roles, dict.fromkeys(header, (string, False))), bool(header)
    )


def csv_batches(
    shard: Shard, options: Options, *, max_rows: int, max_bytes: int, further: bool = True
) -> Iterator[Batch]:
    """The batches of a csv shard: each ends with the row that reaches `max_rows` or `max_bytes`.

    Raises
    ------
    InputError
        If a column that was asked for isn't there, or a quote is open where the file ends.
    """
    with shard.open() as raw:
        records = _Records(shard, raw, options)
        header = records.header()
        buffer = RowBuffer(shard, options, _layout(shard, options, header), further)
        for fields in records:
            fault = fields if isinstance(fields, str) else _fault(records, fields, header)
            if fault is None:
                fault = buffer.add(records.number, dict(zip(header, fields, strict=True)))
            if fault is not None:
                buffer.put_aside(records.number, fault, records.excerpt())
            buffer.n_rows += 1
            buffer.n_bytes += sum(map(len, records.lines))
            if buffer.n_rows >= max_rows or buffer.n_bytes >= max_bytes:
                yield buffer.batch(raw.tell())
        if buffer.n_rows:
            yield buffer.batch(raw.tell())


def _fault(records: _Records, fields: list[str], header: list[str]) -> str | None:
    if len(fields) != len(header):
        return f"the row has {len(fields)} fields, the header has {len(header)}"
    if any(_is_undecoded(line) for line in records.lines):
        return "not valid UTF-8"
    return None


def _is_undecoded(line: str) -> bool:
    """Whether bytes that are no UTF-8 stand in the line, as the surrogates that the decoder made of them."""
    try:
        line.encode()
    except UnicodeEncodeError:
        return True
    return False


@dataclass
class _Records:
    """The records of a csv file one by one, each with its number and the lines it came from."""

    shard: Shard
    raw: IO[bytes]
    options: Options
    number: int = -1
    lines: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._limit = max(4 * self.options.max_document_bytes, _MIN_FIELD_CHARS)
        # surrogateescape keeps bytes that are no UTF-8, so that one bad row doesn't end the reading.
        self._text = io.TextIOWrapper(self.raw, encoding="utf-8-sig", errors="surrogateescape", newline="")
        # The limit is the whole process's; it is only ever raised, as readers may run side by side.
        csv.field_size_limit(max(csv.field_size_limit(), self._limit))
        self._reader = csv.reader(self._noted(), strict=True)

    def _noted(self) -> Iterator[str]:
        while line := self._text.readline(self._limit):
            if len(line) == self._limit and not line.endswith(("\n", "\r")):
                raise self.broken(f"a line has more than {self._limit} characters")
            self.lines.append(line)
            yield line

    def header(self) -> list[str]:
        """The names of the columns; empty if the file is."""
        for fields in self:
            self.number = -1  # rows are counted from behind the header
            if isinstance(fields, str) or any(_is_undecoded(line) for line in self.lines):
                raise self.broken("the header can't be read")
            twice = next((name for i, name in enumerate(fields) if name in fields[:i]), None)
            if twice is not None:
                raise InputError(
                    f"{self.shard.name} has the column {twice!r} twice; give each column its own name"
                )
            return fields
        return []

    def __iter__(self) -> Iterator[list[str] | str]:
        """The fields of each record, or the reason why it has none. Blank lines are left out but counted."""
        while True:
            self.lines.clear()
            try:
                fields: list[str] | str = next(self._reader)
            except StopIteration:
                return
            except csv.Error as error:
                fields = self._fault(error)
            except OSError as error:
                raise self.broken(one_line(error)) from error
            self.number += 1
            if fields:
                yield fields

    def _fault(self, error: csv.Error) -> str:
        message = one_line(error)
        if "unexpected end of data" in message or "field limit" in message:
            raise self.broken(f"a quote opened in row {self.number + 1} isn't closed") from error
        return f"a quote within a field isn't doubled ({message})"

    def excerpt(self) -> str:
        """The beginning of the record as it stands in the file."""
        raw = "".join(line[:1000] for line in self.lines[:200])[:1000]
        return excerpt_of(raw.encode("utf-8", "surrogateescape"))

    def broken(self, what: str) -> InputError:
        """The error that says why the file can't be read on."""
        last = f"the last good row is {self.number}" if self.number >= 0 else "no row could be read"
        return InputError(
            f"{self.shard.name} can't be read on: {what}; {last}; mend the file or write it again"
        )
