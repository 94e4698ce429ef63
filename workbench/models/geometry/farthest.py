"""Farthest-point sampling: each pick is the row that lies farthest from all picks before it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from workbench.checks import FloatArray, IntArray

_WATCHED = 1024  # rows that hear of each pick at once; 1.5 MB of 384 numbers each stay in the cache
_HEARD = 1024  # picks that rows hear of in one product, which bounds its memory
_TIE_DECIMALS = 6  # of float32 similarities: what is nearer together than this counts as equal


def farthest_points(x: FloatArray, start: int, weight: FloatArray, budget: float) -> npt.NDArray[np.int64]:
    """Rows of which each is the one farthest from all before it, until their weights reach a budget.

    Parameters
    ----------
    x
        (n, d) unit rows, in the order in which ties are decided.
    start
        The first row.
    weight
        (n,), above 0.
    budget
        Of the sum of weights; the number is the nearest to it.

    Returns
    -------
    int64 (m,), m at most n: the greedy 2-approximation of the k-centre problem (Gonzalez 1985).

    Notes
    -----
    A row's largest similarity to the picks only grows, so what it was some picks ago is a lower bound. Only the rows
    with the smallest bounds are kept up to date; the others hear of the picks that they missed when the smallest
    similarity of those has grown beyond their bounds. The picks are those of looking at all rows each time.
    """
    search = _Search(np.ascontiguousarray(x, dtype=np.float32))
    found: list[int] = []
    used, row = 0.0, start
    while len(found) < len(search.rows) and used + weight[row] / 2 <= budget * (1 + 1e-9):
        found.append(row)
        used += float(weight[row])
        row = search.after(row)
    return np.array(found, dtype=np.int64)


class _Search:
    """The row that is farthest from the picks so far.

    Attributes
    ----------
    bound
        float32 (n,): at most the largest similarity to a pick, infinite for picks.
    heard
        int64 (n,): of how many picks `bound` knows.
    """

    def __init__(self, rows: FloatArray) -> None:
        n = len(rows)
        self.rows = rows
        self.bound = np.full(n, -np.inf, dtype=np.float32)
        self.heard = np.zeros(n, dtype=np.int64)
        self._picks = np.empty_like(rows)
        self._n_picks = 0
        self._watch(np.arange(0), -np.inf)

    def after(self, row: int) -> int:
        """Take a row for the next pick, and find the row that is farthest from all picks."""
        self._picks[self._n_picks] = self.rows[row]
        self._n_picks += 1
        self.bound[row] = np.inf
        place = np.searchsorted(self._watched, row)
        if place < len(self._watched) and self._watched[place] == row:
            self._now[place] = np.inf
        new = np.round(self._watched_rows @ self.rows[row], _TIE_DECIMALS)
        np.maximum(self._now, new, out=self._now)
        return self._farthest() if self._n_picks < len(self.rows) else row

    def _farthest(self) -> int:
        if len(self._now) and self._now.min() < self._others:
            return int(self._watched[np.argmin(self._now)])
        self.bound[self._watched] = self._now
        self.heard[self._watched] = self._n_picks
        order = np.argpartition(self.bound, min(_WATCHED, len(self.bound)) - 1)
        rows, others = np.sort(order[:_WATCHED]), order[_WATCHED:]
        self._hear(rows)
        smallest = float(self.bound[rows].min())
        # Those that may be as small or smaller; after them no row that has not heard of all picks can be.
        self._hear(others[(self.bound[others] <= smallest) & (self.heard[others] < self._n_picks)])
        self._watch(rows, float(self.bound[others].min(initial=np.inf)))
        return int(np.argmin(self.bound))

    def _watch(self, rows: IntArray, others: float) -> None:
        """Keep these rows, whose bounds are up to date, so; no other row's bound is below `others`."""
        self._watched, self._others = rows, others
        self._watched_rows = self.rows[rows]
        self._now = self.bound[rows]

    def _hear(self, rows: IntArray) -> None:
        """Bring the bounds of some rows up to date."""
        if not len(rows):
            return
        for first in range(int(self.heard[rows].min()), self._n_picks, _HEARD):
            picks = self._picks[first : min(first + _HEARD, self._n_picks)]
            for begin in range(0, len(rows), _WATCHED):
                some = rows[begin : begin + _WATCHED]
                new = (self.rows[some] @ picks.T).max(axis=1)
                self.bound[some] = np.maximum(self.bound[some], np.round(new, _TIE_DECIMALS))
        self.heard[rows] = self._n_picks
