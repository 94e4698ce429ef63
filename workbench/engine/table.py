"""A scored sample: documents, and a column for each score, with what defines it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from workbench.checks import Array, FloatArray, strings, text_digests
from workbench.corpus import Corpus, Sample, read_sample
from workbench.engine.vectors import read_vectors, vector_column
from workbench.errors import InputError
from workbench.models.load import Models
from workbench.scores import SCORES
from workbench.selectors.base import DESIGN_WEIGHT


@dataclass(frozen=True)
class Table:
    """A scored sample.

    Attributes
    ----------
    sample
        The documents.
    scores
        Column by score name, (n,) or (n, d), in the order of the sample.
    definitions
        What defines each column, by score name; the same digests give the same numbers on any corpus.
    states
        The fitted artefact of each score that has one.
    models
        The models that were used.
    target
        The texts that scores compare with, as a table of its own; None where none were given.
    """

    sample: Sample
    models: Models
    scores: dict[str, Array] = field(default_factory=dict)
    definitions: dict[str, dict[str, Any]] = field(default_factory=dict)
    states: dict[str, dict[str, Array]] = field(default_factory=dict)
    target: Table | None = None

    def __len__(self) -> int:
        return len(self.sample)

    @cached_property
    def doc_id(self) -> Array:
        """Ids as a string array."""
        return strings(self.sample.doc_ids)

    @cached_property
    def source(self) -> Array:
        """Sources as a string array."""
        return strings(self.sample.source_names)[self.sample.source_codes]

    @cached_property
    def text_digest(self) -> Array:
        """128-bit digests of the texts, uint64 (n, 2)."""
        return text_digests(self.sample.texts)

    @cached_property
    def vectors(self) -> FloatArray | None:
        """The vectors that the sample brings, float32 (n, d), if the embedder in use is a column of it."""
        column = vector_column(self.models)
        return None if column is None else read_vectors(self.sample.frame, column)

    @cached_property
    def weights(self) -> FloatArray:
        """How many documents of the corpus each document stands for, float64 (n,)."""
        return self.sample.weights()

    def columns(self, needs: Iterable[str]) -> dict[str, Array]:
        """The columns that a selector reads; a categorical score comes as its labels."""
        return select_columns(needs, self._column, self.doc_id)

    def _column(self, name: str) -> Array:
        if name == "source":
            return self.source
        if name == DESIGN_WEIGHT:
            return self.weights
        return self.text_digest if name == "text_digest" else self.scores[name]


def target_table(target: Sample | Corpus | Path | str | None, models: Models) -> Table | None:
    """The target texts as a table without scores; None of None.

    Raises
    ------
    InputError
        If there is no document among them, or for the reasons that `read_sample` has.
    """
    if target is None:
        return None
    if isinstance(target, Corpus):
        target = target.whole()
    elif not isinstance(target, Sample):
        try:
            target = read_sample(target)
        except InputError as error:
            raise InputError(f"of the target: {error}") from None
    if not len(target):
        raise InputError("the target holds no document that can be used; give a file with at least one")
    return Table(target, models)


def select_columns(needs: Iterable[str], column: Callable[[str], Array], doc_id: Array) -> dict[str, Array]:
    """Columns as selectors want them: `doc_id`, and those in `needs` with categories as labels ("" where
    unscored).
    """
    out = {"doc_id": doc_id}
    for name in needs:
        values = column(name)
        labels = SCORES[name].labels if name in SCORES else ()
        if labels:
            codes = np.where(np.isnan(values), len(labels), values).astype(np.int64)
            values = strings((*labels, ""))[codes]
        out[name] = values
    return out
