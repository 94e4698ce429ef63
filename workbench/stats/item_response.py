"""Item response theory: how able systems are, and how hard and telling items are, by the two-parameter model."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from workbench.checks import FloatArray, check_at_least
from workbench.errors import InputError

Float64 = npt.NDArray[np.float64]


@dataclass(frozen=True)
class ItemResponse:
    """A fitted two-parameter model.

    Attributes
    ----------
    ability
        theta, float64 (m,), one a system.
    difficulty, discrimination
        b and a, float64 (n,), one an item; a is above 0.
    """

    ability: Float64
    difficulty: Float64
    discrimination: Float64


def fit_item_response(
    scores: FloatArray, *, difficulty_scale: float = 2.0, log_discrimination_scale: float = 0.5
) -> ItemResponse:
    """Fit p(system s is right on item i) = 1 / (1 + exp(-a_i (theta_s - b_i))).

    Parameters
    ----------
    scores
        (n, m): of n items by m systems, 0 wrong and 1 right, or a metric in 0..1 as a share of right answers.
    difficulty_scale, log_discrimination_scale
        Deviations of the priors b ~ N(0, .) and log a ~ N(0, .), above 0; abilities have N(0, 1), which fixes the
        scale.

    Raises
    ------
    InputError
        If a score lies outside 0..1, there is no item or no system, or a scale isn't above 0.

    Notes
    -----
    The two-parameter logistic model (Birnbaum 1968) at the mode of its posterior, by L-BFGS. The priors keep an item
    that all systems have right from an endless difficulty, and a from changing its sign. Systems and items are fitted
    together, so discriminations come out too large, by a sixth for 120 systems: their order is what to use.
    subset2evaluate fits its models by variational inference; what it takes from them, diffdisc and information, is in
    `item_utility`.

    Examples
    --------
    >>> easy_to_hard = np.array([[1, 1, 1], [0, 1, 1], [0, 0, 1]])
    >>> bool((np.diff(fit_item_response(easy_to_hard).difficulty) > 0).all())
    True
    """
    from scipy.optimize import minimize

    check_at_least("difficulty_scale", difficulty_scale, 1e-6)
    check_at_least("log_discrimination_scale", log_discrimination_scale, 1e-6)
    y = np.asarray(scores, dtype=np.float64)
    if y.ndim != 2 or not y.size or not ((y >= 0) & (y <= 1)).all():
        raise InputError(
            f"scores must be numbers in 0..1 (items, systems), got shape {y.shape}; scale the metric to 0..1"
        )
    n, m = y.shape
    scales = np.r_[np.ones(m), np.full(n, difficulty_scale), np.full(n, log_discrimination_scale)]

    def loss(x: Float64) -> tuple[float, Float64]:
        theta, b, a = x[:m], x[m : m + n], np.exp(x[m + n :])
        apart = theta - b[:, None]
        z = a[:, None] * apart
        wrong = (1 + np.tanh(z / 2)) / 2 - y  # the logistic function, which doesn't overflow
        slope = np.concatenate([a @ wrong, -a * wrong.sum(axis=1), a * (wrong * apart).sum(axis=1)])
        likelihood = float((np.logaddexp(0, z) - y * z).sum())
        return likelihood + float(((x / scales) ** 2).sum()) / 2, slope + x / scales**2

    start = np.zeros(m + 2 * n)
    start[:m] = y.mean(axis=0) - y.mean()
    found = minimize(
        loss,
        start,
        jac=True,
        method="L-BFGS-B",
        options={"maxiter": 5000, "maxfun": 10_000, "gtol": 1e-7, "ftol": 1e-15},
    )
    return ItemResponse(found.x[:m], found.x[m : m + n], np.exp(found.x[m + n :]))
