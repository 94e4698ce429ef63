"""Keep the best by the average of their ranks under several scores: the general way to put scores together."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from workbench.checks import Array, FloatArray
from workbench.errors import InputError
from workbench.selectors.base import DESIGN_WEIGHT, Columns, Selection, SelectorSpec, State
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


def rank_share(values: Array, amount: FloatArray) -> npt.NDArray[np.float64]:
    """The share of all documents that lie below each one, those with an equal value counting half; (n,), in 0..1.

    Parameters
    ----------
    values
        (n,), no NaN.
    amount
        (n,), above 0: how many documents each stands for.

    Examples
    --------
    >>> rank_share(np.array([3.0, 1.0, 3.0, 8.0]), np.ones(4)).tolist()
    [0.5, 0.125, 0.5, 0.875]
    """
    _, group = np.unique(values, return_inverse=True)
    of_group = np.bincount(group, weights=amount)
    middle = np.cumsum(of_group) - of_group / 2
    return np.asarray((middle / max(of_group.sum(), math.ulp(0.0)))[group])


def scan_rank_average(columns: Columns, params: RankAverageParams, state: State, seed: int) -> Columns:
    """`average` float64 (n,), in 0..1, higher kept first; and `rank`, int64 (n,): 0 for the document kept first.

    Raises
    ------
    InputError
        If there is no score, one is named twice, or weights aren't one a score, each a number other than 0.
    """
    weights = _weights(params)
    total = sum(map(abs, weights))
    average = np.zeros(len(columns["doc_id"]))
    for name, weight in zip(params.scores, weights, strict=True):
        share = rank_share(columns[name], columns[DESIGN_WEIGHT])
        average += abs(weight) / total * (share if weight > 0 else 1 - share)
    # Sums of the same shares in another order tie, up to rounding.
    return {"average": average, "rank": rank_of(columns, np.round(average, 12))}


def _weights(params: RankAverageParams) -> tuple[float, ...]:
    scores, weights = params.scores, params.weights or (1.0,) * len(params.scores)
    if not scores:
        raise InputError("scores is empty; name at least one, or drop the step")
    if len(set(scores)) < len(scores):
        twice = next(name for name in scores if scores.count(name) > 1)
        raise InputError(f"scores names {twice} twice; name it once and give it a larger weight")
    if len(weights) != len(scores):
        raise InputError(
            f"weights must be one a score, got {len(weights)} for {len(scores)}; leave it out for equal ones"
        )
    for name, weight in zip(scores, weights, strict=True):
        if not math.isfinite(weight) or weight == 0:
            raise InputError(
                f"the weight of {name} must be a number other than 0, got {weight:g}; leave the score out"
            )
    return weights


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
