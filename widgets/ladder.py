"""What a handle on a histogram means at each of its places: the cut, and the quantile that it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from workbench.checks import Array, FloatArray, IntArray
from workbench.plots.axis import N_POSITIONS, Axis
from workbench.selectors.base import Quantile

N_PLACES = N_POSITIONS + 1

Side = Literal["low", "high"]


@dataclass(frozen=True)
class Ladder:
    """The places of a handle on one score, 0..N_POSITIONS.

    At its outer end (0 of a lower handle, N_POSITIONS of an upper one) a side is open, whatever the cut there.

    Attributes
    ----------
    cuts
        The threshold at each place, float64 (N_PLACES,), increasing or level.
    quantiles
        The quantile that each place is, to three digits, float64 (N_PLACES,): the share of the corpus's scorable
        documents that lie below it.
    sets_quantiles
        Whether the recipe is given the quantile, and `cuts` what that resolves to on this sample.
    """

    cuts: FloatArray
    quantiles: FloatArray
    sets_quantiles: bool

    def bound(self, place: int) -> float | Quantile:
        """What the recipe is given for a place."""
        if self.sets_quantiles:
            return Quantile(float(self.quantiles[place]))
        return float(self.cuts[place])

    def codes(self, values: Array, side: Side) -> IntArray:
        """Where each document is lost, uint16 (n,), 0..N_POSITIONS.

        A lower handle at place p keeps the documents whose code is p or more, an upper one those whose code is p or
        less. NaN counts as above all.
        """
        # In the score's own type, as select_band compares.
        with np.errstate(over="ignore"):
            cuts = self.cuts.astype(values.dtype)
        if side == "low":
            return np.searchsorted(cuts[1:], values, side="right").astype(np.uint16)
        return np.searchsorted(cuts[:-1], values, side="left").astype(np.uint16)


def make_ladder(axis: Axis, values: Array, weights: FloatArray, *, sets_quantiles: bool) -> Ladder:
    """The places of a handle on an axis.

    Parameters
    ----------
    values
        The score, (n,); NaN where it is not scorable.
    weights
        How many documents of the corpus each document stands for, float64 (n,).
    """
    cuts = np.array([axis.snapped(place) for place in range(N_PLACES)])
    scored = np.isfinite(values)
    plain = Ladder(cuts, cuts, sets_quantiles=False)
    below = np.bincount(plain.codes(values, "low")[scored], weights=weights[scored], minlength=N_PLACES)
    total = below.sum()
    # A document of code c lies below the cuts after c.
    shares = np.concatenate([[0.0], np.cumsum(below)[:-1]]) / (total or 1.0)
    quantiles = np.round(np.minimum(shares, 1.0), 3)
    if not sets_quantiles:
        return Ladder(cuts, quantiles, sets_quantiles=False)
    # As resolve_band does, which takes infinite values for scores.
    known = ~np.isnan(values)
    wanted, place = np.unique(quantiles, return_inverse=True)
    found = np.quantile(values[known], wanted, method="inverted_cdf", weights=weights[known])
    return Ladder(found.astype(np.float64)[place], quantiles, sets_quantiles=True)
