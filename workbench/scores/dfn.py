"""A learned filter: how much a document looks like the curated target, and how little like the sample."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from workbench.checks import Array, check_at_least
from workbench.errors import InputError
from workbench.scores.base import Inputs, ScoreSpec, State, as_column


@dataclass(frozen=True)
class DfnParams:
    """How the filter is trained.

    Attributes
    ----------
    inverse_penalty
        C of scikit-learn's LogisticRegression, above 0: the larger, the less the coefficients are held back.
    """

    inverse_penalty: float = 1.0


def fit(inputs: Inputs, params: DfnParams, seed: int) -> State:
    """Logistic regression that tells the target's vectors (1) from the sample's (0), both classes counting alike.

    Returns
    -------
    coefficients : float64 (d,)
    intercept : float64 (1,)

    Raises
    ------
    InputError
        If inverse_penalty isn't above 0, no target text has a vector, or theirs are of another length.
    """
    from sklearn.linear_model import LogisticRegression

    from workbench.models.geometry.rows import unit_rows

    check_at_least("inverse_penalty", params.inverse_penalty, 1e-12)
    assert inputs.target is not None
    x, target = inputs.columns["embedding"], inputs.target.columns["embedding"]
    if not len(target) or target.shape[1] != x.shape[1]:
        raise InputError(
            f"the target needs a text with a vector of {x.shape[1]} numbers, got vectors of shape {target.shape}"
        )
    rows = np.concatenate([unit_rows(x), unit_rows(target)]).astype(np.float64)
    is_target = np.arange(len(rows)) >= len(x)
    found = LogisticRegression(
        C=params.inverse_penalty, class_weight="balanced", tol=1e-8, max_iter=10_000
    ).fit(rows, is_target)
    return {
        "coefficients": np.ascontiguousarray(found.coef_[0]),
        "intercept": np.asarray(found.intercept_, dtype=np.float64),
    }


def compute(inputs: Inputs, params: DfnParams, state: State) -> Mapping[str, Array]:
    """`dfn_logit`, float32 (n,): log-odds that a document is of the target.

    Notes
    -----
    Fang et al. 2023, arXiv:2309.17425, train a small filter model on small, clean data and keep what it scores highest.
    There it is a CLIP model, here a linear one on the embedder's vectors.
    """
    from workbench.models.geometry.rows import unit_rows

    rows = unit_rows(inputs.columns["embedding"]).astype(np.float64)
    # summed row by row, so that a document's number doesn't depend on its neighbours
    return {"dfn_logit": as_column((rows * state["coefficients"]).sum(axis=1) + state["intercept"])}


SPECS: tuple[ScoreSpec, ...] = (
    ScoreSpec(
        name="dfn_logit",
        version=1,
        title="Log-odds that a text is of the target and not of the sample, by a linear filter on the embedding",
        unit="nats",
        better="higher",
        needs=("embedding", "target"),
        compute=compute,
        params=DfnParams,
        fit=fit,
        paper="Fang et al. 2023, arXiv:2309.17425",
        status="experimental",
    ),
)
