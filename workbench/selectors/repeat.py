"""Intelligent repetition: go over what is left as often as a budget of tokens lasts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from workbench.checks import FloatArray, keyed_uniform
from workbench.errors import InputError
from workbench.selectors.base import DESIGN_WEIGHT, Columns, Selection, SelectorSpec, State
from workbench.selectors.budget import keep_first, rank_of


@dataclass(frozen=True)
class RepeatParams:
    """Parameters of `select_repeat`.

    Attributes
    ----------
    epochs
        How often to go over the tokens that are there, above 0; no whole number is needed.
    token_budget
        T in its place, the tokens to train on, above 0: tokens of the corpus, not of its sample. None: `epochs`.
    """

    epochs: float = 1.0
    token_budget: float | None = None


def scan_repeat(columns: Columns, params: RepeatParams, state: State, seed: int) -> Columns:
    """`rank`, int64 (n,): the place of each document in the epoch that ends early, by a keyed hash of its id."""
    return {"rank": rank_of(columns, keyed_uniform(seed, list(columns["doc_id"]), "repeat"))}


def select_repeat(columns: Columns, params: RepeatParams, state: State, seed: int) -> Selection:
    """Give each document the number of epochs for which a budget of tokens lasts, as its repeat weight.

    Parameters
    ----------
    columns
        `n_tokens` and DESIGN_WEIGHT, (n,), and `rank` as `scan_repeat` gives it.

    Returns
    -------
    Selection
        With N tokens there, the weight of each document is the whole number of times that N goes into the budget, and
        one more for those that the last epoch has before it ends: never more tokens than the budget. What has weight 0
        is dropped, which happens only where the budget is less than what is there.

    Raises
    ------
    InputError
        If epochs or token_budget isn't above 0, or infinite.

    Notes
    -----
    Tirumala et al. 2023, arXiv:2308.12284: where the selected documents have fewer tokens than are trained on, go over
    them again rather than to documents that were not selected.
    """
    for name, given in (("epochs", params.epochs), ("token_budget", params.token_budget)):
        if given is not None and not 0 < given < np.inf:
            raise InputError(f"{name} must be above 0, got {given:g}; 1 epoch trains on each document once")
    tokens: FloatArray = np.asarray(columns[DESIGN_WEIGHT], dtype=np.float64) * columns["n_tokens"]
    total = float(tokens.sum())
    epochs = params.epochs
    if params.token_budget is not None:
        # Documents without a token cost nothing in whatever number of epochs.
        epochs = params.token_budget / total if total > 0 else 1.0
    n_whole = int(epochs + 1e-9)
    rest = max(epochs - n_whole, 0.0)
    in_last = (
        keep_first(columns, columns["rank"], rest, "tokens") if rest > 0 else np.zeros(len(tokens), bool)
    )
    weight = (n_whole + in_last).astype(np.float64)
    return Selection(
        weight > 0,
        lambda i: (
            f"the budget of {epochs * total:,.0f} tokens is less than the {total:,.0f} that are there, and ends before "
            f"this document, number {columns['rank'][i] + 1:,} in the draw"
        ),
        weight=weight,
        score=-columns["rank"].astype(np.float64),
    )


SPEC = SelectorSpec(
    name="repeat",
    version=1,
    title="Go over what is left as often as a budget of tokens lasts (D4's intelligent repetition)",
    paper="Tirumala et al. 2023, arXiv:2308.12284",
    scope="column",
    params=RepeatParams,
    needs=lambda params: ("n_tokens", DESIGN_WEIGHT),
    select=select_repeat,
    scan=scan_repeat,
    scan_params=(),
    score_params=(),
    about="Put it last: it chooses nothing, and the column `weight` says how many times each document is trained on. "
    "D4's paper: several epochs over its selection beat one epoch over random documents, while several epochs over "
    "random documents are worse than one. To compare, repeat a random set of as many tokens (`random_budget`). The "
    "budget counts tokens of the corpus by the score n_tokens; where it is less than what is left, a random part is "
    "kept. It says nothing of how many epochs are too many. `workbench pack` packs each document as often.",
    assumed=("The last epoch, for which the budget doesn't last, has random documents up to it.",),
    help={
        "epochs": "how often to go over what is left; need not be whole",
        "token_budget": "tokens of the corpus to train on, in place of epochs; open: epochs",
    },
)
