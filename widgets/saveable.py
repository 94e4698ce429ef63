"""What joins the saved work of a bench."""

from __future__ import annotations

from typing import Any, Protocol


class Saveable(Protocol):
    """A part of the bench's state that is saved with it and opened again.

    It joins by `state.saved_parts["votes"] = votes`, and calls `state.touch("work")` after each change of its own.
    What refers to documents does so by doc_id: the sample may be drawn anew.
    """

    def to_json(self) -> Any:
        """The state as JSON values."""
        ...

    def load_json(self, value: Any) -> None:
        """Take the state of a file in place of this one; called when the sample is loaded, if it can be.

        Raises
        ------
        WorkbenchError
            If it isn't what `to_json` gives: the file may be anyone's. Then the state stays as it was.
        """
        ...
