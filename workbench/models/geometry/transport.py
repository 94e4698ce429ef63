"""Entropic optimal transport between sets of unit vectors, in the log domain, and its gradient in the masses."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from workbench.checks import FloatArray, check_at_least
from workbench.errors import InputError

Float64 = npt.NDArray[np.float64]

_TILE = 256


def cosine_cost(x: FloatArray, y: FloatArray) -> Float64:
    """Half the squared distance of unit rows, 1 - cosine, float64 (n, m) in 0..2.

    A row's costs don't depend on the other rows of x, to the bit.
    """
    across = np.ascontiguousarray(y.T, dtype=np.float64)
    out = np.empty((len(x), len(y)))
    tile = np.zeros((_TILE, x.shape[1]))
    for start in range(0, len(x), _TILE):
        rows = x[start : start + _TILE]
        tile[: len(rows)] = rows
        tile[len(rows) :] = 0
        out[start : start + _TILE] = (tile @ across)[: len(rows)]
    return np.asarray(np.clip(1 - out, 0, 2))


def soft_minimum(cost: FloatArray, dual: FloatArray, regularisation: float) -> Float64:
    """The potential of each row that fits the potentials of the columns (the soft c-transform), float64 (n,).

    -reg log mean_j exp((dual_j - cost_ij) / reg): for reg to 0 the smallest cost_ij - dual_j. The columns have equal
    masses.
    """
    inside = (dual - cost) / regularisation
    top = inside.max(axis=1, keepdims=True)
    return np.asarray(-regularisation * (top[:, 0] + np.log(np.exp(inside - top).mean(axis=1))))


def potentials(
    cost: FloatArray, regularisation: float, n_iterations: int = 1000, tolerance: float = 1e-6
) -> tuple[Float64, Float64]:
    """The dual potentials of entropic transport between uniform measures.

    Parameters
    ----------
    cost
        (n, m).
    regularisation
        Of the entropy, above 0, in the unit of the cost.
    n_iterations
        At most.
    tolerance
        The mean share by which the masses of the rows may be off.

    Returns
    -------
    f : float64 (n,), g : float64 (m,)
        The plan is exp((f_i + g_j - cost_ij) / reg) / (n m). Each fits the other; they are unique up to a constant that
        is added to f and taken from g.

    Raises
    ------
    InputError
        If it doesn't converge.
    """
    check_at_least("regularisation", regularisation, 1e-9)
    check_at_least("n_iterations", n_iterations, 1)
    across = np.ascontiguousarray(cost.T)
    f, off = np.zeros(len(cost)), np.inf
    for _ in range(n_iterations):
        g = soft_minimum(across, f, regularisation)
        before, f = f, soft_minimum(cost, g, regularisation)
        with np.errstate(over="ignore"):
            off = float(np.abs(np.expm1((before - f) / regularisation)).mean())
        if off <= tolerance:
            return f, g
    raise _diverged(n_iterations, off)


def self_potential(
    cost: FloatArray, regularisation: float, n_iterations: int = 1000, tolerance: float = 1e-6
) -> Float64:
    """The potential of the transport of a uniform measure onto itself, float64 (n,); `cost` is symmetric.

    Raises
    ------
    InputError
        If it doesn't converge.
    """
    f, off = np.zeros(len(cost)), np.inf
    for _ in range(n_iterations):
        next_f = soft_minimum(cost, f, regularisation)
        with np.errstate(over="ignore"):
            off = float(np.abs(np.expm1((f - next_f) / regularisation)).mean())
        if off <= tolerance:
            return next_f
        f = (f + next_f) / 2
    raise _diverged(n_iterations, off)


def _diverged(n_iterations: int, off: float) -> InputError:
    return InputError(
        f"optimal transport didn't converge in {n_iterations} iterations (masses are off by {off:.2g} of themselves); "
        "give more iterations or a larger regularisation"
    )


def calibrated_gradient(f: FloatArray) -> Float64:
    """How the transport cost changes with each document's mass, the others giving it up in equal parts; float64 (n,).

    Parameters
    ----------
    f
        The documents' potentials, (n,) with n at least 2; a constant added to all changes nothing.

    Examples
    --------
    >>> calibrated_gradient(np.array([1.0, 2.0, 6.0])).tolist()
    [-3.0, -1.5, 4.5]
    """
    return calibrated(f, float(np.mean(f)), len(f))


def calibrated(f: FloatArray, mean: float, n: int) -> Float64:
    """`calibrated_gradient` of any documents, given the mean potential of the n that were fitted."""
    return np.asarray((np.asarray(f, dtype=np.float64) - mean) * (n / (n - 1)))
