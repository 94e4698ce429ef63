"""Keep the best by the average of their ranks under several scores: the general way to put scores together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from workbench.selectors.average import average_rank
from workbench.selectors.base import Columns, Selection, SelectorSpec, State
from workbench.selectors.budget import Unit, budget_needs, end_of_cut, keep_first, rank_of


@dataclass(frozen=True)
class RankAverageParams:
    """Parameters of `select_rank_average`.

    Attributes
    ----------
    scores
        The names of the scores, each once.
    weights
        One number a score, none of them 0: how much it counts; below 0 where its lowest values are kept first. Empty: 1
        for each.
    keep_fraction
        In 0..1, of what the steps before left.
    unit
        "documents" or "tokens".
    """

    scores: tuple[str, ...]
    weights: tuple[float, ...] = ()
    keep_fraction: float = 0.5
    unit: Unit = "documents"


def scan_rank_average(columns: Columns, params: RankAverageParams, state: State, seed: int) -> Columns:
    """`average` float64 (n,), in 0..1, higher kept first; and `rank`, int64 (n,): 0 for the document kept first.

    Raises
    ------
    InputError
        If there is no score, one is named twice, or weights aren't one a score, each a number other than 0.
    """
    average = average_rank(columns, params.scores, params.weights)
    # Sums of the same shares in another order tie, up to rounding.
    return {"average": average, "rank": rank_of(columns, np.round(average, 12))}


def select_rank_average(columns: Columns, params: RankAverageParams, state: State, seed: int) -> Selection:
    """Keep the first documents by average rank until `keep_fraction` of all documents or tokens is reached.

    Parameters
    ----------
    columns
        What `scan_rank_average` gives, and what the budget reads.

    Raises
    ------
    InputError
        If keep_fraction lies outside 0..1.

    Notes
    -----
    Ties have their mean rank. On a sample a document counts as many as it stands for, so that ranks are those of the
    corpus. A document that lacks one of the scores is dropped for that before.
    """
    average, rank = columns["average"], columns["rank"]
    keep = keep_first(columns, rank, params.keep_fraction, params.unit)
    n, what, ends = len(keep), " and ".join(params.scores), end_of_cut(columns, keep, rank, params.unit)
    return Selection(
        keep,
        lambda i: (
            f"the average rank {average[i]:.4f} of {what} (1 is best) has place {rank[i] + 1:,} of {n:,}, "
            f"{ends}"
        ),
        score=-rank.astype(np.float64),
    )


SPEC = SelectorSpec(
    name="rank_average",
    version=1,
    title="Keep the best by the weighted average of their ranks under several scores",
    paper="after Carlini, Erlingsson and Papernot 2019, arXiv:1910.13427",
    status="variant",
    scope="column",
    params=RankAverageParams,
    needs=lambda params: tuple(dict.fromkeys((*params.scores, *budget_needs(params.unit)))),
    score_params=("scores",),
    select=select_rank_average,
    scan=scan_rank_average,
    scan_params=("scores", "weights"),
    about="Puts scores of any units together: each counts by a document's rank under it, so that outliers of one don't "
    "rule. A document that is middling under all can go before one that is best under one and worst under another. "
    "Carlini et al. find that five measures of how well an example is represented agree on images. Scores that measure "
    "the same thing, such as length, count twice; look at their rank agreement first.",
    help={
        "scores": "names of the scores",
        "weights": "how much each score counts, in their order; below 0 where low is better; empty: all alike",
        "keep_fraction": "share to keep, 0 to 1",
        "unit": "what the share is of: documents or tokens",
    },
)
