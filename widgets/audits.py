"""Drawing documents to be voted on, and what the votes say about the cut as it stands."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from widgets import bands
from widgets.strata import Keys, mixed
from widgets.trials import trials_of
from widgets.votes import MAX_DRAW, Design, Draw, Kind, Stratum
from workbench.checks import BoolArray, IntArray, json_digest
from workbench.errors import InputError, WorkbenchError
from workbench.recipe.model import Recipe
from workbench.recipe.schema import parse_recipe
from workbench.stats.audit import OUTSIDE, Audit, Proportion, audit

if TYPE_CHECKING:
    from widgets.state import BenchState

_NAMES = {"halves": ("kept", "dropped"), "near": ("kept", "dropped"), "random": ("",)}
# Random orders of their own: those of the Documents tab have smaller numbers.
_FIRST_ORDER = 2**32


@dataclass(frozen=True)
class Judged:
    """Votes held against the cut as it stands.

    Attributes
    ----------
    audit
        Precision and recall.
    rows, good
        The documents with a vote to keep or drop, int64 (m,), and which were found worth keeping, bool (m,).
    n_skipped
        Documents without a vote since they were skipped.
    """

    audit: Audit
    rows: IntArray
    good: BoolArray
    n_skipped: int


def strata_codes(
    state: BenchState, recipe: Recipe, kind: Kind, score: str | None, share: float | None
) -> IntArray:
    """The stratum of each document under a design, int64 (n,); OUTSIDE (-1) where it can't be drawn.

    Raises
    ------
    InputError
        If the recipe can't run, or sets no threshold on the score.
    """
    n = len(state.loaded)
    if kind == "random":
        return np.zeros(n, dtype=np.int64)
    outcome = state.outcome if recipe == state.recipe else state.outcome_of(recipe)[0]
    if outcome is None:
        raise InputError(
            "the recipe of this draw reads scores that aren't computed; compute them on the Load tab"
        )
    codes: IntArray = np.where(outcome.keep, 0, 1)
    if kind == "halves":
        return codes
    low, high = (bands.resolved(b) for b in bands.bounds(outcome.fitted.recipe, score or ""))
    cuts = tuple(value for value in (low, high) if value is not None)
    if score is None or not cuts:
        raise InputError(f"{score} has no threshold to be near to; set one on the Scores tab")
    order = bands.near_order(state.loaded.scores[score], cuts, state.axis(score).positions)
    near = np.zeros(n, dtype=bool)
    near[order[: math.ceil((share or 0) * len(order))]] = True
    return np.where(near, codes, OUTSIDE)


def drawn_rows(codes: IntArray, n: int, keys: Keys, number: int) -> IntArray:
    """Up to n documents in the order in which they are shown, int64: from each stratum as many, at random.

    Parameters
    ----------
    codes
        The stratum of each document, int64 (m,); OUTSIDE for one that can't be drawn.
    keys
        A keyed hash of each id, uint64 (m,).
    number
        Of the draw.

    Notes
    -----
    A stratum that has too few gives what it has, and the others the rest. The order is another random one than that
    which chose, so that however few are voted on, they are a random draw of each stratum.
    """
    chosen_by, shown_by = (mixed(keys, _FIRST_ORDER + 2 * number + i) for i in (0, 1))
    members = sorted((np.flatnonzero(codes == h) for h in range(int(codes.max(initial=-1)) + 1)), key=len)
    rows, left = [], n
    for i, some in enumerate(members):
        take = min(len(some), left // (len(members) - i))
        rows.append(some[np.argsort(chosen_by[some], kind="stable")[:take]])
        left -= take
    chosen = np.concatenate([np.zeros(0, dtype=np.int64), *rows])
    return np.asarray(chosen[np.argsort(shown_by[chosen], kind="stable")], dtype=np.int64)


def draw(state: BenchState, kind: Kind, n: int, score: str | None = None, share: float | None = None) -> Draw:
    """Draw documents to be voted on, under the recipe as it stands.

    Raises
    ------
    InputError
        If `n` isn't in 1..MAX_DRAW, `share` not in 0..1, there is no document to draw, or the design can't be had.
    """
    if not 1 <= n <= MAX_DRAW:
        raise InputError(f"documents to vote on must be in 1..{MAX_DRAW}, got {n}")
    if kind == "near" and not (share is not None and 0 < share <= 1):
        raise InputError(f"share must lie above 0 and at most at 1, got {share}")
    if kind != "near":
        score = share = None
    codes = strata_codes(state, state.recipe, kind, score, share)
    number = len(state.votes.draws)
    rows = drawn_rows(codes, n, state.reading.keys, number)
    if not len(rows):
        raise InputError("there is no document to draw; load documents, or choose a larger share")
    names = _NAMES[kind]
    sizes, drawn = (np.bincount(some, minlength=len(names)) for some in (codes[codes >= 0], codes[rows]))
    strata = tuple(Stratum(name, int(sizes[h]), int(drawn[h])) for h, name in enumerate(names))
    sample = state.loaded.sample
    design = Design(kind, number, sample.fingerprint, state.recipe.to_json(), strata, score, share)
    return Draw(design, tuple(sample.doc_ids[row] for row in rows.tolist()))


def judge(state: BenchState) -> Judged | None:
    """Hold the votes on the draw against the cut as it stands; None if there are none.

    Raises
    ------
    InputError
        If the documents were drawn from another sample, or the recipe of then can't run.
    """
    votes, table = state.votes, state.loaded
    if votes.draw is None:
        return None
    design = votes.draw.design
    if design.sample != table.sample.fingerprint:
        raise InputError("these votes were drawn from another sample; draw documents of this one")
    places = state.reading.rows_of(votes.draw.doc_ids)
    cast = [(places[doc_id], one.vote) for doc_id, one in votes.of_draw() if doc_id in places]
    said = [(row, vote == "keep") for row, vote in cast if vote != "skip"]
    if not said:
        return None
    rows = np.array([row for row, _ in said], dtype=np.int64)
    good = np.array([is_good for _, is_good in said], dtype=bool)
    recipe = json_digest(dict(design.recipe))
    codes = state.reading.remember(
        ("strata", recipe, design.kind, design.score, design.share),
        lambda: strata_codes(
            state, parse_recipe(dict(design.recipe)), design.kind, design.score, design.share
        ),
    )
    return Judged(audit(state.keep, codes, table.weights, rows, good), rows, good, len(cast) - len(said))


def evidence(state: BenchState) -> list[dict[str, Any]]:
    """What a manifest holds of the votes on this draw, if they tell of this sample, and of the trials of its rules."""
    return [*_votes(state), *trials_of(state.saved_parts, state.recipe)]


def _votes(state: BenchState) -> list[dict[str, Any]]:
    try:
        judged = judge(state) if state.outcome is not None else None
    except WorkbenchError:
        return []
    if judged is None or state.votes.draw is None:
        return []
    found = judged.audit
    return [
        {
            "kind": "blind_votes",
            "design": state.votes.draw.design.to_json(),
            "kept": {"n_votes": found.n_kept, "n_good": found.n_kept_good},
            "dropped": {"n_votes": found.n_dropped, "n_good": found.n_dropped_good},
            "n_skipped": judged.n_skipped,
            "precision": proportion_json(found.precision),
            "recall": proportion_json(found.recall),
            "level": found.level,
            "votes_digest": state.votes.digest(),
        }
    ]


def proportion_json(share: Proportion) -> dict[str, float | None]:
    """Value and limits; the value is None where nothing is known."""
    return {"value": share.value, "low": share.low, "high": share.high}
