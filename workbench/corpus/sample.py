"""A sample: documents drawn from a corpus, with the design that tells what each of them stands for."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from workbench.corpus.design import Design
from workbench.corpus.read import read
from workbench.corpus.shards import Shard, find_shards
from workbench.corpus.types import DOCUMENT_COLUMNS, Quarantined
from workbench.errors import InputError
from workbench.files import written_aside

_DESIGN_KEY = b"selection_workbench.design"
_FINGERPRINT_KEY = b"selection_workbench.fingerprint"
_ROW_GROUP_ROWS = 16_384
_NO_LIMIT = 2**62


@dataclass(frozen=True, eq=False)
class Sample:
    """Documents drawn from a corpus.

    Attributes
    ----------
    frame
        `doc_id`, `text`, `source`, then the further columns; sorted by `doc_id`.
    design
        How they were drawn.
    quarantined
        The rows of the corpus that are no documents, at most the first 100,000 (the design has the count);
        none if the sample was read from its file.
    """

    frame: pl.DataFrame
    design: Design
    quarantined: tuple[Quarantined, ...] = ()

    def __len__(self) -> int:
        return self.frame.height

    @cached_property
    def doc_ids(self) -> list[str]:
        """The ids, in the order of the frame."""
        return self.frame["doc_id"].to_list()

    @cached_property
    def texts(self) -> list[str]:
        """The texts, in the order of the frame."""
        return self.frame["text"].to_list()

    @cached_property
    def sources(self) -> list[str]:
        """The sources, in the order of the frame."""
        return self.frame["source"].to_list()

    @cached_property
    def source_names(self) -> tuple[str, ...]:
        """The sources that have documents, sorted."""
        return tuple(sorted(self.frame["source"].unique().to_list()))

    @cached_property
    def source_codes(self) -> npt.NDArray[np.int64]:
        """The place of each document's source in `source_names`, int64 (n,)."""
        places = self.frame["source"].cast(pl.Enum(self.source_names)).to_physical()
        return places.to_numpy().astype(np.int64)

    @cached_property
    def fingerprint(self) -> str:
        """Digest (hex) of all ids, sources and texts; further columns have no part in it."""
        digest = hashlib.sha256()
        for values in self.frame.select("doc_id", "source", "text").iter_rows():
            for raw in map(str.encode, values):
                # With the length before it no value can pass for the end of one and the start of the next.
                digest.update(len(raw).to_bytes(8, "little"))
                digest.update(raw)
        return digest.hexdigest()

    def weights(self) -> npt.NDArray[np.float64]:
        """How many documents of the corpus each document stands for, float64 (n,), at least 1."""
        strata = self.design.strata
        each = np.array([1.0 / strata[source].rate for source in self.source_names], dtype=np.float64)
        return each[self.source_codes]

    def write(self, path: str | Path) -> None:
        """Write the sample with its design as one parquet file, aside first and then renamed.

        Raises
        ------
        StoreError
            If the file can't be written.
        InputError
            If its name doesn't end in .parquet, or it is there and is no sample: a corpus is never overwritten.
        """
        path = Path(path)
        if path.suffix != ".parquet":
            raise InputError(
                f"a sample is written as parquet, got {path.name}; give a name that ends in .parquet"
            )
        if path.exists() and _sample_metadata(find_shards(path, None)) is None:
            raise InputError(f"{path} exists and is no sample; choose another name")
        # The oldest level gives 64-bit offsets: a column of texts may well be larger than 2 GiB.
        table = self.frame.to_arrow(compat_level=pl.CompatLevel.oldest())
        metadata = {_DESIGN_KEY: self.design.to_json().encode(), _FINGERPRINT_KEY: self.fingerprint.encode()}
        table = table.replace_schema_metadata(metadata)
        with written_aside(path) as aside:
            pq.write_table(table, aside, compression="zstd", row_group_size=_ROW_GROUP_ROWS)


def empty_frame() -> pl.DataFrame:
    """A frame of no documents."""
    return pl.DataFrame(schema=dict.fromkeys(DOCUMENT_COLUMNS, pl.String))


def read_sample(
    path: str | Path | Sequence[str | Path],
    *,
    text_column: str = "text",
    id_column: str | None = None,
    source_column: str | None = None,
    max_document_bytes: int = 16 * 2**20,
    storage_options: Mapping[str, Any] | None = None,
) -> Sample:
    """The sample in a file that `Sample.write` wrote, or any other corpus whole, as a sample of rate 1.

    The options are those of `read`. A sample's file needs none of them: its columns are `doc_id`, `text`,
    `source`.

    Raises
    ------
    InputError
        If the file's design doesn't fit its documents, if the texts have more than 2 GiB, or for the reasons
        `read` and `Corpus.whole` have.
    """
    shards = find_shards(path, storage_options)
    metadata = _sample_metadata(shards)
    if metadata is not None:
        return _read_written(shards[0], metadata)
    corpus = read(
        path,
        text_column=text_column,
        id_column=id_column,
        source_column=source_column,
        max_document_bytes=max_document_bytes,
        storage_options=storage_options,
    )
    return corpus.whole()


def _sample_metadata(shards: tuple[Shard, ...]) -> dict[bytes, bytes] | None:
    """The metadata of the one file, if it is a written sample."""
    if len(shards) != 1 or shards[0].format != "parquet":
        return None
    try:
        with shards[0].open() as raw:
            metadata = pq.read_schema(raw).metadata or {}
    except (OSError, ValueError, pa.ArrowException):
        return None  # the reader says what is wrong with the file
    return metadata if _DESIGN_KEY in metadata else None


def _read_written(shard: Shard, metadata: dict[bytes, bytes]) -> Sample:
    design = Design.from_json(metadata[_DESIGN_KEY])
    corpus = read(
        shard.url,
        id_column="doc_id",
        source_column="source",
        max_document_bytes=_NO_LIMIT,
        storage_options=shard.storage_options,
    )
    frames = []
    for batch in corpus.batches(corpus.shards[0]):
        if batch.quarantined:
            raise _unfit(shard, f"row {batch.quarantined[0].row}: {batch.quarantined[0].reason}")
        frames.append(batch.frame)
    frame = pl.concat(frames).sort("doc_id") if frames else empty_frame()
    sample = Sample(frame, design)
    _check_design(shard, sample)
    if sample.fingerprint.encode() != metadata.get(_FINGERPRINT_KEY):
        raise _unfit(shard, "its documents aren't those that were drawn")
    return sample


def _check_design(shard: Shard, sample: Sample) -> None:
    """Raise InputError where the design says another thing than the documents."""
    counts = dict(sample.frame.group_by("source").len().iter_rows())
    strata = sample.design.strata
    for source in sorted(counts.keys() | strata.keys()):
        said, found = strata[source].n_sample if source in strata else 0, counts.get(source, 0)
        if said != found:
            raise _unfit(shard, f"its design says {said} documents of {source[:200]!r}, it holds {found}")
    if not sample.design.rates_fit():
        raise _unfit(shard, "its design has rates that don't fit its counts")
    if sample.frame["doc_id"].n_unique() != len(sample):
        raise _unfit(shard, "a doc_id stands in it twice")


def _unfit(shard: Shard, what: str) -> InputError:
    return InputError(f"{shard.name} was changed since it was drawn: {what}; draw the sample again")
