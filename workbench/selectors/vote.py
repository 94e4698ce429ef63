"""Keep the documents that enough of several bands let pass: all of them, any of them, or two of three."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from workbench.checks import BoolArray, check_range
from workbench.errors import InputError
from workbench.selectors.base import Columns, Selection, SelectorSpec, State
from workbench.selectors.rules import Rule, breaks, tell


@dataclass(frozen=True)
class VoteParams:
    """Parameters of `select_vote`.

    Attributes
    ----------
    scores
        The score of each band; one score may have several bands.
    lows, highs
        The ends of the bands, in the order of the scores, both belonging to the band; None for an open side. Empty:
        open for all.
    at_least
        From 1 (any band) to the number of bands (all of them).
    """

    scores: tuple[str, ...]
    lows: tuple[float | None, ...] = ()
    highs: tuple[float | None, ...] = ()
    at_least: int = 1


def select_vote(columns: Columns, params: VoteParams, state: State, seed: int) -> Selection:
    """Keep the documents that lie within at least so many of the bands.

    Parameters
    ----------
    columns
        With each score, (n,), compared in its own floating type. Where it is NaN the document isn't within its band.

    Raises
    ------
    InputError
        If there is no band, an end is NaN or missing, low is above high, or at_least lies outside 1 to the number of
        bands.
    """
    limits = bands(params)
    outside: BoolArray = np.stack(
        [
            np.logical_or.reduce(
                [np.isnan(columns[score]), *(breaks(columns[score], rule) for rule in rules)]
            )
            for score, rules in zip(params.scores, limits, strict=True)
        ]
    )
    n_within = len(limits) - outside.sum(axis=0)

    def explain(i: int) -> str:
        told = "; ".join(_why(columns, params.scores[b], limits[b], i) for b in np.flatnonzero(outside[:, i]))
        return (
            f"lies within {n_within[i]} of {len(limits)} bands, at least {params.at_least} are needed: {told}"
        )

    return Selection(n_within >= params.at_least, explain)


def bands(params: VoteParams) -> list[tuple[Rule, ...]]:
    """The limits of each band.

    Raises
    ------
    InputError
        As `select_vote`, but of an end that is NaN.
    """
    n = len(params.scores)
    if not n:
        raise InputError("scores is empty; name at least one, or drop the step")
    if not 1 <= params.at_least <= n:
        raise InputError(f"at_least must lie in 1..{n} (the number of bands), got {params.at_least}")
    for name, ends in (("lows", params.lows), ("highs", params.highs)):
        if len(ends) not in (0, n):
            raise InputError(
                f"{name} must be one a score, got {len(ends)} for {n}; write null (open) for an open side"
            )
    lows, highs = params.lows or (None,) * n, params.highs or (None,) * n
    limits = []
    for score, low, high in zip(params.scores, lows, highs, strict=True):
        check_range(low, high)
        below = () if low is None else (Rule(score, ">=", low),)
        above = () if high is None else (Rule(score, "<=", high),)
        limits.append((*below, *above))
    return limits


def _why(columns: Columns, score: str, rules: tuple[Rule, ...], i: int) -> str:
    value = columns[score][i]
    broken = [rule for rule in rules if breaks(columns[score][i : i + 1], rule)[0]]
    return tell(value, broken[0]) if broken else f"{score} is not defined for this document"


SPEC = SelectorSpec(
    name="vote",
    version=1,
    title="Keep documents that lie within enough of several bands",
    scope="row",
    params=VoteParams,
    needs=lambda params: tuple(dict.fromkeys(params.scores)),
    score_params=("scores",),
    select=select_vote,
    reads_missing=True,
    about="Filters in a row keep what all of them let pass, and lose a document for one bad number. A vote of any two "
    "of three forgives one; a vote of one keeps what any band lets pass. Scores of the same thing vote twice.",
    help={
        "scores": "names of the scores, one a band",
        "lows": "lower ends of the bands, in the order of the scores; null (in the bench: open) for an open side",
        "highs": "upper ends of the bands, likewise",
        "at_least": "how many bands a document must lie within",
    },
)
