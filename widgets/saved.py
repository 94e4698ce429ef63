"""On the Load tab: where the work is saved, and the button that opens it again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from widgets import messages, paths
from widgets.load import MAX_PATH
from widgets.saving import Saving
from widgets.view import Report, View, script, style


class SavedForm(View):
    """The form.

    Parameters
    ----------
    saving
        What saves and opens.
    root
        The folder beyond which no path may lead; None for no limit.
    compute
        Called with the scores that the opened work had and the store lacks, each with its settings.
    """

    _esm = script("saved")
    _css = style("saved")

    def __init__(
        self,
        saving: Saving,
        report: Report,
        *,
        root: Path | None,
        compute: Callable[[Mapping[str, Mapping[str, Any]]], None],
    ) -> None:
        self._saving = saving
        self._root = root
        handlers = {
            "save": lambda content: saving.save_to(self._path(content)),
            "open": lambda content: saving.open(self._path(content)),
            "compute": lambda content: compute(saving.missing),
        }
        super().__init__(handlers, report)
        self.refresh()

    def _path(self, content: Mapping[str, object]) -> Path:
        return Path(paths.allowed(messages.text(content, "path", at_most=MAX_PATH), self._root))

    def refresh(self) -> None:
        """Show the state as it is."""
        path = self._saving.path
        self.show(
            {
                "path": None if path is None else self._shown(path),
                "link": "" if path is None or not paths.is_voila() else f"?state={quote(self._shown(path))}",
                "notes": self._saving.notes,
                "missing": list(self._saving.missing),
            }
        )

    def _shown(self, path: Path) -> str:
        """The path as a person names it: from the root on, if there is one."""
        root = None if self._root is None else self._root.resolve()
        return str(path.relative_to(root)) if root is not None and path.is_relative_to(root) else str(path)
