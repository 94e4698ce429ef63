"""Scoring the bench's sample: into a copy, since it happens in a thread and the kernel reads the table meanwhile."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from widgets.progress import NotebookProgress
from widgets.state import BenchState
from workbench.engine.passes import plan_passes
from workbench.engine.score import add_scores
from workbench.engine.table import Table
from workbench.store import Store

Settings = Mapping[str, Mapping[str, Any]]
"""Settings of scores by name."""


class Scoring:
    """Adds scores to the table that a state shows.

    Parameters
    ----------
    store
        What it has is taken from there, and what is computed goes there.
    """

    def __init__(self, state: BenchState, store: Store) -> None:
        self._state = state
        self._store = store

    def n_passes(self, names: Iterable[str]) -> int:
        """How many passes over the texts these scores take."""
        scores = self._state.loaded.scores
        return len([p for p in plan_passes(names) if p.without(scores) is not None])

    def copy(self) -> Table:
        """A copy of the table to score into."""
        old = self._state.loaded
        return Table(old.sample, old.models, dict(old.scores), dict(old.definitions), dict(old.states))

    def score_into(
        self, table: Table, names: Iterable[str], progress: NotebookProgress, settings: Settings | None = None
    ) -> None:
        """Compute scores with the recipe's settings, and these."""
        params = {**self._state.recipe.scores, **(settings or {})}
        add_scores(table, names, store=self._store, params=params, progress=progress)

    def adopt(self, table: Table) -> None:
        """Show a copy that has more scores, if the sample is still that one."""
        now = self._state.table
        if now is not None and table.sample is now.sample and table.scores.keys() - now.scores.keys():
            self._state.set_table(table)
