"""Which scores are computed in which order: scores of one function in one pass, and all those that share what is
found of a text; what a score reads before it.
"""

from __future__ import annotations

import json
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, Literal, get_args

import numpy as np

from workbench.checks import Array, BoolArray, canonical_json
from workbench.errors import InputError
from workbench.scores import SCORES
from workbench.scores.base import Compute, Fit, Inputs, ScoreSpec, State

Role = Literal["tokenizer", "lm", "embedder", "ngram"]
MODEL_NEEDS: tuple[Role, ...] = get_args(Role)
_GIVEN = {"text", "target", *MODEL_NEEDS}
_FEW_DOCUMENTS, _FEW_CHARS = 64, 1_000_000


@dataclass(frozen=True)
class Pass:
    """Scores that are computed in one go over the documents.

    Attributes
    ----------
    specs
        All the scores that come out, whether asked for or not.
    params
        The params dataclass of the first one's function.
    more_params
        Those of further functions that go over the documents together with the first, by function: what one
        of them finds of a text, the next one needn't find again.
    """

    specs: tuple[ScoreSpec, ...]
    params: Any
    more_params: Mapping[Compute, Any] = field(default_factory=dict, hash=False)

    @property
    def first(self) -> ScoreSpec:
        """The spec that stands for the shared fields."""
        return self.specs[0]

    @property
    def name(self) -> str:
        """What a progress bar calls it."""
        return (
            self.first.name if len(self.specs) == 1 else f"{self.first.name} and {len(self.specs) - 1} more"
        )

    @property
    def fit(self) -> Fit | None:
        """The shared fit, None where nothing is fitted."""
        return self.first.fit

    @property
    def model_needs(self) -> tuple[Role, ...]:
        """The models it reads."""
        return tuple(role for role in MODEL_NEEDS if role in self.first.needs)

    @property
    def score_needs(self) -> tuple[str, ...]:
        """The scores it reads."""
        return tuple(need for need in self.first.needs if need not in _GIVEN)

    @property
    def reads_target(self) -> bool:
        """Whether its fit compares with the target texts."""
        return "target" in self.first.needs

    def params_of(self, spec: ScoreSpec) -> Any:
        """The params dataclass of the score's function."""
        return self.more_params.get(spec.compute, self.params)

    def without(self, names: Container[str]) -> Pass | None:
        """The pass less the functions whose scores are all among `names`; None if none is left."""
        wanted = {spec.compute for spec in self.specs if spec.name not in names}
        specs = tuple(spec for spec in self.specs if spec.compute in wanted)
        return _joined(specs, {spec.compute: self.params_of(spec) for spec in specs}) if specs else None

    def stored(self, spec: ScoreSpec) -> str:
        """The type that a column has on disk."""
        return spec.dtype if spec.stored is None else spec.stored(self.params_of(spec))

    def run_fit(self, inputs: Inputs, seed: int) -> dict[str, Array]:
        """Fit, on the documents that have a vector if one is read; so of the target."""
        assert self.fit is not None
        inputs = self._only_with_vector(inputs)
        if inputs.target is not None:
            inputs = replace(inputs, target=self._only_with_vector(inputs.target))
        return dict(self.fit(inputs, self.params, seed))

    def run(self, inputs: Inputs, state: State) -> dict[str, Array]:
        """Compute, and hold every column to its dtype and the number of documents.

        A document without a vector is NaN in what is made from vectors.
        """
        if self.first.shares_views:
            parts = [self._run(inputs.rows(rows), state) for rows in _few_at_a_time(inputs.texts)]
            return {spec.name: np.concatenate([part[spec.name] for part in parts]) for spec in self.specs}
        rows = self._with_vector(inputs)
        if not rows.all():
            found = self._run(_take(inputs, rows), state)
            return {name: _spread(values, rows) for name, values in found.items()}
        return self._run(inputs, state)

    def _run(self, inputs: Inputs, state: State) -> dict[str, Array]:
        columns: dict[str, Array] = {}
        for function in dict.fromkeys(spec.compute for spec in self.specs):
            columns |= function(inputs, self.more_params.get(function, self.params), state)
        out = {}
        for spec in self.specs:
            column = columns[spec.name]
            if not spec.ragged:
                column = np.ascontiguousarray(column, dtype=spec.dtype)
            if len(column) != len(inputs):
                raise InputError(
                    f"{spec.name} gave {len(column)} values for {len(inputs)} documents; mend the score"
                )
            out[spec.name] = column
        return out

    def _only_with_vector(self, inputs: Inputs) -> Inputs:
        rows = self._with_vector(inputs)
        return inputs if rows.all() else _take(inputs, rows)

    def _with_vector(self, inputs: Inputs) -> BoolArray:
        """The documents that the pass can read: all, but for one that reads the embedding row by row."""
        if self.first.scope != "row" or "embedding" not in self.score_needs:
            return np.ones(len(inputs), dtype=bool)
        return finite_rows(inputs.columns["embedding"])


def finite_rows(embedding: Array) -> BoolArray:
    """Which rows have a vector, bool (n,)."""
    return np.asarray(np.isfinite(embedding).all(axis=1), dtype=bool)


def _take(inputs: Inputs, rows: BoolArray) -> Inputs:
    chosen = np.flatnonzero(rows).tolist()
    return replace(
        inputs,
        doc_ids=[inputs.doc_ids[i] for i in chosen],
        sources=[inputs.sources[i] for i in chosen],
        texts=[inputs.texts[i] for i in chosen],
        columns={name: column[rows] for name, column in inputs.columns.items()},
        vectors=None if inputs.vectors is None else inputs.vectors[rows],
    )


def _spread(values: Array, rows: BoolArray) -> Array:
    out = np.full((len(rows), *values.shape[1:]), np.nan, dtype=values.dtype)
    out[rows] = values
    return out


def plan_passes(names: Iterable[str], params: Mapping[str, Mapping[str, object]] | None = None) -> list[Pass]:
    """The passes that compute the named scores and all that they read, each after what it reads.

    Parameters
    ----------
    names
        Names of scores.
    params
        Settings other than the defaults, by score name: {"prototype_distance": {"n_clusters": 100}}.

    Raises
    ------
    InputError
        If a name isn't a score, or a param isn't one of the score's.
    """
    settings = dict(params or {})
    for name in settings:
        _spec(name)
    passes: list[Pass] = []
    done: set[str] = set()

    def visit(name: str) -> None:
        if name in done:
            return
        spec = _spec(name)
        for need in spec.needs:
            if need not in _GIVEN:
                visit(need)
        specs = tuple(s for s in SCORES.values() if s.compute is spec.compute)
        done.update(s.name for s in specs)
        params = {spec.compute: _params(specs, settings)}
        if spec.shares_views:
            together = next((i for i, p in enumerate(passes) if p.first.shares_views), None)
            if together is not None:
                before = passes[together]
                params = {s.compute: before.params_of(s) for s in before.specs} | params
                passes[together] = _joined((*before.specs, *specs), params)
                return
        passes.append(_joined(specs, params))

    for name in [names] if isinstance(names, str) else names:
        visit(name)
    return passes


def _few_at_a_time(texts: Sequence[str]) -> Iterator[slice]:
    """Rows that are computed together: what is found of a text takes many times its space."""
    start = n_chars = 0
    for row, text in enumerate(texts):
        if row > start and (row - start >= _FEW_DOCUMENTS or n_chars + len(text) > _FEW_CHARS):
            yield slice(start, row)
            start, n_chars = row, 0
        n_chars += len(text)
    yield slice(start, len(texts))


def _joined(specs: tuple[ScoreSpec, ...], params: Mapping[Compute, Any]) -> Pass:
    first = specs[0].compute
    return Pass(specs, params[first], {function: p for function, p in params.items() if function != first})


def reads_embedding(name: str) -> bool:
    """Whether a score is the embedding, or made from it."""
    return name == "embedding" or any(reads_embedding(n) for n in _spec(name).needs if n not in _GIVEN)


def _spec(name: str) -> ScoreSpec:
    if name not in SCORES:
        raise InputError(f"there is no score {name!r}; `workbench methods` lists them all")
    return SCORES[name]


def _params(specs: tuple[ScoreSpec, ...], settings: Mapping[str, Mapping[str, object]]) -> Any:
    kind = specs[0].params
    known = {field.name for field in fields(kind)}
    chosen: dict[str, Any] = {}
    for spec in specs:
        for name, value in settings.get(spec.name, {}).items():
            if name not in known:
                allowed = ", ".join(sorted(known)) or "none"
                raise InputError(f"{spec.name} has no parameter {name!r}; it has {allowed}")
            chosen[name] = value
    return kind(**chosen)


def params_json(params: Any) -> dict[str, Any]:
    """A params dataclass as the JSON that it comes back as: a tuple is a list there."""
    value: dict[str, Any] = json.loads(canonical_json(asdict(params)))
    return value
