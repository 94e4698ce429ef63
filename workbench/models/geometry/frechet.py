"""Fréchet distance between sets of vectors, each taken for a Gaussian."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from workbench.checks import FloatArray
from workbench.errors import InputError


@dataclass(frozen=True)
class Moments:
    """What a set of n rows is summed up in.

    Attributes
    ----------
    n
        Rows.
    weight
        Sum of their weights.
    mean
        float64 (d,).
    scatter
        float64 (d, d): the weighted sum of outer products of the rows less their mean.
    """

    n: int
    weight: float
    mean: npt.NDArray[np.float64]
    scatter: npt.NDArray[np.float64]

    def merged(self, other: Moments) -> Moments:
        """The moments of both sets together (Chan et al. 1983)."""
        weight = self.weight + other.weight
        apart = other.mean - self.mean
        mean = self.mean + apart * (other.weight / weight)
        between = np.outer(apart, apart) * (self.weight * other.weight / weight)
        return Moments(self.n + other.n, weight, mean, self.scatter + other.scatter + between)

    def rotated(self, axes: npt.NDArray[np.float64]) -> Moments:
        """The moments of the rows times `axes`, which is orthogonal."""
        return Moments(self.n, self.weight, self.mean @ axes, axes.T @ self.scatter @ axes)

    def covariance(self, n_rows: int) -> npt.NDArray[np.float64]:
        """The covariance, float64 (d, d), shrunk towards a sphere as that of `n_rows` rows has to be.

        It is (1 - a) C + a (tr C / d) I with a = max(0, 1 - n_rows / d): its trace, which few rows tell well, is C's.
        """
        d = len(self.mean)
        if self.n < 2:
            return np.zeros((d, d))
        full = self.scatter / self.weight * (self.n / (self.n - 1))
        a = max(0.0, 1 - n_rows / d)
        return np.asarray((1 - a) * full + a * np.trace(full) / d * np.eye(d))


def moments(x: FloatArray, weight: FloatArray | None = None) -> Moments:
    """The moments of the rows of x.

    Parameters
    ----------
    x
        (n, d), n at least 1.
    weight
        (n,), above 0; None: 1 each.

    Raises
    ------
    InputError
        If there is no row, or a weight isn't above 0.
    """
    rows = np.asarray(x, dtype=np.float64)
    w = np.ones(len(rows)) if weight is None else np.asarray(weight, dtype=np.float64)
    if not len(rows) or not (w > 0).all():
        raise InputError(f"moments need at least one row, each of a weight above 0, got {len(rows)} rows")
    mean = w @ rows / w.sum()
    centred = (rows - mean) * np.sqrt(w)[:, None]
    return Moments(len(rows), float(w.sum()), mean, centred.T @ centred)


@dataclass(frozen=True)
class Aim:
    """A set that many others are held against, in its own principal axes, where its covariance is a diagonal.

    Attributes
    ----------
    axes
        float64 (d, d): rows times it have their coordinates along the axes.
    moments
        Of the set, in the coordinates along the axes.
    """

    axes: npt.NDArray[np.float64]
    moments: Moments

    @classmethod
    def of(cls, given: Moments) -> Aim:
        """The aim that a set is."""
        axes = np.linalg.eigh(given.scatter)[1]
        return cls(axes, given.rotated(axes))

    def distance(self, other: Moments) -> float:
        """The Fréchet distance to a set whose moments are in the coordinates along the axes, 0 or more."""
        n_rows = min(self.moments.n, other.n)
        c1, c2 = np.maximum(np.diagonal(self.moments.covariance(n_rows)), 0), other.covariance(n_rows)
        root = np.sqrt(c1)
        shared = np.sqrt(np.maximum(np.linalg.eigvalsh(root[:, None] * c2 * root), 0)).sum()
        apart = float(((self.moments.mean - other.mean) ** 2).sum())
        return max(apart + float(c1.sum() + np.trace(c2) - 2 * shared), 0.0)


def frechet_distance(one: Moments, other: Moments) -> float:
    """|m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2)), 0 or more.

    Notes
    -----
    Both covariances are shrunk alike, as the smaller set asks for, so that sets of one distribution but of different
    size are near. Dowson and Landau 1982; Heusel et al. 2017, arXiv:1706.08500, for images. (C1 C2)^(1/2) has the trace
    of (C1^(1/2) C2 C1^(1/2))^(1/2), which is symmetric, so that its root has no complex part to be dropped; in the axes
    of C1, which shrinking leaves as they are, its root is that of a diagonal.

    Examples
    --------
    >>> x = np.array([[0.0], [1.0], [2.0]])
    >>> frechet_distance(moments(x), moments(x + 3)), frechet_distance(moments(x), moments(2 * x))
    (9.0, 2.0)
    """
    aim = Aim.of(one)
    return aim.distance(other.rotated(aim.axes))
