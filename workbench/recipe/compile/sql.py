"""A recipe as SQL for DuckDB."""

from __future__ import annotations

import re

import numpy as np

from workbench.recipe.compile.conditions import AtLeast, Condition, OneOf, Scored, columns, condition
from workbench.recipe.model import Recipe

TABLE = "scores"
"""The table or view that the query reads."""

_HEAD = """-- What a recipe keeps, for DuckDB. "{table}" stands for a table with these columns:
-- {columns}
-- CREATE VIEW {table} AS SELECT * FROM 'selected/kept/*.parquet';
-- A score is compared in its own type; NaN and NULL both mean that a document has none.
SELECT *
FROM {name}
WHERE {where};
"""


def to_sql(recipe: Recipe) -> str:
    """A query that gives the rows that the recipe keeps; its condition is never NULL.

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
    where = "\n  AND ".join(_condition(part) for part in whole.parts) or "TRUE"
    names = ", ".join(columns(whole)) or "none"
    return _HEAD.format(table=TABLE, name=identifier(TABLE), columns=names, where=where)


def identifier(name: str) -> str:
    """A column's or table's name, quoted."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    r"""A text, quoted; what can't be seen (a line's end, NUL, a turn of the reading direction) is named by its number.

    Examples
    --------
    >>> literal("it's"), literal("a\nb")
    ("'it''s'", "('a' || chr(10) || 'b')")
    """
    pieces = [p for p in re.split(r"(.)", text, flags=re.DOTALL) if p]
    runs: list[str] = []
    was_seen = False
    for letter in pieces:
        is_seen = letter.isprintable()
        if is_seen and was_seen:
            runs[-1] += letter
        else:
            runs.append(letter if is_seen else f"chr({ord(letter)})")
        was_seen = is_seen
    shown = [run if re.fullmatch(r"chr\(\d+\)", run) else "'" + run.replace("'", "''") + "'" for run in runs]
    return shown[0] if len(shown) == 1 else f"({' || '.join(shown)})" if shown else "''"


def _condition(part: Condition) -> str:
    if isinstance(part, AtLeast):
        parts = [_condition(p) for p in part.parts]
        if part.n == len(parts):
            return f"({' AND '.join(parts)})" if len(parts) > 1 else parts[0] if parts else "TRUE"
        return "(" + " + ".join(f"CAST({p} AS INTEGER)" for p in parts) + f" >= {part.n})"
    if isinstance(part, OneOf):
        column = identifier(part.column)
        labels = ", ".join(map(literal, part.values))
        return f"({column} IS NOT NULL AND {column} IN ({labels}))"
    column = identifier(part.score)
    if isinstance(part, Scored):
        return f"({column} IS NOT NULL AND NOT isnan(CAST({column} AS DOUBLE)))"
    kind = "REAL" if part.limit.dtype == np.float32 else "DOUBLE"
    # Read from text, a number is rounded once; a plain 0.1 would be a decimal first.
    value = f"CAST({column} AS {kind})"
    compared = f"{value} {part.keeps} CAST('{part.limit!s}' AS {kind})"
    # DuckDB sorts NaN above all numbers, so a comparison alone would keep or drop it by its side.
    if part.missing:
        return f"({column} IS NULL OR isnan({value}) OR {compared})"
    return f"({column} IS NOT NULL AND NOT isnan({value}) AND {compared})"
