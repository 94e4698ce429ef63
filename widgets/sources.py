"""Which sources a table shows: of a few all, of many the largest and those that are searched for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from widgets.bins import Bins
from widgets.counts import Count, Groups, Sums
from workbench.checks import BoolArray
from workbench.plots.colors import category_colors

AT_MOST = 40
OTHERS = "#9a9a9a"
_NAME_CHARS = 200


def shown_sources(groups: Groups, search: str = "", at_most: int = AT_MOST) -> list[int]:
    """Places in `groups.names`: of those whose name holds `search`, in any case, the largest, by name."""
    needle = search.casefold()
    found = [i for i, name in enumerate(groups.names) if needle in name.casefold()]
    largest = sorted(found, key=lambda i: (-int(groups.whole.documents[i]), i))[:at_most]
    return sorted(largest)


class SourceTable:
    """The rows of the table of sources.

    Attributes
    ----------
    places
        The sources that have a row each, as places in `groups.names`.
    """

    def __init__(self, groups: Groups, search: str = "") -> None:
        self.groups = groups
        self.search = search
        self.places = shown_sources(groups, search)
        self._colors: Mapping[str, str] = category_colors(groups.names)

    def rows(self, kept: Sums) -> list[dict[str, Any]]:
        """One a shown source; the last, without a color, is all others together if there are any."""
        counts = self.groups.by_source(kept)
        rows = [
            {**counts[i].to_json(), "name": counts[i].name[:_NAME_CHARS], "color": self._colors[counts[i].name],
             "weight": float(self.groups.weights[i])}
            for i in self.places
        ]  # fmt: skip
        shown = set(self.places)
        others = [count for i, count in enumerate(counts) if i not in shown]
        if others:
            rows.append({**_together(others).to_json(), "color": "", "weight": 0.0})
        return rows


def stacked(
    bins: Bins, groups: Groups, keep: BoolArray, at_most: int = 8
) -> dict[str, list[tuple[str, list[int]]]]:
    """Kept documents in each bin by source, for bars that lie on one another: (color, counts) by score.

    The largest sources have a part each, all others share the last.
    """
    places = shown_sources(groups, at_most=at_most)
    colors = category_colors(groups.names)
    part = np.full(len(groups.names), len(places), dtype=np.int64)
    part[places] = np.arange(len(places))
    names = [colors[groups.names[place]] for place in places] + [OTHERS] * (len(places) < len(groups.names))
    rows = np.flatnonzero(keep)
    of_row = part[groups.codes.take(rows)]
    found = {}
    for score, chart in bins.charts.items():
        n_bins = len(chart.counts) + 1
        cells = np.bincount(of_row * n_bins + bins.codes[score].take(rows), minlength=n_bins * len(names))
        counts = cells.reshape(len(names), n_bins)[:, :-1]
        found[score] = [(color, counts[i].tolist()) for i, color in enumerate(names)]
    return found


def _together(counts: list[Count]) -> Count:
    tokens = [count.tokens for count in counts if count.tokens is not None]
    kept_tokens = [count.kept_tokens for count in counts if count.kept_tokens is not None]
    return Count(
        f"{len(counts):,} further sources" if len(counts) > 1 else "1 further source",
        int(np.sum([count.documents for count in counts])),
        int(np.sum([count.kept for count in counts])),
        sum(tokens) if tokens else None,
        sum(kept_tokens) if kept_tokens else None,
        float(sum(count.share for count in counts)),
        float(sum(count.kept_share for count in counts)),
    )
