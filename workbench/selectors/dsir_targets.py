"""DSIR with the targets apart: each draws its part of the documents by its own importance weights."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from workbench.checks import FloatArray, check_fraction
from workbench.errors import InputError
from workbench.selectors.base import DESIGN_WEIGHT, Columns, Selection, SelectorSpec, State
from workbench.selectors.budget import gumbel, rank_of

_WEIGHTS = "dsir_target_log_weights"


@dataclass(frozen=True)
class DsirTargetsParams:
    """Parameters of `select_dsir_targets`.

    Attributes
    ----------
    keep_fraction
        In 0..1, of the documents that the steps before left and that have weights.
    proportions
        The part of each target, 0 or more, in the alphabetical order of the target's sources; they are divided by their
        sum. Empty: by the targets' n-grams, as in the package.
    top_k
        Keep those of the largest weights instead of drawing.
    """

    keep_fraction: float = 0.1
    proportions: tuple[float, ...] = ()
    top_k: bool = False


def target_quotas(total: int, shares: FloatArray) -> list[int]:
    """How many documents each target is given: its part rounded down, and the last one the rest, as in the package.

    Examples
    --------
    >>> target_quotas(10, np.array([0.34, 0.33, 0.33]))
    [3, 3, 4]
    """
    quotas = [int(total * share) for share in shares.tolist()]
    quotas[-1] += total - sum(quotas)
    return quotas


def select_dsir_targets(columns: Columns, params: DsirTargetsParams, state: State, seed: int) -> Selection:
    """Let each target in turn draw its documents, without replacement, in proportion to exp(log-weight for it).

    Parameters
    ----------
    columns
        `dsir_target_log_weights` (n, k) and DESIGN_WEIGHT (n,).
    state
        Of that score: `n_grams` (k,), the size of each target.

    Raises
    ------
    InputError
        If keep_fraction lies outside 0..1, or the proportions aren't k numbers of 0 and more with a sum above 0.

    Notes
    -----
    Xie et al. 2023, arXiv:2302.03169; `separate_targets` of the package data-selection. A target that comes later
    chooses among what those before it left.
    """
    check_fraction("keep_fraction", params.keep_fraction)
    log_weights, weight = columns[_WEIGHTS], np.asarray(columns[DESIGN_WEIGHT], dtype=np.float64)
    shares = _shares(params, state)
    n, k = len(weight), len(shares)
    total = int(np.floor(params.keep_fraction * weight.sum() + 0.5))
    keep = np.zeros(n, dtype=bool)
    for target, quota in enumerate(target_quotas(total, shares)):
        key = np.asarray(log_weights[:, target], dtype=np.float64)
        if not params.top_k:
            key = key + gumbel(seed, list(columns["doc_id"]), f"dsir_targets:{target}")
        order = np.argsort(rank_of(columns, key))
        order = order[~keep[order]]
        used = np.cumsum(weight[order])
        keep[order[used - weight[order] / 2 <= quota * (1 + 1e-9)]] = True
    best = log_weights.argmax(axis=1)

    def explain(i: int) -> str:
        told = "is the largest choice of" if params.top_k else "is drawn by"
        return (
            f"{told} none of the {k} targets; its largest log-weight is {log_weights[i, best[i]]:.6g}, for target "
            f"number {best[i] + 1}"
        )

    return Selection(keep, explain)


def _shares(params: DsirTargetsParams, state: State) -> FloatArray:
    given = np.asarray(params.proportions or state["n_grams"], dtype=np.float64)
    k = len(state["n_grams"])
    if given.shape != (k,) or not (given >= 0).all() or not 0 < given.sum() < np.inf:
        raise InputError(
            f"proportions must be {k} numbers of 0 and more, one a source of the target, got {params.proportions}; "
            "leave them out for the sizes of the targets"
        )
    return np.asarray(given / given.sum())


SPEC = SelectorSpec(
    name="dsir_targets",
    version=1,
    title="DSIR, targets apart: each source of the target draws its part of the documents",
    paper="Xie et al. 2023, arXiv:2302.03169",
    scope="column",
    params=DsirTargetsParams,
    needs=lambda params: (_WEIGHTS, DESIGN_WEIGHT),
    select=select_dsir_targets,
    state_of=_WEIGHTS,
    score_params=(),
    about="As `dsir`, for a target of several kinds: `dsir` compares with all of them mixed, so what resembles the "
    "mixture wins; here each kind draws its own, in proportion to its size or as told. The sources of the target are "
    "its kinds. The last ones choose among what is left. A weight is a sum over the document, so length counts, and "
    "copies are kept all alike: remove them first.",
    help={
        "keep_fraction": "share to keep of the documents that have weights, 0 to 1",
        "proportions": "part of each source of the target, in alphabetical order; empty: by their sizes",
        "top_k": "keep the largest weights instead of drawing",
    },
)
