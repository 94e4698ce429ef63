"""What the Documents tab reads from the state: which documents a query finds, and all that is known of one."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from widgets import bands
from widgets.near_copies import nearest_vectors, shared_bands
from widgets.pages import Query
from widgets.strata import (
    Keys,
    by_disagreement,
    document_keys,
    mixed,
    percentile_rank,
    percentile_ranks,
    search,
)
from workbench.checks import Array, BoolArray, FloatArray, IntArray
from workbench.engine.select import KEPT, Outcome, decide
from workbench.errors import InputError, WorkbenchError
from workbench.scores import SCORES

if TYPE_CHECKING:
    from widgets.state import BenchState

_NEAREST = 5
_ASK_ALONE = 20_000
"""Documents up to which a step that compares them is asked about another recipe unbidden."""
_KEPT_ANSWERS = 24
"""Of 8 MB at most each, in a sample of 1,000,000."""


@dataclass(frozen=True)
class Found:
    """The rows that a query asks for, in order, int64; and how many documents were searched, of how many."""

    rows: IntArray
    n_searched: int
    n_searchable: int


@dataclass(frozen=True)
class Verdict:
    """What another step would say of a document that is dropped already."""

    step: int
    reason: str


class Reading:
    """Answers about the documents of a state, each found once and kept while what it depends on stays.

    Nothing here goes through all documents in Python but the keys, once a sample, and a search, which stops.
    """

    def __init__(self, state: BenchState) -> None:
        self._state = state
        self._kept: dict[tuple[bool, Hashable], Any] = {}
        self._of: tuple[object, object, object] = (None, None, None)

    def remember(self, key: Hashable, make: Callable[[], Any], *, of_recipe: bool = False) -> Any:
        """What `make` gave for this key, while the table stays, or (`of_recipe`) also what is kept and the lasso."""
        now = (self._state.table, self._state.outcome, self._state.selection)
        if now[0] is not self._of[0]:
            self._kept.clear()
        elif now[1] is not self._of[1] or now[2] is not self._of[2]:
            self._kept = {k: v for k, v in self._kept.items() if not k[0]}
        self._of = now
        full = (of_recipe, key)
        value = self._kept.pop(full) if full in self._kept else make()
        while len(self._kept) >= _KEPT_ANSWERS:
            del self._kept[next(iter(self._kept))]
        # The one used last stands last, and goes last.
        self._kept[full] = value
        return value

    # ---- strata --------------------------------------------------------------------------------------------

    @property
    def keys(self) -> Keys:
        """A keyed hash of each id, uint64 (n,)."""
        keys: Keys = self.remember("keys", lambda: document_keys(self._state.loaded.sample.doc_ids))
        return keys

    def rows_of(self, doc_ids: Sequence[str]) -> dict[str, int]:
        """The rows of those documents that the sample has, by id."""
        order: IntArray = self.remember("order of keys", lambda: np.argsort(self.keys, kind="stable"))
        ids, wanted = self._state.loaded.sample.doc_ids, document_keys(doc_ids)
        first, end = (np.searchsorted(self.keys, wanted, side, sorter=order) for side in ("left", "right"))
        # Two ids with one key are told apart by themselves.
        found = (
            (i, int(row))
            for i, doc_id in enumerate(doc_ids)
            for row in order[first[i] : end[i]]
            if ids[row] == doc_id
        )
        return {doc_ids[i]: row for i, row in found}

    def numeric(self) -> list[str]:
        """The scores that rank documents."""
        return [score for score, chart in self._state.bins.charts.items() if chart.axis is not None]

    def near(self) -> list[str]:
        """The scores that have a threshold."""
        recipe = self._state.recipe
        return [score for score in self.numeric() if bands.bounds(recipe, score) != (None, None)]

    def clusters(self) -> list[tuple[int, int]]:
        """The clusters on the map with their documents; none where they aren't computed."""
        return list(self.remember("clusters", self._clusters))

    def _clusters(self) -> list[tuple[int, int]]:
        values = self._state.loaded.scores.get("cluster")
        if values is None:
            return []
        found, counts = np.unique(values[np.isfinite(values)], return_counts=True)
        return [(int(v), int(n)) for v, n in zip(found, counts, strict=True)]

    def ranks(self, score: str) -> FloatArray:
        """Percentile ranks, float64 (n,) in 0..1, turned round where a lower score is better."""

        def make() -> FloatArray:
            table = self._state.loaded
            ranks = percentile_ranks(table.scores[score], table.weights)
            return 1.0 - ranks if SCORES[score].better == "lower" else ranks

        ranks: FloatArray = self.remember(("ranks", score), make)
        return ranks

    def without(self, step: int) -> Outcome | None:
        """What the recipe would do with a step off; None if it couldn't run."""

        def make() -> Outcome | None:
            try:
                return self._state.outcome_of(bands.switched_step(self._state.recipe, step, on=False))[0]
            except WorkbenchError:
                return None

        outcome: Outcome | None = self.remember(("without", step), make, of_recipe=True)
        return outcome

    def only_by(self, step: int) -> BoolArray:
        """Bool (n,): what a step drops and the recipe would keep without it.

        Raises
        ------
        InputError
            If the recipe can't run without the step.
        """
        without = self.without(step)
        if without is None:
            raise InputError(
                f"the recipe can't run without step {step + 1}, so nobody knows what only it drops"
            )
        return np.asarray((self._state.dropped_by == step) & without.keep)

    def find(self, query: Query) -> Found:
        """The documents that a query asks for.

        Raises
        ------
        InputError
            If it orders by a threshold that isn't set, or the recipe can't run without the step of `only`.
        """
        key = replace(query, page=0)
        found: Found = self.remember(key, lambda: self._find(key), of_recipe=True)
        return found

    def _find(self, query: Query) -> Found:
        texts = self._state.loaded.sample.texts
        rows = self._ordered(query, np.flatnonzero(self._wanted(query)))
        if not query.search:
            return Found(rows, len(rows), len(rows))
        found, n_searched = search(rows, texts, query.search, query.reach)
        return Found(found, n_searched, len(rows))

    def _wanted(self, query: Query) -> BoolArray:
        state = self._state
        wanted = np.ones(len(state.loaded), dtype=bool)
        if query.show == "kept":
            wanted &= state.keep
        elif query.show == "dropped":
            wanted &= ~state.keep
        elif query.show == "selection":
            wanted[:] = False
            wanted[state.selection] = True
        if query.source is not None:
            wanted &= state.groups.codes == state.groups.names.index(query.source)
        if query.step is not None:
            wanted &= self.only_by(query.step) if query.only else state.dropped_by == query.step
        if query.cluster is not None:
            wanted &= state.loaded.scores["cluster"] == query.cluster
        return wanted

    def _ordered(self, query: Query, rows: IntArray) -> IntArray:
        if query.near is not None:
            order = self._near_order(query.near)
            wanted = np.zeros(len(self._state.loaded), dtype=bool)
            wanted[rows] = True
            rows = order[wanted[order]]
        elif query.disagree is not None:
            rows = by_disagreement(rows, *(self.ranks(score) for score in query.disagree))
        elif query.draw is not None:
            rows = rows[np.argsort(mixed(self.keys[rows], query.draw), kind="stable")]
        return rows.astype(np.int64)

    def _near_order(self, score: str) -> IntArray:
        state = self._state
        cuts = tuple(value for value in state.thresholds.values(score) if value is not None)
        if not cuts:
            raise InputError(f"{score} has no threshold to be near to; set one on the Scores tab")
        place, values = state.axis(score).positions, state.loaded.scores[score]
        order: IntArray = self.remember(("near", score, cuts), lambda: bands.near_order(values, cuts, place))
        return order

    # ---- one document --------------------------------------------------------------------------------------

    def percentiles(self, row: int) -> dict[str, float | None]:
        """The percentile rank of a document under each score that ranks, 0..1; None where it lacks the score."""
        table = self._state.loaded

        def make() -> dict[str, float | None]:
            return {s: percentile_rank(table.scores[s], table.weights, row) for s in self.numeric()}

        found: dict[str, float | None] = self.remember(("percentiles", row), make)
        return found

    def other_verdicts(self, row: int) -> tuple[list[Verdict], list[int]]:
        """Which later steps would drop a dropped document too, and those that weren't asked.

        A step that decides document by document is asked about this one. One that compares documents is asked what it
        does with the step that dropped this one off: at once in a sample of up to 20,000, else only once the list has
        shown what only that step drops.
        """
        state, outcome = self._state, self._state.outcome
        dropped_by = int(state.dropped_by[row])
        if outcome is None or dropped_by == KEPT:
            return [], []
        later = [i for i, step in enumerate(state.recipe.steps) if i > dropped_by and not step.off]
        alone = [i for i in later if state.recipe.steps[i].spec.scope == "row"]
        verdicts = [verdict for i in alone if (verdict := self._alone(outcome, i, row)) is not None]
        comparing = [i for i in later if i not in alone]
        if not comparing:
            return verdicts, []
        if len(state.loaded) > _ASK_ALONE and (True, ("without", dropped_by)) not in self._kept:
            return verdicts, comparing
        without = self.without(dropped_by)
        if without is None:
            return verdicts, comparing
        step = int(without.step[row])
        if step in comparing:
            verdicts.append(Verdict(step, without.reason(row) or ""))
        return sorted(verdicts, key=lambda verdict: verdict.step), []

    def _alone(self, outcome: Outcome, index: int, row: int) -> Verdict | None:
        fitted = outcome.fitted
        step, state = fitted.recipe.steps[index], fitted.states[index]
        columns = self._state.loaded.columns(step.needs)
        one = {name: column[row : row + 1] for name, column in columns.items()}
        selection = decide(step, one, state, fitted.recipe.seed)
        if selection.unscored is not None and selection.unscored[0]:
            return Verdict(index, "can't decide: the score isn't defined for this document")
        return None if selection.keep[0] else Verdict(index, selection.explain(0))

    def near_copies(self, row: int) -> list[tuple[str, list[tuple[int, float]], float]]:
        """By what it was found, the documents most like this one with how alike they are, and what alike is at most."""
        found: list[tuple[str, list[tuple[int, float]], float]] = self.remember(
            ("copies", row), lambda: self._near_copies(row)
        )
        return found

    def _near_copies(self, row: int) -> list[tuple[str, list[tuple[int, float]], float]]:
        scores: dict[str, Array] = self._state.loaded.scores
        out: list[tuple[str, list[tuple[int, float]], float]] = []
        if "embedding" in scores:
            out.append(("cosine", nearest_vectors(scores["embedding"], row, _NEAREST), 1.0))
        if "minhash_bands" in scores:
            bands_ = scores["minhash_bands"]
            shared = [(other, float(n)) for other, n in shared_bands(bands_, row, _NEAREST)]
            out.append(("minhash", shared, float(bands_.shape[1])))
        return out
