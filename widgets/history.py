"""The recipe's past and future: undo, redo, and a list of what changed from which one can jump back."""

from __future__ import annotations

from collections.abc import Iterable

from widgets.changes import describe
from workbench.errors import InputError
from workbench.recipe.model import Recipe

DEPTH = 200


class History:
    """A recipe with what it was before, and what was undone.

    Parameters
    ----------
    recipe
        To begin with.
    """

    def __init__(self, recipe: Recipe) -> None:
        self._recipes: list[Recipe] = [recipe]
        self._words: list[str] = [""]
        self._at = 0
        self._gesture: str | None = None

    @classmethod
    def of(cls, recipes: Iterable[Recipe], position: int) -> History:
        """The history that went through these recipes, oldest first, and stands at one of them.

        Raises
        ------
        InputError
            If there is none, there are more than `DEPTH` + 1, or the position isn't among them.
        """
        given = list(recipes)
        if not 1 <= len(given) <= DEPTH + 1 or not 0 <= position < len(given):
            raise InputError(
                f"a history has 1 to {DEPTH + 1} recipes and stands at one of them, got {len(given)} and place "
                f"{position}; give another file"
            )
        history = cls(given[0])
        for recipe in given[1:]:
            history.edit(recipe)
        history._at = position
        return history

    @property
    def recipe(self) -> Recipe:
        """As it stands."""
        return self._recipes[self._at]

    @property
    def recipes(self) -> tuple[Recipe, ...]:
        """All recipes, the oldest first: past, present, and what was undone."""
        return tuple(self._recipes)

    @property
    def words(self) -> tuple[str, ...]:
        """What led to each of `recipes`, in words; "" for the first."""
        return tuple(self._words)

    @property
    def position(self) -> int:
        """The place of `recipe` among `recipes`."""
        return self._at

    @property
    def can_undo(self) -> bool:
        """Whether there is an edit to undo."""
        return self._at > 0

    @property
    def can_redo(self) -> bool:
        """Whether there is an undo to take back."""
        return self._at + 1 < len(self._recipes)

    def edit(self, recipe: Recipe, gesture: str | None = None) -> None:
        """Replace the recipe; all edits of one gesture (a drag) in a row are undone at once."""
        goes_on = gesture is not None and gesture == self._gesture
        end = self._at if goes_on else self._at + 1
        before = self._recipes[end - 1]
        self._recipes[end:] = [recipe]
        self._words[end:] = [describe(before, recipe)]
        excess = max(0, len(self._recipes) - DEPTH - 1)
        del self._recipes[:excess], self._words[:excess]
        self._words[0] = ""
        self._at = len(self._recipes) - 1
        self._gesture = gesture

    def undo(self) -> bool:
        """Go back to the recipe before the last edit; False if there was none."""
        return self.can_undo and self.jump(self._at - 1)

    def redo(self) -> bool:
        """Take the last undo back; False if there was none."""
        return self.can_redo and self.jump(self._at + 1)

    def jump(self, position: int) -> bool:
        """Go to any recipe of the list; False if it stands there already.

        Raises
        ------
        InputError
            If there is no such place.
        """
        if not 0 <= position < len(self._recipes):
            raise InputError(f"the history has places 0 to {len(self._recipes) - 1}, got {position}")
        if position == self._at:
            return False
        self._at = position
        self._gesture = None
        return True

    def copy(self) -> History:
        """One that goes its own way from here."""
        other = History(self._recipes[0])
        other._recipes, other._words, other._at = list(self._recipes), list(self._words), self._at
        return other
