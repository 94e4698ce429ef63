"""The loss of a training over its steps."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from workbench.plots.base import inline
from workbench.plots.colors import PALETTE

N_POINTS = 300
TRAINED, HELD_OUT = PALETTE[0], PALETTE[1]


@dataclass(frozen=True)
class LossPoint:
    """Some steps beside each other.

    Attributes
    ----------
    step
        The last of them, counted from 1.
    mean, low, high
        Of their losses, in nats a token.
    """

    step: int
    mean: float
    low: float
    high: float


@dataclass(frozen=True)
class LossCurve:
    """What a chart of a training shows.

    Attributes
    ----------
    points
        The training's own losses.
    heldout
        (steps done, loss) on text that it isn't trained on.
    """

    points: tuple[LossPoint, ...]
    heldout: tuple[tuple[int, float], ...]

    def rows(self) -> list[dict[str, Any]]:
        """One row a point, for a table or a chart."""
        trained = [{"what": "trained on", **vars(point)} for point in self.points]
        return [*trained, *({"what": "held out", "step": s, "mean": loss} for s, loss in self.heldout)]


def loss_curve(
    losses: Sequence[float], heldout: Sequence[Sequence[float]] = (), n_points: int = N_POINTS
) -> LossCurve:
    """Thin a training's losses to at most `n_points` points, each the mean of as many steps as any other or one more.

    Parameters
    ----------
    losses
        One a step, in nats a token.
    heldout
        (steps done, loss).

    Examples
    --------
    >>> [(p.step, p.mean) for p in loss_curve([4.0, 2.0, 3.0, 1.0], n_points=2).points]
    [(2, 3.0), (4, 2.0)]
    """
    ends = np.unique(np.linspace(0, len(losses), min(len(losses), n_points) + 1).astype(int)).tolist()
    points = []
    for start, end in itertools.pairwise(ends):
        part = losses[start:end]
        points.append(LossPoint(end, sum(part) / len(part), min(part), max(part)))
    return LossCurve(tuple(points), tuple((int(step), float(loss)) for step, loss in heldout))


def loss_chart(training: Mapping[str, Any]) -> Any:
    """An altair chart of a training.json: the mean loss with its range, and the held-out loss."""
    import altair as alt

    rows = loss_curve(training["losses"], training.get("heldout", ())).rows()
    base = alt.Chart(inline(rows)).encode(alt.X("step:Q", title="step"))
    color = alt.Color(
        "what:N", scale=alt.Scale(domain=["trained on", "held out"], range=[TRAINED, HELD_OUT]), title=None
    )
    loss = alt.Y("mean:Q", title="loss (nats a token)", scale=alt.Scale(zero=False))
    band = base.mark_area(opacity=0.2, color=TRAINED).encode(alt.Y("low:Q"), alt.Y2("high:Q"))
    return alt.layer(band, base.mark_line().encode(loss, color)).properties(width=420, height=220)
