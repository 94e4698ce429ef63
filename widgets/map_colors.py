"""What the map's colours mean, and when they have to be found anew."""

from __future__ import annotations

from typing import Any

import numpy as np

from widgets import messages
from widgets.state import BenchState, Change
from workbench.checks import Array
from workbench.plots.map import (
    Coloring,
    color_by_cluster,
    color_by_code,
    color_by_kept,
    color_by_name,
    color_by_score,
    grey_dropped,
)
from workbench.scores import SCORES

_NAMED = ("source", "kept")
_PLACE = ("map_x", "map_y", "cluster")
_MAX_NAMED = 20_000  # documents whose words name clusters: a million take minutes and name them no better


class MapColors:
    """The colouring of the map: by source, cluster, a score or what is kept; dropped documents grey if wished. A
    `Saveable`, which joins by itself.

    Attributes
    ----------
    by
        What colours mean.
    is_grey
        Whether dropped documents are grey.
    """

    def __init__(self, bench: BenchState) -> None:
        self.by = "source"
        self.is_grey = False
        self._bench = bench
        self._base: Coloring | None = None
        self._shown: Coloring | None = None
        self._names: tuple[Array | None, dict[int, str]] = (None, {})
        bench.saved_parts["map"] = self

    def to_json(self) -> Any:
        """As saved."""
        return {"by": self.by, "grey": self.is_grey}

    def load_json(self, value: Any) -> None:
        """Take saved colours; a score that isn't computed is shown by source.

        Raises
        ------
        InputError
            If they aren't what `to_json` gives.
        """
        given = messages.record(value, "colours of the map", ("by", "grey"))
        by, is_grey = messages.known(given, "by", (*_NAMED, *SCORES)), messages.flag(given, "grey")
        self.choose(by)
        self.grey_dropped(is_grey)

    def changed(self, change: Change) -> None:
        """Forget what the change makes untrue."""
        if change == "table" or self.by == "kept":
            self._base = self._shown = None
        elif self.is_grey:
            self._shown = None

    def choose(self, by: str) -> None:
        """Colour by something else."""
        self.by = by
        self._base = self._shown = None

    def grey_dropped(self, on: bool) -> None:
        """Show dropped documents grey, or in the colours of the others."""
        self.is_grey = on
        self._shown = None

    def choices(self) -> list[tuple[str, str]]:
        """What colours may mean: values and labels of the drop-down."""
        table = self._bench.loaded
        scores = [name for name in SCORES if name in table.scores and not SCORES[name].vector]
        scores = [name for name in scores if name not in _PLACE]
        cluster = [("cluster", "cluster")] if "cluster" in table.scores else []
        return [
            ("source", "source"),
            *cluster,
            ("kept", "kept / dropped"),
            *((name, name) for name in scores),
        ]

    @property
    def coloring(self) -> Coloring:
        """The colours as they stand: the same object until something changes them."""
        if self._base is None:
            self._base = self._color_by(self.by)
        if self._shown is None:
            is_grey = self.is_grey and self.by != "kept"
            self._shown = grey_dropped(self._base, self._bench.keep) if is_grey else self._base
        return self._shown

    def _color_by(self, by: str) -> Coloring:
        table = self._bench.loaded
        if by == "kept":
            return color_by_kept(self._bench.keep)
        if by == "cluster" and "cluster" in table.scores:
            return color_by_cluster(table.scores["cluster"], self._keywords(table.scores["cluster"]))
        if by in table.scores:
            values, labels = table.scores[by], SCORES[by].labels
            return (
                color_by_name([labels[int(v)] if np.isfinite(v) else "none" for v in values])
                if labels
                else color_by_score(values)
            )
        self.by = "source"
        return color_by_code(self._bench.groups.codes, self._bench.groups.names)

    def _keywords(self, clusters: Array) -> dict[int, str]:
        from workbench.scores.keywords import keyword_labels

        if self._names[0] is not clusters:
            texts, rows = self._bench.loaded.sample.texts, np.arange(len(clusters))
            if len(rows) > _MAX_NAMED:
                rows = np.sort(np.random.default_rng(0).choice(len(clusters), _MAX_NAMED, replace=False))
            self._names = (clusters, keyword_labels([texts[int(row)] for row in rows], clusters[rows]))
        return self._names[1]
