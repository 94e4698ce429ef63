"""Histograms of all scores of a table, binned once; a moved threshold only counts bins again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from workbench.checks import Array, BoolArray, IntArray
from workbench.engine.table import Table
from workbench.plots.axis import Axis, bin_codes, bin_edges, fit_axis, ticks
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
    """

    score: str
    axis: Axis | None
    edges: tuple[float, ...]
    labels: tuple[str, ...]
    label_codes: tuple[int, ...]
    counts: IntArray
    n_unscored: int

    def to_json(self) -> dict[str, object]:
        """For a view: numbers and names only."""
        spec = SCORES.get(self.score)
        return {
            "score": self.score,
            "title": spec.title if spec else self.score,
            "unit": spec.unit if spec else "",
            "family": family(self.score),
            "kind": self.axis.kind if self.axis else "category",
            "edges": [round(edge, 5) for edge in self.edges],
            "labels": list(self.labels),
            "counts": self.counts.tolist(),
            "unscored": self.n_unscored,
            "ticks": [[round(place, 4), text] for place, text in ticks(self.axis)] if self.axis else [],
        }


class Bins:
    """The charts of a table, and how many kept documents fall into each bin of each of them."""

    def __init__(self, charts: Sequence[Chart], codes: Sequence[IntArray]) -> None:
        self.charts = {chart.score: chart for chart in charts}
        sizes = [len(chart.counts) + 1 for chart in charts]
        self._starts = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
        # One array for all charts, documents first, so that one gather and one bincount serve a move.
        shifted = [code + start for code, start in zip(codes, self._starts, strict=False)]
        self._codes = (
            np.stack(shifted, axis=1).astype(np.int32) if shifted else np.zeros((0, 0), dtype=np.int32)
        )

    def kept(self, keep: BoolArray) -> dict[str, list[int]]:
        """Kept documents in each bin, by score."""
        if not self.charts:
            return {}
        counts = np.bincount(self._codes[keep].ravel(), minlength=int(self._starts[-1]))
        # The last bin of each chart holds the documents without the score.
        return {
            score: counts[start : stop - 1].tolist()
            for score, start, stop in zip(self.charts, self._starts[:-1], self._starts[1:], strict=True)
        }


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


def _bin_values(name: str, values: Array) -> tuple[Chart, IntArray] | None:
    axis = fit_axis(values)
    if axis is None:
        return None
    edges = bin_edges(axis)
    codes = bin_codes(values, edges)
    counts = np.bincount(codes, minlength=len(edges))
    places = axis.positions(edges)
    places[0], places[-1] = 0.0, 1.0
    return Chart(name, axis, tuple(places.tolist()), (), (), counts[:-1], int(counts[-1])), codes


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
