"""Keep a random set of documents: a share of them, or at most a share of their tokens."""

from __future__ import annotations

from dataclasses import dataclass

from workbench.checks import keyed_uniform
from workbench.selectors.base import Columns, Selection, SelectorSpec, State
from workbench.selectors.budget import Unit, budget_needs, rank_of, ranked


@dataclass(frozen=True)
class RandomBudgetParams:
    """Parameters of `select_random_budget`.

    Attributes
    ----------
    keep_fraction
        In 0..1, of what the steps before left.
    unit
        "documents" or "tokens".
    """

    keep_fraction: float = 0.5
    unit: Unit = "tokens"


def scan_random_budget(columns: Columns, params: RandomBudgetParams, state: State, seed: int) -> Columns:
    """`draw`, float64 (n,) in [0, 1) by a keyed hash of the id, and `rank`, int64 (n,): 0 for the largest."""
    draw = keyed_uniform(seed, list(columns["doc_id"]), "random_budget")
    return {"draw": draw, "rank": rank_of(columns, draw)}


def select_random_budget(columns: Columns, params: RandomBudgetParams, state: State, seed: int) -> Selection:
    """Shuffle, then keep the first documents until the share is reached: of documents the nearest number, of tokens
    never more.

    Raises
    ------
    InputError
        If keep_fraction lies outside 0..1.
    """
    return ranked(
        columns, columns["draw"], columns["rank"], params.keep_fraction, params.unit, "the random draw"
    )


SPEC = SelectorSpec(
    name="random_budget",
    version=1,
    title="Keep a random set: a share of the documents, or at most a share of the tokens",
    scope="column",
    params=RandomBudgetParams,
    needs=lambda params: budget_needs(params.unit),
    reads=(),
    select=select_random_budget,
    scan=scan_random_budget,
    scan_params=(),
    about="The baseline at the same budget as a method that cuts a ranking. The step `random` gives each document "
    "the same chance, so its share is met on average only, and of tokens with more noise. Run at least three seeds. "
    "Smaller shares are subsets of larger ones.",
    help={
        "keep_fraction": "share to keep, 0 to 1",
        "unit": "what the share is of: documents or tokens",
    },
)
