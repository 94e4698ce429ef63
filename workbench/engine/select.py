"""Running a recipe over a scored sample: what is kept, what each step drops and why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace

import numpy as np

from workbench.checks import Array, BoolArray, FloatArray, IntArray, json_digest, require_keys
from workbench.engine.passes import finite_rows
from workbench.engine.table import Table
from workbench.errors import InputError
from workbench.recipe.model import Recipe, Step
from workbench.selectors.base import Selection

_NO_VECTOR = "has no vector: its embedding isn't finite"

KEPT = -1
"""In `Outcome.step`: no step dropped the document."""


@dataclass(frozen=True)
class Fitted:
    """A recipe whose quantiles are resolved and whose artefacts are fitted; `states[i]` belongs to step i."""

    recipe: Recipe
    states: tuple[Mapping[str, Array], ...]


@dataclass(frozen=True)
class Outcome:
    """What a recipe does to a table of n documents.

    Attributes
    ----------
    keep
        bool (n,).
    step
        int16 (n,): the index of the step that dropped the document, KEPT (-1) for a kept one.
    weight
        Repeat weight float32 (n,); 1 for all but what a step says otherwise.
    """

    fitted: Fitted
    keep: BoolArray
    step: IntArray
    weight: FloatArray
    _rows: tuple[IntArray, ...]
    _selections: tuple[Selection, ...]

    def reason(self, i: int) -> str | None:
        """Why document i was dropped, in one sentence; None if it is kept."""
        step = int(self.step[i])
        if step == KEPT:
            return None
        local = int(np.searchsorted(self._rows[step], i))
        return self._selections[step].explain(local)


class FitCache:
    """Fitted artefacts by what they depend on, so that moving a slider refits nothing."""

    def __init__(self) -> None:
        self._states: dict[str, Mapping[str, Array]] = {}

    def state(self, table: Table, step: Step, seed: int) -> Mapping[str, Array]:
        """The step's artefact, fitted on the whole table on first use."""
        spec = step.spec
        if spec.fit is None:
            return {}
        read = {name: table.definitions.get(name) for name in step.needs}
        given = {name: getattr(step.params, name) for name in spec.fit_params}
        key = json_digest([step.select, spec.version, seed, given, table.sample.fingerprint, read])
        if key not in self._states:
            columns = table.columns(step.needs)
            rows = _with_vector(columns)
            if not rows.all():
                columns = {name: column[rows] for name, column in columns.items()}
            self._states[key] = spec.fit(columns, step.params, seed)
        return self._states[key]


@contextmanager
def _faults_of(index: int, step: Step) -> Iterator[None]:
    """Begin the sentence of a fault with the step that has it, as one counts (from 1)."""
    try:
        yield
    except InputError as error:
        raise InputError(f"step {index + 1}: {step.select}: {error}") from None


def fit(recipe: Recipe, table: Table, cache: FitCache | None = None) -> Fitted:
    """Resolve every quantile and fit every artefact on the sample.

    Raises
    ------
    InputError
        If the table lacks a column that a step reads.
    """
    cache = cache or FitCache()
    steps, states = [], []
    for index, step in enumerate(recipe.steps):
        step.check_score(f"step {index + 1}")
        require_keys(f"step {step.select}", {**table.scores, "text_digest": 0, "source": 0}, step.needs)
        params = step.params
        with _faults_of(index, step):
            if step.spec.resolve is not None:
                params = step.spec.resolve(table.columns(step.needs), params, table.weights)
            states.append(cache.state(table, step, recipe.seed))
        steps.append(replace(step, params=params))
    return Fitted(replace(recipe, steps=tuple(steps)), tuple(states))


def select(recipe: Recipe | Fitted, table: Table, *, cache: FitCache | None = None) -> Outcome:
    """Run a recipe over a scored sample.

    Parameters
    ----------
    recipe
        A recipe, or one that is fitted already.
    table
        The scored sample, with all columns of `recipe.needs`.

    Raises
    ------
    InputError
        If a step can't decide about a document since its score is NaN, or a param is out of range.
    """
    fitted = recipe if isinstance(recipe, Fitted) else fit(recipe, table, cache)
    n = len(table)
    dropped_by = np.full(n, KEPT, dtype=np.int16)
    weight = np.ones(n, dtype=np.float32)
    rows, selections = [], []
    for index, (step, state) in enumerate(zip(fitted.recipe.steps, fitted.states, strict=True)):
        alive = np.flatnonzero(dropped_by == KEPT)
        columns = {name: column[alive] for name, column in table.columns(step.needs).items()}
        with _faults_of(index, step):
            selection = decide(step, columns, state, fitted.recipe.seed)
            if selection.unscored is not None and selection.unscored.any():
                _refuse_unscored(table, step, alive[selection.unscored])
        dropped_by[alive[~selection.keep]] = index
        if selection.weight is not None:
            weight[alive] *= selection.weight
        rows.append(alive)
        selections.append(selection)
    keep = dropped_by == KEPT
    return Outcome(
        fitted, keep, dropped_by, np.where(keep, weight, 0).astype(np.float32), tuple(rows), tuple(selections)
    )


def decide(step: Step, columns: Mapping[str, Array], state: Mapping[str, Array], seed: int) -> Selection:
    """What a step decides about some documents; one without a vector is dropped by a step that reads it."""
    rows = _with_vector(columns)
    if rows.all():
        return step.spec.select(columns, step.params, state, seed)
    keep = np.zeros(len(rows), dtype=bool)
    if not rows.any():
        return Selection(keep, lambda i: _NO_VECTOR)
    given = {name: column[rows] for name, column in columns.items()}
    found = step.spec.select(given, step.params, state, seed)
    place = np.cumsum(rows) - 1
    keep[rows] = found.keep
    weight, unscored = None, None
    if found.weight is not None:
        weight = np.ones(len(rows), dtype=found.weight.dtype)
        weight[rows] = found.weight
    if found.unscored is not None:
        unscored = np.zeros(len(rows), dtype=bool)
        unscored[rows] = found.unscored
    return Selection(
        keep, lambda i: found.explain(int(place[i])) if rows[i] else _NO_VECTOR, weight, unscored
    )


def group_keys(step: Step, columns: Mapping[str, Array], state: Mapping[str, Array]) -> IntArray:
    """The group of each document for a step of scope "group"; one without a vector is a group of its own."""
    group = step.spec.group
    if group is None:
        raise AssertionError(f"{step.select} has scope {step.spec.scope} and no group function")
    rows = _with_vector(columns)
    keys: IntArray = -1 - np.arange(len(rows), dtype=np.int64)
    if rows.any():
        keys[rows] = group({name: column[rows] for name, column in columns.items()}, step.params, state)
    return keys


def _with_vector(columns: Mapping[str, Array]) -> BoolArray:
    if "embedding" not in columns:
        return np.ones(len(columns["doc_id"]), dtype=bool)
    return finite_rows(columns["embedding"])


def _refuse_unscored(table: Table, step: Step, rows: IntArray) -> None:
    first = int(rows[0])
    place = f"row {first} of the sample (doc_id {table.sample.doc_ids[first]!r})"
    others = f" and {len(rows) - 1} more" if len(rows) > 1 else ""
    raise InputError(
        f"{getattr(step.params, 'score', step.select)} is not defined (NaN) for {place}{others}; "
        'add "unscored": "drop" or "keep" to the step'
    )
