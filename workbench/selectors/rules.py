"""Rules of heuristic filters: one score against one limit each, and every rule that a document breaks is told."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from workbench.checks import Array, BoolArray
from workbench.errors import InputError
from workbench.selectors.base import Columns, Selection

_ASKED = {">=": "at least", "<=": "at most", ">": "above", "<": "below"}
_TOLD = {">=": "is below", "<=": "is above", ">": "is not above", "<": "is not below"}


@dataclass(frozen=True)
class Rule:
    """What a document must fulfil to be kept.

    Attributes
    ----------
    score
        The score that is looked at.
    keeps
        How the score must stand to the limit: ">=" and "<=" let the limit itself pass, ">" and "<" don't.
    limit
        In the score's unit.
    missing
        Whether a document without the score (NaN) fails the rule or passes it.
    """

    score: str
    keeps: Literal[">=", "<=", ">", "<"]
    limit: float
    missing: Literal["fails", "passes"] = "fails"


def rule_needs(rules: Iterable[Rule]) -> tuple[str, ...]:
    """The scores that the rules look at, each once."""
    return tuple(dict.fromkeys(rule.score for rule in rules))


def apply_rules(columns: Columns, rules: Iterable[Rule]) -> Selection:
    """Keep the documents that break no rule.

    Parameters
    ----------
    columns
        What `rule_needs` names, each floating (n,). A score is compared in its own type: what is exactly 0.1 is stored
        as the float32 next to 0.1, and "<= 0.1" holds for it.
    rules
        At least one. All are looked at, so that a reason names each one that is broken.

    Raises
    ------
    InputError
        If a limit is NaN, which nothing is above or below, or nothing can fulfil the rules.
    """
    rules = tuple(rules)
    _check_limits(rules)
    broken: BoolArray = np.stack([breaks(columns[rule.score], rule) for rule in rules])

    def explain(i: int) -> str:
        return "; ".join(tell(columns[rules[r].score][i], rules[r]) for r in np.flatnonzero(broken[:, i]))

    keep: BoolArray = np.logical_not(np.any(broken, axis=0))
    return Selection(keep, explain)


def _check_limits(rules: tuple[Rule, ...]) -> None:
    """Raise InputError if no number fulfils the rules on some score; one that ends in _fraction lies in 0..1."""
    for rule in rules:
        if np.isnan(rule.limit):
            raise InputError(
                f"the limit of {rule.score} must be a number, got nan; leave it out for the published one"
            )
        if rule.score.endswith("_fraction") and not any(_holds(end, rule) for end in (0.0, 1.0)):
            raise InputError(
                f"{rule.score} lies in 0..1 and can't be {_asked(rule)}; give a fraction, not a percentage"
            )
    lower, upper = ([rule for rule in rules if rule.keeps.startswith(sign)] for sign in "><")
    for low in lower:
        for high in upper:
            # The one number that both let pass, if any does, is a limit itself.
            if low.score == high.score and low.limit >= high.limit and not _holds(low.limit, high, low):
                raise InputError(
                    f"{low.score} can't be {_asked(low)} and {_asked(high)}; give one that lies below the other"
                )


def _holds(value: float, *rules: Rule) -> bool:
    return not any(breaks(np.array([value]), rule)[0] for rule in rules)


def _asked(rule: Rule) -> str:
    return f"{_ASKED[rule.keeps]} {rule.limit:g}"


def breaks(values: Array, rule: Rule) -> BoolArray:
    """Which documents break a rule, bool (n,), by the values of its score, (n,)."""
    with np.errstate(invalid="ignore", over="ignore"):
        limit = values.dtype.type(rule.limit)
        if rule.keeps == ">=":
            holds = values >= limit
        elif rule.keeps == "<=":
            holds = values <= limit
        else:
            holds = values > limit if rule.keeps == ">" else values < limit
    fails = ~holds
    if rule.missing == "passes":
        fails &= ~np.isnan(values)
    return np.asarray(fails, dtype=bool)


def tell(value: float, rule: Rule) -> str:
    """Why a value breaks a rule, in words."""
    if np.isnan(value):
        return f"{rule.score} is not defined for this document"
    return f"{rule.score} {value:.6g} {_TOLD[rule.keeps]} {rule.limit:.6g}"
