"""Keep the documents whose score lies in a band: the threshold that a slider moves."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from workbench.checks import Array, FloatArray, check_fraction, check_range
from workbench.errors import InputError
from workbench.selectors.base import Columns, Quantile, Selection, SelectorSpec, State, Threshold


@dataclass(frozen=True)
class BandParams:
    """Parameters of `select_band`.

    Attributes
    ----------
    score
        The score's name.
    low, high
        Both ends belong to the band; a number, `{"quantile": q}` of the sample, or None for an open side.
    unscored
        What becomes of documents whose score is NaN: "error" (the default: the recipe has to say), "keep",
        "drop".
    """

    score: str
    low: Threshold = None
    high: Threshold = None
    unscored: Literal["error", "keep", "drop"] = "error"


def resolve_band(columns: Columns, params: BandParams, sample_weight: FloatArray) -> BandParams:
    """Fill the value of each quantile: the smallest score that at least that share of the corpus lies at or
    below.

    Quantiles are taken over all scorable documents of the sample, each weighted by the corpus documents that
    it stands for, so moving another step never moves this threshold.

    Raises
    ------
    InputError
        If no document of the sample has the score.
    """
    return replace(
        params,
        low=_resolve(params.low, params.score, columns, sample_weight),
        high=_resolve(params.high, params.score, columns, sample_weight),
    )


def _resolve(bound: Threshold, score: str, columns: Columns, weight: FloatArray) -> Threshold:
    if not isinstance(bound, Quantile):
        return bound
    check_fraction("quantile", bound.quantile)
    if bound.value is not None:
        return bound
    values = columns[score]
    scored = ~np.isnan(values)
    if not scored.any():
        raise InputError(
            f"{score} is not defined for any document of the sample; give a constant, not a quantile"
        )
    value = np.quantile(values[scored], bound.quantile, method="inverted_cdf", weights=weight[scored])
    return replace(bound, value=float(value))


def constant(bound: Threshold) -> float | None:
    """The number that a threshold stands for, None for an open side.

    Raises
    ------
    InputError
        If it is a quantile that was not resolved on a sample yet.
    """
    if isinstance(bound, Quantile):
        if bound.value is None:
            raise InputError(
                f"quantile {bound.quantile:g} has no value yet; resolve the recipe on a sample first"
            )
        return bound.value
    return None if bound is None else float(bound)


def select_band(columns: Columns, params: BandParams, state: State, seed: int) -> Selection:
    """Keep documents with `low <= score <= high`, compared in the score's own floating type.

    Parameters
    ----------
    columns
        With the score, (n,).

    Returns
    -------
    Selection
        Documents with a NaN score are kept, dropped or named as unscored, as `params.unscored` says.

    Raises
    ------
    InputError
        If low is above high, or a quantile was not resolved.
    """
    low, high = constant(params.low), constant(params.high)
    check_range(low, high)
    values: Array = columns[params.score]
    unscored = np.isnan(values)
    below, above = np.zeros((2, len(values)), dtype=bool)
    # In the column's own type: a ratio of exactly 0.3 is stored as the float32 next to 0.3, and lies in a
    # band up to 0.3. A threshold beyond that type is infinite in it.
    as_stored = values.dtype.type
    with np.errstate(invalid="ignore", over="ignore"):
        if low is not None:
            below = values < as_stored(low)
        if high is not None:
            above = values > as_stored(high)
    keep = ~(below | above)
    keep[unscored] = params.unscored != "drop"

    def explain(i: int) -> str:
        if unscored[i]:
            return f"{params.score} is not defined for this document"
        if below[i]:
            return f"{params.score} {values[i]:.6g} is below {low:.6g}"
        return f"{params.score} {values[i]:.6g} is above {high:.6g}"

    undecided = unscored if params.unscored == "error" and unscored.any() else None
    return Selection(keep, explain, unscored=undecided)


SPEC = SelectorSpec(
    name="band",
    version=1,
    title="Keep documents whose score lies between two thresholds",
    scope="row",
    params=BandParams,
    needs=lambda params: (params.score,),
    select=select_band,
    resolve=resolve_band,
    reads_missing=True,
    help={
        "score": "name of the score",
        "low": "lower threshold: a number, a quantile of the sample, or open",
        "high": "upper threshold: a number, a quantile of the sample, or open",
        "unscored": "documents without the score: error, keep or drop",
    },
)
