"""Determinantal point processes: the greedy subset with a large determinant."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from workbench.checks import FloatArray, IntArray
from workbench.errors import InputError

ADDS_NOTHING = 1e-10
"""Below it a row's d^2 is a rounding error: its vector is a copy of what was picked already."""

MAX_BYTES = 2**31
"""The Cholesky factor may take so much: 8 bytes a row and pick."""

# The front rows are brought up to date pick by pick, all others a block at a time, as one product of matrices.
_FRONT = 2048
_BLOCK = 128
_TIE = 1e-12
_BANDWIDTHS = (1e-6, 1e6)


@dataclass(frozen=True)
class GreedyOrder:
    """What `greedy_order` found.

    Attributes
    ----------
    order
        int64 (k,): rows in the order in which they were picked.
    gain
        float64 (n,): d^2, what a row adds to the determinant of the kernel without quality, 0..1: of a picked row when
        it was picked, of any other at the end.
    """

    order: npt.NDArray[np.int64]
    gain: npt.NDArray[np.float64]


def rbf_kernel(x: FloatArray, y: FloatArray, bandwidth: float) -> npt.NDArray[np.float64]:
    """exp(-|x_i - y_j|^2 / (2 s^2)), float64 (n, m), 0..1.

    Parameters
    ----------
    x, y
        (n, d) and (m, d).
    bandwidth
        s, 1e-6 to 1e6: beyond, its square leaves no room for distances.

    Raises
    ------
    InputError
        If the bandwidth is out of range.
    """
    _check_bandwidth(bandwidth)
    x, y = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    return _rbf(x, y, _squares(x), _squares(y), bandwidth)


def _check_bandwidth(bandwidth: float) -> None:
    if not _BANDWIDTHS[0] <= bandwidth <= _BANDWIDTHS[1]:
        raise InputError(
            f"bandwidth must lie in {_BANDWIDTHS[0]:g}..{_BANDWIDTHS[1]:g}, got {bandwidth:g}; 1 suits unit vectors"
        )


def _squares(x: FloatArray) -> npt.NDArray[np.float64]:
    return np.asarray(np.einsum("ij,ij->i", x, x))


def _rbf(x: FloatArray, y: FloatArray, xx: FloatArray, yy: FloatArray, s: float) -> npt.NDArray[np.float64]:
    """The kernel of float64 rows whose squared lengths are known."""
    kernel: npt.NDArray[np.float64] = x @ y.T
    kernel *= 2
    kernel -= xx[:, None]
    kernel -= yy
    np.minimum(kernel, 0, out=kernel)
    kernel /= 2 * s**2
    return np.exp(kernel, out=kernel)


def greedy_order(
    x: FloatArray,
    amount: FloatArray,
    budget: float,
    *,
    bandwidth: float = 1.0,
    log_quality: FloatArray | None = None,
) -> GreedyOrder:
    """Pick rows one by one, each the one that makes the determinant of the picked rows' kernel largest.

    Parameters
    ----------
    x
        (n, d).
    amount
        (n,), 0 or more: how much of the budget a row takes.
    budget
        Picking ends when the picked rows' amounts reach it, or no row adds anything (`ADDS_NOTHING`).
    bandwidth
        Of the RBF kernel K, above 0.
    log_quality
        log g (n,): the kernel is g_i K_ij g_j. None: no row is better than another.

    Returns
    -------
    GreedyOrder
        Of rows that add alike (to 1e-12) the first is picked.

    Raises
    ------
    InputError
        If the bandwidth isn't above 0, or the factor would take more than `MAX_BYTES`.

    Notes
    -----
    Greedy MAP with an incremental Cholesky factor (Chen et al. 2018, arXiv:1709.05135): e_i is what row i gains as its
    next entry, d_i^2 becomes d_i^2 - e_i^2, and the next pick is the largest g_i^2 d_i^2. d^2 never grows, so that a
    row behind the front whose old d^2 is too small for a pick needs no new one: that is how rows wait for a block.

    Examples
    --------
    >>> x = np.array([[1.0, 0.0], [0.99, 0.141], [0.0, 1.0], [-1.0, 0.0]])
    >>> greedy_order(x, np.ones(4), 3).order.tolist()
    [0, 3, 2]
    """
    _check_bandwidth(bandwidth)
    bonus = np.zeros(len(x)) if log_quality is None else 2 * np.asarray(log_quality, dtype=np.float64)
    factor = _Factor(x, _most_picks(amount, budget), bandwidth)
    order: list[int] = []
    used, is_done = 0.0, not len(x)
    gain = np.ones(len(x))
    while not is_done:
        key = _key(factor.left, bonus)
        front = _front_of(key)
        behind = np.ones(len(x), dtype=bool)
        behind[front] = False
        rest = float(key[behind].max(initial=-math.inf))
        block = _Block(factor, front)
        while len(block.picks) < _BLOCK:
            value = _key(block.left, bonus[front])
            best = float(value.max())
            if best == -math.inf or used >= budget or len(order) == len(factor.rows):
                is_done = True
                break
            if block.picks and best - rest <= _TIE:
                break
            place = int(np.flatnonzero(value >= best - _TIE)[0])
            gain[front[place]] = block.left[place]
            block.pick(place)
            order.append(int(front[place]))
            used += float(amount[front[place]])
        factor.take_in(block)
    picked = np.zeros(len(x), dtype=bool)
    picked[order] = True
    return GreedyOrder(np.array(order, dtype=np.int64), np.where(picked, gain, np.maximum(factor.left, 0)))


def _most_picks(amount: FloatArray, budget: float) -> int:
    """How many picks a budget may take, the smallest amounts being picked."""
    smallest_first = np.cumsum(np.sort(amount))
    return min(int(np.searchsorted(smallest_first, budget)) + 1, len(amount))


def _key(left: FloatArray, bonus: FloatArray) -> npt.NDArray[np.float64]:
    """log(g^2 d^2), -inf where a row adds nothing."""
    key = np.full(len(left), -math.inf)
    adds = left >= ADDS_NOTHING
    key[adds] = np.log(left[adds]) + bonus[adds]
    return key


def _front_of(key: FloatArray) -> IntArray:
    """The rows with the largest keys, in their order; of those that tie with the last of them the first."""
    if len(key) <= _FRONT:
        return np.arange(len(key))
    least = np.partition(key, -_FRONT)[-_FRONT]
    above = np.flatnonzero(key > least + _TIE)
    ties = np.flatnonzero((key >= least - _TIE) & (key <= least + _TIE))[: _FRONT - len(above)]
    return np.sort(np.concatenate([above, ties]))


class _Factor:
    """The Cholesky factor's columns (t, n) for t picks, and d^2 of each row; picked rows have 0 left."""

    def __init__(self, x: FloatArray, n_picks: int, bandwidth: float) -> None:
        if 8 * len(x) * n_picks > MAX_BYTES:
            fits = MAX_BYTES // (8 * len(x)) / len(x)
            raise InputError(
                f"putting {n_picks:,} of {len(x):,} documents in order takes {8 * len(x) * n_picks / 2**30:.1f} GiB "
                f"of memory, at most {MAX_BYTES / 2**30:.0f} GiB are taken; put at most a share of {fits:.2g} in order"
            )
        self.x, self.bandwidth = np.asarray(x, dtype=np.float64), bandwidth
        self.squares = _squares(self.x)
        self.rows = np.empty((n_picks, len(x)))
        self.left = np.ones(len(x))
        self.n = 0

    def take_in(self, block: _Block) -> None:
        """Bring all rows up to date with the picks of a block."""
        from scipy.linalg import solve_triangular

        t, m = self.n, len(block.picks)
        if not m:
            return
        picked = block.front[block.picks]
        new = _rbf(self.x[picked], self.x, self.squares[picked], self.squares, self.bandwidth)
        new -= self.rows[:t, picked].T @ self.rows[:t]
        lower = block.rows[t : t + m, block.picks].T
        new = solve_triangular(lower, new, lower=True, overwrite_b=True, check_finite=False)
        # What the front was told stays as it was told: a product's last bits depend on its shape.
        new[:, block.front] = block.rows[t : t + m]
        self.rows[t : t + m] = new
        self.n = t + m
        self.left -= np.einsum("ij,ij->j", new, new)
        self.left[block.front] = block.left


class _Block:
    """The front rows alone, up to date with each pick."""

    def __init__(self, factor: _Factor, front: IntArray) -> None:
        self.factor, self.front = factor, front
        self.x, self.squares = factor.x[front], factor.squares[front]
        self.rows = np.empty((min(factor.n + _BLOCK, len(factor.rows)), len(front)))
        self.rows[: factor.n] = factor.rows[: factor.n, front]
        self.left = factor.left[front]
        self.picks: list[int] = []

    def pick(self, place: int) -> None:
        t = self.factor.n + len(self.picks)
        root = math.sqrt(self.left[place])
        one = slice(place, place + 1)
        kernel = _rbf(self.x[one], self.x, self.squares[one], self.squares, self.factor.bandwidth)[0]
        entry = (kernel - self.rows[:t, place] @ self.rows[:t]) / root
        entry[self.picks] = 0
        entry[place] = root
        self.rows[t] = entry
        self.left -= entry * entry
        self.picks.append(place)
        self.left[self.picks] = 0
