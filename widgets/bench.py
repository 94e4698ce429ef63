"""The bench: tabs over one sample, with one state behind them that a notebook's cells share."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import ipywidgets
import polars as pl
import traitlets

from widgets import paths
from widgets.audits import evidence
from widgets.ballot import Ballot
from widgets.budget import Budget
from widgets.compare import Compare
from widgets.confounds import Confounds
from widgets.documents import Documents
from widgets.draft_bar import DraftBar
from widgets.drafts import Drafts
from widgets.duplicates import Duplicates
from widgets.export import Export
from widgets.histograms import Histograms
from widgets.job_bar import JobBar
from widgets.jobs import Jobs
from widgets.load import Draw, Load
from widgets.map import Map
from widgets.pages import Query
from widgets.progress import NotebookProgress
from widgets.recipe import RecipeForm
from widgets.sampling import Sampling
from widgets.saved import SavedForm
from widgets.saving import Saving
from widgets.scoring import Scoring, Settings
from widgets.shell import TABS, Shell
from widgets.state import BenchState
from widgets.thresholds import Bound, as_threshold
from workbench.corpus import Corpus, Sample
from workbench.engine.export import export, used_scores
from workbench.engine.select import Outcome
from workbench.engine.table import Table
from workbench.models.load import Models
from workbench.recipe.manifest import refuse_other_manifest
from workbench.recipe.model import Recipe
from workbench.recipe.schema import parse_recipe
from workbench.store import Store


class Bench(ipywidgets.VBox):  # type: ignore[misc]  # ipywidgets ships no types
    """The workbench's app, shown by a notebook as a cell's last value, and by voila.

    Everything that the tabs do can be done from a cell, and each sees what the other did.

    Parameters
    ----------
    corpus
        A corpus (`workbench.read`), a path or URL of one, a sample drawn already, or None to choose one in the app.
    store
        The folder that keeps scores.
    n
        Documents that the Load tab draws at first.
    recipe
        To begin with; a `Recipe` or its JSON.
    models
        To score with; the defaults if None.
    root
        The folder beyond which the page may name no path. None: the working folder in voila, whose visitors are
        strangers, and no limit in a notebook.
    state
        A file of saved work, opened if it is there, and written after each change.

    Examples
    --------
    >>> bench = Bench("data_samples/corpus", store="store", n=1000)  # doctest: +SKIP
    >>> bench.load().score(["n_tokens", "compression_ratio"]).set_band("n_tokens", 50, 2000)  # doctest: +SKIP
    >>> bench.kept.height, bench.outcome.keep.sum()  # doctest: +SKIP
    """

    def __init__(
        self,
        corpus: Corpus | Sample | str | Path | None = None,
        store: Store | Path | str = "store",
        n: int = 2000,
        recipe: Recipe | Mapping[str, Any] | str | None = None,
        models: Models | None = None,
        root: Path | str | None = None,
        state: Path | str | None = None,
    ) -> None:
        self.state = BenchState(
            recipe if isinstance(recipe, Recipe) or recipe is None else parse_recipe(recipe)
        )
        self.state.thresholds.sync_quantiles()
        self._store = store if isinstance(store, Store) else Store(store)
        self._models = models or Models()
        self._root = Path(root) if root is not None else paths.default_root()
        self._sampling = Sampling(self.state, corpus, n, root=self._root, models=self._models)
        self._scoring = Scoring(self.state, self._store)
        self._build_views()
        self._saving.begin(state, self._root)

    def _build_views(self) -> None:
        self._shell = Shell(self.state, self._choose)
        report = self._shell.complain
        self._draft_bar = DraftBar(self.state, report)
        self._job_bar = JobBar(report, lambda: self._jobs.stop())  # noqa: PLW0108 - they tell it, so they come later
        self._jobs = Jobs(self._job_bar.show_progress, report, self._shell.say)
        self._load = Load(
            self.state,
            report,
            form=self._sampling.form,
            given=self._sampling.given,
            draw=self._start_draw,
            score=self._start_score,
        )
        traitlets.dlink((self._job_bar, "is_busy"), (self._load, "is_busy"))
        self._map = Map(
            self.state,
            report,
            show=self._show_selection,
            read=self._read_document,
            compute=self._start_score,
            jobs=self._jobs,
        )
        self._histograms = Histograms(self.state, report, edit=lambda: self._shell.activate("recipe"))
        self._documents = Documents(self.state, report, self._jobs)
        self._recipe_form = RecipeForm(self.state, report, say=self._shell.say, root=self._root)
        self._export = Export(self.state, report, self._start_export, self._root)
        self._views: dict[str, Any] = {
            "load": self._load,
            "map": self._map,
            "scores": self._histograms,
            "budget": Budget(self.state, report, self._jobs),
            "duplicates": Duplicates(self.state, report, self._jobs),
            "documents": self._documents,
            "votes": Ballot(self.state, report, self._read_document),
            "recipe": self._recipe_form,
            "compare": Compare(self.state, report, root=self._root),
            "export": self._export,
        }
        self._panels = {name: ipywidgets.VBox([self._views[name]]) for name, _ in TABS}
        for name, panel in self._panels.items():
            panel.add_class("wb-panel")
            panel.add_class(f"wb-panel-{name}")
        self._saving = Saving(
            self._sampling, self.state, self._store, self._jobs, self._shell, self._show_saved
        )
        self._saved_form = SavedForm(
            self._saving,
            report,
            root=self._root,
            compute=lambda lacking: self._start_score(tuple(lacking), lacking),
        )
        self._panels["load"].children = [self._saved_form, self._load]
        head = (self._shell, self._job_bar, self._draft_bar, Confounds(self.state, report))
        super().__init__([*head, *self._panels.values()])
        self.add_class("wb-bench")
        self._choose("load")

    def _show_saved(self) -> None:
        self._saved_form.refresh()
        self._load.show_form(self._sampling.drawn)
        self._draft_bar.note("" if self._saving.path is None else f"saved to {self._saving.path.name}")

    def _choose(self, name: str) -> None:
        for other, panel in self._panels.items():
            panel.layout.display = None if other == name else "none"
            self._views[other].is_shown = other == name
        if name != "load":
            self._views[name].refresh()
        self._saving.touch()

    # ---- for a notebook's cells ----------------------------------------------------------------------------

    @property
    def table(self) -> Table:
        """The scored sample."""
        return self.state.loaded

    @property
    def recipe(self) -> Recipe:
        """The recipe as the sliders and the form left it; assign one to replace it."""
        return self.state.recipe

    @recipe.setter
    def recipe(self, recipe: Recipe | Mapping[str, Any] | str) -> None:
        self.state.edit(recipe if isinstance(recipe, Recipe) else parse_recipe(recipe))

    @property
    def drafts(self) -> Drafts:
        """Recipes by name: `bench.drafts.branch("strict")`, `.switch(name)`, `.rename`, `.delete`, `.restore`."""
        return self.state.drafts

    @property
    def outcome(self) -> Outcome | None:
        """What the recipe does to the sample; None if it can't run, and `state.problem` says why."""
        return self.state.outcome

    @property
    def kept(self) -> pl.DataFrame:
        """The kept documents."""
        return self.table.sample.frame.filter(pl.Series(self.state.keep))

    def tab(self, name: str) -> Bench:
        """Show a tab: one of `widgets.shell.TABS`, say "scores"."""
        self._shell.activate(name)
        return self

    def load(self, n: int | None = None, *, by_source: bool = True, seed: int = 0) -> Bench:
        """Draw a sample of the corpus that the bench was given."""
        draw = Draw(self._sampling.form.path, n or self._sampling.form.n, by_source, seed)
        self._sampling.take(self._jobs.run(lambda progress: self._sampling.draw(draw, progress)), draw)
        return self

    def score(self, names: Iterable[str]) -> Bench:
        """Compute scores, showing progress on the Load tab; what the store has is taken from there."""
        wanted, scoring = tuple(names), self._scoring
        table = scoring.copy()
        try:
            self._jobs.run(lambda p: scoring.score_into(table, wanted, p), scoring.n_passes(wanted))
        finally:
            scoring.adopt(table)
        return self

    def set_band(self, score: str, low: Bound = None, high: Bound = None) -> Bench:
        """Keep documents whose score lies in low..high; a number, `{"quantile": q}`, or None for an open side."""
        self.state.thresholds.set(score, as_threshold(low), as_threshold(high))
        self.state.thresholds.sync_quantiles()
        return self

    def undo(self) -> Bench:
        """Take the last change of the recipe back."""
        self.state.undo()
        return self

    def redo(self) -> Bench:
        """Take the last undo back."""
        self.state.redo()
        return self

    def save_work(self, path: Path | str) -> Bench:
        """Save the work to a JSON file, and from now on after each change."""
        self._saving.save_to(Path(path))
        return self

    def open_work(self, path: Path | str) -> Bench:
        """Open saved work: sample, scores from the store, drafts, lasso and tab."""
        self._saving.open_now(Path(path))
        return self

    def export(self, path: Path | str, *, replace: bool = False) -> Path:
        """Write the recipe as a manifest folder; see `workbench.engine.export.export`.

        Raises
        ------
        ManifestError
            If the folder holds the manifest of another recipe, and `replace` isn't set.
        """
        self.score(used_scores(self.recipe))
        if not replace:
            refuse_other_manifest(Path(path), self.state.resolved, "give replace=True")
        return export(self.table, self.recipe, path, evidence(self.state))

    # ---- buttons -------------------------------------------------------------------------------------------

    def _start_draw(self, form: Draw) -> None:
        form, sampling = self._sampling.allowed(form), self._sampling
        self._jobs.start(
            lambda p: sampling.draw(form, p), lambda sample: sampling.take(sample, form), lambda: None
        )

    def _start_score(self, names: tuple[str, ...], settings: Settings | None = None) -> None:
        table = self._scoring.copy()

        def done(_: object) -> None:
            plural = "s" if len(names) != 1 else ""
            self._shell.say(f"{len(names)} score{plural} ready; set thresholds on the Scores tab.")

        def ended() -> None:
            # Also when it was stopped: the scores that were finished are there.
            self._scoring.adopt(table)
            self._map.refresh()

        def work(progress: NotebookProgress) -> None:
            self._scoring.score_into(table, names, progress, settings)

        self._jobs.start(work, done, ended, self._scoring.n_passes(names))

    def _start_export(
        self, needed: tuple[str, ...], write: Callable[[Table], Any], done: Callable[[Any], None]
    ) -> None:
        table = self._scoring.copy()

        def work(progress: NotebookProgress) -> Any:
            self._scoring.score_into(table, needed, progress)
            return write(table)

        def ended() -> None:
            self._scoring.adopt(table)
            self._export.ended()

        self._jobs.start(work, done, ended, self._scoring.n_passes(needed))

    def _show_selection(self) -> None:
        self._documents.look_at(Query(show="selection"))
        self._shell.activate("documents")

    def _read_document(self, row: int) -> None:
        self._documents.read(row)
        self._shell.activate("documents")
