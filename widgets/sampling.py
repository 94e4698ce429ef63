"""Which corpus a bench draws from, what a page may ask it to draw, and what was drawn last."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from widgets import paths
from widgets.load import Draw
from widgets.state import BenchState
from workbench.corpus import Corpus, Sample, read
from workbench.engine.table import Table
from workbench.models.load import Models
from workbench.progress import Progress


class Sampling:
    """Draws the samples of a bench.

    Parameters
    ----------
    corpus
        What the notebook gave: a corpus, a sample, or a path or URL; None if the person names a path.
    n
        Documents that the form asks for at first.
    root
        The folder beyond which a page may name no path; None for no limit.

    Attributes
    ----------
    form
        What the form shows at first.
    drawn
        What the sample was drawn with.
    """

    def __init__(
        self,
        state: BenchState,
        corpus: Corpus | Sample | str | Path | None,
        n: int,
        *,
        root: Path | None,
        models: Models,
    ) -> None:
        self.form = Draw(path=str(corpus) if isinstance(corpus, str | Path) else None, n=n)
        self.drawn = self.form
        self._state = state
        self._corpus = corpus if isinstance(corpus, Corpus | Sample) else None
        self._root = root
        self._models = models
        if isinstance(corpus, Sample):
            self.take(corpus, self.form)

    @property
    def given(self) -> str | None:
        """What corpus the bench was given, in words; None if the person names a path."""
        if isinstance(self._corpus, Corpus):
            n = len(self._corpus.shards)
            return f"the given corpus: {n} file{'s' if n != 1 else ''}, {self._corpus.n_bytes:,} bytes"
        return "the given sample" if self._corpus is not None else None

    def allowed(self, form: Draw) -> Draw:
        """The draw as it may be done: of the corpus given, of the author's path, or of one that a visitor may name.

        Raises
        ------
        InputError
            If its path lies outside of the root.
        """
        if self._corpus is not None:
            return replace(form, path=None)
        if form.path is not None and form.path != self.form.path:
            return replace(form, path=paths.allowed(form.path, self._root))
        return form

    def draw(self, form: Draw, progress: Progress) -> Sample:
        """Draw what the form asks for; a sample that was given is the sample.

        Raises
        ------
        InputError
            If the corpus can't be read, or the form names none.
        """
        corpus = self._corpus
        if isinstance(corpus, Sample):
            return corpus
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

    def table(self, sample: Sample) -> Table:
        """The sample without scores."""
        return Table(sample, self._models)

    def take(self, sample: Sample | Table, drawn: Draw) -> None:
        """Show a sample on all tabs."""
        self.drawn = drawn
        self._state.load(sample if isinstance(sample, Table) else self.table(sample))
