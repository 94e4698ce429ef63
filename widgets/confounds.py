"""The standing panel that tells whether a selection, or a score in use, is one of lengths or sources in disguise."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from widgets import messages
from widgets.reader import step_name
from widgets.state import BenchState, Change
from widgets.view import Report, View, script, style
from workbench.checks import Array, FloatArray, IntArray
from workbench.corpus import Sample
from workbench.engine.table import Table
from workbench.scores import SCORES
from workbench.stats.confounds import Association, SelectionConfounds, score_association

LIMIT = 0.3
"""Above it, without sign, the panel warns."""
MAX_ROWS = 100_000
"""Documents over which scores are ranked; the standard error of a correlation of so many is below 0.004."""

_LENGTHS = ("n_tokens", "n_chars", "n_bytes")
_PLACES = ("map_x", "map_y")  # axes without a meaning of their own


@dataclass(frozen=True)
class _Prepared:
    sample: Sample
    name: str
    length: FloatArray
    selection: SelectionConfounds


class Confounds(View):
    """What is kept, and each score, held against length and source.

    Nothing is measured while a person moves a handle: the page asks for it once pointer and keys have rested.
    """

    _esm = script("confounds")
    _css = style("confounds")

    def __init__(self, bench: BenchState, report: Report) -> None:
        self._bench = bench
        self._is_open = self._is_stale = False
        self._prepared: _Prepared | None = None
        self._scores: dict[str, tuple[Array, Association]] = {}
        super().__init__({"measure": lambda content: self._measure(), "open": self._open}, report)
        bench.listen(self._changed)

    def _changed(self, change: Change) -> None:
        if change == "selection":
            return
        self._is_stale = True
        if self._bench.table is None or self._bench.outcome is None:
            self.show({"isStale": False})
        else:
            # The same state is sent once, however often a drag changes the recipe.
            self.show({**self.state, "isStale": True})

    def _open(self, content: Mapping[str, object]) -> None:
        self._is_open = messages.flag(content, "open")
        self._is_stale = True
        self._measure()

    def _measure(self) -> None:
        bench = self._bench
        if bench.table is None or bench.outcome is None or not self._is_stale:
            return
        self._is_stale = False
        table, recipe = bench.table, bench.recipe
        prepared = self._prepare(table)
        whole, by_step = prepared.selection.measure(bench.outcome.step, len(recipe.steps))
        names = [step_name(i, step.to_json()) for i, step in enumerate(recipe.steps)]
        steps = [(n, a) for n, a, step in zip(names, by_step, recipe.steps, strict=True) if not step.off]
        used = {need: n for n, step in zip(names, recipe.steps, strict=True) for need in step.needs}
        wanted = [score for score in SCORES if score in table.scores and not SCORES[score].vector]
        wanted = [score for score in wanted if score not in _PLACES and (self._is_open or score in used)]
        scores = self._associations(table, wanted, prepared.length)
        of_used = {score: (scores[score], used[score]) for score in wanted if score in used}
        rows = [("what is kept", whole), *steps]
        rows += sorted(scores.items(), key=lambda item: (item[0] not in used, -item[1].largest))
        self.show(
            {
                "isStale": False,
                "lengthName": prepared.name,
                "documents": len(table),
                "ranked": min(len(table), MAX_ROWS),
                "rows": [_row(n, found) for n, found in rows],
                "categories": [score for score in scores if _is_category(score)],
                "nSteps": len(steps),
                "limit": LIMIT,
                "warnings": [list(pair) for pair in warnings(whole, steps, of_used, prepared.name)],
            }
        )

    def _prepare(self, table: Table) -> _Prepared:
        """What doesn't change while the recipe does; made anew for other documents or another length."""
        old, name = self._prepared, next((name for name in _LENGTHS if name in table.scores), "characters")
        if old is None or old.sample is not table.sample or old.name != name:
            length = length_of(table, name)
            selection = SelectionConfounds(length, self._bench.groups.codes, table.weights)
            self._prepared, self._scores = _Prepared(table.sample, name, length, selection), {}
            return self._prepared
        return old

    def _associations(self, table: Table, names: Sequence[str], length: FloatArray) -> dict[str, Association]:
        """Of these scores, over the same at most MAX_ROWS documents each time; a score's are found once."""
        rows = _subset(len(table))
        for name in names:
            column = table.scores[name]
            if name not in self._scores or self._scores[name][0] is not column:
                found = score_association(
                    column[rows],
                    length[rows],
                    self._bench.groups.codes[rows],
                    table.weights[rows],
                    is_category=_is_category(name),
                )
                self._scores[name] = (column, found)
        return {name: self._scores[name][1] for name in names}


def length_of(table: Table, name: str) -> FloatArray:
    """The score that measures length, (n,), or the number of characters where there is none."""
    if name in table.scores:
        return table.scores[name]
    texts = table.sample.texts
    return np.fromiter((len(text) for text in texts), dtype=np.float64, count=len(texts))


def _subset(n: int) -> IntArray | slice:
    if n <= MAX_ROWS:
        return slice(None)
    return np.sort(np.random.default_rng(0).choice(n, MAX_ROWS, replace=False))


def _is_category(score: str) -> bool:
    return bool(SCORES[score].labels) or SCORES[score].unit == "cluster"


def _row(name: str, found: Association) -> list[str | float | None]:
    return [name, *(None if math.isnan(value) else value for value in (found.length, found.source))]


def warnings(
    whole: Association,
    steps: Sequence[tuple[str, Association]],
    used: Mapping[str, tuple[Association, str]],
    length_name: str,
) -> list[tuple[str, str]]:
    """Each association above LIMIT in a few words and as a sentence: first of what is kept, with the step that does it,
    then of scores in use; of either the strongest first.

    Parameters
    ----------
    whole
        Of what is kept.
    steps
        Each step's name and its own association.
    used
        By score its association and the name of a step that reads it.
    length_name
        What length is measured by.
    """
    out: list[tuple[float, str, str]] = []
    if abs(whole.length) > LIMIT:
        longer = "longer" if whole.length > 0 else "shorter"
        culprit = _most(steps, lambda found: found.length * math.copysign(1, whole.length))
        sentence = (
            f"What is kept goes with length (rank correlation {whole.length:+.2f} with {length_name}): {longer} "
            f"documents are kept{culprit}. "
            "Embedding methods and summed scores often measure length; see whether you want that."
        )
        # Above those of scores, which say nothing of what is kept.
        out.append((1 + abs(whole.length), f"what is kept goes with length ({whole.length:+.2f})", sentence))
    if whole.source > LIMIT:
        culprit = _most(steps, lambda found: found.source)
        sentence = (
            f"What is kept goes with source (Cramér's V {whole.source:.2f}): the shares of sources shift{culprit}. "
            "Perplexity pruning is known to shift domains; see the kept share of each source."
        )
        out.append((1 + whole.source, f"what is kept goes with source ({whole.source:.2f})", sentence))
    for score, (found, step) in used.items():
        if score == length_name:
            continue  # a length goes with length; what it does to the selection stands above
        parts = [f"length ({found.length:+.2f})"] if abs(found.length) > LIMIT else []
        parts += [f"source ({found.source:.2f})"] if found.source > LIMIT else []
        if parts:
            goes = f"goes with {' and '.join(parts)}"
            sentence = f"{score}, which step {step} reads, {goes}: a cut on it cuts that, too."
            out.append((found.largest, f"{score} {goes}", sentence))
    out.sort(key=lambda warning: -warning[0])
    return [(short, sentence) for _, short, sentence in out]


def _most(steps: Sequence[tuple[str, Association]], strength: Any) -> str:
    """Which step does most of it, as the end of a clause."""
    ranked = [(strength(found), name) for name, found in steps if not math.isnan(strength(found))]
    if not ranked:
        return ""
    return f"; step {max(ranked)[1]} does {'it' if len(ranked) == 1 else 'most of it'}"
