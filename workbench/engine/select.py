"""Running a recipe over a scored sample: what is kept, what each step drops and why."""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace

import numpy as np

from workbench.checks import Array, BoolArray, FloatArray, IntArray, hash_bytes, json_digest, require_keys
from workbench.engine.passes import finite_rows
from workbench.engine.table import Table
from workbench.errors import InputError
from workbench.recipe.model import Recipe, Step
from workbench.selectors.base import DESIGN_WEIGHT, GIVEN, Columns, Selection

Scan = Callable[[Columns], Columns]

_SCANS = 16  # a few steps with a few settings each; 16 bytes a document and scan

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
    """Fitted artefacts and scans by what they depend on, so that moving a slider refits and rescans nothing."""

    def __init__(self) -> None:
        self._states: dict[str, Mapping[str, Array]] = {}
        self._scans: OrderedDict[tuple[str, bytes], Columns] = OrderedDict()

    def state(self, table: Table, step: Step, seed: int) -> Mapping[str, Array]:
        """The step's artefact, fitted on the whole table on first use, and what is solved there each time."""
        spec = step.spec
        fitted = self._fitted(table, step, seed)
        if spec.solve is None:
            return fitted
        columns = table.columns(step.needs)
        rows = _complete(step, columns)
        complete = columns if rows.all() else {n: column[rows] for n, column in columns.items()}
        scan = self.scan(table, step, fitted, seed, np.arange(len(table)))
        return {**fitted, **spec.solve(complete, lambda: scan(complete), step.params, fitted, seed)}

    def _fitted(self, table: Table, step: Step, seed: int) -> Mapping[str, Array]:
        spec = step.spec
        if spec.state_of is not None:
            require_keys(f"the fit of {step.select}", table.states, [spec.state_of])
            return table.states[spec.state_of]
        if spec.fit is None:
            return {}
        key = self._key(table, step, seed, spec.fit_params)
        if key not in self._states:
            columns = table.columns(step.needs)
            rows = _complete(step, columns)
            self._states[key] = spec.fit(
                {n: column[rows] for n, column in columns.items()}, step.params, seed
            )
        return self._states[key]

    def scan(self, table: Table, step: Step, state: Mapping[str, Array], seed: int, alive: IntArray) -> Scan:
        """The step's scan of the rows `alive`, made on first use."""
        spec = step.spec
        key = self._key(table, step, seed, (*spec.fit_params, *spec.scan_params)), hash_bytes(alive)

        def scan(columns: Columns) -> Columns:
            assert spec.scan is not None
            if key not in self._scans:
                self._scans[key] = spec.scan(columns, step.params, state, seed)
                if len(self._scans) > _SCANS:
                    self._scans.popitem(last=False)
            self._scans.move_to_end(key)
            return self._scans[key]

        return scan

    def _key(self, table: Table, step: Step, seed: int, params: Iterable[str]) -> str:
        read: dict[str, object] = {name: table.definitions.get(name) for name in step.needs}
        if DESIGN_WEIGHT in read:
            read[DESIGN_WEIGHT] = table.sample.design.to_json()
        given = {name: asdict(step.params)[name] for name in params}
        return json_digest([step.select, step.spec.version, seed, given, table.sample.fingerprint, read])


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
        require_keys(f"step {step.select}", {**table.scores, **dict.fromkeys(GIVEN)}, step.needs)
        params = step.params
        with _faults_of(index, step):
            _check_settings(step, table)
            if step.spec.resolve is not None:
                params = step.spec.resolve(table.columns(step.needs), params, table.weights)
            step = replace(step, params=params)
            states.append(cache.state(table, step, recipe.seed))
        steps.append(step)
    return Fitted(replace(recipe, steps=tuple(steps)), tuple(states))


def _check_settings(step: Step, table: Table) -> None:
    """Raise InputError where a score was computed with other settings than the step's params stand for."""
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
    cache = cache or FitCache()
    fitted = recipe if isinstance(recipe, Fitted) else fit(recipe, table, cache)
    n = len(table)
    dropped_by = np.full(n, KEPT, dtype=np.int16)
    weight = np.ones(n, dtype=np.float32)
    rows, selections = [], []
    for index, (step, state) in enumerate(zip(fitted.recipe.steps, fitted.states, strict=True)):
        alive = np.flatnonzero(dropped_by == KEPT)
        columns = {name: column[alive] for name, column in table.columns(step.needs).items()}
        with _faults_of(index, step):
            scan = cache.scan(table, step, state, fitted.recipe.seed, alive) if step.spec.scan else None
            selection = decide(step, columns, state, fitted.recipe.seed, scan)
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
    missing = _missing(step, columns)
    if not missing:
        return _run(step, columns, state, seed, scan)
    lacks: BoolArray = np.stack(list(missing.values()))
    names = list(missing)
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
    rows = _complete(step, columns)
    if rows.any():
        keys[rows] = group({name: column[rows] for name, column in columns.items()}, step.params, state)
    return keys


def _missing(step: Step, columns: Mapping[str, Array]) -> dict[str, BoolArray]:
    """By column, which documents lack it, bool (n,); none of a step that says itself what becomes of them."""
    found = {}
    for name, column in columns.items():
        if not step.spec.reads_missing and np.issubdtype(column.dtype, np.floating):
            lacks = ~finite_rows(column) if column.ndim > 1 else np.isnan(column)
            if lacks.any():
                found[name] = lacks
    return found


def _complete(step: Step, columns: Mapping[str, Array]) -> BoolArray:
    complete: BoolArray = np.ones(len(columns["doc_id"]), dtype=np.bool_)
    for lacks in _missing(step, columns).values():
        complete &= ~lacks
    return complete


def _refuse_unscored(table: Table, step: Step, rows: IntArray) -> None:
    first = int(rows[0])
    place = f"row {first} of the sample (doc_id {table.sample.doc_ids[first]!r})"
    others = f" and {len(rows) - 1} more" if len(rows) > 1 else ""
    raise InputError(
        f"{getattr(step.params, 'score', step.select)} is not defined (NaN) for {place}{others}; "
        'add "unscored": "drop" or "keep" to the step'
    )
