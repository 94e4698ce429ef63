"""Sensitivity sampling: draw by the loss at cluster centres and the distance from them, with weights that undo it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from workbench.checks import FloatArray, check_at_least, check_fraction, keyed_uniform
from workbench.errors import InputError
from workbench.selectors.base import DESIGN_WEIGHT, Columns, Selection, SelectorSpec, State
from workbench.selectors.budget import place_in_groups, rank_of

_FLOOR = 1e-9


_LARGE, _MAX_POWER, _MAX_DRAWS = 1e12, 20.0, 1e7


@dataclass(frozen=True)
class SensitivityParams:
    """Parameters of `select_sensitivity`.

    Attributes
    ----------
    score
        The name of the loss, 0 or more. Only its values at the documents nearest to the centres are used.
    draw_fraction
        Draws as a share of the documents, in 0..1. They are made with replacement, so fewer documents are kept.
    epsilon
        The guarantee's error, above 0, in place of draw_fraction: ceil((2 + 2 epsilon / 3) / epsilon^2) draws; None:
        draw_fraction stands.
    scale
        lambda, at least 0: how much the loss may grow with the distance from a centre. Unknown in practice: try
        several.
    power
        z, at least 1: the power of the distance. 2 goes with k-means.
    """

    score: str
    draw_fraction: float = 0.1
    epsilon: float | None = None
    scale: float = 1.0
    power: float = 2.0


def scan_sensitivity(columns: Columns, params: SensitivityParams, state: State, seed: int) -> Columns:
    """What probabilities and draws follow from.

    Returns
    -------
    centre_loss : float64 (n,), the loss at the document nearest to the centre of the cluster
    by_id : int64 (n,), the rows by doc_id
    draws : float64 (n,), in 0..1, the first n draws
    """
    doc_id = np.asarray(columns["doc_id"])
    cluster = np.unique(columns["prototype_cluster"], return_inverse=True)[1].astype(np.int64)
    nearest = rank_of(columns, -np.asarray(columns["prototype_distance"], dtype=np.float64))
    place, _ = place_in_groups(nearest, cluster, np.ones(len(cluster)))
    at_centre = np.empty(int(cluster.max(initial=-1)) + 1)
    at_centre[cluster[place == 0]] = columns[params.score][place == 0]
    return {
        "centre_loss": at_centre[cluster],
        "by_id": np.argsort(doc_id, kind="stable"),
        "draws": _draws(seed, 0, len(doc_id)),
    }


def _draws(seed: int, first: int, last: int) -> FloatArray:
    return keyed_uniform(seed, [str(i) for i in range(first, last)], "sensitivity")


def sensitivities(centre_loss: FloatArray, distance: FloatArray, scale: float) -> FloatArray:
    """What probabilities are in proportion to: the centre's loss plus scale times the distance; float64 (n,).

    Where both are 0 it is a billionth of the mean, so that each document can be drawn.

    Raises
    ------
    InputError
        If a loss is below 0, or scale is.

    Examples
    --------
    >>> sensitivities(np.array([1.0, 1, 3, 3]), np.array([0.0, 2, 0, 2]), 1.0).tolist()
    [1.0, 3.0, 3.0, 5.0]
    """
    check_at_least("scale", scale, 0)
    if scale > _LARGE:
        raise InputError(f"scale must be at most {_LARGE:g}, got {scale:g}")
    low = float(np.min(centre_loss, initial=0))
    if low < 0:
        raise InputError(f"a loss must be 0 or more, got {low:g} at a centre; take another score")
    out = np.asarray(centre_loss, dtype=np.float64) + scale * np.asarray(distance, dtype=np.float64)
    mean = out.mean() if len(out) else 0.0
    return np.asarray(np.maximum(out, _FLOOR * mean if mean > 0 else 1.0))


def n_draws(epsilon: float) -> int:
    """How many draws the guarantee with error epsilon takes.

    Raises
    ------
    InputError
        If epsilon isn't above 0, or takes more than 10 million draws.

    Examples
    --------
    >>> n_draws(0.1)
    207
    """
    if not epsilon > 0:
        raise InputError(f"epsilon must be above 0, got {epsilon:g}; 0.1 takes 207 draws")
    draws = (2 + 2 * epsilon / 3) / epsilon / epsilon
    if draws > _MAX_DRAWS:
        raise InputError(
            f"epsilon {epsilon:g} takes {draws:.3g} draws, and at most {_MAX_DRAWS:g} are made; 0.1 takes 207"
        )
    return math.ceil(round(draws, 9))


def select_sensitivity(columns: Columns, params: SensitivityParams, state: State, seed: int) -> Selection:
    """Draw documents with replacement, each weighing the inverse of how often it is to be expected.

    A document drawn c times has weight c / (s p), p being its probability and s the number of draws: the weighted sum
    of losses over the selection then estimates the sum over all without bias. Without the weights nothing is
    guaranteed.

    Parameters
    ----------
    columns
        The loss, `prototype_cluster`, `prototype_distance` (cosine) and DESIGN_WEIGHT, each (n,), and what
        `scan_sensitivity` gives.

    Raises
    ------
    InputError
        If a param is out of range, or a loss at a centre is below 0.

    Notes
    -----
    Axiotis et al. 2024, arXiv:2402.17327. The distance is that of the unit vectors, sqrt(2 * cosine distance), to the
    power z. A document of a sample is drawn as often as one of the corpus would be.
    """
    check_fraction("draw_fraction", params.draw_fraction)
    check_at_least("power", params.power, 1)
    if params.power > _MAX_POWER:
        raise InputError(f"power must be at most {_MAX_POWER:g}, got {params.power:g}; 2 goes with k-means")
    weight = np.asarray(columns[DESIGN_WEIGHT], dtype=np.float64)
    # Rounding may leave a distance just below 0.
    squared = 2 * np.maximum(np.asarray(columns["prototype_distance"], dtype=np.float64), 0)
    value = sensitivities(columns["centre_loss"], squared ** (params.power / 2), params.scale)
    total = params.draw_fraction * weight.sum() if params.epsilon is None else n_draws(params.epsilon)
    expected = total * value / max(float((weight * value).sum()), 1e-300)
    count = _count(columns, expected, seed)
    s = int(count.sum())  # whole, which what is expected may not be
    share = expected / max(float(expected.sum()), 1e-300)
    repeat = np.divide(count, s * share, out=np.ones(len(count)), where=count > 0)
    return Selection(
        count > 0,
        lambda i: f"none of the {s:,} draws fell on it: its chance in each is {share[i]:.3g}",
        weight=repeat,
        score=value,
    )


def _count(columns: Columns, expected: FloatArray, seed: int) -> FloatArray:
    """How often each document is drawn, float64 (n,): draws fall on the documents by doc_id, in no order of rows."""
    s = math.floor(expected.sum() + 0.5)
    draws, by_id = columns["draws"], columns["by_id"]
    if s > len(draws):
        draws = np.concatenate([draws, _draws(seed, len(draws), s)])
    if not s:
        return np.zeros(len(expected))
    below = np.cumsum(expected[by_id])
    found = np.searchsorted(below, draws[:s] * below[-1], side="right")
    count = np.bincount(by_id[np.minimum(found, len(by_id) - 1)], minlength=len(expected))
    return count.astype(np.float64)


SPEC = SelectorSpec(
    name="sensitivity",
    version=1,
    title="Sensitivity sampling: draws by loss at cluster centres, with weights",
    paper="Axiotis et al. 2024, arXiv:2402.17327",
    scope="column",
    params=SensitivityParams,
    needs=lambda params: tuple(
        dict.fromkeys((params.score, "prototype_distance", "prototype_cluster", DESIGN_WEIGHT))
    ),
    reads=("embedding", "score"),
    select=select_sensitivity,
    scan=scan_sensitivity,
    scan_params=("score",),
    about="A small weighted set whose loss stands for that of all documents: what lies in clusters of high loss or far "
    "from its centre, is drawn more often and weighs less. It asks for the loss of one document a cluster. Train with "
    "the weights: as a plain subset it has no guarantee. Copies of one document are all drawn alike; a mean loss a "
    "token doesn't grow with length, a sum of losses does.",
    assumed=(
        "lambda isn't known in practice; 1 is the default.",
        "The loss at a centre is that of the document nearest to it.",
    ),
    help={
        "score": "name of the loss, 0 or more",
        "draw_fraction": "draws as a share of the documents, 0 to 1",
        "epsilon": "error of the guarantee, above 0, in place of draw_fraction",
        "scale": "lambda: how much the loss may grow with the distance from a centre, at least 0",
        "power": "power of the distance, at least 1; 2 goes with k-means",
    },
)
