"""The handles on the scores' histograms: what moving one does to the recipe."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from widgets import bands
from workbench.plots.axis import N_POSITIONS
from workbench.selectors.base import Quantile, Threshold

if TYPE_CHECKING:
    from widgets.state import BenchState

Bound = float | Mapping[str, float] | Threshold


def as_threshold(bound: Bound) -> Threshold:
    """A threshold as a notebook's cell gives it: a number, `{"quantile": q}`, or None for an open side."""
    if isinstance(bound, Mapping):
        return Quantile(float(bound["quantile"]))
    return bound if bound is None or isinstance(bound, Quantile) else float(bound)


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

    def set(self, score: str, low: Threshold, high: Threshold, *, gesture: str | None = None) -> None:
        """Set both thresholds of a score, each a number, a quantile or None for an open side."""
        self._state.edit(bands.with_bounds(self._state.recipe, score, low, high), gesture=gesture)

    def values(self, score: str) -> tuple[float | None, float | None]:
        """The numbers that the thresholds of a score stand for."""
        low, high = bands.bounds(self._state.resolved, score)
        return bands.resolved(low), bands.resolved(high)

    def move(self, score: str, side: bands.Side, value: float | None, *, gesture: str | None = None) -> None:
        """Move one threshold to a value, held to the other one; where quantiles are on it becomes a quantile."""
        low, high = bands.bounds(self._state.recipe, score)
        low_value, high_value = self.values(score)
        bound: Threshold = None
        if value is not None:
            if side == "low" and high_value is not None:
                value = min(value, high_value)
            if side == "high" and low_value is not None:
                value = max(value, low_value)
            bound = self._bound(score, value)
        pair = (bound, high) if side == "low" else (low, bound)
        self.set(score, *pair, gesture=gesture)

    def drag(self, score: str, side: bands.Side, place: int, *, gesture: str | None = None) -> None:
        """Move one threshold to a place on the axis, 0..N_POSITIONS; at the outer end the side is open."""
        axis = self._state.axis(score)
        is_open = place <= 0 if side == "low" else place >= N_POSITIONS
        self.move(score, side, None if is_open else axis.snapped(place), gesture=gesture)

    def nudge(self, score: str, side: bands.Side, steps: int, *, gesture: str | None = None) -> None:
        """Move one threshold by so many places, at least one round value; an open side starts at its end."""
        axis = self._state.axis(score)
        low, high = self.values(score)
        end = axis.low if side == "low" else axis.high
        now = low if side == "low" else high
        value = axis.nudge(end if now is None else now, steps)
        outward = value <= axis.low if side == "low" else value >= axis.high
        self.move(score, side, None if outward else value, gesture=gesture)

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
