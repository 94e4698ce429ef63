"""A recipe in the languages of other tools, one file a target; conditions is what polars and sql build on."""

from workbench.recipe.compile.conditions import condition
from workbench.recipe.compile.datatrove import to_datatrove
from workbench.recipe.compile.ids import write_ids
from workbench.recipe.compile.polars import to_polars
from workbench.recipe.compile.sql import to_sql

__all__ = ["condition", "to_datatrove", "to_polars", "to_sql", "write_ids"]
