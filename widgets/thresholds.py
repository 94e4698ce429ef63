"""The handles on the scores' histograms: what moving one does to the recipe."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from widgets import bands
from widgets.handle import Handle, handle_of, idle_handle
from widgets.ladder import Ladder, make_ladder
from workbench.checks import Array, BoolArray, IntArray
from workbench.errors import InputError
from workbench.plots.axis import N_POSITIONS, Axis, kept_share_below
from workbench.selectors.base import Quantile, Threshold

if TYPE_CHECKING:
    from widgets.state import BenchState

Bound = float | Mapping[str, float] | Threshold


def as_threshold(bound: Bound) -> Threshold:
    """A threshold as a notebook's cell gives it: a number, `{"quantile": q}`, or None for an open side."""
    if isinstance(bound, Mapping):
        return Quantile(float(bound["quantile"]))
    return bound if bound is None or isinstance(bound, Quantile) else float(bound)


_SHARES = 256
_CODES = 4  # handles whose codes are kept, two bytes a document each


class Thresholds:
    """Two handles a score, each of which edits the recipe's band on that score.

    Attributes
    ----------
    as_quantile
        The scores whose handles set quantiles.
    """

    def __init__(self, state: BenchState) -> None:
        self.as_quantile: set[str] = set()
        self._state = state
        self._ladders: dict[tuple[str, bool], tuple[Axis, Array, Ladder]] = {}
        self._shares: OrderedDict[tuple[str, float], tuple[Array, float]] = OrderedDict()
        self._codes: OrderedDict[tuple[str, bands.Side], tuple[Ladder, IntArray]] = OrderedDict()

    def set(self, score: str, low: Threshold, high: Threshold, *, gesture: str | None = None) -> None:
        """Set both thresholds of a score, each a number, a quantile or None for an open side."""
        self._state.edit(bands.with_bounds(self._state.recipe, score, low, high), gesture=gesture)

    def values(self, score: str) -> tuple[float | None, float | None]:
        """The numbers that the thresholds of a score stand for."""
        low, high = bands.bounds(self._state.resolved, score)
        return bands.resolved(low), bands.resolved(high)

    def move(self, score: str, side: bands.Side, value: float | None, *, gesture: str | None = None) -> None:
        """Move one threshold to a value, held to the other one; where quantiles are on it becomes a quantile."""
        bound = None if value is None else self._bound(score, value)
        self._put(score, side, bound, value, gesture)

    def drag(self, score: str, side: bands.Side, place: int, *, gesture: str | None = None) -> None:
        """Move one threshold to a place on the axis, 0..N_POSITIONS; at the outer end the side is open."""
        ladder = self.ladder(score)
        if place <= 0 if side == "low" else place >= N_POSITIONS:
            self._put(score, side, None, None, gesture)
        else:
            cut = float(ladder.cuts[place])
            self._remember_share(score, cut, float(ladder.quantiles[place]))
            self._put(score, side, ladder.bound(place), cut, gesture)

    def _put(
        self, score: str, side: bands.Side, bound: Threshold, value: float | None, gesture: str | None
    ) -> None:
        """Set one threshold, held to the other one."""
        low, high = bands.bounds(self._state.recipe, score)
        low_value, high_value = self.values(score)
        if value is not None:
            if side == "low" and high_value is not None and value > high_value:
                bound = high
            if side == "high" and low_value is not None and value < low_value:
                bound = low
        pair = (bound, high) if side == "low" else (low, bound)
        self.set(score, *pair, gesture=gesture)

    def ladder(self, score: str) -> Ladder:
        """What a handle means at each place.

        Raises
        ------
        InputError
            If the score has no histogram, or categories.
        """
        state, axis = self._state, self._state.axis(score)
        values, sets_quantiles = state.loaded.scores[score], score in self.as_quantile
        key = (score, sets_quantiles)
        known = self._ladders.get(key)
        if known is not None and known[0] == axis and known[1] is values:
            return known[2]
        made = make_ladder(axis, values, state.loaded.weights, sets_quantiles=sets_quantiles)
        self._ladders[key] = (axis, values, made)
        return made

    def _codes_of(self, score: str, side: bands.Side) -> IntArray:
        """Where each document is lost, uint16 (n,)."""
        ladder = self.ladder(score)
        known = self._codes.pop((score, side), None)
        if known is None or known[0] is not ladder:
            known = ladder, ladder.codes(self._state.loaded.scores[score], side)
        self._codes[score, side] = known
        if len(self._codes) > _CODES:
            self._codes.popitem(last=False)
        return known[1]

    def handle(self, score: str, side: bands.Side) -> Handle:
        """A handle with the documents that all else leaves it; what steps of wider scope dropped is taken as fixed.

        Raises
        ------
        InputError
            If the recipe can't run, or the score has no histogram or categories.
        """
        state, ladder = self._state, self.ladder(score)
        if state.outcome is None:
            raise InputError(state.problem or "the recipe can't run; the Recipe tab shows it")
        own = bands.find_step(state.recipe, "band", score)
        left: BoolArray = np.ones(len(state.loaded), dtype=np.bool_)
        for index in range(len(state.recipe.steps)):
            if index != own:
                left &= state.outcome.kept_by(index)
        if own is not None and state.recipe.steps[own].off:
            return idle_handle(side, ladder, left)
        low, high = self.values(score)
        unscored = "drop" if own is None else state.recipe.steps[own].params.unscored
        values, codes = state.loaded.scores[score], self._codes_of(score, side)
        other = high if side == "low" else low
        return handle_of(side, ladder, values, codes, left, other, unscored=unscored)

    def share_below(self, score: str, value: float) -> float:
        """The quantile that a threshold at `value` is: the share of the corpus's scorable documents below it.

        To three digits at least.
        """
        values = self._state.loaded.scores[score]
        known = self._shares.get((score, value))
        if known is not None and known[0] is values:
            return known[1]
        return self._remember_share(score, value, kept_share_below(values, self._state.loaded.weights, value))

    def _remember_share(self, score: str, value: float, share: float) -> float:
        self._shares[score, value] = self._state.loaded.scores[score], share
        if len(self._shares) > _SHARES:
            self._shares.popitem(last=False)
        return share

    def show_quantiles(self, score: str, on: bool) -> None:
        """Give the thresholds of a score as quantiles from now on, or as constants."""
        (self.as_quantile.add if on else self.as_quantile.discard)(score)
        low, high = self.values(score)
        pair = [None if value is None else self._bound(score, value) for value in (low, high)]
        self.set(score, pair[0], pair[1])

    def _bound(self, score: str, value: float) -> Threshold:
        if score not in self.as_quantile:
            return float(value)
        return bands.as_quantile(value, self._state.loaded.scores[score], self._state.loaded.weights)

    def sync_quantiles(self) -> None:
        """Show as quantiles those scores whose thresholds the recipe gives so (after loading a recipe)."""
        for step in self._state.recipe.steps:
            if step.select == "band" and any(
                isinstance(getattr(step.params, s), Quantile) for s in bands.SIDES
            ):
                self.as_quantile.add(step.params.score)
