"""Drafts, each with its own history: branch, duplicate, rename, delete, bring back. Pure; no widget."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from widgets.draft import MAX_DRAFTS, MAX_NAME, Draft, check_name, read_drafts, write_drafts
from widgets.history import History
from workbench.errors import InputError
from workbench.recipe.model import Recipe

FIRST = "draft 1"


@dataclass(frozen=True)
class _Deleted:
    draft: Draft
    place: int
    children: tuple[Draft, ...]


class Drafts:
    """The drafts of a bench, one of which is current. There is always one.

    Parameters
    ----------
    recipe
        Of the first draft.
    changed
        Called after every change but an edit of the current recipe, which `BenchState.edit` tells itself.

    Examples
    --------
    >>> drafts = Drafts(Recipe(seed=1))
    >>> drafts.branch("strict").name, drafts.current.parent.name, drafts.names
    ('strict', 'draft 1', ('draft 1', 'strict'))
    """

    def __init__(self, recipe: Recipe, changed: Callable[[], None] = lambda: None) -> None:
        self._drafts = [Draft(FIRST, History(recipe))]
        self._current = self._drafts[0]
        self._deleted: list[_Deleted] = []
        self._changed = changed

    @property
    def current(self) -> Draft:
        """The draft that the handles edit."""
        return self._current

    @property
    def names(self) -> tuple[str, ...]:
        """All names, in the order in which the drafts were made."""
        return tuple(draft.name for draft in self._drafts)

    @property
    def deleted(self) -> str | None:
        """The name of the draft that `restore` would bring back, None if there is none."""
        return self._deleted[-1].draft.name if self._deleted else None

    def __len__(self) -> int:
        return len(self._drafts)

    def __getitem__(self, name: str) -> Draft:
        """The draft of that name.

        Raises
        ------
        InputError
            If there is none.
        """
        found = next((draft for draft in self._drafts if draft.name == name), None)
        if found is None:
            raise InputError(f"there is no draft {name[:MAX_NAME]!r}; there are {', '.join(self.names[:10])}")
        return found

    # ---- changes -------------------------------------------------------------------------------------------

    def add(self, name: str, recipe: Recipe) -> Draft:
        """Begin a draft with a recipe, and go there.

        Raises
        ------
        InputError
            If the name can't be one or is taken, or there are `MAX_DRAFTS` already; so of all that take a name.
        """
        return self._enter(name, History(recipe), None, len(self._drafts))

    def branch(self, name: str | None = None) -> Draft:
        """Go on with the current recipe under a new name; it remembers its parent, and its history begins here."""
        now = self._current
        return self._enter(name, History(now.recipe), now, len(self._drafts), now.name)

    def duplicate(self, name: str | None = None) -> Draft:
        """Copy the current draft with all of its history, beside it, and go to the copy."""
        now = self._current
        return self._enter(
            name, now.history.copy(), now.parent, self._drafts.index(now) + 1, f"{now.name} copy"
        )

    def switch(self, name: str) -> None:
        """Go to another draft."""
        draft = self[name]
        if draft is not self._current:
            self._current = draft
            self._changed()

    def rename(self, name: str, new: str) -> None:
        """Give a draft another name."""
        draft = self[name]
        if new.strip() != draft.name:
            draft.name = self._free(new)
            self._changed()

    def delete(self, name: str) -> None:
        """Take a draft away, until `restore`; what was branched from it goes to its parent.

        Raises
        ------
        InputError
            If there is no such draft, or it is the only one.
        """
        draft = self[name]
        if len(self._drafts) == 1:
            raise InputError(f"{name} is the only draft; branch it before you delete it")
        place = self._drafts.index(draft)
        children = tuple(other for other in self._drafts if other.parent is draft)
        self._deleted.append(_Deleted(draft, place, children))
        self._drafts.remove(draft)
        for child in children:
            child.parent = draft.parent
        if draft is self._current:
            near = draft.parent or self._drafts[max(0, place - 1)]
            self._current = near if near in self._drafts else self._drafts[0]
        self._changed()

    def restore(self) -> Draft:
        """Bring back what was deleted last, and go there.

        Raises
        ------
        InputError
            If nothing was deleted, or there is no room.
        """
        if not self._deleted:
            raise InputError("no draft was deleted; there is nothing to bring back")
        self._check_room()
        last = self._deleted.pop()
        draft = last.draft
        if draft.name in self.names:
            draft.name = self._unused(draft.name)
        if draft.parent not in self._drafts:
            draft.parent = None
        self._drafts.insert(last.place, draft)
        for child in last.children:
            if child in self._drafts:
                child.parent = draft
        self._current = draft
        self._changed()
        return draft

    def jump(self, position: int) -> None:
        """Go to a place of the current draft's history; see `History.jump`."""
        if self._current.history.jump(position):
            self._changed()

    def _enter(
        self, name: str | None, history: History, parent: Draft | None, place: int, stem: str = "draft"
    ) -> Draft:
        self._check_room()
        draft = Draft(self._unused(stem) if name is None else self._free(name), history, parent)
        self._drafts.insert(place, draft)
        self._current = draft
        self._changed()
        return draft

    def _check_room(self) -> None:
        if len(self._drafts) >= MAX_DRAFTS:
            raise InputError(f"there are {MAX_DRAFTS} drafts already; delete one first")

    def _free(self, name: str) -> str:
        name = check_name(name)
        if name in self.names:
            raise InputError(f"there is a draft {name!r} already; choose another name")
        return name

    def _unused(self, stem: str) -> str:
        # Two drafts more than there can be: one of these is free.
        stem = stem[: MAX_NAME - 4].strip()
        return next(n for i in range(2, MAX_DRAFTS + 4) if (n := f"{stem} {i}") not in self.names)

    # ---- saved work ----------------------------------------------------------------------------------------

    def to_json(self) -> dict[str, Any]:
        """For a file."""
        return write_drafts(self._drafts, self._current)

    def load_json(self, value: object) -> None:
        """Take the drafts of a file in place of these.

        Raises
        ------
        WorkbenchError
            If it isn't what `to_json` gives; then all stays as it was.
        """
        drafts, current = read_drafts(value)
        self._drafts, self._current, self._deleted = drafts, current, []
        self._changed()
