"""The recipe's past and future: undo and redo."""

from __future__ import annotations

from workbench.recipe.model import Recipe

_DEPTH = 200


class History:
    """A recipe with what it was before.

    Attributes
    ----------
    recipe
        As it stands.
    """

    def __init__(self, recipe: Recipe) -> None:
        self.recipe = recipe
        self._past: list[Recipe] = []
        self._future: list[Recipe] = []
        self._gesture: str | None = None

    @property
    def can_undo(self) -> bool:
        """Whether there is an edit to undo."""
        return bool(self._past)

    @property
    def can_redo(self) -> bool:
        """Whether there is an undo to take back."""
        return bool(self._future)

    def edit(self, recipe: Recipe, gesture: str | None = None) -> None:
        """Replace the recipe; all edits of one gesture (a drag) in a row are undone at once."""
        if gesture is None or gesture != self._gesture:
            self._past = [*self._past[1 - _DEPTH :], self.recipe]
        self.recipe = recipe
        self._gesture = gesture
        self._future.clear()

    def undo(self) -> bool:
        """Go back to the recipe before the last edit; False if there was none."""
        return self._go(self._past, self._future)

    def redo(self) -> bool:
        """Take the last undo back; False if there was none."""
        return self._go(self._future, self._past)

    def _go(self, back: list[Recipe], forth: list[Recipe]) -> bool:
        if not back:
            return False
        forth.append(self.recipe)
        self.recipe = back.pop()
        self._gesture = None
        return True
