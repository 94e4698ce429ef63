"""A budget as a person asks for it: how much of what, and what may move to meet it. No widget."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from widgets.state import BenchState
from workbench.checks import FloatArray
from workbench.engine.solve_budget import Side, parse_amount
from workbench.errors import InputError
from workbench.selectors.budget import Unit

Of = Literal["sample", "corpus"]


@dataclass(frozen=True)
class Rule:
    """What one source may hold of the budget, each share in 0..1, and how often it is repeated."""

    floor: float = 0.0
    cap: float = 1.0
    repeat: float = 1.0


@dataclass(frozen=True)
class Ask:
    """A budget, and what may move to meet it.

    Attributes
    ----------
    amount
        As typed: "30 B", "1,500", "25 %".
    unit, of
        What the amount counts: documents or tokens, of the sample or of the corpus that it stands for.
    how
        "handle": one side of the band on `score`. "mix": the best by the average rank of `scores`.
    draw, temperature, fill, rules
        Of a mix; see `SourceBudgetParams`.
    """

    amount: str = "50 %"
    unit: Unit = "tokens"
    of: Of = "sample"
    how: Literal["handle", "mix"] = "handle"
    score: str | None = None
    side: Side = "high"
    scores: tuple[str, ...] = ()
    weights: tuple[float, ...] = ()
    draw: Literal["top", "gumbel"] = "top"
    temperature: float = 0.1
    fill: Literal["best", "proportional"] = "best"
    rules: Mapping[str, Rule] = field(default_factory=dict)


def amounts(state: BenchState, unit: Unit, of: Of) -> FloatArray:
    """What each document counts, float64 (n,).

    Raises
    ------
    InputError
        If tokens are asked for and not counted.
    """
    table = state.loaded
    amount = np.ones(len(table))
    if unit == "tokens":
        tokens = state.groups.tokens
        if tokens is None:
            raise InputError("a budget of tokens needs n_tokens; compute it on the Load tab")
        amount = tokens.astype(np.float64)
    return amount * table.weights if of == "corpus" else amount


def target_of(ask: Ask, amount: FloatArray) -> float:
    """The budget as a number of what `amount` counts.

    Raises
    ------
    InputError
        If the amount can't be read.
    """
    number, is_share = parse_amount(ask.amount)
    return number * float(amount.sum()) if is_share else number
