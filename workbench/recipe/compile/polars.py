"""A recipe as a polars expression: the source of a small Python file."""

from __future__ import annotations

import math

import numpy as np

from workbench.recipe.compile.conditions import AtLeast, Condition, OneOf, Scored, columns, condition
from workbench.recipe.model import Recipe

_HEAD = '''"""What a recipe keeps, as a polars expression over its scores: kept = scores.filter(keep).

Columns read: {columns}
A score is compared in its own type; NaN and null both mean that a document has none.
"""

import polars as pl

keep = {expression}
'''


def to_polars(recipe: Recipe) -> str:
    """Python source that binds `keep`, a polars expression, true for what the recipe keeps and never null.

    Parameters
    ----------
    recipe
        With its quantiles resolved.

    Raises
    ------
    InputError
        As `workbench.recipe.compile.conditions.condition`.
    """
    whole = condition(recipe)
    parts = [_expression(part) for part in whole.parts]
    body = "(\n    " + "\n    & ".join(parts) + "\n)" if parts else "pl.lit(True)"
    return _HEAD.format(columns=", ".join(columns(whole)) or "none", expression=body)


def _expression(part: Condition) -> str:
    if isinstance(part, AtLeast):
        if part.n == len(part.parts):
            return _joined([_expression(p) for p in part.parts])
        votes = ", ".join(_expression(p) for p in part.parts)
        return f"(pl.sum_horizontal({votes}) >= {part.n})"
    if isinstance(part, OneOf):
        labels = ", ".join(map(repr, part.values))
        return f"pl.col({part.column!r}).cast(pl.String).is_in([{labels}]).fill_null(False)"
    if isinstance(part, Scored):
        return f"pl.col({part.score!r}).cast(pl.Float64).is_not_nan().fill_null(False)"
    kind = "pl.Float32" if part.limit.dtype == np.float32 else "pl.Float64"
    column = f"pl.col({part.score!r}).cast({kind})"
    compared = f"({column} {part.keeps} pl.lit({_number(part.limit)}, {kind}))"
    # polars sorts NaN above all numbers, so a comparison alone would keep or drop it by its side.
    if part.missing:
        return f"({column}.is_nan() | {compared}).fill_null(True)"
    return f"({column}.is_not_nan() & {compared}).fill_null(False)"


def _joined(parts: list[str]) -> str:
    return f"({' & '.join(parts)})" if len(parts) > 1 else parts[0] if parts else "pl.lit(True)"


def _number(limit: np.floating) -> str:
    """A number that Python reads as the very same, in as few digits as its type needs."""
    return str(limit) if math.isfinite(limit) else f'float("{limit}")'
