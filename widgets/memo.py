"""What makes a moved threshold cheap: a step that sees the same documents as before isn't run again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

import numpy as np

from workbench.engine.fitting import FitCache
from workbench.engine.select import Outcome, select
from workbench.engine.table import Table
from workbench.recipe.model import Recipe, Step
from workbench.selectors.base import Columns, Selection, SelectorSpec, State

_REMEMBERED = 16


class Memo:
    """Runs recipes over one table by `workbench.engine.select.select`, with what it saw before.

    The engine itself decides; a step's answer is only reused where step, artefact and documents are the same.

    Attributes
    ----------
    fits
        What the steps were fitted to, and what their scans found.
    """

    def __init__(self) -> None:
        self.fits = FitCache()
        self._seen: dict[Any, tuple[Any, Selection]] = {}

    def select(self, recipe: Recipe, table: Table) -> Outcome:
        """The outcome of a recipe; its fitted recipe holds plain steps."""
        steps = tuple(_RememberedStep(step.select, step.params, step.off, self) for step in recipe.steps)
        with _one_thread():
            outcome = select(replace(recipe, steps=steps), table, cache=self.fits)
        plain = tuple(Step(step.select, step.params, step.off) for step in outcome.fitted.recipe.steps)
        fitted = replace(outcome.fitted, recipe=replace(outcome.fitted.recipe, steps=plain))
        return replace(outcome, fitted=fitted)

    def run(self, spec: SelectorSpec, columns: Columns, params: Any, state: State, seed: int) -> Selection:
        """The step's selection, remembered if its documents are those of the last time."""
        key, doc_id = (spec.name, params, seed, id(state) if state else 0), columns["doc_id"]
        if key in self._seen:
            before, selection = self._seen[key]
            if len(before) == len(doc_id) and bool((before == doc_id).all()):
                return selection
        selection = spec.select(columns, params, state, seed)
        if len(self._seen) >= _REMEMBERED:
            del self._seen[next(iter(self._seen))]
        self._seen[key] = (doc_id, selection)
        return selection


@dataclass(frozen=True)
class _RememberedStep(Step):
    memo: Memo | None = field(default=None, compare=False, repr=False)

    @property
    def spec(self) -> SelectorSpec:
        spec, memo = super().spec, self.memo
        if spec.scope == "row" or memo is None:
            # A row at a time is quicker done than compared.
            return spec
        return replace(spec, select=lambda *given: memo.run(spec, *given))


@contextmanager
def _one_thread() -> Iterator[None]:
    """One BLAS thread: for blocks as small as a cluster's, starting several takes longer than the product.

    Measured with SemDeDup on 3,700 documents: 24 ms a move instead of 100 to 1,000 on two busy cores.
    """
    with _threads().limit(limits=1, user_api="blas"):
        yield


@cache
def _threads() -> Any:
    from threadpoolctl import ThreadpoolController  # type: ignore[import-untyped]

    np.zeros(1) @ np.zeros(1)
    return ThreadpoolController()
