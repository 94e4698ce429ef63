"""The Documents tab: strata of kept and dropped documents to read, each with all that is known of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from widgets import messages
from widgets.jobs import Jobs
from widgets.pages import Query, first_line, page_of, piece
from widgets.reader import SURPRISE_CHARS, coloured, compared, document, step_name, value_of
from widgets.state import BenchState
from widgets.view import Report, View, script, style
from workbench.errors import InputError
from workbench.models.base import Surprisal
from workbench.plots.colors import category_colors

_SHOW = ("all", "kept", "dropped", "selection")
_MAX_PAGE = 10**9
_MAX_REACH = 1000
_MAX_CLUSTER = 10**7


class Documents(View):
    """A list of documents, a page at a time, and one of them to read, a piece at a time.

    Parameters
    ----------
    bench
        The shared state.
    jobs
        Where the language model reads a document; None for the view's own.
    """

    _esm = script("documents")
    _css = style("documents")

    def __init__(self, bench: BenchState, report: Report, jobs: Jobs | None = None) -> None:
        self._bench = bench
        self._jobs = jobs or Jobs(lambda progress: None, report, report)
        self._query = Query(show="dropped")
        self._row: int | None = None
        self._other: int | None = None
        self._colours: list[list[Any]] | None = None
        self._is_reading = False
        self.is_shown = False
        handlers = {
            "query": self._ask,
            "read": self._read,
            "more": self._more,
            "compare": self._compare,
            "surprise": self._surprise,
            "stop": lambda content: self._jobs.stop(),
        }
        super().__init__(handlers, report)
        bench.listen(self._changed)

    def look_at(self, query: Query) -> None:
        """List other documents."""
        self._query = query
        self.refresh()

    def read(self, row: int) -> None:
        """Show a document in the reader."""
        if row != self._row:
            self._row, self._other, self._colours = row, None, None
        self.refresh()

    def _changed(self, change: str) -> None:
        if change == "table":
            self._row = self._other = self._colours = None
            self._query = replace(self._query, source=None, step=None, cluster=None, disagree=None, page=0)
        self.refresh()

    # ---- messages ------------------------------------------------------------------------------------------

    def _ask(self, content: Mapping[str, object]) -> None:
        bench = self._bench
        n_steps = len(bench.recipe.steps)
        scores: tuple[str, ...] = ()
        if content.get("disagree") is not None:
            scores = messages.names(content, "disagree", bench.reading.numeric())
            if len(scores) != 2:
                raise InputError("two scores can disagree; choose another one for the second")
        query = Query(
            show=messages.known(content, "show", _SHOW),  # type: ignore[arg-type]  # one of Show's values
            source=messages.optional_known(content, "source", bench.groups.names),
            step=messages.optional_integer(content, "step", 0, n_steps - 1),
            only=content.get("only") is not None and messages.flag(content, "only"),
            cluster=messages.optional_integer(content, "cluster", -1, _MAX_CLUSTER),
            search=messages.text(content, "search"),
            reach=messages.optional_integer(content, "reach", 1, _MAX_REACH) or 1,
            near=messages.optional_known(content, "near", bench.reading.near()),
            disagree=(scores[0], scores[1]) if scores else None,
            draw=messages.optional_integer(content, "draw", 0, _MAX_PAGE),
            page=messages.integer(content, "page", 0, _MAX_PAGE),
        )
        if query.cluster is not None and query.cluster not in dict(bench.reading.clusters()):
            raise InputError(f"there is no cluster {query.cluster}; choose one of those shown")
        self.look_at(query)

    def _row_of(self, content: Mapping[str, object], name: str = "row") -> int:
        return messages.integer(content, name, 0, len(self._bench.loaded) - 1)

    def _read(self, content: Mapping[str, object]) -> None:
        self.read(self._row_of(content))

    def _more(self, content: Mapping[str, object]) -> None:
        row = self._row_of(content)
        text = self._bench.loaded.sample.texts[row]
        offset = messages.integer(content, "offset", 0, len(text))
        self.send({"type": "more", "row": row, "offset": offset, "text": piece(text, offset)})

    def _compare(self, content: Mapping[str, object]) -> None:
        self._other = None if content.get("other") is None else self._row_of(content, "other")
        self.refresh()

    def _surprise(self, content: Mapping[str, object]) -> None:
        row, table = self._row_of(content), self._bench.loaded
        text, models = table.sample.texts[row], table.models
        if len(text) > SURPRISE_CHARS:
            raise InputError(
                f"this document has {len(text):,} characters, and tokens are coloured of up to {SURPRISE_CHARS:,}; "
                "choose a shorter one"
            )

        def done(found: Surprisal) -> None:
            # Meanwhile another document may have been opened, or another sample loaded.
            if self._bench.sample is table.sample and row == self._row:
                self._colours = coloured(text, found)

        def ended() -> None:
            self._is_reading = False
            self.refresh()

        if not self._jobs.is_busy:
            # Before the job, which may have ended when start comes back.
            self._is_reading = True
            self.refresh()
        self._jobs.start(lambda progress: models.lm.surprisal(text, progress), done, ended)

    # ---- what is shown -------------------------------------------------------------------------------------

    def refresh(self) -> None:
        """Show the state as it is; while the tab is hidden nothing is sent."""
        bench = self._bench
        if not self.is_shown:
            return
        if bench.table is None:
            self.show({"hint": "Load documents on the Load tab first."})
            return
        reading, query = bench.reading, self._possible(self._query)
        found = reading.find(query)
        rows, page, n_pages = page_of(found.rows, query.page)
        self._query = replace(query, page=page)
        self.show(
            {
                "query": vars(self._query),
                "found": len(found.rows),
                "searched": found.n_searched,
                "searchable": found.n_searchable,
                "pages": n_pages,
                "rows": [self._line(int(row)) for row in rows],
                "reader": None if self._row is None else self._reader(self._row),
                "sources": list(bench.groups.names),
                "colors": category_colors(bench.groups.names),
                "steps": [step_name(i, step.to_json()) for i, step in enumerate(bench.recipe.steps)],
                "near": reading.near(),
                "numeric": reading.numeric(),
                "clusters": [list(cluster) for cluster in reading.clusters()],
                "selected": len(bench.selection),
                "hint": "",
            }
        )

    def _possible(self, query: Query) -> Query:
        """The query without what the recipe has no longer."""
        bench = self._bench
        if query.near not in bench.reading.near():
            query = replace(query, near=None)
        if query.step is not None and query.step >= len(bench.recipe.steps):
            query = replace(query, step=None)
        # The recipe may not run without the step; then the list shows all that the step drops.
        if query.only and (query.step is None or bench.reading.without(query.step) is None):
            query = replace(query, only=False)
        return query

    def _line(self, row: int) -> dict[str, Any]:
        sample = self._bench.loaded.sample
        return {
            "row": row,
            "id": sample.doc_ids[row],
            "source": sample.sources[row],
            "line": first_line(sample.texts[row]),
            "chars": len(sample.texts[row]),
            "kept": bool(self._bench.keep[row]),
            "value": self._value(row),
        }

    def _value(self, row: int) -> str | None:
        """What the list is ordered by, of one document."""
        if self._query.near is not None:
            return value_of(self._bench, self._query.near, row)
        if self._query.disagree is not None:
            return " : ".join(f"{100 * self._bench.reading.ranks(s)[row]:.0f}" for s in self._query.disagree)
        return None

    def _reader(self, row: int) -> dict[str, Any]:
        bench = self._bench
        return {
            **document(bench, row),
            "compared": None if self._other is None else compared(bench, row, self._other),
            "colours": self._colours,
            "reading": self._is_reading,
        }
