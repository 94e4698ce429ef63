"""The Documents tab: kept and dropped documents to read, each dropped one with its reason."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from widgets import bands, messages
from widgets.pages import READ_CHARS, Query, first_line, page_of, piece
from widgets.state import BenchState
from widgets.view import Report, View, script, style
from workbench.plots.axis import short
from workbench.plots.colors import category_colors
from workbench.scores import SCORES

_SHOW = ("all", "kept", "dropped", "selection")
_MAX_PAGE = 10**9


class Documents(View):
    """A list of documents, a page at a time, and one of them to read, a piece at a time."""

    _esm = script("documents")
    _css = style("documents")

    def __init__(self, bench: BenchState, report: Report) -> None:
        self._bench = bench
        self._query = Query(show="dropped")
        self._row: int | None = None
        self.is_shown = False
        super().__init__({"query": self._ask, "read": self._read, "more": self._more}, report)
        bench.listen(self._changed)

    def look_at(self, query: Query) -> None:
        """List other documents."""
        self._query = query
        self.refresh()

    def read(self, row: int) -> None:
        """Open a document in the reader."""
        self._row = row
        self.refresh()

    def _changed(self, change: str) -> None:
        if change == "table":
            self._row = None
            self._query = replace(self._query, source=None, step=None, page=0)
        self.refresh()

    # ---- messages ------------------------------------------------------------------------------------------

    def _ask(self, content: Mapping[str, object]) -> None:
        bench = self._bench
        n_steps = len(bench.recipe.steps)
        query = Query(
            show=messages.known(content, "show", _SHOW),  # type: ignore[arg-type]  # one of Show's values
            source=messages.optional_known(content, "source", bench.groups.names),
            step=messages.optional_integer(content, "step", 0, n_steps - 1),
            search=messages.text(content, "search"),
            near=messages.optional_known(content, "near", self._near_scores()),
            page=messages.integer(content, "page", 0, _MAX_PAGE),
        )
        self.look_at(query)

    def _read(self, content: Mapping[str, object]) -> None:
        self.read(messages.integer(content, "row", 0, len(self._bench.loaded) - 1))

    def _more(self, content: Mapping[str, object]) -> None:
        row = messages.integer(content, "row", 0, len(self._bench.loaded) - 1)
        text = self._bench.loaded.sample.texts[row]
        offset = messages.integer(content, "offset", 0, len(text))
        self.send({"type": "more", "row": row, "offset": offset, "text": piece(text, offset)})

    # ---- what is shown -------------------------------------------------------------------------------------

    def _near_scores(self) -> list[str]:
        recipe = self._bench.recipe
        return [score for score in self._bench.bins.charts if bands.bounds(recipe, score) != (None, None)]

    def refresh(self) -> None:
        """Show the state as it is; while the tab is hidden nothing is sent."""
        bench = self._bench
        if not self.is_shown:
            return
        if bench.table is None:
            self.show({"hint": "Load documents on the Load tab first."})
            return
        near = self._near_scores()
        query = self._query
        if query.near not in near:
            query = replace(query, near=None)
        if query.step is not None and query.step >= len(bench.recipe.steps):
            query = replace(query, step=None)
        rows, page, n_pages = page_of(found := bench.rows(query), query.page)
        self._query = replace(query, page=page)
        self.show(
            {
                "query": vars(self._query),
                "found": len(found),
                "pages": n_pages,
                "rows": [self._line(int(row)) for row in rows],
                "reader": None if self._row is None else self._reader(self._row),
                "sources": list(bench.groups.names),
                "colors": category_colors(bench.groups.names),
                "steps": [step_name(i, step.to_json()) for i, step in enumerate(bench.recipe.steps)],
                "near": near,
                "selected": len(bench.selection),
                "hint": "",
            }
        )

    def _line(self, row: int) -> dict[str, Any]:
        sample, near = self._bench.loaded.sample, self._query.near
        value = None if near is None else self._value(near, row)
        return {
            "row": row,
            "id": sample.doc_ids[row],
            "source": sample.sources[row],
            "line": first_line(sample.texts[row]),
            "chars": len(sample.texts[row]),
            "kept": bool(self._bench.keep[row]),
            "value": value,
        }

    def _reader(self, row: int) -> dict[str, Any]:
        bench, sample = self._bench, self._bench.loaded.sample
        text, step = sample.texts[row], int(bench.dropped_by[row])
        return {
            "row": row,
            "id": sample.doc_ids[row],
            "source": sample.sources[row],
            "text": text[:READ_CHARS],
            "total": len(text),
            "kept": step < 0,
            "step": None if step < 0 else step_name(step, bench.recipe.steps[step].to_json()),
            "reason": bench.outcome.reason(row) if bench.outcome is not None else None,
            "scores": [[name, self._value(name, row)] for name in bench.bins.charts],
        }

    def _value(self, score: str, row: int) -> str:
        value = float(self._bench.loaded.scores[score][row])
        if not math.isfinite(value):
            return "not scored"
        labels = SCORES[score].labels
        return labels[int(value)] if labels else short(value) if abs(value) >= 1e6 else f"{value:,.6g}"


def step_name(index: int, step: Mapping[str, Any]) -> str:
    """A step in a few words, counted from 1."""
    detail = step.get("score") or ", ".join(
        f"{k} {v}" for k, v in step.items() if k in ("fraction", "epsilon")
    )
    return f"{index + 1}. {step['select']}" + (f" {detail}" if detail else "")
