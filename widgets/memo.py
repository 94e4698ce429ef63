"""What makes a moved threshold cheap: a step that sees the same documents as before isn't run again."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any, TypeVar

import numpy as np

from workbench.checks import Array
from workbench.engine.fitting import FitCache
from workbench.engine.select import Outcome, decide, select
from workbench.engine.table import Table
from workbench.recipe.model import Recipe, Step
from workbench.selectors.base import Columns, Selection, SelectorSpec, State

T = TypeVar("T")

_REMEMBERED = 16
_ANSWERS = 4  # of one step: with the recipe as it stands, alone, and without one or the other step
_SPARE = 4  # answers of steps that were moved or taken out, so that undo is quick


class Memo:
    """Runs recipes over one table by `workbench.engine.select.select`, with what it saw before.

    The engine itself decides; a step's answer is only reused where step, artefact and documents are the same. A step
    of scope "row" is asked about all documents, once: what the steps before it drop is then no matter.

    Attributes
    ----------
    fits
        What the steps were fitted to, and what their scans found.
    """

    def __init__(self) -> None:
        self.fits = FitCache()
        self._by_row: OrderedDict[Any, Selection] = OrderedDict()
        self._seen: OrderedDict[Any, list[tuple[Array, Selection]]] = OrderedDict()
        self._params: OrderedDict[Any, Any] = OrderedDict()
        self._scores: dict[str, Array] = {}

    def copy(self) -> Memo:
        """A memo of its own that knows the same, for another thread."""
        other = Memo()
        other.fits.adopt(self.fits)
        other._by_row.update(self._by_row)
        other._seen.update((key, list(answers)) for key, answers in self._seen.items())
        other._params.update(self._params)
        other._scores = dict(self._scores)
        return other

    def select(self, recipe: Recipe, table: Table) -> Outcome:
        """The outcome of a recipe; its fitted recipe holds plain steps."""
        self._forget_other_scores(table)
        steps = tuple(_RememberedStep(step.select, step.params, step.off, self) for step in recipe.steps)
        limit = len(steps) + _SPARE

        def decided(step: Step, state: State, seed: int) -> Selection | None:
            if step.spec.scope != "row":
                return None
            key = (step.select, step.params, seed, id(state) if state else 0)
            return _remembered(
                self._by_row, key, lambda: decide(step, table.columns(step.needs), state, seed), limit
            )

        with _one_thread():
            outcome = select(replace(recipe, steps=steps), table, cache=self.fits, decided=decided)
        plain = tuple(Step(step.select, step.params, step.off) for step in outcome.fitted.recipe.steps)
        fitted = replace(outcome.fitted, recipe=replace(outcome.fitted.recipe, steps=plain))
        return replace(outcome, fitted=fitted)

    def _forget_other_scores(self, table: Table) -> None:
        """Forget all answers if a score isn't the column that it was."""
        if any(table.scores.get(name) is not column for name, column in self._scores.items()):
            for memory in (self._by_row, self._seen, self._params):
                memory.clear()
        self._scores = dict(table.scores)

    def resolve(self, spec: SelectorSpec, columns: Columns, params: Any, weights: Array) -> Any:
        """The params with their quantiles resolved on the table."""
        assert spec.resolve is not None
        found = spec.resolve
        return _remembered(self._params, (spec.name, params), lambda: found(columns, params, weights), 64)

    def run(self, spec: SelectorSpec, columns: Columns, params: Any, state: State, seed: int) -> Selection:
        """The step's selection, remembered if its documents are those of one of the last times."""
        key, doc_id = (spec.name, params, seed, id(state) if state else 0), columns["doc_id"]
        answers = self._seen.setdefault(key, [])
        self._seen.move_to_end(key)
        for before, selection in answers:
            if len(before) == len(doc_id) and bool((before == doc_id).all()):
                return selection
        selection = spec.select(columns, params, state, seed)
        answers.append((doc_id, selection))
        del answers[:-_ANSWERS]
        if len(self._seen) > _REMEMBERED:
            self._seen.popitem(last=False)
        return selection


def _remembered(memory: OrderedDict[Any, T], key: Any, make: Callable[[], T], limit: int) -> T:
    """What was made for that key, made if it isn't there; the oldest goes where there are more than `limit`."""
    if key not in memory:
        memory[key] = make()
        if len(memory) > limit:
            memory.popitem(last=False)
    memory.move_to_end(key)
    return memory[key]


@dataclass(frozen=True)
class _RememberedStep(Step):
    memo: Memo | None = field(default=None, compare=False, repr=False)

    @property
    def spec(self) -> SelectorSpec:
        spec, memo = super().spec, self.memo
        if memo is None:
            return spec
        if spec.resolve is not None:
            spec = replace(
                spec, resolve=lambda *given: memo.resolve(super(_RememberedStep, self).spec, *given)
            )
        if spec.scope != "row":
            plain = spec
            spec = replace(spec, select=lambda *given: memo.run(plain, *given))
        return spec


@contextmanager
def _one_thread() -> Iterator[None]:
    """One BLAS thread: for blocks as small as a cluster's, starting several takes longer than the product.

    Measured with SemDeDup on 3,700 documents: 24 ms a move instead of 100 to 1,000 on two busy cores.
    """
    global _n_inside, _limit
    with _limiting:
        _n_inside += 1
        if _n_inside == 1:
            _limit = _threads().limit(limits=1, user_api="blas")
    try:
        yield
    finally:
        with _limiting:
            _n_inside -= 1
            if _n_inside == 0:
                _limit.restore_original_limits()


# Recipes may run in the kernel's thread and in a job's: the first one in limits, the last one out restores.
_limiting = threading.Lock()
_n_inside = 0
_limit: Any = None


@cache
def _threads() -> Any:
    from threadpoolctl import ThreadpoolController  # type: ignore[import-untyped]

    np.zeros(1) @ np.zeros(1)
    return ThreadpoolController()
