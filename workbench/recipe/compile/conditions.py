"""What the steps of a recipe ask of one document's scores, as data that any target writes in its own words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from workbench.errors import InputError
from workbench.recipe.model import Recipe, Step
from workbench.scores import SCORES
from workbench.selectors.band import BandParams, constant
from workbench.selectors.category import CategoryParams
from workbench.selectors.rules import Rule
from workbench.selectors.vote import VoteParams, bands


@dataclass(frozen=True)
class Limit:
    """A score against a limit, in the score's own floating type.

    Attributes
    ----------
    score
        The column.
    keeps
        How the score must stand to the limit: ">=", "<=", ">" or "<".
    limit
        numpy float32 or float64, as the score is stored: a document at 0.3 has the float32 next to 0.3.
    missing
        Whether a document without the score (NaN or null) fulfils it.
    """

    score: str
    keeps: str
    limit: np.floating
    missing: bool


@dataclass(frozen=True)
class Scored:
    """The document has the score: it is neither NaN nor null."""

    score: str


@dataclass(frozen=True)
class OneOf:
    """A column of labels holds one of `values`; null is none of them."""

    column: str
    values: tuple[str, ...]


@dataclass(frozen=True)
class AtLeast:
    """At least `n` of the conditions hold; all of them where `n` is their number, also of none."""

    n: int
    parts: tuple[Condition, ...]


Condition = Limit | Scored | OneOf | AtLeast


def every(*parts: Condition) -> AtLeast:
    """All conditions hold; those that are of that kind themselves stand beside the others."""
    flat: list[Condition] = []
    for part in parts:
        flat += part.parts if isinstance(part, AtLeast) and part.n == len(part.parts) else (part,)
    return AtLeast(len(flat), tuple(flat))


def condition(recipe: Recipe) -> AtLeast:
    """What a document must fulfil to be kept, one part a step; those that are off ask for nothing.

    A document about which the recipe doesn't decide (its score is NaN and the step doesn't say what to do with it;
    `apply` quarantines it) isn't kept.

    Parameters
    ----------
    recipe
        With its quantiles resolved, as `workbench.engine.select.fit` leaves it.

    Raises
    ------
    InputError
        If a step looks at anything but the scores of the document itself: all such steps are named, none is
        approximated.
    InputError
        If a quantile isn't resolved, or a param is out of range.
    """
    steps = list(enumerate(recipe.steps, 1))
    refused = [f"{i} ({step.select})" for i, step in steps if not step.off and not is_expressible(step)]
    if refused:
        which = f"step {refused[0]} looks" if len(refused) == 1 else f"steps {_listed(refused)} look"
        raise InputError(
            f"{which} beyond the stored scores of one document, which an expression can't; "
            "switch off what does, or write the kept ids or a manifest"
        )
    return every(*(_step(step) for step in recipe.active.steps))


def is_expressible(step: Step) -> bool:
    """Whether the step asks only for limits on scores, or for labels."""
    known = isinstance(step.params, BandParams | CategoryParams | VoteParams)
    return known or _rules(step) is not None


def _rules(step: Step) -> tuple[Rule, ...] | None:
    return None if step.spec.rules is None else step.spec.rules(step.params)


def columns(whole: Condition) -> tuple[str, ...]:
    """The columns that a condition reads, each once."""
    return tuple(dict.fromkeys(_columns(whole)))


def _columns(whole: Condition) -> Iterator[str]:
    if isinstance(whole, AtLeast):
        for part in whole.parts:
            yield from _columns(part)
    else:
        yield whole.column if isinstance(whole, OneOf) else whole.score


def _step(step: Step) -> Condition:
    # The selector itself says which params it refuses.
    none = {name: np.zeros(0, dtype=_dtype(name)) for name in ("doc_id", *step.needs)}
    step.spec.run(none, step.params, {}, 0)
    params = step.params
    if isinstance(params, BandParams):
        return _band(params)
    if isinstance(params, CategoryParams):
        return OneOf(params.score, params.values)
    if isinstance(params, VoteParams):
        pairs = zip(params.scores, bands(params), strict=True)
        return AtLeast(params.at_least, tuple(_within(score, map(_limit, rules)) for score, rules in pairs))
    rules = _rules(step)
    assert rules is not None
    return every(*map(_limit, rules))


def _band(params: BandParams) -> Condition:
    missing = params.unscored == "keep"
    low, high = constant(params.low), constant(params.high)
    rules = [] if low is None else [Rule(params.score, ">=", low)]
    rules += [] if high is None else [Rule(params.score, "<=", high)]
    limits = [_limit(rule, missing) for rule in rules]
    return every(*limits) if missing else _within(params.score, limits)


def _within(score: str, limits: Iterable[Limit]) -> Condition:
    """All limits, none of which a document without the score fulfils; of none, that it has the score."""
    given = tuple(limits)
    return every(*given) if given else Scored(score)


def _limit(rule: Rule, missing: bool | None = None) -> Limit:
    with np.errstate(over="ignore"):
        limit = _dtype(rule.score).type(rule.limit)
    return Limit(rule.score, rule.keeps, limit, rule.missing == "passes" if missing is None else missing)


def _dtype(name: str) -> np.dtype:
    labelled = name not in SCORES or bool(SCORES[name].labels)
    return np.dtype(object if labelled else SCORES[name].dtype)


def _listed(names: list[str]) -> str:
    return f"{', '.join(names[:-1])} and {names[-1]}"
