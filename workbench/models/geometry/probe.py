"""A linear probe: logistic regression on unit rows, and its decision about any rows afterwards."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from workbench.checks import BoolArray, FloatArray, check_at_least
from workbench.errors import InputError
from workbench.models.geometry.rows import unit_rows
from workbench.progress import current, shown

_TILE = 1024  # rows at a time, which fit the cache
_N_STEPS = 60
_N_HALVINGS = 40
_FLAT = 1e-10  # of the objective's Newton decrement, relative to the weight of all rows


@dataclass(frozen=True)
class Probe:
    """A separating plane among directions.

    Attributes
    ----------
    weight
        float32 (d,).
    bias
        Added to the product of a unit row with `weight`; at 0 and above the row is of the class.
    """

    weight: npt.NDArray[np.float32]
    bias: float


def fit_probe(
    x: FloatArray, is_inside: BoolArray, *, weight: FloatArray | None = None, penalty: float = 1.0
) -> Probe:
    """Logistic regression with a ridge penalty, by Newton's method.

    Parameters
    ----------
    x
        (n, d), of any scale; none of the rows zero.
    is_inside
        bool (n,): the class, both values present.
    weight
        (n,): how many rows each stands for; None: 1 each.
    penalty
        Of half the squared length of the weights, at least 1e-9; scikit-learn's 1 / C. The bias has none.

    Raises
    ------
    InputError
        If only one class is there, the shapes differ, the penalty is too small, or a row is zero or not finite.

    Notes
    -----
    Minimises sum_i w_i log(1 + exp(-y_i (x_i b + a))) + penalty |b|^2 / 2 in float64. The objective is strictly convex,
    so the answer doesn't depend on a start; each step is halved until the objective falls.
    """
    amount = np.ones(len(x)) if weight is None else np.asarray(weight, dtype=np.float64)
    if x.ndim != 2 or not len(x) == len(is_inside) == len(amount):
        raise InputError(
            f"a probe needs (n, d) rows, n classes and n weights, got {x.shape}, {len(is_inside)}, {len(amount)}"
        )
    if is_inside.all() or not is_inside.any():
        raise InputError("a probe needs rows of both classes, got one; choose some and not all")
    check_at_least("penalty", penalty, 1e-9)
    rows = np.column_stack([unit_rows(x).astype(np.float64), np.ones(len(x))])
    sign = np.where(is_inside, 1.0, -1.0)
    ridge = np.r_[np.full(x.shape[1], penalty), 0.0]
    share = amount[is_inside].sum() / amount.sum()
    beta = np.r_[np.zeros(x.shape[1]), np.log(share / (1 - share))]

    def objective(beta: FloatArray) -> float:
        losses = np.logaddexp(0.0, -sign * (rows @ beta))
        return float(amount @ losses + ridge @ beta**2 / 2)

    now, progress = objective(beta), current()
    with shown(progress, "fitting the probe", _N_STEPS):
        for _ in range(_N_STEPS):
            progress.advance(1)
            probability = _logistic(rows @ beta)
            slope = rows.T @ (amount * (probability - is_inside)) + ridge * beta
            curvature = rows.T @ (rows * (amount * probability * (1 - probability))[:, None])
            step = np.linalg.solve(curvature + np.diag(ridge + 1e-12 * amount.sum()), slope)
            for halving in range(_N_HALVINGS):
                then = objective(beta - step / 2**halving)
                if then < now:
                    beta, now = beta - step / 2**halving, then
                    break
            else:
                break  # as flat as float64 can tell
            if slope @ step <= _FLAT * amount.sum():
                break  # the error's square is what this step left
    return Probe(beta[:-1].astype(np.float32), float(np.float32(beta[-1])))


def _logistic(decision: FloatArray) -> FloatArray:
    out: FloatArray = 0.5 * (1 + np.tanh(decision / 2))  # never overflows
    return out


def decide_probe(x: FloatArray, probe: Probe) -> npt.NDArray[np.float32]:
    """The log-odds that each row of x is of the class, float32 (n,); at 0 and above it is.

    A row's number doesn't depend on the other rows, to the bit: each is a sum of its own, which no block of a matrix
    product shares.

    Raises
    ------
    InputError
        If the dimensions differ, or a row is zero or not finite.
    """
    if x.ndim != 2 or x.shape[1] != len(probe.weight):
        raise InputError(f"the probe is for rows of {len(probe.weight)} numbers, got {x.shape}")
    out = np.empty(len(x), dtype=np.float32)
    for start in range(0, len(x), _TILE):
        tile = unit_rows(x[start : start + _TILE], first=start)
        out[start : start + len(tile)] = (tile * probe.weight).sum(axis=1) + np.float32(probe.bias)
    return out
