"""The Votes tab: documents to keep or drop, blindly and by keyboard, and what the votes say about the cut."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from widgets import messages
from widgets.audits import Judged, draw, judge, proportion_json
from widgets.pages import READ_CHARS, first_line, piece
from widgets.reader import step_name
from widgets.state import BenchState
from widgets.view import Report, View, script, style
from widgets.votes import KINDS, MAX_DRAW, VOTES
from workbench.checks import canonical_json
from workbench.errors import InputError, WorkbenchError

_MAX_LISTED = 200


class Ballot(View):
    """One document at a time, of which neither score, source nor the bench's decision is told.

    Parameters
    ----------
    bench
        The shared state.
    read
        Shows a document on the Documents tab.
    """

    _esm = script("ballot")
    _css = style("ballot")

    def __init__(self, bench: BenchState, report: Report, read: Callable[[int], None]) -> None:
        self._bench = bench
        self._read = read
        self._shows_result = False
        self.is_shown = False
        handlers = {
            "draw": self._draw,
            "vote": self._vote,
            "undo": self._undo,
            "more": self._more,
            "result": self._result,
            "read": self._read_one,
            "file": self._file,
        }
        super().__init__(handlers, report)
        bench.listen(lambda change: self.refresh())

    # ---- messages ------------------------------------------------------------------------------------------

    def _draw(self, content: Mapping[str, object]) -> None:
        kind: Any = messages.known(content, "kind", KINDS)
        score = messages.optional_known(content, "score", self._bench.reading.near())
        share, n = messages.optional_number(content, "share"), messages.integer(content, "n", 1, MAX_DRAW)
        if kind == "near" and score is None:
            raise InputError("no score has a threshold to be near to; set one on the Scores tab")
        self._bench.votes.begin(draw(self._bench, kind, n, score, share))
        self._shows_result = False
        self._bench.touch("work")

    def _vote(self, content: Mapping[str, object]) -> None:
        vote: Any = messages.known(content, "vote", VOTES)
        # A second press on its way when the document changed isn't a vote on the next one.
        if messages.integer(content, "at", 0, MAX_DRAW) == self._bench.votes.at:
            self._bench.votes.vote(vote)
        self._bench.touch("work")

    def _undo(self, content: Mapping[str, object]) -> None:
        if not self._bench.votes.undo():
            raise InputError("there is no vote of this draw to take back")
        self._shows_result = False
        self._bench.touch("work")

    def _text(self) -> str:
        """The text of the document to vote on."""
        bench = self._bench
        at, drawn = bench.votes.at, bench.votes.draw
        if at is None or drawn is None:
            raise InputError("there is no document to vote on; draw documents first")
        places = bench.reading.rows_of(drawn.doc_ids[at : at + 1])
        if not places:
            raise InputError("these documents were drawn from another sample; draw documents of this one")
        return bench.loaded.sample.texts[places[drawn.doc_ids[at]]]

    def _more(self, content: Mapping[str, object]) -> None:
        text = self._text()
        offset = messages.integer(content, "offset", 0, len(text))
        at = self._bench.votes.at
        self.send({"type": "more", "at": at, "offset": offset, "text": piece(text, offset)})

    def _result(self, content: Mapping[str, object]) -> None:
        self._shows_result = messages.flag(content, "on")
        self.refresh()

    def _read_one(self, content: Mapping[str, object]) -> None:
        self._read(messages.integer(content, "row", 0, len(self._bench.loaded) - 1))

    def _file(self, content: Mapping[str, object]) -> None:
        self.send({"type": "file", "name": "votes.json", "text": canonical_json(self._bench.votes.to_json())})

    # ---- what is shown -------------------------------------------------------------------------------------

    def refresh(self) -> None:
        """Show the state as it is; while the tab is hidden nothing is sent."""
        bench = self._bench
        if not self.is_shown:
            return
        if bench.table is None:
            self.show({"hint": "Load documents on the Load tab first."})
            return
        drawn, votes = bench.votes.draw, bench.votes
        state: dict[str, Any] = {
            "hint": "",
            "kinds": [list(kind) for kind in KINDS.items()],
            "near": bench.reading.near(),
            "most": MAX_DRAW,
            "design": drawn.design.in_words() if drawn else "",
            "n": len(drawn.doc_ids) if drawn else 0,
            "at": votes.at,
            "skipped": sum(cast.vote == "skip" for _, cast in votes.of_draw()),
            "document": None,
            "problem": "",
            "result": None,
        }
        try:
            if drawn and votes.at is not None:
                text = self._text()
                state["document"] = {"text": text[:READ_CHARS], "total": len(text)}
            if drawn and (self._shows_result or votes.at is None):
                judged = judge(bench)
                state["result"] = None if judged is None else self._judged(judged)
        except WorkbenchError as error:
            # Votes from a file may name a recipe that can't be read or run here.
            state["problem"] = str(error)
        self.show(state)

    def _judged(self, judged: Judged) -> dict[str, Any]:
        bench, found = self._bench, judged.audit
        wrong = judged.rows[bench.keep[judged.rows] != judged.good]
        drawn = bench.votes.draw
        return {
            "precision": proportion_json(found.precision),
            "recall": proportion_json(found.recall),
            "droppedGood": proportion_json(found.dropped_good),
            "kept": [found.n_kept_good, found.n_kept],
            "dropped": [found.n_dropped_good, found.n_dropped],
            "moved": drawn is not None and drawn.design.recipe != bench.recipe.to_json(),
            "near": drawn is not None and drawn.design.kind == "near",
            "nWrong": len(wrong),
            "wrong": [self._line(int(row)) for row in wrong[:_MAX_LISTED]],
        }

    def _line(self, row: int) -> dict[str, Any]:
        bench, sample = self._bench, self._bench.loaded.sample
        step = int(bench.dropped_by[row])
        name = "" if step < 0 else step_name(step, bench.recipe.steps[step].to_json())
        reason = bench.outcome.reason(row) if bench.outcome is not None else None
        return {
            "row": row,
            "kept": step < 0,
            "source": sample.sources[row],
            "line": first_line(sample.texts[row]),
            "why": f"{name}: {reason}" if step >= 0 else "",
        }
