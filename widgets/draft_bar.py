"""Beneath the bench's head: which draft is edited, what can be done with it, and its history to jump back in."""

from __future__ import annotations

from collections.abc import Mapping

from widgets import messages
from widgets.draft import MAX_NAME
from widgets.state import BenchState
from widgets.view import Handler, Report, View, script, style


class DraftBar(View):
    """The bar, always in sight; the history is sent while it is open."""

    _esm = script("unanswered", "draft_bar")
    _css = style("draft_bar")

    def __init__(self, bench: BenchState, report: Report) -> None:
        self._bench = bench
        self._is_open = False
        self._note = ""
        drafts = bench.drafts
        handlers: dict[str, Handler] = {
            "switch": lambda content: drafts.switch(self._name(content)),
            "branch": self._branch,
            "duplicate": self._duplicate,
            "rename": lambda content: drafts.rename(self._name(content), messages.text(content, "to")),
            "delete": lambda content: drafts.delete(self._name(content)),
            "restore": self._restore,
            "jump": self._jump,
            "open": self._open,
        }
        super().__init__(handlers, report)
        bench.listen(lambda change: self.refresh() if change == "recipe" else None)
        self.refresh()

    def _name(self, content: Mapping[str, object]) -> str:
        return messages.known(content, "name", self._bench.drafts.names)

    def _branch(self, content: Mapping[str, object]) -> None:
        self._bench.drafts.branch(_given_name(content))

    def _duplicate(self, content: Mapping[str, object]) -> None:
        self._bench.drafts.duplicate(_given_name(content))

    def _restore(self, content: Mapping[str, object]) -> None:
        self._bench.drafts.restore()

    def _jump(self, content: Mapping[str, object]) -> None:
        drafts = self._bench.drafts
        drafts.jump(messages.integer(content, "position", 0, len(drafts.current.history.recipes) - 1))

    def _open(self, content: Mapping[str, object]) -> None:
        self._is_open = messages.flag(content, "open")
        self.refresh()

    def note(self, sentence: str) -> None:
        """Show a few words at the bar's end: where the work is saved."""
        if sentence != self._note:
            self._note = sentence
            self.refresh()

    def refresh(self) -> None:
        """Show the state as it is."""
        drafts = self._bench.drafts
        now = drafts.current
        self.show(
            {
                "names": list(drafts.names),
                "current": now.name,
                "parent": None if now.parent is None else now.parent.name,
                "deleted": drafts.deleted,
                "open": self._is_open,
                "maxName": MAX_NAME,
                "position": now.history.position,
                "changes": self._changes() if self._is_open else [],
                "note": self._note,
            }
        )

    def _changes(self) -> list[str]:
        """What can be jumped to, the oldest first."""
        words = self._bench.drafts.current.history.words
        return [text or "the beginning" for text in words]


def _given_name(content: Mapping[str, object]) -> str | None:
    return messages.optional_text(content, "to")
