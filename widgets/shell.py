"""The head of the bench: tabs, what is kept in all, undo and redo, and the message line."""

from __future__ import annotations

from collections.abc import Callable

from widgets import messages
from widgets.state import BenchState
from widgets.view import View, script, style

TABS = (
    ("load", "Load"),
    ("map", "Map"),
    ("scores", "Scores"),
    ("budget", "Budget"),
    ("duplicates", "Duplicates"),
    ("documents", "Documents"),
    ("votes", "Votes"),
    ("recipe", "Recipe"),
    ("compare", "Compare"),
    ("export", "Export"),
)


class Shell(View):
    """Tabs and messages.

    Parameters
    ----------
    bench
        The shared state.
    choose
        Called with the name of the tab that was chosen.
    """

    _esm = script("shell")
    _css = style("common") + style("shell")

    def __init__(self, bench: BenchState, choose: Callable[[str], None]) -> None:
        self._bench = bench
        self._choose = choose
        self._message, self._kind = "", "info"
        self.active = "load"
        self.tabs = tuple(name for name, _ in TABS)
        super().__init__(
            {
                "tab": lambda content: self.activate(messages.known(content, "name", self.tabs)),
                "undo": lambda content: bench.undo(),
                "redo": lambda content: bench.redo(),
                "dismiss": lambda content: self.say(""),
            },
            self.complain,
        )
        bench.listen(lambda change: self.refresh())
        self.refresh()

    def activate(self, name: str) -> None:
        """Show a tab."""
        self.active = name
        self._choose(name)
        self.refresh()

    def complain(self, sentence: str) -> None:
        """Show what went wrong; "" takes an earlier complaint away and leaves good news."""
        if sentence or self._kind == "error":
            self.say(sentence, "error" if sentence else "info")

    def say(self, sentence: str, kind: str = "info") -> None:
        """Show a sentence in the message line, until the next one."""
        if (sentence, kind) != (self._message, self._kind):
            self._message, self._kind = sentence, kind
            self.refresh()

    def refresh(self) -> None:
        """Show the state as it is."""
        bench = self._bench
        self.show(
            {
                "tabs": [list(tab) for tab in TABS],
                "active": self.active,
                "count": bench.count().to_json()
                if bench.table is not None and bench.outcome is not None
                else None,
                "nUndo": bench.drafts.current.history.position,
                "canRedo": bench.can_redo,
                "message": self._message,
                "kind": self._kind,
                "problem": bench.problem or "",
            }
        )
