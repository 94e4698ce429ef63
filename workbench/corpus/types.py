"""The plain data that every reader hands on: how to read, a batch of documents, a row put aside."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

#: The columns that every frame of documents begins with, whatever the corpus called them.
DOCUMENT_COLUMNS = ("doc_id", "text", "source")

EXCERPT_CHARS = 200


@dataclass(frozen=True)
class Options:
    """How documents are found in the rows of a corpus: what `read` was called with.

    Attributes
    ----------
    text_column
        Name of the column that holds the text.
    id_column
        Name of the column that holds the id; None looks for `doc_id`, then `id`; "" makes ids from content.
    source_column
        Name of the column that holds the source; None looks for `source`.
    max_document_bytes
        A longer text (in UTF-8) is put aside.
    """

    text_column: str = "text"
    id_column: str | None = None
    source_column: str | None = None
    max_document_bytes: int = 16 * 2**20


@dataclass(frozen=True)
class Quarantined:
    """A row that is no document, with the reason.

    Attributes
    ----------
    shard
        Name of the shard.
    row
        0-based number of the row within the shard (of the line, in jsonl; the header of a csv isn't counted).
    reason
        What is wrong; it never holds text of the row.
    excerpt
        The row's first 200 characters; bytes that are no UTF-8 stand as backslash escapes.
    """

    shard: str
    row: int
    reason: str
    excerpt: str


@dataclass(frozen=True, eq=False)
class Batch:
    """Some consecutive rows of one shard.

    Attributes
    ----------
    frame
        `doc_id`, `text`, `source` (String, no nulls), then the further columns; all batches of a shard have
        one schema.
    rows
        int64 (n,): each document's 0-based row number within the shard; unreadable rows count too.
    quarantined
        The rows of this stretch that are no documents.
    n_bytes_read
        Bytes of the shard's file that this batch has used up, for progress; over a shard they sum up to at
        most its size.
    """

    frame: pl.DataFrame
    rows: npt.NDArray[np.int64]
    quarantined: tuple[Quarantined, ...]
    n_bytes_read: int


def excerpt_of(raw: bytes) -> str:
    """The first 200 characters of a raw row; what isn't UTF-8 stands as backslash escapes."""
    # No character is longer than 4 bytes, so a character that the cut breaks lies beyond the 200th.
    return raw[: 4 * EXCERPT_CHARS].decode("utf-8", "backslashreplace")[:EXCERPT_CHARS]
