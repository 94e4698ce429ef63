"""A recipe in the languages of other tools, one file a target: conditions (what all build on), polars, sql, ids."""

from workbench.recipe.compile.conditions import condition
from workbench.recipe.compile.ids import write_ids
from workbench.recipe.compile.polars import to_polars
from workbench.recipe.compile.sql import to_sql

__all__ = ["condition", "to_polars", "to_sql", "write_ids"]
