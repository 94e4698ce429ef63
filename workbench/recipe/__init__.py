"""Recipes and the manifests that they are frozen into."""

from workbench.recipe.model import Recipe, Step
from workbench.recipe.schema import manifest_schema, parse_recipe, parse_step, recipe_schema

__all__ = ["Recipe", "Step", "manifest_schema", "parse_recipe", "parse_step", "recipe_schema"]
