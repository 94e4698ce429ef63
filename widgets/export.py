"""The Export tab: what the corpus is expected to keep, and the buttons that write the selection for other programs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from widgets import messages, paths
from widgets.audits import evidence
from widgets.outputs import OUTPUTS, at_stake
from widgets.state import BenchState
from widgets.view import Report, View, script, style
from workbench.engine.export import ALWAYS, expectation_basis, expectations, used_scores
from workbench.engine.table import Table
from workbench.errors import WorkbenchError
from workbench.recipe.compile import to_polars, to_sql

Start = Callable[[tuple[str, ...], Callable[[Table], Any], Callable[[Any], None]], None]
"""Scores a table with these scores and does something with it, in a thread; then calls back with the result."""

_MAX_PATH = 4096
_AMOUNTS = ("n_documents", *ALWAYS)
_BASIS = {
    "exact": "The sample is the whole corpus, so these numbers are exact.",
    "estimate": "Extrapolated from the sample by the rates it was drawn at, with 95 % intervals.",
    "upper_bound": "A step looks for copies, of which a corpus has more than its sample: less than this will be kept.",
}


class Export(View):
    """The form.

    Parameters
    ----------
    bench
        The shared state.
    start
        Begins the work.
    root
        The folder that the page may write to; None: any.
    """

    _esm = script("export")
    _css = style("export")

    def __init__(self, bench: BenchState, report: Report, start: Start, root: Path | None) -> None:
        self._bench = bench
        self._start = start
        self._root = root
        self._written = ""
        self._ask: dict[str, str] | None = None
        self._is_busy = False
        self.is_shown = False
        super().__init__({"export": self._export, "keep": lambda content: self._forget()}, report)
        bench.listen(self._changed)

    def _export(self, content: Mapping[str, object]) -> None:
        kind = messages.optional_known(content, "kind", OUTPUTS) or "manifest"
        given = messages.text(content, "path", at_most=_MAX_PATH)
        path = Path(paths.allowed(given, self._root))
        replace = "replace" in content and messages.flag(content, "replace")
        output, recipe = OUTPUTS[kind], self._bench.recipe
        output.check(str(path))
        self._bench.loaded  # noqa: B018 - says so if there is none
        if (stake := at_stake(kind, path, self._bench.resolved)) and not replace:
            self._ask = {"kind": kind, "path": given, "sentence": f"{stake}. Replace it?"}
            self.refresh()
            return
        self._ask, self._is_busy = None, True
        try:
            votes = evidence(self._bench)
            self._start(
                output.needs(recipe), lambda table: output.write(path, table, recipe, votes), self._tell
            )
        except WorkbenchError:  # something else is being computed
            self._is_busy = False
            raise
        finally:
            self.refresh()

    def _forget(self) -> None:
        self._ask = None
        self.refresh()

    def _tell(self, written: str) -> None:
        self._written = written

    def ended(self) -> None:
        """Show that nothing is being written any more."""
        self._is_busy = False
        self.refresh()

    def _changed(self, change: str) -> None:
        if change == "recipe":
            # What was written is no longer what is shown, and what was asked no longer what would be written.
            self._written, self._ask = "", None
        self.refresh()

    def refresh(self) -> None:
        """Show the state as it is; while the tab is hidden nothing is sent."""
        if self.is_shown:
            outputs = [[kind, output.title, output.name] for kind, output in OUTPUTS.items()]
            known = {"written": self._written, "busy": self._is_busy, "ask": self._ask, "outputs": outputs}
            self.show({**known, "code": self._code(), **self._expected()})

    def _code(self) -> dict[str, str]:
        """The recipe in other languages, or why it can't be said."""
        if self._bench.outcome is None:
            return {}
        recipe = self._bench.resolved
        try:
            return {"polars": to_polars(recipe), "sql": to_sql(recipe)}
        except WorkbenchError as error:
            return {"refused": str(error)}

    def _expected(self) -> dict[str, Any]:
        bench = self._bench
        if bench.table is None or bench.outcome is None:
            return {"hint": bench.problem or "Load documents on the Load tab first.", "rows": []}
        missing = [name for name in used_scores(bench.recipe) if name not in bench.table.scores]
        if missing:
            return {
                "hint": f"Expectations need {', '.join(missing)}; Export computes that first.",
                "rows": [],
            }
        try:
            totals = expectations(bench.table, bench.outcome)
            basis = expectation_basis(bench.table, bench.resolved)
        except WorkbenchError as error:
            return {"hint": str(error), "rows": []}
        groups = [("all", totals.all), *sorted(totals.by_source.items())]
        rows = [
            [name, *([e.value, e.low, e.high] for e in (amounts[key] for key in _AMOUNTS))]
            for name, amounts in groups
        ]
        return {"hint": "", "basis": _BASIS[basis], "rows": rows}
