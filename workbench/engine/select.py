"""Running a recipe over a scored sample: what is kept, what each step drops and why."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace

import numpy as np

from workbench.checks import Array, BoolArray, FloatArray, IntArray, json_digest, require_keys
from workbench.engine.fitting import FitCache, Scan, complete, missing
from workbench.engine.table import Table
from workbench.errors import InputError
from workbench.recipe.model import Recipe, Step
from workbench.selectors.base import GIVEN, Columns, Selection

Decided = Callable[[Step, Mapping[str, Array], int], Selection | None]
"""`(step, state, seed) -> selection` of all n documents of a table by a step of scope "row"; None if it isn't known."""

KEPT = -1
"""In `Outcome.step`: no step dropped the document."""


@dataclass(frozen=True)
class Fitted:
    """A recipe whose quantiles are resolved and whose artefacts are fitted; `states[i]` belongs to step i."""

    recipe: Recipe
    states: tuple[Mapping[str, Array], ...]

    @property
    def active(self) -> Fitted:
        """The same without the steps that are off."""
        states = (state for step, state in zip(self.recipe.steps, self.states, strict=True) if not step.off)
        return Fitted(self.recipe.active, tuple(states))


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

    def kept_by(self, index: int) -> BoolArray:
        """Bool (n,): what a step keeps of the documents it was asked about; True for all others.

        A step of scope "row" may have been asked about all documents, one of another scope only about those that the
        steps before it left.
        """
        rows, kept = self._rows[index], self._selections[index].keep
        if len(rows) == len(self.keep):
            return kept
        keep: BoolArray = np.ones(len(self.keep), dtype=np.bool_)
        keep[rows] = kept
        return keep

    def reason(self, i: int) -> str | None:
        """Why document i was dropped, in one sentence; None if it is kept."""
        step = int(self.step[i])
        if step == KEPT:
            return None
        local = int(np.searchsorted(self._rows[step], i))
        return self._selections[step].explain(local)


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
    steps: list[Step] = []
    states: list[Mapping[str, Array]] = []
    for index, step in enumerate(recipe.steps):
        known = {**table.scores, **dict.fromkeys(GIVEN)}
        if step.off:
            read = step.spec.needs(step.params)
            # Its handles show where they stand, if the scores are there.
            steps.append(_resolved(step, table) if all(name in known for name in read) else step)
            states.append({})
            continue
        step.check_score(f"step {index + 1}")
        require_keys(f"step {step.select}", known, step.needs)
        with _faults_of(index, step):
            _check_settings(step, table)
            step = _resolved(step, table)
            states.append(cache.state(table, step, recipe.seed))
        steps.append(step)
    return Fitted(replace(recipe, steps=tuple(steps)), tuple(states))


def _resolved(step: Step, table: Table) -> Step:
    """The step with its quantiles resolved on the table."""
    spec = step.spec
    if spec.resolve is None:
        return step
    columns = table.columns(spec.needs(step.params))
    return replace(step, params=spec.resolve(columns, step.params, table.weights))


def _check_settings(step: Step, table: Table) -> None:
    """Raise InputError where a score is another one than the step's params stand for."""
    wanted = {} if step.spec.score_settings is None else step.spec.score_settings(step.params)
    for score, settings in wanted.items():
        given = table.definitions.get(score, {}).get("params", {})
        other = {name: value for name, value in settings.items() if name in given and given[name] != value}
        for name in other:
            remedy = json.dumps({"scores": {score: other}})[1:-1]
            raise InputError(
                f"{name} of {score} must be {settings[name]}, and it was scored with {given[name]}; "
                f"add {remedy} to the recipe and score again"
            )
    made_with = {} if step.spec.made_with is None else step.spec.made_with(step.params)
    for score, digest in made_with.items():
        if score in table.definitions and json_digest(table.definitions[score]) != digest:
            raise InputError(
                f"the step was made with another {score} than this sample's; score with the model that it was made "
                "with, or make the step anew"
            )


def select(
    recipe: Recipe | Fitted, table: Table, *, cache: FitCache | None = None, decided: Decided | None = None
) -> Outcome:
    """Run a recipe over a scored sample.

    Parameters
    ----------
    recipe
        A recipe, or one that is fitted already.
    table
        The scored sample, with all columns of `recipe.needs`.
    decided
        Gives what it remembers of a step, which isn't run then.

    Raises
    ------
    InputError
        If a step can't decide about a document since its score is NaN, or a param is out of range.
    """
    cache = cache or FitCache()
    fitted = recipe if isinstance(recipe, Fitted) else fit(recipe, table, cache)
    n, seed = len(table), fitted.recipe.seed
    all_rows = np.arange(n)
    # How many steps kept each document: sums of masks take a tenth of the time of marking those that are dropped.
    passed: IntArray = np.zeros(n, dtype=np.uint8 if len(fitted.recipe.steps) < 256 else np.uint16)
    weight = np.ones(n, dtype=np.float32)
    alive: BoolArray = np.ones(n, dtype=np.bool_)
    rows, selections = [], []
    for index, (step, state) in enumerate(zip(fitted.recipe.steps, fitted.states, strict=True)):
        if step.off:
            rows.append(all_rows)
            selections.append(_all_of(n))
            passed += alive.view(np.uint8)
            continue
        with _faults_of(index, step):
            selection = None if decided is None else decided(step, state, seed)
            at = np.flatnonzero(alive) if selection is None else all_rows
            selection = selection or _decide_alive(step, state, seed, table, at, cache)
            if selection.unscored is not None:
                _refuse_unscored(table, step, at[selection.unscored & alive[at]])
        keep = selection.keep
        if len(at) < n:
            keep = alive.copy()
            keep[at] = selection.keep
        alive &= keep
        passed += alive.view(np.uint8)
        if selection.weight is not None:
            weight[at] *= selection.weight
        rows.append(at)
        selections.append(selection)
    weight *= alive
    # A document that i steps kept was dropped by step i, and one that all kept by none; int16 throughout, since a
    # choice by `where` takes ten times as long.
    dropped_by = passed.astype(np.int16)
    dropped_by -= alive.astype(np.int16) * np.int16(len(rows) - KEPT)
    return Outcome(fitted, alive, dropped_by, weight, tuple(rows), tuple(selections))


def _decide_alive(
    step: Step, state: Mapping[str, Array], seed: int, table: Table, alive: IntArray, cache: FitCache
) -> Selection:
    """What a step decides about the rows that are left."""
    columns = table.columns(step.needs)
    if len(alive) < len(table):
        # Not where all are alive: a copy of the vectors takes longer than a move of a slider may.
        columns = {name: column[alive] for name, column in columns.items()}
    scan = cache.scan(table, step, state, seed, alive) if step.spec.scan else None
    return decide(step, columns, state, seed, scan)


def _all_of(n: int) -> Selection:
    return Selection(np.ones(n, dtype=np.bool_), lambda i: "is kept")


def decide(
    step: Step,
    columns: Columns,
    state: Mapping[str, Array],
    seed: int,
    scan: Scan | None = None,
) -> Selection:
    """What a step decides about some documents; one that lacks what the step reads is dropped for that.

    `scan` stands for the step's own where its result is kept.
    """
    lacking = missing(step, columns)
    if not lacking:
        return _run(step, columns, state, seed, scan)
    lacks: BoolArray = np.stack(list(lacking.values()))
    names = list(lacking)
    rows: BoolArray = np.logical_not(lacks.any(axis=0))
    place = np.cumsum(rows) - 1
    given = {name: column[rows] for name, column in columns.items()}
    found = _run(step, given, state, seed, scan)

    def explain(i: int) -> str:
        if rows[i]:
            return found.explain(int(place[i]))
        name = names[int(lacks[:, i].argmax())]
        if columns[name].ndim > 1:
            return f"has no vector: its {name} isn't finite"
        return f"{name} is not defined for this document"

    def spread(values: Array | None, otherwise: float) -> Array | None:
        if values is None:
            return None
        out: Array = np.full(len(rows), otherwise, dtype=values.dtype)
        out[rows] = values
        return out

    keep: BoolArray = np.zeros(len(rows), dtype=np.bool_)
    keep[rows] = found.keep
    weight, unscored, score = (
        spread(found.weight, 1),
        spread(found.unscored, False),
        spread(found.score, -np.inf),
    )
    return Selection(keep, explain, weight, unscored, score)


def _run(step: Step, columns: Columns, state: Mapping[str, Array], seed: int, scan: Scan | None) -> Selection:
    if scan is None:
        return step.spec.run(columns, step.params, state, seed)
    return step.spec.select({**columns, **scan(columns)}, step.params, state, seed)


def group_keys(step: Step, columns: Mapping[str, Array], state: Mapping[str, Array]) -> IntArray:
    """The group of each document: one for all where whole columns are read. One that lacks what is read for its group
    is a group of its own.
    """
    n, group = len(columns["doc_id"]), step.spec.group
    if step.spec.scope == "column":
        return np.zeros(n, dtype=np.int64)
    if group is None:
        raise AssertionError(f"{step.select} has scope {step.spec.scope} and no group function")
    keys: IntArray = -1 - np.arange(n, dtype=np.int64)
    rows = complete(step, columns)
    if rows.any():
        keys[rows] = group({name: column[rows] for name, column in columns.items()}, step.params, state)
    return keys


def _refuse_unscored(table: Table, step: Step, rows: IntArray) -> None:
    """Raise InputError if there are such rows."""
    if not len(rows):
        return
    first = int(rows[0])
    place = f"row {first} of the sample (doc_id {table.sample.doc_ids[first]!r})"
    others = f" and {len(rows) - 1} more" if len(rows) > 1 else ""
    raise InputError(
        f"{getattr(step.params, 'score', step.select)} is not defined (NaN) for {place}{others}; "
        'add "unscored": "drop" or "keep" to the step'
    )
