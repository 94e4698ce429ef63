"""A recipe under a name, and drafts as a file has them, which may be anyone's. No widget."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from widgets import messages
from widgets.history import DEPTH, History
from workbench.errors import InputError
from workbench.recipe.model import Recipe
from workbench.recipe.schema import parse_recipe

MAX_DRAFTS = 50
MAX_NAME = 80
_KEYS = {"current", "drafts"}
_DRAFT_KEYS = {"name", "parent", "position", "recipes"}


@dataclass(eq=False)
class Draft:
    """A recipe under a name.

    Attributes
    ----------
    parent
        The draft that it was branched from, None if it stands for itself.
    """

    name: str
    history: History
    parent: Draft | None = None

    @property
    def recipe(self) -> Recipe:
        """As it stands."""
        return self.history.recipe


def check_name(name: str) -> str:
    """The name of a draft, without blanks around it.

    Raises
    ------
    InputError
        If it is empty, too long, or has characters that can't be shown.
    """
    name = name.strip()
    if not name or len(name) > MAX_NAME or not name.isprintable():
        raise InputError(
            f"a draft's name has 1 to {MAX_NAME} characters that can be shown, got {name[:40]!r}"
        )
    return name


def write_drafts(drafts: Sequence[Draft], current: Draft) -> dict[str, Any]:
    """For a file."""
    return {
        "current": current.name,
        "drafts": [
            {
                "name": draft.name,
                "parent": None if draft.parent is None else draft.parent.name,
                "position": draft.history.position,
                "recipes": [recipe.to_json() for recipe in draft.history.recipes],
            }
            for draft in drafts
        ],
    }


def read_drafts(value: object) -> tuple[list[Draft], Draft]:
    """The drafts of a file, which may be anyone's, and the current one of them.

    Raises
    ------
    WorkbenchError
        If anything of it isn't as `write_drafts` writes it.
    """
    top = messages.record(value, "drafts", _KEYS)
    rows = messages.entries(top, "drafts", MAX_DRAFTS)
    if not rows:
        raise InputError("drafts is empty, and there is always one; give another file")
    records = [messages.record(row, "a draft", _DRAFT_KEYS) for row in rows]
    drafts = {draft.name: draft for draft in map(_read_draft, records)}
    if len(drafts) < len(records):
        raise InputError("two drafts have the same name; give another file")
    for record in records:
        parent = messages.optional_known(record, "parent", drafts)
        drafts[str(record["name"])].parent = None if parent is None else drafts[parent]
    for draft in drafts.values():
        _check_line(draft, len(drafts))
    return list(drafts.values()), drafts[messages.known(top, "current", drafts)]


def _read_draft(record: Mapping[str, object]) -> Draft:
    name = messages.text(record, "name", at_most=MAX_NAME)
    if check_name(name) != name:
        raise InputError(f"the draft's name {name!r} has blanks around it; give another file")
    recipes = messages.entries(record, "recipes", DEPTH + 1)
    position = messages.integer(record, "position", 0, max(0, len(recipes) - 1))
    return Draft(name, History.of(map(parse_recipe, recipes), position))


def _check_line(draft: Draft, n: int) -> None:
    """Raise InputError if a draft descends from itself."""
    above: Draft | None = draft
    for _ in range(n + 1):
        if above is None:
            return
        above = above.parent
    raise InputError(f"draft {draft.name!r} descends from itself; give another file")
