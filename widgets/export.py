"""The Export tab: what the corpus is expected to keep, and the button that writes the manifest."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from widgets import messages
from widgets.state import BenchState
from widgets.view import Report, View, script, style
from workbench.engine.export import ALWAYS, expectation_basis, expectations, used_scores
from workbench.errors import WorkbenchError

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
    write
        Called with the path to write to.
    """

    _esm = script("export")
    _css = style("export")

    def __init__(self, bench: BenchState, report: Report, write: Callable[[str], None]) -> None:
        self._bench = bench
        self._write = write
        self._written = ""
        self._is_busy = False
        self.is_shown = False
        super().__init__({"export": self._ask}, report)
        bench.listen(self._changed)

    def _ask(self, content: Mapping[str, object]) -> None:
        self._write(messages.text(content, "path", at_most=_MAX_PATH))

    def tell(self, written: str | None = None, *, is_busy: bool | None = None) -> None:
        """Show what was written, or whether writing is under way; what isn't given stays."""
        self._written = self._written if written is None else written
        self._is_busy = self._is_busy if is_busy is None else is_busy
        self.refresh()

    def _changed(self, change: str) -> None:
        if change == "recipe":
            # What was written is no longer what is shown.
            self._written = ""
        self.refresh()

    def refresh(self) -> None:
        """Show the state as it is; while the tab is hidden nothing is sent."""
        if self.is_shown:
            self.show({"written": self._written, "busy": self._is_busy, **self._expected()})

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
