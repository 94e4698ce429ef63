"""Deciding one batch of documents: scores as they are needed, cheap steps before costly scores."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from workbench.checks import Array, BoolArray, FloatArray, IntArray, strings, text_digests
from workbench.engine.known import Known
from workbench.engine.passes import Pass
from workbench.engine.plan import Plan
from workbench.engine.select import KEPT, decide
from workbench.engine.table import select_columns
from workbench.scores.base import Inputs, as_ragged
from workbench.selectors.base import DESIGN_WEIGHT

UNSCORED = -2
"""In a batch's `step`: a step couldn't decide, since a score is NaN and the recipe doesn't say what to do."""


@dataclass(frozen=True)
class Decided:
    """What is known of a batch of n documents after its row steps.

    Attributes
    ----------
    step
        int16 (n,): the step that dropped the document, KEPT, or UNSCORED.
    reasons
        One sentence for each document that is not KEPT, None for the others.
    weight
        float32 (n,): the repeat weight by the steps so far.
    columns
        The columns that are written or read later; rows that were not computed hold NaN (0 for integers).
    """

    step: IntArray
    reasons: list[str | None]
    weight: FloatArray
    columns: dict[str, Array]


class BatchScorer:
    """Computes columns of one batch on demand, for the rows that are still alive."""

    def __init__(
        self,
        plan: Plan,
        doc_ids: Sequence[str],
        sources: Sequence[str],
        texts: Sequence[str],
        known: Known | None,
        vectors: FloatArray | None = None,
    ) -> None:
        self._plan = plan
        self._vectors = vectors
        self._known = known
        self._doc_ids, self._sources, self._texts = doc_ids, sources, texts
        self._pass_of = {spec.name: p for p in plan.passes for spec in p.specs}
        self._columns: dict[str, Array] = {}
        self._done: dict[str, Array] = {}

    def column(self, name: str, rows: IntArray) -> Array:
        """The whole column (n,) or (n, d), valid at `rows`."""
        if name == "text_digest":
            if name not in self._columns:
                self._columns[name] = text_digests(self._texts)
            return self._columns[name]
        if name == "source":
            return strings(self._sources)
        if name == DESIGN_WEIGHT:
            return np.ones(len(self._texts))
        self._compute(name, rows)
        return self._columns[name]

    def columns(self, needs: Sequence[str], rows: IntArray) -> dict[str, Array]:
        """The columns of some rows, as a selector reads them."""
        ids = strings(self._doc_ids)[rows]
        return select_columns(needs, lambda name: self.column(name, rows)[rows], ids)

    def _compute(self, name: str, rows: IntArray) -> None:
        p = self._pass_of[name]
        done = self._done.setdefault(p.first.name, np.zeros(len(self._texts), dtype=bool))
        todo = rows[~done[rows]]
        if not len(todo):
            for spec in p.specs:
                dtype = object if spec.ragged else spec.dtype
                self._columns.setdefault(spec.name, self._blank(np.zeros(0, dtype=dtype)))
            return
        found = self._take_known(p, todo)
        done[todo[found]] = True
        todo = todo[~found]
        if not len(todo):
            return
        inputs = Inputs(
            doc_ids=[self._doc_ids[i] for i in todo],
            sources=[self._sources[i] for i in todo],
            texts=[self._texts[i] for i in todo],
            columns={need: self.column(need, todo)[todo] for need in p.score_needs},
            models=self._plan.models,
            vectors=None if self._vectors is None else self._vectors[todo],
        )
        for computed, values in p.run(inputs, self._plan.pass_states[p.first.name]).items():
            if not done.any():
                self._columns[computed] = self._blank(values)
            self._columns[computed][todo] = values
        done[todo] = True

    def _take_known(self, p: Pass, todo: IntArray) -> BoolArray:
        """Fill in a pass's columns of the documents that are known; return which of `todo` that are."""
        names = [spec.name for spec in p.specs]
        if self._known is None or not all(name in self._known.columns for name in names):
            return np.zeros(len(todo), dtype=bool)
        digests = self.column("text_digest", todo)[todo]
        rows = self._known.find([self._doc_ids[i] for i in todo], digests)
        found: BoolArray = rows >= 0
        for name in names if found.any() else ():
            values = self._known.columns[name]
            if name not in self._columns:
                self._columns[name] = self._blank(values)
            self._columns[name][todo[found]] = values[rows[found]]
        return found

    def _blank(self, like: Array) -> Array:
        """A column of the batch in which nothing is computed yet: NaN, 0 for integers, empty if it is ragged."""
        if like.dtype == object:
            return as_ragged([np.zeros(0, dtype=np.uint8)] * len(self._texts))
        blank = np.nan if np.issubdtype(like.dtype, np.floating) else 0
        return np.full((len(self._texts), *like.shape[1:]), blank, dtype=like.dtype)


def decide_batch(
    plan: Plan,
    doc_ids: Sequence[str],
    sources: Sequence[str],
    texts: Sequence[str],
    known: Known | None = None,
    vectors: FloatArray | None = None,
) -> Decided:
    """Run the steps before the first group step, then compute what later steps and the output need.

    A document that a step drops gets no further score: the cheap steps in front save the costly ones behind.
    """
    scorer = BatchScorer(plan, doc_ids, sources, texts, known, vectors)
    step_of = np.full(len(texts), KEPT, dtype=np.int16)
    reasons: list[str | None] = [None] * len(texts)
    weight = np.ones(len(texts), dtype=np.float32)
    for index, step in enumerate(plan.steps[: plan.first_group]):
        alive = np.flatnonzero(step_of == KEPT)
        columns = scorer.columns(step.needs, alive)
        selection = decide(step, columns, plan.states[index], plan.seed)
        undecided = np.zeros(len(alive), dtype=bool) if selection.unscored is None else selection.unscored
        for i in np.flatnonzero(~selection.keep | undecided):
            reasons[alive[i]] = selection.explain(int(i))
        step_of[alive[~selection.keep]] = index
        step_of[alive[undecided]] = UNSCORED
        if selection.weight is not None:
            weight[alive] *= selection.weight
    alive = np.flatnonzero(step_of == KEPT)
    kept = dict.fromkeys((*plan.written_scores, *plan.later_needs))
    return Decided(step_of, reasons, weight, {name: scorer.column(name, alive) for name in kept})
