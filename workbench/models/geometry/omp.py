"""Orthogonal matching pursuit with coefficients of 0 or more: few rows that together point where a target points."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from workbench.checks import FloatArray, check_at_least
from workbench.errors import InputError

_TIE = 1e-12


def omp_nonneg(
    rows: FloatArray, target: FloatArray, n_picks: int, *, ridge: float = 1.0, tolerance: float = 1e-4
) -> npt.NDArray[np.float64]:
    """Coefficients of 0 or more of a few rows whose sum comes near the target.

    Parameters
    ----------
    rows
        (n, d).
    target
        (d,).
    n_picks
        Coefficients above 0 at most, 0 or more. There may be fewer, or none.
    ridge
        lambda of the least squares on the picked rows, 0 or more; the first pick has none.
    tolerance
        Picking ends when what is left of the target is shorter than this share of it, 0 or more.

    Returns
    -------
    float64 (n,)

    Raises
    ------
    InputError
        If the dimensions differ or a number is out of range.

    Notes
    -----
    As in the released code of TAGCOS (2003pro/TAGCOS, utils/omp.py): of all rows the one with the largest product with
    the residual is picked (of equal ones the first); rows whose coefficients turn out negative are left out one by one,
    the most negative first; picking ends where the best row is picked already. That is soon with a ridge, since it
    leaves of each picked row lambda times its coefficient in the residual. Here it ends as well where no row points
    along the residual, and where the row just picked is the one left out; there a row against the target can be taken.

    Examples
    --------
    >>> rows = np.array([[1.0, 0.0], [0.0, 1.0], [0.7, 0.7], [-1.0, 0.0]])
    >>> omp_nonneg(rows, rows[:3].mean(axis=0), 1).round(3).tolist()
    [0.0, 0.0, 0.81, 0.0]
    """
    rows, target = np.asarray(rows, dtype=np.float64), np.asarray(target, dtype=np.float64)
    if rows.ndim != 2 or target.shape != rows.shape[1:]:
        raise InputError(f"rows must be (n, d) and the target (d,), got {rows.shape} and {target.shape}")
    for name, value in (("n_picks", n_picks), ("ridge", ridge), ("tolerance", tolerance)):
        check_at_least(name, value, 0)
    out = np.zeros(len(rows))
    length = float(np.linalg.norm(target))
    support: list[int] = []
    coefficients = np.zeros(0)
    residual = target
    for _ in range(min(n_picks, len(rows))):
        if np.linalg.norm(residual) <= tolerance * length:
            break
        product = rows @ residual
        best = product.max()
        if best <= _TIE * length:
            break
        new = int(np.flatnonzero(product >= best * (1 - _TIE))[0])
        if new in support:
            break
        found, fitted = _fit(rows, target, [*support, new], ridge)
        if new not in found:
            break
        support, coefficients = found, fitted
        residual = target - coefficients @ rows[support]
    out[support] = coefficients
    return out


def _fit(
    rows: FloatArray, target: FloatArray, support: list[int], ridge: float
) -> tuple[list[int], npt.NDArray[np.float64]]:
    """Ridge least squares on some rows, less those whose coefficients are negative."""
    if len(support) == 1:
        ridge = 0.0
    while True:
        chosen = rows[support]
        gram = chosen @ chosen.T + ridge * np.eye(len(support))
        value = np.asarray(np.linalg.lstsq(gram, chosen @ target, rcond=None)[0], dtype=np.float64)
        worst = int(np.argmin(value)) if len(value) else 0
        if not len(value) or value[worst] >= 0:
            return support, value
        support = support[:worst] + support[worst + 1 :]


def omp_rounds(
    rows: FloatArray, target: FloatArray, n_picks: int, *, ridge: float = 1.0, tolerance: float = 1e-4
) -> npt.NDArray[np.int64]:
    """Row numbers of up to `n_picks` rows, ascending: those of one pursuit, then of one among the others, and so on.

    It ends with fewer where a pursuit finds none (no row left points along the target); the released code goes round
    for ever there. Parameters and errors are those of `omp_nonneg`.
    """
    left = np.arange(len(rows))
    chosen: list[int] = []
    while True:
        coefficients = omp_nonneg(rows[left], target, n_picks - len(chosen), ridge=ridge, tolerance=tolerance)
        found = coefficients > 0
        if not found.any():
            return np.array(sorted(chosen), dtype=np.int64)
        chosen.extend(left[found].tolist())
        left = left[~found]
