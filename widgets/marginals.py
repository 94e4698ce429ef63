"""What each step drops: alone, in the recipe's order, and what nothing else would have dropped."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from widgets.state import BenchState
from workbench.checks import BoolArray, IntArray
from workbench.engine.select import Outcome
from workbench.errors import WorkbenchError

Amount = tuple[int, int | None]
"""Documents and tokens; tokens None if not counted."""


@dataclass(frozen=True)
class Marginal:
    """What one step drops.

    Attributes
    ----------
    alone
        If it were the only step: asked about all documents.
    only
        What would be kept if just this step were taken out, and is dropped now. Where each step decides about one
        document at a time, these are the documents that no other step drops; where one compares documents, taking
        another out changes what it sees.
    fault
        Why one of them can't be told, in one sentence; they are None then.
    """

    alone: Amount | None
    only: Amount | None
    fault: str = ""


def is_by_row(outcome: Outcome) -> bool:
    """Whether every step that is on decides about one document at a time."""
    return all(step.spec.scope == "row" for step in outcome.fitted.recipe.active.steps)


class Marginals:
    """The marginals of the recipe as it stands.

    Those of a recipe by row are counted at once; of another one each step asks for runs of its own, so it is counted
    when it is asked for (`count`), and remembered until the recipe or the table changes.
    """

    def __init__(self, bench: BenchState) -> None:
        self._bench = bench
        self._outcome: Outcome | None = None
        self._found: dict[int, Marginal] = {}
        self._alone: dict[int, tuple[BoolArray, Amount]] = {}

    def known(self) -> dict[int, Marginal]:
        """Those that are counted, by step; a step that is off has none."""
        outcome = self._bench.outcome
        if outcome is not self._outcome:
            self._outcome, self._found = outcome, {}
            if outcome is not None and is_by_row(outcome):
                self._found = self._by_row(outcome)
        return self._found

    def count(self, index: int) -> None:
        """Count those of one step."""
        bench = self._bench
        if index in self.known() or bench.outcome is None or bench.recipe.steps[index].off:
            return
        step, others = bench.recipe.steps[index], list(bench.recipe.steps)
        del others[index]
        try:
            alone = bench.trial(replace(bench.recipe, steps=(step,))).keep
            without = bench.trial(replace(bench.recipe, steps=tuple(others))).keep
        except WorkbenchError as error:
            self._found[index] = Marginal(None, None, str(error))
            return
        amount = bench.groups.amount
        self._found[index] = Marginal(amount(~alone), amount(without & ~bench.keep))

    def _by_row(self, outcome: Outcome) -> dict[int, Marginal]:
        steps, groups = outcome.fitted.recipe.steps, self._bench.groups
        on = [index for index, step in enumerate(steps) if not step.off]
        # Bytes where they do: sums of masks are then several times quicker.
        kind = np.dtype(np.uint8 if len(steps) < 255 else np.uint16)
        n_drops: IntArray = np.zeros(len(outcome.keep), dtype=kind)
        # The sum of the numbers (from 1) of the steps that drop a document: of one step, its number.
        dropper: IntArray = np.zeros(len(outcome.keep), dtype=kind)
        alone: dict[int, tuple[BoolArray, Amount]] = {}
        for index in on:
            keep = outcome.kept_by(index)
            alone[id(keep)] = self._alone.get(id(keep)) or (keep, groups.amount(~keep))
            drops: IntArray = (~keep).view(np.uint8).astype(kind, copy=False)
            n_drops += drops
            dropper += drops * kind.type(index + 1)
        # The steps' masks are remembered, so an id stands for one mask as long as it is kept here.
        self._alone = alone
        rows = np.flatnonzero(n_drops == 1)
        only = groups.by_number(dropper.take(rows), len(steps), rows)
        return {index: Marginal(alone[id(outcome.kept_by(index))][1], only[index]) for index in on}
