"""What a score is: a column of numbers with a definition. Nothing here holds a threshold."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal, Protocol

import numpy as np

from workbench.checks import Array, FloatArray
from workbench.scores.views import TextView

State = Mapping[str, Array]
"""A fitted artefact: named arrays, saved as safetensors."""

Better = Literal["higher", "lower", "neither"]
Status = Literal["published", "variant", "experimental"]


class ModelSource(Protocol):
    """Gives the models that a score asks for, loaded on first use (see workbench.models.base)."""

    @property
    def tokenizer(self) -> Any: ...
    @property
    def lm(self) -> Any: ...
    @property
    def embedder(self) -> Any: ...
    @property
    def ngram(self) -> Any: ...
    def definition(self, kind: Any) -> Mapping[str, Any]: ...
    def trained_on(self, role: Literal["lm", "ngram"] = "lm") -> frozenset[str] | None: ...


@dataclass(frozen=True)
class Inputs:
    """What a score may read of a batch of n documents.

    Attributes
    ----------
    texts, sources, doc_ids
        One a document.
    columns
        The scores named in the spec's `needs`, each (n,); a vector, such as `embedding`, is (n, d).
    models
        The models in use; only those named in `needs` ("tokenizer", "lm", "embedder", "ngram") are loaded.
    vectors
        float32 (n, d), where the embedder in use is a column of the corpus: NaN where a row has none.
    target
        The texts to compare with, with the same columns; given to the `fit` of a score whose `needs` name "target",
        and to nothing else.
    """

    doc_ids: Sequence[str]
    sources: Sequence[str]
    texts: Sequence[str]
    columns: Mapping[str, Array] = field(default_factory=dict)
    models: ModelSource | None = None
    vectors: FloatArray | None = None
    target: Inputs | None = None

    def __len__(self) -> int:
        return len(self.doc_ids)

    def rows(self, rows: slice) -> Inputs:
        """The inputs of some of the documents."""
        columns = {name: column[rows] for name, column in self.columns.items()}
        vectors = None if self.vectors is None else self.vectors[rows]
        return Inputs(self.doc_ids[rows], self.sources[rows], self.texts[rows], columns, self.models, vectors)

    @cached_property
    def views(self) -> list[TextView]:
        """What has been found of each text, shared by all who read these inputs."""
        return [TextView(text) for text in self.texts]


@dataclass(frozen=True)
class NoParams:
    """The params of a score or selector that has none."""


Compute = Callable[[Inputs, Any, State], Mapping[str, Array]]
Fit = Callable[[Inputs, Any, int], State]


@dataclass(frozen=True)
class ScoreSpec:
    """The definition of one column.

    Scores that come out of one pass share their `compute`, which returns all of them by name; each is a
    column of its own all the same.

    Attributes
    ----------
    name
        The column's name, a noun.
    version
        Raised whenever the numbers change, so that an old column is missing and not wrong.
    title, unit, better
        For people: one line of meaning, the unit, and which direction is usually the better one.
    needs
        Any of "text", "tokenizer", "lm", "embedder", "ngram", "embedding", or the names of other scores; "target" where
        `fit` reads the target texts.
    params
        Frozen dataclass; all fields have defaults.
    compute
        `(inputs, params, state) -> {name: (n,) or (n, d) array}`; NaN means not scorable, never 0.
    fit
        `(inputs, params, seed) -> state`, called once on the whole sample; None where nothing is fitted.
    scope
        "row": any batch of documents gives the same numbers, so the score has a way onto a sharded corpus.
        "sample": defined on the sample as a whole (map, clusters), for looking at; a manifest can't hold it.
    labels
        For a categorical score: the value i stands for labels[i].
    shares_views
        Whether it reads `Inputs.views` and nothing else: all such scores go over the documents together.
    ragged
        Whether it is a vector of another length in each document: the column is an object array (n,) of arrays of
        `dtype`, and an empty one says "not scorable".
    vector
        Whether it is a row of numbers a document, (n, d), which selectors read whole and no threshold can cut; an
        integer one says "not scorable" by a row of zeros.
    stored
        `params -> dtype` on disk where it is narrower than `dtype`; `compute` rounds to it, so that what is
        read again is what was computed.
    """

    name: str
    version: int
    title: str
    unit: str
    better: Better
    needs: tuple[str, ...]
    compute: Compute
    params: type[Any] = NoParams
    fit: Fit | None = None
    scope: Literal["row", "sample"] = "row"
    paper: str = ""
    status: Status = "published"
    dtype: str = "float32"
    labels: tuple[str, ...] = ()
    shares_views: bool = False
    stored: Callable[[Any], str] | None = None
    vector: bool = False
    ragged: bool = False


def as_column(values: Sequence[float] | FloatArray, dtype: str = "float32") -> Array:
    """`values` as a contiguous array of `dtype`."""
    return np.ascontiguousarray(values, dtype=dtype)


def as_ragged(rows: Sequence[Array]) -> Array:
    """An object array (n,) of these arrays."""
    out = np.empty(len(rows), dtype=object)
    for i, row in enumerate(rows):  # at once, arrays of one length would be taken for a matrix
        out[i] = row
    return out


def as_columns(specs: Sequence[ScoreSpec], rows: Sequence[Mapping[str, float]]) -> dict[str, Array]:
    """The column of each spec, one row a document."""
    return {spec.name: as_column([row[spec.name] for row in rows], spec.dtype) for spec in specs}
