"""Keep the best of a score until a share of the documents or tokens is reached."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from workbench.selectors.base import Columns, Selection, SelectorSpec, State
from workbench.selectors.budget import Unit, budget_needs, gumbel, rank_of, ranked


@dataclass(frozen=True)
class RankParams:
    """Parameters of `select_rank`.

    Attributes
    ----------
    score
        The score's name.
    keep_fraction
        In 0..1, of what the steps before left.
    first
        "highest" or "lowest": which end of the score is kept.
    unit
        "documents" or "tokens".
    draw
        "top": the best themselves. "gumbel": a draw without replacement that takes the score for a log-weight
        ("lowest": for minus one).
    """

    score: str
    keep_fraction: float = 0.5
    first: Literal["highest", "lowest"] = "highest"
    unit: Unit = "documents"
    draw: Literal["top", "gumbel"] = "top"


def scan_rank(columns: Columns, params: RankParams, state: State, seed: int) -> Columns:
    """`rank`, int64 (n,): 0 for the document that is kept first."""
    key = np.array(columns[params.score], dtype=np.float64)
    if params.first == "lowest":
        key = -key
    if params.draw == "gumbel":
        key += gumbel(seed, list(columns["doc_id"]), "rank")
    return {"rank": rank_of(columns, key)}


def select_rank(columns: Columns, params: RankParams, state: State, seed: int) -> Selection:
    """Keep the first documents by rank until `keep_fraction` of all documents or tokens is reached.

    Parameters
    ----------
    columns
        The score, (n,), and `rank` as `scan_rank` gives it.

    Raises
    ------
    InputError
        If keep_fraction lies outside 0..1.

    Notes
    -----
    The draw is Gumbel top-k (Kool et al. 2019, arXiv:1903.06059): without replacement, in proportion to exp(score).
    """
    values, rank = columns[params.score], columns["rank"]
    is_drawn = params.draw == "gumbel"
    share, unit = params.keep_fraction, params.unit
    return ranked(columns, values, rank, share, unit, params.score, is_drawn=is_drawn)


SPEC = SelectorSpec(
    name="rank",
    version=1,
    title="Keep the best of a score up to a share of the documents or tokens",
    scope="column",
    params=RankParams,
    needs=lambda params: tuple(dict.fromkeys((params.score, *budget_needs(params.unit)))),
    select=select_rank,
    scan=scan_rank,
    scan_params=("score", "first", "draw"),
    about="The cut that most methods end in. A share is exact where a band at a quantile of the sample is an "
    "estimate; a band in turn decides each document on its own. By n_tokens it is the baseline that keeps "
    "the longest (random is almost all you need, 2024), which on large pools of instructions was the steadiest: cap "
    "documents at the training context first.",
    help={
        "score": "name of the score",
        "keep_fraction": "share to keep, 0 to 1",
        "first": "which end of the score is kept: highest or lowest",
        "unit": "what the share is of: documents or tokens",
        "draw": "top: the best themselves; gumbel: drawn without replacement, the score being a log-weight",
    },
)
