"""What was kept, as a list of ids that any other tool can join with."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from workbench.checks import BoolArray, FloatArray
from workbench.errors import InputError
from workbench.files import written_aside

ENDINGS = (".parquet", ".csv", ".txt")


def write_ids(
    path: Path, doc_ids: Sequence[str], sources: Sequence[str], weights: FloatArray, keep: BoolArray
) -> int:
    """Write the kept documents in their order.

    Parameters
    ----------
    path
        .parquet or .csv: columns doc_id, source, weight. .txt: one id a line. Replaced if it is there.
    doc_ids, sources, weights, keep
        (n,); a weight is how often a document is to be repeated.

    Returns
    -------
    int
        How many were written.

    Raises
    ------
    InputError
        If the path ends otherwise, or an id holds the end of a line and is to be written as a line.
    StoreError
        If the file can't be written.
    """
    if path.suffix.lower() not in ENDINGS:
        raise InputError(
            f"ids are written as {', '.join(ENDINGS)}, got {path.name!r}; let the name end in one"
        )
    rows = pl.DataFrame({"doc_id": doc_ids, "source": sources, "weight": weights}).filter(pl.Series(keep))
    if path.suffix.lower() == ".txt":
        broken = rows.filter(pl.col("doc_id").map_elements(lambda d: len(d.splitlines()) != 1, pl.Boolean))
        if broken.height:
            raise InputError(
                f"the id {broken['doc_id'][0]!r} doesn't fit on one line; write the ids as .parquet"
            )
    with written_aside(path) as aside:
        if path.suffix.lower() == ".parquet":
            rows.write_parquet(aside)
        elif path.suffix.lower() == ".csv":
            rows.write_csv(aside)
        else:
            aside.write_text("".join(f"{doc}\n" for doc in rows["doc_id"]), encoding="utf-8")
    return rows.height
