"""Several scores put together by the average of their ranks, for the selectors that keep the best of a mix."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from workbench.checks import Array, FloatArray
from workbench.errors import InputError
from workbench.selectors.base import DESIGN_WEIGHT, Columns


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


def average_rank(
    columns: Columns, scores: Sequence[str], weights: Sequence[float]
) -> npt.NDArray[np.float64]:
    """The weighted average of each document's ranks, float64 (n,), in 0..1, higher kept first.

    Parameters
    ----------
    columns
        Each score, (n,), and DESIGN_WEIGHT.
    weights
        One number a score, not 0: below 0 where its lowest values are kept first. Empty: 1 for each.

    Raises
    ------
    InputError
        If there is no score, one is named twice, or weights aren't one a score, each a number other than 0.
    """
    checked = _checked(scores, weights)
    total = sum(map(abs, checked))
    average = np.zeros(len(columns["doc_id"]))
    for name, weight in zip(scores, checked, strict=True):
        share = rank_share(columns[name], columns[DESIGN_WEIGHT])
        average += abs(weight) / total * (share if weight > 0 else 1 - share)
    return average


def _checked(scores: Sequence[str], weights: Sequence[float]) -> Sequence[float]:
    weights = weights or (1.0,) * len(scores)
    if not scores:
        raise InputError("scores is empty; name at least one, or drop the step")
    if len(set(scores)) < len(scores):
        twice = next(name for name in scores if list(scores).count(name) > 1)
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
