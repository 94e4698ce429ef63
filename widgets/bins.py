"""Histograms of all scores of a table, binned once; a moved threshold only counts bins again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from workbench.checks import Array, IntArray
from workbench.engine.table import Table
from workbench.errors import InputError
from workbench.plots.axis import Axis, Kind, axis_kinds, bin_codes, bin_edges, fit_axis, ticks
from workbench.scores import SCORES


@dataclass(frozen=True)
class Chart:
    """The histogram of one score, as it stays while thresholds move.

    Attributes
    ----------
    score
        The score's name.
    axis
        None for a categorical score, whose bins are its labels.
    edges
        Places of the bins' edges, 0..1, (k + 1,); empty for a categorical score.
    labels
        The label of each bin of a categorical score, most frequent first; empty otherwise.
    label_codes
        The value that each label stands for.
    counts
        Documents in each bin, int64 (k,).
    n_unscored
        Documents without the score.
    kinds
        The scales that can show it; none for a categorical score.
    """

    score: str
    axis: Axis | None
    edges: tuple[float, ...]
    labels: tuple[str, ...]
    label_codes: tuple[int, ...]
    counts: IntArray
    n_unscored: int
    kinds: tuple[Kind, ...] = ()

    def to_json(self) -> dict[str, object]:
        """For a view: numbers and names only."""
        spec = SCORES.get(self.score)
        return {
            "score": self.score,
            "title": spec.title if spec else self.score,
            "unit": spec.unit if spec else "",
            "family": family(self.score),
            "kind": self.axis.kind if self.axis else "category",
            "kinds": list(self.kinds),
            "edges": [round(edge, 5) for edge in self.edges],
            "labels": list(self.labels),
            "counts": self.counts.tolist(),
            "unscored": self.n_unscored,
            "ticks": [[round(place, 4), text] for place, text in ticks(self.axis)] if self.axis else [],
        }


class Bins:
    """The charts of a table, and the bin of every document in each of them.

    Attributes
    ----------
    charts
        By score, in the order in which they are shown.
    codes
        The bin of each document by score, uint8 (n,); the number of bins for a document without the score.
    """

    def __init__(self, charts: Sequence[Chart], codes: Sequence[IntArray]) -> None:
        self.charts = {chart.score: chart for chart in charts}
        self.codes = {chart.score: code.astype(np.uint8) for chart, code in zip(charts, codes, strict=True)}

    def counts(self, rows: IntArray | None = None) -> dict[str, IntArray]:
        """Documents in each bin by score, int64 (k,): of these rows, or of all documents."""
        found: dict[str, IntArray] = {}
        for score, chart in self.charts.items():
            codes = self.codes[score] if rows is None else self.codes[score].take(rows)
            # The last count is that of the documents without the score.
            found[score] = np.bincount(codes, minlength=len(chart.counts) + 1)[:-1]
        return found

    def with_axis(self, score: str, kind: Kind, values: Array) -> Bins:
        """The same with another scale under one score.

        Raises
        ------
        InputError
            If the score has categories, or has values that the scale can't show.
        """
        chart = self.charts[score]
        if kind not in chart.kinds:
            raise InputError(
                f"{score} can't be shown on a {kind} axis; it has {', '.join(chart.kinds) or 'none'}"
            )
        made = _bin_values(score, values, kind)
        assert made is not None
        other = Bins([], [])
        other.charts = {**self.charts, score: made[0]}
        other.codes = {**self.codes, score: made[1].astype(np.uint8)}
        return other


def make_bins(table: Table) -> Bins:
    """Bin every score that a threshold can be set on."""
    charts, codes = [], []
    for name in shown_scores(table):
        made = (
            _bin_labels(name, table.scores[name])
            if SCORES[name].labels
            else _bin_values(name, table.scores[name])
        )
        if made:
            charts.append(made[0])
            codes.append(made[1])
    return Bins(charts, codes)


def shown_scores(table: Table) -> list[str]:
    """The scores with one number a document that hold for a corpus too, in the registry's order."""
    known = [name for name in SCORES if name in table.scores]
    return [n for n in known if not SCORES[n].vector and SCORES[n].scope == "row"]


def _bin_values(name: str, values: Array, kind: Kind | None = None) -> tuple[Chart, IntArray] | None:
    axis = fit_axis(values, kind)
    if axis is None:
        return None
    edges = bin_edges(axis)
    codes = bin_codes(values, edges)
    counts = np.bincount(codes, minlength=len(edges))
    places = axis.positions(edges)
    places[0], places[-1] = 0.0, 1.0
    at = tuple(places.tolist())
    # A logarithmic axis of one value would have no length.
    kinds = axis_kinds(axis) if np.count_nonzero(counts[:-1]) > 1 else ("linear",)
    return Chart(name, axis, at, (), (), counts[:-1], int(counts[-1]), kinds), codes


def _bin_labels(name: str, values: Array, at_most: int = 24) -> tuple[Chart, IntArray]:
    """The most frequent labels, each a bin; the others share a last bin that has no label code."""
    scored = np.isfinite(values)
    frequency = np.bincount(values[scored].astype(np.int64))
    order = np.argsort(-frequency, kind="stable")
    order = order[frequency[order] > 0]
    shown = order[:at_most]
    labels = [SCORES[name].labels[i] for i in shown]
    if len(order) > at_most:
        labels.append("other")
    place = np.full(len(frequency) + 1, len(shown), dtype=np.int64)
    place[shown] = np.arange(len(shown))
    codes = np.full(len(values), len(labels), dtype=np.int64)
    codes[scored] = place[values[scored].astype(np.int64)]
    counts = np.bincount(codes, minlength=len(labels) + 1)
    chart = Chart(name, None, (), tuple(labels), tuple(int(i) for i in shown), counts[:-1], int(counts[-1]))
    return chart, codes


def family(score: str) -> str:
    """The family under which forms and charts group a score."""
    head = score.split("_")[0]
    published = {"gopher": "Gopher", "fineweb": "FineWeb", "c4": "C4", "rps": "RedPajama"}
    if head in published:
        return published[head]
    spec = SCORES.get(score)
    needs = spec.needs if spec else ()
    if (spec and spec.scope == "sample") or "embedding" in needs or "embedder" in needs:
        return "Meaning"
    of_model = {"lm", "ngram", "ccnet_perplexity"} & set(needs) or "perplexity" in score
    return "Language model" if of_model else "Basics"
