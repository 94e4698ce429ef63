"""Item response theory: how able systems are, and how hard and telling items are, by the two-parameter model."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from workbench.checks import FloatArray, check_at_least
from workbench.errors import InputError

Float64 = npt.NDArray[np.float64]

_ABILITIES = np.linspace(-6, 6, 241)  # steps of 0.05, finer than what 1,000 items tell of a system
_LOG_PRIOR = -(_ABILITIES**2) / 2 - np.log(np.exp(-(_ABILITIES**2) / 2).sum())


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
    The two-parameter logistic model (Birnbaum 1968) by marginal likelihood (Bock and Aitkin 1981): items are at the
    mode of their posterior with abilities integrated out, over a grid; abilities are then the means of theirs. Fitting
    both at once inflates discriminations, however many systems there are (Neyman and Scott 1948). The priors keep an
    item that all systems have right from an endless difficulty, and a from changing its sign. subset2evaluate fits its
    models by variational inference; what it takes from them, diffdisc and information, is in `item_utility`.

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
    n = len(y)
    scales = np.repeat([difficulty_scale, log_discrimination_scale], n)

    def loss(x: Float64) -> tuple[float, Float64]:
        b, a = x[:n], np.exp(x[n:])
        log_likelihood, at_ability = _abilities(y, b, a)
        z = a[:, None] * (_ABILITIES - b[:, None])
        # answers expected at each ability, less those that were right
        wrong = (1 + np.tanh(z / 2)) / 2 * at_ability.sum(axis=0) - y @ at_ability
        slope = np.r_[-a * wrong.sum(axis=1), (wrong * z).sum(axis=1)]
        return float(((x / scales) ** 2).sum()) / 2 - log_likelihood, slope + x / scales**2

    options = {"maxiter": 5000, "maxfun": 10_000, "gtol": 1e-7, "ftol": 1e-15}
    found = minimize(loss, np.zeros(2 * n), jac=True, method="L-BFGS-B", options=options)
    difficulty, discrimination = found.x[:n], np.exp(found.x[n:])
    at_ability = _abilities(y, difficulty, discrimination)[1]
    return ItemResponse(at_ability @ _ABILITIES, difficulty, discrimination)


def _abilities(y: Float64, b: Float64, a: Float64) -> tuple[float, Float64]:
    """The log-likelihood of all answers, and each system's posterior over the grid of abilities, float64 (m, q)."""
    z = a[:, None] * (_ABILITIES - b[:, None])
    joint = y.T @ z - np.logaddexp(0, z).sum(axis=0) + _LOG_PRIOR
    most = joint.max(axis=1, keepdims=True)
    share = np.exp(joint - most)
    total = share.sum(axis=1, keepdims=True)
    return float((np.log(total) + most).sum()), share / total
