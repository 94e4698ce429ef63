"""What can be added to a recipe: every score with one number or label a document, and every selector."""

from __future__ import annotations

from typing import Any

from widgets.bins import family
from widgets.state import BenchState
from workbench.scores import SCORES
from workbench.selectors import SELECTORS


def catalogue(bench: BenchState) -> list[dict[str, Any]]:
    """One entry a score and a selector; `lacks` says in a few words why it can't be added now."""
    entries = []
    for name, spec in SCORES.items():
        if spec.vector or spec.scope != "row":
            continue
        lacks = ""
        if name not in bench.loaded.scores:
            lacks = "not computed: tick it on the Load tab"
        elif name not in bench.bins.charts:
            lacks = "no document has it"
        entries.append(
            {"kind": "score", "name": name, "title": spec.title, "family": family(name), "lacks": lacks}
        )
    entries += [
        {"kind": "selector", "name": name, "title": spec.title, "family": "Selectors", "lacks": ""}
        for name, spec in SELECTORS.items()
    ]
    return entries
