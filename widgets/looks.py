"""How the histograms are drawn: of no matter to what is kept, and saved with the work."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, cast, get_args

from widgets import messages
from widgets.state import BenchState
from workbench.errors import InputError
from workbench.plots.axis import Kind
from workbench.scores import SCORES

Paint = Literal["kept", "grey", "source"]
PAINTS: tuple[Paint, ...] = get_args(Paint)
KINDS: tuple[Kind, ...] = get_args(Kind)


class Looks:
    """Colours and scales of the charts; a `Saveable`.

    Attributes
    ----------
    paint
        What bars show: kept documents coloured, all grey, or by source.
    is_rooted
        Whether heights are square roots of counts.
    scales
        The axis that was chosen for a score.
    """

    def __init__(self) -> None:
        self.paint: Paint = "kept"
        self.is_rooted = False
        self.scales: dict[str, Kind] = {}

    def take(self, content: Mapping[str, object]) -> None:
        """Take colours and heights as the page says them."""
        paint, is_rooted = messages.known(content, "paint", PAINTS), messages.flag(content, "roots")
        self.paint, self.is_rooted = cast(Paint, paint), is_rooted

    def apply(self, bench: BenchState) -> None:
        """Show each score on the axis that was chosen for it, where it can be."""
        for score, kind in self.scales.items():
            chart = bench.bins.charts.get(score)
            if (
                chart is not None
                and kind in chart.kinds
                and chart.axis is not None
                and chart.axis.kind != kind
            ):
                bench.scale(score, kind)

    def shown(self) -> dict[str, Any]:
        """For the view."""
        return {"paint": self.paint, "roots": self.is_rooted}

    def to_json(self) -> Any:
        """As saved."""
        return {**self.shown(), "scales": dict(self.scales)}

    def load_json(self, value: Any) -> None:
        """Take saved looks in place of these.

        Raises
        ------
        InputError
            If they aren't what `to_json` gives.
        """
        given = messages.record(value, "looks", ("paint", "roots", "scales"))
        scales = given["scales"]
        if not isinstance(scales, Mapping) or any(name not in SCORES for name in scales):
            raise InputError("scales must map names of scores to kinds of axis; open another file")
        found = {str(name): cast(Kind, messages.known(scales, name, KINDS)) for name in scales}
        self.take(given)
        self.scales = found
