"""The bench: six tabs over one sample, with one state behind them that a notebook's cells share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import ipywidgets
import polars as pl

from widgets import paths
from widgets.documents import Documents
from widgets.export import Export
from widgets.histograms import Histograms
from widgets.jobs import Jobs
from widgets.load import Draw, Load
from widgets.map import Map
from widgets.pages import Query
from widgets.progress import NotebookProgress
from widgets.recipe import RecipeForm
from widgets.shell import TABS, Shell
from widgets.state import BenchState
from workbench.corpus import Corpus, Sample, read
from workbench.engine.export import export, used_scores
from workbench.engine.passes import plan_passes
from workbench.engine.score import add_scores
from workbench.engine.select import Outcome
from workbench.engine.table import Table
from workbench.models.load import Models
from workbench.recipe.model import Recipe
from workbench.recipe.schema import parse_recipe
from workbench.selectors.base import Quantile, Threshold
from workbench.store import Store

Bound = float | Mapping[str, float] | Threshold


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
    ) -> None:
        self.state = BenchState(
            recipe if isinstance(recipe, Recipe) or recipe is None else parse_recipe(recipe)
        )
        self.state.thresholds.sync_quantiles()
        self._store = store if isinstance(store, Store) else Store(store)
        self._models = models or Models()
        self._root = Path(root) if root is not None else paths.default_root()
        self._corpus = corpus if isinstance(corpus, Corpus) else None
        self._form = Draw(path=str(corpus) if isinstance(corpus, str | Path) else None, n=n)
        self._build_views(_in_words(corpus))
        if isinstance(corpus, Sample):
            self._take(corpus)

    def _build_views(self, given: str | None) -> None:
        self._shell = Shell(self.state, self._choose)
        report = self._shell.complain
        self._jobs = Jobs(self._show_progress, report, self._shell.say)
        self._load = Load(
            self.state,
            report,
            form=self._form,
            given=given,
            draw=self._start_draw,
            score=self._start_score,
            stop=self._jobs.stop,
        )
        self._map = Map(self.state, report, show=self._show_selection, compute=self._start_score)
        self._histograms = Histograms(self.state, report, edit=lambda: self._shell.activate("recipe"))
        self._documents = Documents(self.state, report)
        self._recipe_form = RecipeForm(self.state, report, say=self._shell.say, root=self._root)
        self._export = Export(self.state, report, self._start_export)
        self._views: dict[str, Any] = {
            "load": self._load,
            "map": self._map,
            "scores": self._histograms,
            "documents": self._documents,
            "recipe": self._recipe_form,
            "export": self._export,
        }
        self._panels = {name: ipywidgets.VBox([self._views[name]]) for name, _ in TABS}
        for name, panel in self._panels.items():
            panel.add_class("wb-panel")
            panel.add_class(f"wb-panel-{name}")
        super().__init__([self._shell, *self._panels.values()])
        self.add_class("wb-bench")
        self._choose("load")

    def _show_progress(self, progress: dict[str, Any] | None) -> None:
        self._load.show_progress(progress)

    def _choose(self, name: str) -> None:
        for other, panel in self._panels.items():
            panel.layout.display = None if other == name else "none"
            self._views[other].is_shown = other == name
        if name != "load":
            self._views[name].refresh()

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
    def outcome(self) -> Outcome | None:
        """What the recipe does to the sample; None if it can't run, and `state.problem` says why."""
        return self.state.outcome

    @property
    def kept(self) -> pl.DataFrame:
        """The kept documents."""
        return self.table.sample.frame.filter(pl.Series(self.state.keep))

    def tab(self, name: str) -> Bench:
        """Show a tab: load, map, scores, documents, recipe or export."""
        self._shell.activate(name)
        return self

    def load(self, n: int | None = None, *, by_source: bool = True, seed: int = 0) -> Bench:
        """Draw a sample of the corpus that the bench was given."""
        draw = Draw(self._form.path, n or self._form.n, by_source, seed)
        self._take(self._jobs.run(lambda progress: self._draw(draw, progress)))
        return self

    def score(self, names: Iterable[str]) -> Bench:
        """Compute scores, showing progress on the Load tab; what the store has is taken from there."""
        wanted = tuple(names)
        table = self._copy()
        try:
            self._jobs.run(lambda progress: self._score_into(table, wanted, progress), self._n_passes(wanted))
        finally:
            self._adopt(table)
        return self

    def set_band(self, score: str, low: Bound = None, high: Bound = None) -> Bench:
        """Keep documents whose score lies in low..high; a number, `{"quantile": q}`, or None for an open side."""
        self.state.thresholds.set(score, _threshold(low), _threshold(high))
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

    def export(self, path: Path | str) -> Path:
        """Write the recipe as a manifest folder; see `workbench.engine.export.export`."""
        self.score(used_scores(self.recipe))
        return export(self.table, self.recipe, path)

    # ---- work ----------------------------------------------------------------------------------------------

    def _draw(self, form: Draw, progress: NotebookProgress) -> Sample:
        corpus = self._corpus
        if corpus is None:
            corpus = read(
                form.path or "",
                text_column=form.text_column,
                id_column=form.id_column,
                source_column=form.source_column,
            )
        return corpus.sample(
            form.n, by="source" if form.by_source else None, seed=form.seed, progress=progress
        )

    def _take(self, sample: Sample) -> None:
        self.state.load(Table(sample, self._models))

    def _n_passes(self, names: Iterable[str]) -> int:
        return len([p for p in plan_passes(names) if p.without(self.table.scores) is not None])

    def _copy(self) -> Table:
        """A copy of the table to score into: that happens in a thread, and the kernel reads the table meanwhile."""
        old = self.table
        return Table(old.sample, old.models, dict(old.scores), dict(old.definitions), dict(old.states))

    def _score_into(self, table: Table, names: Iterable[str], progress: NotebookProgress) -> None:
        add_scores(table, names, store=self._store, params=self.recipe.scores, progress=progress)

    def _adopt(self, table: Table) -> None:
        now = self.state.table
        if now is not None and table.sample is now.sample and table.scores.keys() - now.scores.keys():
            self.state.set_table(table)

    # ---- buttons -------------------------------------------------------------------------------------------

    def _start_draw(self, form: Draw) -> None:
        # The path that the notebook gave is its author's choice; any other one is the visitor's.
        if form.path is not None and form.path != self._form.path:
            form = replace(form, path=paths.allowed(form.path, self._root))
        self._jobs.start(lambda progress: self._draw(form, progress), self._take, lambda: None)

    def _start_score(self, names: tuple[str, ...]) -> None:
        table = self._copy()

        def done(_: object) -> None:
            plural = "s" if len(names) != 1 else ""
            self._shell.say(f"{len(names)} score{plural} ready; set thresholds on the Scores tab.")

        def ended() -> None:
            # Also when it was stopped: the scores that were finished are there.
            self._adopt(table)
            self._map.refresh()

        self._jobs.start(lambda p: self._score_into(table, names, p), done, ended, self._n_passes(names))

    def _start_export(self, given: str) -> None:
        path, recipe, table = paths.allowed(given, self._root), self.recipe, self._copy()
        needed = used_scores(recipe)

        def work(progress: NotebookProgress) -> Path:
            self._score_into(table, needed, progress)
            return export(table, recipe, path)

        def ended() -> None:
            self._adopt(table)
            self._export.tell(is_busy=False)

        self._jobs.start(
            work,
            lambda out: self._export.tell(f"The manifest was written to {out}"),
            ended,
            self._n_passes(needed),
        )
        self._export.tell(is_busy=True)

    def _show_selection(self) -> None:
        self._documents.look_at(Query(show="selection"))
        self._shell.activate("documents")


def _threshold(bound: Bound) -> Threshold:
    if isinstance(bound, Mapping):
        return Quantile(float(bound["quantile"]))
    return bound if bound is None or isinstance(bound, Quantile) else float(bound)


def _in_words(corpus: object) -> str | None:
    if isinstance(corpus, Corpus):
        n = len(corpus.shards)
        return f"the given corpus: {n} file{'s' if n != 1 else ''}, {corpus.n_bytes:,} bytes"
    return "the given sample" if isinstance(corpus, Sample) else None
