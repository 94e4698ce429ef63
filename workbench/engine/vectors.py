"""Vectors that a corpus brings in a column of its own: of images, or by a model that isn't here."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import numpy as np
import orjson
import polars as pl

from workbench.checks import FloatArray
from workbench.errors import InputError, WorkbenchWarning
from workbench.models.load import Models

if TYPE_CHECKING:
    from workbench.engine.plan import Plan


def vector_column(models: Models) -> str | None:
    """The column that the embedder in use takes its vectors from; None if it makes them."""
    definition = models.definition("embedder")
    return str(definition["column"]) if definition.get("method") == "column" else None


def batch_vectors(plan: Plan, frame: pl.DataFrame) -> FloatArray | None:
    """The vectors of a batch of a corpus, of the length that the sample's had, if the manifest reads them."""
    state = plan.pass_states.get("embedding")
    column = vector_column(plan.models) if state else None
    return (
        None if state is None or column is None else read_vectors(frame, column, int(state["dimension"][0]))
    )


def read_vectors(frame: pl.DataFrame, column: str, width: int | None = None) -> FloatArray:
    """A column of lists of numbers as a matrix.

    Parameters
    ----------
    frame
        The documents with their further columns.
    column
        Its name: lists or arrays of numbers, or (from jsonl) their JSON text.
    width
        Their length; None takes the one that most rows have.

    Returns
    -------
    float32 (n, width), unscaled. A row that is null, of another length, or holds something else than numbers is NaN.

    Raises
    ------
    InputError
        If there is no such column, or it holds no lists of numbers.
    """
    if column not in frame.columns:
        there = ", ".join(repr(name) for name in frame.columns[:50])
        raise InputError(f"there is no column {column!r} to take vectors from; there are {there}")
    lists = _lists(frame[column], column)
    lengths = lists.list.len().fill_null(0).to_numpy()
    is_sample = width is None
    if width is None:
        width = int(np.bincount(lengths[lengths > 0]).argmax()) if (lengths > 0).any() else 0
    if not width:
        raise InputError(f"no row of the column {column!r} holds a vector; give a column of lists of numbers")
    out = np.full((len(lists), width), np.nan, dtype=np.float32)
    fitting = lengths == width
    # Of a corpus each such document is told of where it is dropped.
    if is_sample and not fitting.all():
        warnings.warn(
            f"{(~fitting).sum():,} of {len(fitting):,} rows of the column {column!r} hold no vector of {width} "
            "numbers, so these documents have none",
            WorkbenchWarning,
            stacklevel=2,
        )
    flat = lists.filter(pl.Series(fitting)).explode().cast(pl.Float32)
    out[fitting] = flat.fill_null(float("nan")).to_numpy().reshape(-1, width)
    return out


def _lists(values: pl.Series, column: str) -> pl.Series:
    """The column as lists of numbers."""
    if isinstance(values.dtype, pl.Array):
        values = values.arr.to_list()
    if values.dtype == pl.String:
        parsed = [_numbers(text) for text in values.to_list()]
        return pl.Series(column, parsed, dtype=pl.List(pl.Float64))
    inner = values.dtype.inner if isinstance(values.dtype, pl.List) else None
    if inner is None or not (inner.is_float() or inner.is_integer()):
        raise InputError(
            f"the column {column!r} holds {values.dtype}, not vectors; give a column of lists of numbers"
        )
    return values


def _numbers(text: str | None) -> list[float] | None:
    """A JSON array of numbers; None for anything else."""
    try:
        found = orjson.loads(text) if text is not None else None
    except ValueError:
        return None
    if not isinstance(found, list) or not all(type(value) in (int, float) for value in found):
        return None
    return [float(value) for value in found]
