"""A progress bar for a cell that computes: what is done, how far, how long still."""

from __future__ import annotations

from typing import Any

import ipywidgets

from widgets.progress import NotebookProgress


class ProgressBar(ipywidgets.HBox):  # type: ignore[misc]  # ipywidgets has no types
    """Show it in a cell; `progress` is what to give to the function that computes.

    Interrupting the kernel stops the work; what was finished is kept.

    Examples
    --------
    In a notebook::

        bar = ProgressBar()
        display(bar)
        table = wb.score(sample, ["perplexity"], store="store", progress=bar.progress)
    """

    def __init__(self) -> None:
        self._what = ipywidgets.Label()
        self._bar = ipywidgets.FloatProgress(min=0.0, max=1.0)
        self._note = ipywidgets.Label()
        super().__init__([self._what, self._bar, self._note])
        self.progress = NotebookProgress(self._show)

    def _show(self, state: dict[str, Any] | None) -> None:
        if state is not None:
            self._what.value, self._bar.value, self._note.value = (
                state["what"],
                state["fraction"],
                state["note"],
            )

    def done(self) -> None:
        """Fill the bar."""
        self._bar.value, self._note.value = 1.0, "done"
