"""Recipes out of files that may be anyone's: a recipe, a manifest, or saved work with its drafts."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from widgets import messages
from widgets.draft import read_drafts
from widgets.work import MAX_WORK_BYTES, WORK_FORMAT, parse_work
from workbench.errors import InputError
from workbench.files import parse_json
from workbench.recipe.manifest import MANIFEST_FILE
from workbench.recipe.model import RECIPE_FORMAT, Recipe
from workbench.recipe.schema import MANIFEST_FORMAT, Manifest, parse_manifest, parse_recipe


def read_json(path: Path, at_most: int, what: str) -> Any:
    """The content of a JSON file.

    Raises
    ------
    InputError
        If it isn't there, is too large, can't be read, or is no JSON.
    """
    if not path.is_file():
        raise InputError(f"there is no file {path}; give the path of {what}")
    if path.stat().st_size > at_most:
        raise InputError(
            f"{path.name} has more than {at_most:,} bytes, which {what} hasn't; give another file"
        )
    try:
        return parse_json(path.read_bytes())
    except OSError as error:
        raise InputError(f"{path.name} can't be read ({error.strerror or error}); check its rights") from None
    except ValueError as error:
        raise InputError(f"{path.name} isn't {what}: it is no JSON ({error}); give another file") from None


def read_recipes(path: Path) -> list[tuple[str, Recipe]]:
    """The recipes in a file, each with a label: one of a recipe or a manifest, every draft of saved work.

    Raises
    ------
    WorkbenchError
        If it is none of these.
    """
    what = "a recipe, a manifest or saved work"
    value = read_json(path / MANIFEST_FILE if path.is_dir() else path, MAX_WORK_BYTES, what)
    kind = value.get("format") if isinstance(value, Mapping) else None
    name = path.parent.name if path.name == MANIFEST_FILE else path.name
    if kind == RECIPE_FORMAT:
        return [(name, parse_recipe(value))]
    if kind == MANIFEST_FORMAT:
        return [(name, manifest_recipe(parse_manifest(value)))]
    if kind == WORK_FORMAT:
        drafts, current = read_drafts(parse_work(value).parts["drafts"])
        drafts.sort(key=lambda draft: draft is not current)
        return [(f"{name}: {draft.name}", draft.recipe) for draft in drafts]
    found = repr(kind)[: messages.MAX_TEXT]
    raise InputError(f"{path.name} isn't {what}: its format is {found}; give one that this bench wrote")


def manifest_recipe(manifest: Manifest) -> Recipe:
    """The recipe of a manifest, with the constants that its quantiles were resolved to.

    What it fitted (clusters, for instance) is fitted anew where the recipe runs.
    """
    steps = [{"select": step.select, **_constants(step.params)} for step in manifest.steps]
    return parse_recipe(
        {"format": RECIPE_FORMAT, "seed": manifest.seed, "steps": steps, "scores": manifest.score_params}
    )


def _constants(value: Any) -> Any:
    if isinstance(value, Mapping):
        if value.keys() == {"quantile", "value"}:
            return value["value"]
        return {name: inner for name, given in value.items() if (inner := _constants(given)) is not None}
    return [_constants(inner) for inner in value] if isinstance(value, list) else value
