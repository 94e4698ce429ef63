"""Which column of a shard holds what, and under which name and type each one goes on."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

import polars as pl

from workbench.corpus.shards import Shard
from workbench.corpus.types import DOCUMENT_COLUMNS, Options
from workbench.errors import InputError

_ID_COLUMNS = ("doc_id", "id")
_SOURCE_COLUMN = "source"


@dataclass(frozen=True)
class Roles:
    """The columns of a shard that hold a document's parts.

    Attributes
    ----------
    text
        Column of the text.
    id
        Column of the id; None if ids are made from content.
    source
        Column of the source; None if the file's stem is the source.
    """

    text: str
    id: str | None
    source: str | None


@dataclass(frozen=True)
class Further:
    """One further column: its name in the shard, the name and type it goes on under.

    `as_json` says that each value is carried as its JSON text, since the column's values have no one type.
    """

    column: str
    name: str
    dtype: pl.DataType
    as_json: bool = False


@dataclass(frozen=True)
class Layout:
    """The columns of one shard: those of the document, and the further ones in their order.

    `has_columns` is false where the shard, having no row, doesn't tell its columns.
    """

    roles: Roles
    stem: str
    further: tuple[Further, ...]
    has_columns: bool

    def schema(self) -> dict[str, pl.DataType]:
        """Name and type of every column of the shard's batches, in order."""
        document: dict[str, pl.DataType] = {name: pl.String() for name in DOCUMENT_COLUMNS}
        return document | {column.name: column.dtype for column in self.further}


def find_roles(shard: Shard, options: Options, detectable: Iterable[str], present: Collection[str]) -> Roles:
    """Which columns of `shard` hold text, id and source.

    Parameters
    ----------
    shard
        Named in errors.
    options
        What the caller asked for.
    detectable
        Column names among which the default names (`doc_id`, `id`, `source`) are looked for.
    present
        All column names of the shard; empty means that the shard has no row, then nothing is checked.

    Raises
    ------
    InputError
        If a column that was asked for isn't there.
    """
    asked = [options.text_column, options.id_column or None, options.source_column or None]
    for what, name in zip(("text", "id", "source"), asked, strict=True):
        if name is not None and present and name not in present:
            raise missing_column(shard, what, name, present)
    seen = set(detectable) - {options.text_column}
    id_column = options.id_column or None
    if options.id_column is None:
        id_column = next((name for name in _ID_COLUMNS if name in seen), None)
    source = options.source_column or None
    if options.source_column is None and _SOURCE_COLUMN in seen:
        source = _SOURCE_COLUMN
    return Roles(options.text_column, id_column, source)


def missing_column(shard: Shard, what: str, name: str, present: Iterable[str]) -> InputError:
    """The error that says which column of a shard was asked for and which there are."""
    there = ", ".join(repr(column) for column in list(present)[:50])
    return InputError(
        f"{shard.name} has no {what} column {name!r}; it has {there}; "
        f"name one of them with {what}_column (--{what}-column)"
    )


def find_further(roles: Roles, dtypes: Mapping[str, tuple[pl.DataType, bool]]) -> tuple[Further, ...]:
    """The further columns, given {column: (type, as_json)} of all columns in their order.

    The columns of text, id and source go on as `text`, `doc_id` and `source` and don't stand here again.
    Another column that happens to have one of those names gets underscores added until its name is free.
    """
    used = {roles.text, roles.id, roles.source}
    names = [column for column in dtypes if column not in used]
    taken = {*names, *DOCUMENT_COLUMNS}
    further = []
    for column in names:
        name = column
        if name in DOCUMENT_COLUMNS:
            while name in taken:
                name += "_"
            taken.add(name)
        further.append(Further(column, name, *dtypes[column]))
    return tuple(further)
