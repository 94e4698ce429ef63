"""Reading a corpus: its shards, and the documents of each in batches of bounded memory."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
from polars.io.plugins import register_io_source

from workbench.checks import check_at_least, json_digest
from workbench.corpus.columnar import parquet_batches, parquet_layout
from workbench.corpus.delimited import csv_batches, csv_layout
from workbench.corpus.further import common_schema, to_schema
from workbench.corpus.jsonl import jsonl_batches, jsonl_layout
from workbench.corpus.layout import Layout
from workbench.corpus.shards import Shard, find_shards
from workbench.corpus.types import DOCUMENT_COLUMNS, Batch, Options
from workbench.errors import InputError
from workbench.progress import Progress, Silent

if TYPE_CHECKING:
    from workbench.corpus.sample import Sample

_MAX_ROWS = 1024
_MAX_BYTES = 32 * 2**20


def read(
    path: str | Path | Sequence[str | Path],
    *,
    text_column: str = "text",
    id_column: str | None = None,
    source_column: str | None = None,
    max_document_bytes: int = 16 * 2**20,
    storage_options: Mapping[str, Any] | None = None,
) -> Corpus:
    """The corpus in a file, a folder, a glob or a list of those. Files are only looked up, not read yet.

    Parameters
    ----------
    path
        Local or any fsspec URL. Folders are read with their subfolders; hidden files and files of other
        endings than .parquet, .jsonl, .ndjson (both also .gz and .zst) and .csv are left out.
    text_column
        Name of the column that holds the text.
    id_column
        Name of the column that holds the ids, strings or integers. None: `doc_id`, else `id`, where a shard
        has it, else ids are made from content. "": ids are made from content.
    source_column
        Name of the column that holds the source. None: `source` where a shard has it, else (also for "") the
        name of the shard's file without its ending, which also stands in for a source that is null or empty.
    max_document_bytes
        A text of more UTF-8 bytes is put aside.
    storage_options
        For fsspec.

    Returns
    -------
    Corpus
        Its documents are `doc_id`, `text`, `source` and the further columns under their own names. The
        columns of text, id and source don't appear a second time; another column with one of these three
        names gets an underscore added.

    Raises
    ------
    InputError
        If something isn't there, or there is no file to read.
    """
    check_at_least("max_document_bytes", max_document_bytes, 1)
    if any(str(one) == "" for one in ([path] if isinstance(path, str | Path) else path)):
        raise InputError('the path is empty (""), which may be an unset variable; name a file or folder')
    options = Options(text_column, id_column, source_column, max_document_bytes)
    return Corpus(find_shards(path, storage_options), options)


@dataclass(frozen=True)
class Corpus:
    """All documents of some files; made by `read`."""

    shards: tuple[Shard, ...]
    options: Options

    @property
    def n_bytes(self) -> int:
        """Size of all files."""
        return sum(shard.n_bytes for shard in self.shards)

    @property
    def has_content_ids(self) -> bool:
        """Whether ids are made from content.

        Raises
        ------
        InputError
            If some shards have a column of ids and others don't.
        """
        if self.options.id_column is not None:
            return self.options.id_column == ""
        given, without = None, None
        for shard in self.shards:
            layout = self.layout(shard, further=False)
            if layout.roles.id is not None:
                given = shard
            elif layout.has_columns:
                without = shard
            if given and without:
                raise InputError(
                    f"{given.name} has an id column and {without.name} has none; give every file one, "
                    'or let ids be made from content (--id-column "", id_column="")'
                )
        return given is None

    def fingerprint(self) -> str:
        """Digest (hex) over name, size and content of the shards, and over how they are read."""
        options = self.options
        columns = [options.text_column, options.id_column, options.source_column, options.max_document_bytes]
        return json_digest(
            {"shards": [[s.name, s.n_bytes, s.digest()] for s in self.shards], "columns": columns}
        )

    def further_columns(self, shard: Shard) -> dict[str, pl.DataType]:
        """Name and type of the shard's columns beyond `doc_id`, `text`, `source`, as in its batches."""
        return {column.name: column.dtype for column in self.layout(shard).further}

    def layout(self, shard: Shard, *, further: bool = True) -> Layout:
        """What each column of a shard is; without the further columns this is quick for jsonl too.

        Raises
        ------
        InputError
            If a column that was asked for isn't there, or the file can't be read.
        """
        if shard.format == "parquet":
            return parquet_layout(shard, self.options)
        if shard.format == "csv":
            return csv_layout(shard, self.options)
        return jsonl_layout(shard, self.options, further)

    def batches(
        self, shard: Shard, *, max_rows: int = _MAX_ROWS, max_bytes: int = _MAX_BYTES
    ) -> Iterator[Batch]:
        """The documents of a shard in batches, in order, with the rows that are no documents beside them.

        The boundaries depend on the file and the two limits alone. Memory is bounded by `max_bytes` and the
        largest single row.

        Raises
        ------
        InputError
            If a column that was asked for isn't there, or the file is truncated, damaged or can't be read.
        """
        return self.scan_batches(shard, max_rows=max_rows, max_bytes=max_bytes)

    def scan_batches(
        self,
        shard: Shard,
        *,
        max_rows: int = _MAX_ROWS,
        max_bytes: int = _MAX_BYTES,
        further: bool = True,
        wanted: Collection[int] | None = None,
    ) -> Iterator[Batch]:
        """As `batches`, but may leave out the further columns, and all rows but those `wanted`."""
        check_at_least("max_rows", max_rows, 1)
        check_at_least("max_bytes", max_bytes, 1)
        if shard.format == "parquet":
            found = parquet_batches(
                shard, self.options, max_rows=max_rows, max_bytes=max_bytes, further=further
            )
        elif shard.format == "csv":
            found = csv_batches(shard, self.options, max_rows=max_rows, max_bytes=max_bytes, further=further)
        else:
            return jsonl_batches(
                shard, self.options, max_rows=max_rows, max_bytes=max_bytes, further=further, wanted=wanted
            )
        return found if wanted is None else (_only(batch, wanted) for batch in found)

    def scan(self) -> pl.LazyFrame:
        """The documents as a polars LazyFrame, streamed through the same reader as `batches`.

        Collecting it raises InputError at the first row that is no document: a lazy frame has no place to put
        rows aside. Types that differ between shards become JSON text.
        """
        return register_io_source(self._frames, schema=self._schema)

    def _schema(self) -> pl.Schema:
        return pl.Schema(common_schema(self.layout(shard).schema() for shard in self.shards))

    def _frames(
        self, columns: list[str] | None, predicate: pl.Expr | None, n_rows: int | None, _: int | None
    ) -> Iterator[pl.DataFrame]:
        schema = self._schema()
        further = columns is None or bool(set(columns) - set(DOCUMENT_COLUMNS))
        if not further:
            schema = pl.Schema({name: schema[name] for name in DOCUMENT_COLUMNS})
        left = n_rows
        for shard in self.shards:
            for batch in self.scan_batches(shard, further=further):
                if batch.quarantined:
                    row = batch.quarantined[0]
                    raise InputError(
                        f"{row.shard} row {row.row}: {row.reason}; mend the file, "
                        "or use sample, whole or batches, which put such rows aside"
                    )
                frame = to_schema(batch.frame, schema)
                if columns is not None:
                    frame = frame.select(columns)
                if left is not None:
                    frame = frame.head(left)
                    left -= frame.height
                yield frame if predicate is None else frame.filter(predicate)
                if left == 0:
                    return

    def sample(
        self, n: int, *, by: str | None = "source", seed: int = 0, progress: Progress | None = None
    ) -> Sample:
        """Draw `n` documents; see `workbench.corpus.draw.draw`."""
        from workbench.corpus.draw import draw

        return draw(self, n, by=by, seed=seed, progress=progress or Silent())

    def whole(self, progress: Progress | None = None) -> Sample:
        """Every document, as a sample of rate 1; see `workbench.corpus.draw.take_all`."""
        from workbench.corpus.draw import take_all

        return take_all(self, progress=progress or Silent())


def _only(batch: Batch, wanted: Collection[int]) -> Batch:
    keep = [i for i, row in enumerate(batch.rows.tolist()) if row in wanted]
    frame = batch.frame[keep]
    if len(keep) < batch.frame.height:
        # A polars selection may go on holding all the bytes it was made from; through Arrow it is copied.
        frame = pl.DataFrame(frame.to_arrow(compat_level=pl.CompatLevel.oldest()), schema=frame.schema)
    return Batch(frame, batch.rows[keep], (), batch.n_bytes_read)
