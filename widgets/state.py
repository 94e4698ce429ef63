"""What the bench knows, without any widget: the sample, the table, the recipe with its history, and what it keeps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Literal

import numpy as np

from widgets.bins import Bins, Chart, make_bins
from widgets.counts import Count, Groups, Tally
from widgets.drafts import Drafts
from widgets.memo import Memo
from widgets.reading import Reading
from widgets.saveable import Saveable
from widgets.thresholds import Thresholds
from widgets.votes import Votes
from workbench.checks import Array, IntArray
from workbench.corpus import Sample
from workbench.engine.fitting import FitCache
from workbench.engine.select import Outcome
from workbench.engine.table import Table
from workbench.errors import InputError, WorkbenchError
from workbench.plots.axis import Axis, Kind
from workbench.recipe.model import Recipe

Change = Literal["table", "recipe", "selection", "work"]


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
    thresholds
        The handles on the scores.
    drafts
        Recipes by name, each with its history; the current one is what all tabs show.
    votes
        What a person said of documents without knowing whether they are kept.
    reading
        What is known of the documents, and which of them a query finds.
    saved_parts
        What is saved with the bench and opened again, by name.
    memo
        What recipes were run on this sample.
    """

    def __init__(self, recipe: Recipe | None = None) -> None:
        self.table: Table | None = None
        self.outcome: Outcome | None = None
        self.problem: str | None = None
        self.selection: IntArray = np.zeros(0, dtype=np.int64)
        self.thresholds = Thresholds(self)
        self.drafts = Drafts(recipe or Recipe(), self._switched)
        self.reading = Reading(self)
        self.votes = Votes()
        self.saved_parts: dict[str, Saveable] = {"drafts": self.drafts, "votes": self.votes}
        self.memo = Memo()
        self._bins: Bins | None = None
        self._groups: Groups | None = None
        self._tally: Tally | None = None
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
        self.memo = Memo()
        self.set_table(table)

    def set_table(self, table: Table) -> None:
        """Take the same sample with more scores."""
        self.table = table
        self._bins = self._groups = self._tally = None
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

    def scale(self, score: str, kind: Kind) -> None:
        """Show a score on another scale.

        Raises
        ------
        InputError
            If the score has no histogram, or can't be shown so.
        """
        self._bins = self.bins.with_axis(self.chart(score).score, kind, self.loaded.scores[score])
        self._tally = None

    def axis(self, score: str) -> Axis:
        """The axis of a score's histogram.

        Raises
        ------
        InputError
            If the score has none, or has categories.
        """
        axis = self.chart(score).axis
        if axis is None:
            raise InputError(f"{score} has categories, not a range; tick those to keep")
        return axis

    # ---- the recipe ----------------------------------------------------------------------------------------

    @property
    def recipe(self) -> Recipe:
        """The recipe as it stands."""
        return self.drafts.current.recipe

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
            outcome, problem = self.outcome_of(recipe)
            self.outcome, self.problem = outcome, problem
        self.drafts.current.history.edit(recipe, gesture)
        self._tell("recipe")

    def undo(self) -> None:
        """Go back to the recipe before the last edit, if there was one."""
        if self.drafts.current.history.undo():
            self._run()
            self._tell("recipe")

    def redo(self) -> None:
        """Take the last undo back, if there was one."""
        if self.drafts.current.history.redo():
            self._run()
            self._tell("recipe")

    @property
    def can_undo(self) -> bool:
        """Whether there is an edit to undo."""
        return self.drafts.current.history.can_undo

    @property
    def can_redo(self) -> bool:
        """Whether there is an undo to take back."""
        return self.drafts.current.history.can_redo

    def _switched(self) -> None:
        """Show another draft, or another place of its history."""
        self.thresholds.as_quantile.clear()
        self.thresholds.sync_quantiles()
        self._run()
        self._tell("recipe")

    def _run(self) -> None:
        if self.table is not None:
            try:
                self.outcome, self.problem = self.outcome_of(self.recipe)
            except WorkbenchError as error:
                self.outcome, self.problem = None, str(error)

    def outcome_of(self, recipe: Recipe) -> tuple[Outcome | None, str | None]:
        """What any recipe does to the table, and why it can't run where it can't.

        Raises
        ------
        WorkbenchError
            If a step refuses its parameters or can't decide about a document, or nothing is loaded.
        """
        table = self.loaded
        lacking = [name for name in recipe.score_needs if name not in table.scores]
        if lacking:
            names = ", ".join(lacking)
            return None, f"the recipe reads {names}, not computed yet; tick it on the Load tab and score"
        return self.memo.select(recipe, table), None

    def trial(self, recipe: Recipe) -> Outcome:
        """What another recipe would do, which isn't taken.

        Raises
        ------
        WorkbenchError
            If it can't run.
        """
        outcome, problem = self.outcome_of(recipe)
        if outcome is None:
            raise InputError(problem or "the recipe can't run")
        return outcome

    @property
    def fits(self) -> FitCache:
        """What the steps were fitted to on this sample, and what their scans found."""
        return self.memo.fits

    def touch(self, change: Change = "recipe") -> None:
        """Let every tab show the recipe again, or tell another change: "work" is one of a saved part."""
        self._tell(change)

    # ---- what is kept --------------------------------------------------------------------------------------

    @property
    def groups(self) -> Groups:
        """Sources, tokens and weights, prepared for counting."""
        if self._groups is None:
            table = self.loaded
            strata = table.sample.design.strata
            weights = np.array([1.0 / strata[name].rate for name in table.sample.source_names])
            self._groups = Groups(
                table.sample.source_names, table.sample.source_codes, table.scores.get("n_tokens"), weights
            )
        return self._groups

    @property
    def tally(self) -> Tally:
        """The counts of what is kept now."""
        if self._tally is None:
            self._tally = Tally(self.groups, self.bins)
        return self._tally.follow(self.keep)

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
        return self.groups.all(self.tally.kept)

    def select_rows(self, rows: IntArray) -> None:
        """Take a lasso's rows; those outside the sample are left out."""
        n = len(self.loaded)
        rows = np.unique(np.asarray(rows, dtype=np.int64))
        self.selection = rows[(rows >= 0) & (rows < n)]
        self._tell("selection")

    def reseed(self, seed: int) -> None:
        """Set the recipe's seed."""
        self.edit(replace(self.recipe, seed=seed))
