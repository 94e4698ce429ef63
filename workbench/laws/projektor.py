"""Projektor: how well a model trained on a mixture of sources would do, from small trainings and optimal transport."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from workbench.checks import FloatArray, IntArray, check_at_least
from workbench.errors import InputError

Float64 = npt.NDArray[np.float64]
Transport = Callable[[Float64], tuple[float, FloatArray]]
"""Of a mixture (m,): its transport cost to the validation set, and the cost's change with each share, (m,)."""


@dataclass(frozen=True)
class StageOne:
    """A performance at one size of training set as a function of the mixture and its transport cost.

    L(p) = (sum_i b2_i p_i^2 + b1_i p_i + b0) OT + sum_i (c2_i p_i^2 + c1_i p_i) + c0.

    Attributes
    ----------
    b2, b1, c2, c1
        (m,), one a source.
    b0, c0
        Of all sources.
    """

    b2: Float64
    b1: Float64
    b0: float
    c2: Float64
    c1: Float64
    c0: float

    def predict(self, mixture: FloatArray, transport: FloatArray | float) -> Float64:
        """The performance of mixtures (m,) or (n, m) with transport costs () or (n,)."""
        p = np.asarray(mixture, dtype=np.float64)
        factor = p**2 @ self.b2 + p @ self.b1 + self.b0
        return np.asarray(factor * transport + p**2 @ self.c2 + p @ self.c1 + self.c0)

    def gradient(self, mixture: FloatArray, transport: float, slope: FloatArray) -> Float64:
        """Its change with each share, (m,), where the transport cost changes by `slope` (m,)."""
        p = np.asarray(mixture, dtype=np.float64)
        factor = p**2 @ self.b2 + p @ self.b1 + self.b0
        return np.asarray(
            factor * slope + (2 * self.b2 * p + self.b1) * transport + 2 * self.c2 * p + self.c1
        )


def fit_stage_one(mixtures: FloatArray, transport: FloatArray, performance: FloatArray) -> StageOne:
    """Fit a `StageOne` to pilot trainings of one size by least squares.

    Parameters
    ----------
    mixtures
        (n, m): the shares of m sources in n pilots, each row summing to 1.
    transport
        (n,): each pilot set's transport cost to the validation set.
    performance
        (n,): what was measured, an accuracy or a negative loss.

    Raises
    ------
    InputError
        If the lengths differ, or a row isn't a mixture.

    Notes
    -----
    Kang et al. 2023, arXiv:2307.02460. Shares sum to 1, so the regressors depend on each other; of the solutions the
    smallest is taken, and all predict the same on mixtures. The released notebook leaves out some regressors.
    """
    p, cost = _mixtures(mixtures), np.asarray(transport, dtype=np.float64)
    y = np.asarray(performance, dtype=np.float64)
    n, m = p.shape
    if cost.shape != (n,) or y.shape != (n,):
        raise InputError(
            f"there must be a transport cost and a performance for each of {n} mixtures, got {cost.shape} and {y.shape}"
        )
    with_cost = np.column_stack([p**2, p, np.ones(n)])
    found = np.linalg.lstsq(np.hstack([with_cost * cost[:, None], with_cost]), y, rcond=None)[0]
    b, c = np.split(found, 2)
    return StageOne(b[:m], b[m : 2 * m], float(b[-1]), c[:m], c[m : 2 * m], float(c[-1]))


def project(
    low: FloatArray | float, n_low: float, high: FloatArray | float, n_high: float, n: float
) -> Float64:
    """The performance at n documents, from those at two smaller numbers (stage two).

    Parameters
    ----------
    low, high
        Performance at `n_low` and at `n_high` documents.
    n
        At least 1, as the others; n_low below n_high.

    Notes
    -----
    L(n) = (log(n / n_low) high - log(n / n_high) low) / log(n_high / n_low): exact where L is linear in log n.

    Raises
    ------
    InputError
        If n_low isn't below n_high, or a number is below 1.

    Examples
    --------
    >>> round(float(project(0.5, 1000, 0.6, 2000, 4000)), 6)
    0.7
    """
    for name, value in (("n_low", n_low), ("n_high", n_high), ("n", n)):
        check_at_least(name, value, 1)
    if n_low >= n_high:
        raise InputError(
            f"n_low must be below n_high, got n_low={n_low:g}, n_high={n_high:g}; swap the two pilots"
        )
    first, second = np.asarray(low, dtype=np.float64), np.asarray(high, dtype=np.float64)
    return np.asarray((np.log(n / n_low) * second - np.log(n / n_high) * first) / np.log(n_high / n_low))


def transport_slope(potentials: FloatArray, source: IntArray, n_sources: int) -> Float64:
    """How the transport cost changes with each source's share, the others giving it up in proportion; (n_sources,).

    Parameters
    ----------
    potentials
        Dual potentials of the n documents of a mixture, (n,), as `workbench.models.geometry.transport` gives them; a
        constant added to all changes nothing.
    source
        Each one's source, 0 to n_sources - 1, (n,).

    Returns
    -------
    The mean potential of a source's documents less that of all others; 0 for a source that has none, or has all.
    """
    n = len(potentials)
    sizes = np.bincount(source, minlength=n_sources)
    own = np.bincount(source, weights=potentials, minlength=n_sources)
    part = (sizes > 0) & (sizes < n)
    out = np.zeros(n_sources)
    out[part] = own[part] / sizes[part] - (own.sum() - own[part]) / (n - sizes[part])
    return out


def best_mixture(
    low: tuple[StageOne, Transport],
    high: tuple[StageOne, Transport],
    sizes: tuple[float, float, float],
    start: Sequence[float],
    *,
    learning_rate: float = 5e-4,
    n_iterations: int = 100,
) -> Float64:
    """The mixture that the projected performance rises to from a start, by gradient steps; (m,).

    Parameters
    ----------
    low, high
        At each pilot size what was fitted, and the transport cost of a mixture of that size.
    sizes
        Documents of the two pilot sizes, and of the training that is planned.
    start
        A mixture, (m,).
    learning_rate, n_iterations
        As in the released notebook.

    Raises
    ------
    InputError
        If the start isn't a mixture, a setting is out of range, or nothing is left of a mixture after a step.

    Notes
    -----
    After each step shares below 0 become 0 and the rest is divided by its sum. The performance is one that grows as it
    gets better.
    """
    check_at_least("learning_rate", learning_rate, 0)
    check_at_least("n_iterations", n_iterations, 0)
    n_low, n_high, n = sizes
    p: Float64 = _mixtures(np.array([start], dtype=np.float64))[0]
    for _ in range(n_iterations):
        slopes = []
        for stage, transport in (low, high):
            cost, slope = transport(p)
            slopes.append(stage.gradient(p, cost, slope))
        p = np.maximum(p + learning_rate * project(slopes[0], n_low, slopes[1], n_high, n), 0)
        if not p.sum():
            raise InputError("a step made every share 0 or less; give a smaller learning_rate")
        p /= p.sum()
    return p


def _mixtures(mixtures: FloatArray) -> Float64:
    p = np.asarray(mixtures, dtype=np.float64)
    if p.ndim != 2 or not p.size or (p < 0).any() or not np.allclose(p.sum(axis=1), 1):
        raise InputError(
            "each mixture must be shares of 0 or more that sum to 1, one a source; divide by the sum"
        )
    return p
