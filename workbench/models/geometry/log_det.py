"""How diverse a whole set is: the log-determinant of its kernel, held against a maximally diverse set's."""

from __future__ import annotations

import math

import numpy as np

from workbench.checks import FloatArray, check_at_least
from workbench.errors import InputError
from workbench.models.geometry.dpp import ADDS_NOTHING


def log_det_distance(
    kernel: FloatArray, reference: FloatArray | None = None, *, jitter: float = 0.0
) -> float:
    """How far a set is from a maximally diverse one of the same size: (logdet K_ref - logdet K) / n.

    Parameters
    ----------
    kernel
        (n, n) of the set, symmetric and positive semidefinite. n^3: take a subsample of at most some thousand.
    reference
        (n, n) of the diverse set, made with the same bandwidth; None: the identity, whose logdet is 0.
    jitter
        Added to both diagonals, 0 or more. The distance depends on it: name it with the number.

    Returns
    -------
    0 for a set as diverse as the reference, more for a less diverse one; inf where the set holds copies and there is no
    jitter.

    Raises
    ------
    InputError
        If the kernels aren't square and of one size, the jitter is negative, or a kernel isn't positive semidefinite.

    Notes
    -----
    Wang et al. 2024, arXiv:2402.02318: LDD. Which reference they take, we don't know.

    Examples
    --------
    >>> log_det_distance(np.eye(5))
    0.0
    """
    n = len(kernel)
    for name, matrix in (("kernel", kernel), ("reference", reference)):
        if matrix is not None and (matrix.shape != (n, n) or not n):
            raise InputError(
                f"{name} must be square, (n, n) with n at least 1 as the kernel, got {matrix.shape}"
            )
    check_at_least("jitter", jitter, 0)
    distance = ((0.0 if reference is None else _log_det(reference, jitter)) - _log_det(kernel, jitter)) / n
    return distance + 0.0  # -0.0 is 0


def _log_det(kernel: FloatArray, jitter: float) -> float:
    sign, value = np.linalg.slogdet(np.asarray(kernel, dtype=np.float64) + jitter * np.eye(len(kernel)))
    # The determinant of copies is 0 with a rounding error of either sign.
    if sign > 0:
        return float(value)
    if value > len(kernel) * math.log(ADDS_NOTHING) / 2 and sign < 0 and _is_indefinite(kernel):
        raise InputError("the kernel is not positive semidefinite; give one of rbf_kernel, or a jitter")
    return -math.inf


def _is_indefinite(kernel: FloatArray) -> bool:
    return bool(np.linalg.eigvalsh(kernel)[0] < -1e-8)
