"""What the bench knows, without any widget: the sample, the table, the recipe with its history, and what it keeps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Literal

import numpy as np

from widgets import bands
from widgets.bins import Bins, Chart, make_bins
from widgets.counts import Count, Groups, group
from widgets.history import History
from widgets.memo import Memo
from widgets.pages import Query, matching_rows
from workbench.checks import Array, IntArray
from workbench.corpus import Sample
from workbench.engine.select import Outcome
from workbench.engine.table import Table
from workbench.errors import InputError, WorkbenchError
from workbench.plots.axis import N_POSITIONS, Axis
from workbench.recipe.model import Recipe
from workbench.selectors.base import Quantile, Threshold

Change = Literal["table", "recipe", "selection"]


class BenchState:
    """The state that all tabs share.

    Attributes
    ----------
    table
        The scored sample, None until documents are loaded.
    outcome
        What the recipe does to the table; None if there is no table or the recipe can't run on it.
    problem
        Why the recipe can't run, in one sentence; None if it can.
    selection
        Rows lassoed on the map, int64.
    as_quantile
        The scores whose handles set quantiles.
    """

    def __init__(self, recipe: Recipe | None = None) -> None:
        self.table: Table | None = None
        self.outcome: Outcome | None = None
        self.problem: str | None = None
        self.selection: IntArray = np.zeros(0, dtype=np.int64)
        self.as_quantile: set[str] = set()
        self._history = History(recipe or Recipe())
        self._memo = Memo()
        self._bins: Bins | None = None
        self._groups: Groups | None = None
        self._listeners: list[Callable[[Change], None]] = []

    def listen(self, callback: Callable[[Change], None]) -> None:
        """Call back after every change, with what changed."""
        self._listeners.append(callback)

    def _tell(self, change: Change) -> None:
        for callback in list(self._listeners):
            callback(change)

    # ---- the sample and its scores -------------------------------------------------------------------------

    def load(self, table: Table) -> None:
        """Take another sample; the recipe stays, the lasso goes."""
        self.selection = np.zeros(0, dtype=np.int64)
        self._memo = Memo()
        self.set_table(table)

    def set_table(self, table: Table) -> None:
        """Take the same sample with more scores."""
        self.table = table
        self._bins = self._groups = None
        self._run()
        self._tell("table")

    @property
    def sample(self) -> Sample | None:
        """The documents, None until they are loaded."""
        return self.table.sample if self.table is not None else None

    @property
    def loaded(self) -> Table:
        """The table.

        Raises
        ------
        InputError
            If no documents are loaded.
        """
        if self.table is None:
            raise InputError("no documents are loaded; load a corpus on the Load tab first")
        return self.table

    @property
    def bins(self) -> Bins:
        """The histograms, binned on first use."""
        if self._bins is None:
            self._bins = make_bins(self.loaded)
        return self._bins

    def chart(self, score: str) -> Chart:
        """The histogram of a score.

        Raises
        ------
        InputError
            If the score has none: it isn't computed, or no document has it.
        """
        if score not in self.bins.charts:
            raise InputError(
                f"{score!r} has no histogram; compute it on the Load tab, or choose another score"
            )
        return self.bins.charts[score]

    # ---- the recipe ----------------------------------------------------------------------------------------

    @property
    def recipe(self) -> Recipe:
        """The recipe as it stands."""
        return self._history.recipe

    @property
    def resolved(self) -> Recipe:
        """The recipe with its quantiles resolved, where it can run."""
        return self.outcome.fitted.recipe if self.outcome is not None else self.recipe

    def edit(self, recipe: Recipe, *, gesture: str | None = None) -> None:
        """Replace the recipe; what one gesture (a drag) does is undone at once.

        A recipe that reads scores which aren't computed yet is taken, and `problem` says what is missing.

        Raises
        ------
        WorkbenchError
            If a step refuses its parameters or can't decide about a document; the recipe stays as it was.
        """
        if recipe == self.recipe:
            return
        if self.table is not None:
            outcome, problem = self._outcome_of(recipe, self.table)
            self.outcome, self.problem = outcome, problem
        self._history.edit(recipe, gesture)
        self._tell("recipe")

    def undo(self) -> None:
        """Go back to the recipe before the last edit, if there was one."""
        if self._history.undo():
            self._run()
            self._tell("recipe")

    def redo(self) -> None:
        """Take the last undo back, if there was one."""
        if self._history.redo():
            self._run()
            self._tell("recipe")

    @property
    def can_undo(self) -> bool:
        """Whether there is an edit to undo."""
        return self._history.can_undo

    @property
    def can_redo(self) -> bool:
        """Whether there is an undo to take back."""
        return self._history.can_redo

    def _run(self) -> None:
        if self.table is not None:
            try:
                self.outcome, self.problem = self._outcome_of(self.recipe, self.table)
            except WorkbenchError as error:
                self.outcome, self.problem = None, str(error)

    def _outcome_of(self, recipe: Recipe, table: Table) -> tuple[Outcome | None, str | None]:
        lacking = [name for name in recipe.score_needs if name not in table.scores]
        if lacking:
            names = ", ".join(lacking)
            return None, f"the recipe reads {names}, not computed yet; tick it on the Load tab and score"
        return self._memo.select(recipe, table), None

    # ---- thresholds ----------------------------------------------------------------------------------------

    def set_bounds(self, score: str, low: Threshold, high: Threshold, *, gesture: str | None = None) -> None:
        """Set both thresholds of a score, each a number, a quantile or None for an open side."""
        self.edit(bands.with_bounds(self.recipe, score, low, high), gesture=gesture)

    def bound_values(self, score: str) -> tuple[float | None, float | None]:
        """The numbers that the thresholds of a score stand for."""
        low, high = bands.bounds(self.resolved, score)
        return bands.resolved(low), bands.resolved(high)

    def move(self, score: str, side: bands.Side, value: float | None, *, gesture: str | None = None) -> None:
        """Move one threshold to a value, held to the other one; where quantiles are on it becomes a quantile."""
        low, high = bands.bounds(self.recipe, score)
        low_value, high_value = self.bound_values(score)
        bound: Threshold = None
        if value is not None:
            if side == "low" and high_value is not None:
                value = min(value, high_value)
            if side == "high" and low_value is not None:
                value = max(value, low_value)
            bound = self._bound(score, value)
        pair = (bound, high) if side == "low" else (low, bound)
        self.set_bounds(score, *pair, gesture=gesture)

    def drag(self, score: str, side: bands.Side, place: int, *, gesture: str | None = None) -> None:
        """Move one threshold to a place on the axis, 0..N_POSITIONS; at the outer end the side is open."""
        axis = self._axis(score)
        is_open = place <= 0 if side == "low" else place >= N_POSITIONS
        self.move(score, side, None if is_open else axis.snapped(place), gesture=gesture)

    def nudge(self, score: str, side: bands.Side, steps: int, *, gesture: str | None = None) -> None:
        """Move one threshold by so many places, at least one round value; an open side starts at its end."""
        axis = self._axis(score)
        low, high = self.bound_values(score)
        end = axis.low if side == "low" else axis.high
        now = low if side == "low" else high
        value = axis.nudge(end if now is None else now, steps)
        outward = value <= axis.low if side == "low" else value >= axis.high
        self.move(score, side, None if outward else value, gesture=gesture)

    def set_quantiles(self, score: str, on: bool) -> None:
        """Give the thresholds of a score as quantiles from now on, or as constants."""
        (self.as_quantile.add if on else self.as_quantile.discard)(score)
        low, high = self.bound_values(score)
        pair = [None if value is None else self._bound(score, value) for value in (low, high)]
        self.set_bounds(score, pair[0], pair[1])

    def _bound(self, score: str, value: float) -> Threshold:
        if score not in self.as_quantile:
            return float(value)
        return bands.as_quantile(value, self.loaded.scores[score], self.loaded.weights)

    def _axis(self, score: str) -> Axis:
        axis = self.chart(score).axis
        if axis is None:
            raise InputError(f"{score} has categories, not a range; tick those to keep")
        return axis

    def touch(self) -> None:
        """Let every tab show the recipe again."""
        self._tell("recipe")

    def sync_quantiles(self) -> None:
        """Show as quantiles those scores whose thresholds the recipe gives so (after loading a recipe)."""
        for step in self.recipe.steps:
            if step.select == "band" and any(
                isinstance(getattr(step.params, s), Quantile) for s in bands.SIDES
            ):
                self.as_quantile.add(step.params.score)

    # ---- what is kept --------------------------------------------------------------------------------------

    @property
    def groups(self) -> Groups:
        """Sources, tokens and weights, prepared for counting."""
        if self._groups is None:
            table = self.loaded
            self._groups = group(table.sample.sources, table.scores.get("n_tokens"), table.weights)
        return self._groups

    @property
    def keep(self) -> Array:
        """Bool (n,): what the recipe keeps; all documents while it can't run."""
        return self.outcome.keep if self.outcome is not None else np.ones(len(self.loaded), dtype=bool)

    @property
    def dropped_by(self) -> Array:
        """int16 (n,): the step that dropped each document, -1 for a kept one."""
        return (
            self.outcome.step if self.outcome is not None else np.full(len(self.loaded), -1, dtype=np.int16)
        )

    def count(self) -> Count:
        """The count in all."""
        return self.groups.all(self.keep)

    def select_rows(self, rows: IntArray) -> None:
        """Take a lasso's rows; those outside the sample are left out."""
        n = len(self.loaded)
        rows = np.unique(np.asarray(rows, dtype=np.int64))
        self.selection = rows[(rows >= 0) & (rows < n)]
        self._tell("selection")

    def rows(self, query: Query) -> IntArray:
        """The rows of documents that a query asks for."""
        table, order = self.loaded, None
        if query.near is not None:
            cuts = tuple(value for value in self.bound_values(query.near) if value is not None)
            if not cuts:
                raise InputError(f"{query.near} has no threshold to be near to; set one on the Scores tab")
            order = bands.near_order(table.scores[query.near], cuts, self._axis(query.near).positions)
        return matching_rows(
            query, table.sample.texts, table.source, self.keep, self.dropped_by, self.selection, order
        )

    def reseed(self, seed: int) -> None:
        """Set the recipe's seed."""
        self.edit(replace(self.recipe, seed=seed))
