"""Two recipes over one sample: every number that the Compare tab shows. Pure; no widget."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from workbench.checks import Array, BoolArray, FloatArray, IntArray
from workbench.engine.export import corpus_totals
from workbench.engine.select import Outcome
from workbench.engine.table import Table
from workbench.plots.axis import short
from workbench.scores import SCORES
from workbench.stats.compare import (
    PARTS,
    GroupShift,
    ScoreSide,
    group_shifts,
    membership,
    overlap,
    score_order,
    score_side,
    shift_between,
)

MAX_GROUPS = 60
MAX_POINTS = 50_000
_TOKENS = "n_tokens"
_NOT_SHIFTED = ("map_x", "map_y", "cluster")


@dataclass(frozen=True)
class Comparison:
    """A and B over one table.

    Attributes
    ----------
    part
        Which of `PARTS` each document is in, uint8 (n,).
    """

    table: Table
    a: Outcome
    b: Outcome
    part: Array

    @classmethod
    def of(cls, table: Table, a: Outcome, b: Outcome) -> Comparison:
        """Compare two outcomes over the table."""
        return cls(table, a, b, membership(a.keep, b.keep))

    def rows(self, part: str) -> IntArray:
        """The documents of one part, int64, in the sample's order."""
        rows: IntArray = np.flatnonzero(self.part == PARTS.index(part))
        return rows

    def overlap(self) -> dict[str, Any]:
        """Documents and tokens of each part and of each side, in the sample and extrapolated, and Jaccard's index."""
        masks: dict[str, BoolArray] = {name: self.part == PARTS.index(name) for name in PARTS}
        masks |= {"a": self.a.keep, "b": self.b.keep}
        amounts = self._amounts()
        table = self.table
        weighted = {name: overlap(self.a.keep, self.b.keep, v * table.weights) for name, v in amounts.items()}
        rows = []
        for name, mask in masks.items():
            totals = corpus_totals(table, mask, amounts).all
            row: dict[str, Any] = {"part": name, "documents": int(mask.sum()), "tokens": None}
            for amount, key in (("n_documents", "corpusDocuments"), (_TOKENS, "corpusTokens")):
                total = totals.get(amount)
                row[key] = None if total is None else [total.value, total.low, total.high]
            if _TOKENS in amounts:
                row["tokens"] = int(amounts[_TOKENS][mask].sum())
            rows.append(row)
        jaccard = {name: _plain(parts.jaccard) for name, parts in weighted.items()}
        return {"rows": rows, "jaccard": [jaccard["n_documents"], jaccard.get(_TOKENS)]}

    def _amounts(self) -> dict[str, FloatArray]:
        amounts: dict[str, FloatArray] = {"n_documents": np.ones(len(self.table))}
        tokens = self.table.scores.get(_TOKENS)
        if tokens is not None:
            amounts[_TOKENS] = np.nan_to_num(tokens.astype(np.float64))
        return amounts

    def groups(self, codes: IntArray, names: Sequence[str]) -> dict[str, Any]:
        """The shares of groups, those that differ most first, at most `MAX_GROUPS`."""
        shifts = group_shifts(self.a.keep, self.b.keep, codes, names, self.table.weights)
        shifts.sort(key=lambda shift: (-_gap(shift), shift.name))
        rows = [
            [s.name, s.n, s.n_a, s.n_b, *map(_plain, (s.share, s.share_a, s.share_b))]
            for s in shifts[:MAX_GROUPS]
        ]
        return {"rows": rows, "more": len(shifts) - len(rows)}

    def clusters(self, labels: Mapping[int, str]) -> dict[str, Any] | None:
        """The shares of clusters by their labels; None where there are no clusters."""
        codes = self.table.scores.get("cluster")
        if codes is None:
            return None
        whole = np.where(np.isfinite(codes), codes, -1).astype(np.int64)
        present, place = np.unique(whole, return_inverse=True)
        names = [labels.get(int(code), f"cluster {code}") if code >= 0 else "noise" for code in present]
        return self.groups(place.astype(np.int64), names)

    def scores(self, sides: ScoreSides) -> list[dict[str, Any]]:
        """Mean, median and standardized difference of the length and of every score, the most different first."""
        rows = []
        # Both kept at hand: of two, the one that didn't change is remembered.
        a, b = sides.of(self.a.keep), sides.of(self.b.keep)
        for name in a:
            shift = shift_between(a[name], b[name])
            means = shift.mean_a, shift.mean_b, shift.median_a, shift.median_b
            rows.append(
                {
                    "name": name,
                    "values": [_number(value) for value in means],
                    "difference": _plain(shift.difference),
                    "unscored": [_plain(shift.unscored_a), _plain(shift.unscored_b)],
                }
            )
        return sorted(rows, key=lambda row: (-abs(row["difference"] or 0), row["name"]))


class ScoreSides:
    """The scores of a table among what a selection keeps; how each score is ordered, and the last two selections, are
    remembered.

    Parameters
    ----------
    n_chars
        The length of each document, (n,).
    """

    def __init__(self, table: Table, n_chars: FloatArray) -> None:
        self._columns: dict[str, Array] = {"n_chars": n_chars} | {
            name: values
            for name, values in table.scores.items()
            if not SCORES[name].vector and name not in _NOT_SHIFTED and not SCORES[name].labels
        }
        self._weights = table.weights
        self._orders: dict[str, IntArray] = {}
        self._known: list[tuple[BoolArray, dict[str, ScoreSide]]] = []

    def of(self, keep: BoolArray) -> dict[str, ScoreSide]:
        """By score, of what `keep`, bool (n,), says; it is never written to again."""
        known = next((item for item in self._known if np.array_equal(item[0], keep)), None)
        if known is None:
            known = keep, {name: self._side(name, keep) for name in self._columns}
        self._known = [known, *(item for item in self._known if item is not known)][:2]
        return known[1]

    def _side(self, name: str, keep: BoolArray) -> ScoreSide:
        values = self._columns[name]
        if name not in self._orders:
            self._orders[name] = score_order(values)
        return score_side(keep, values, self._weights, self._orders[name])


@dataclass(frozen=True, eq=False)
class Picture:
    """Where documents lie on the map, at most `MAX_POINTS` of them.

    Attributes
    ----------
    rows
        The documents, int64 (m,).
    places
        uint16 (m, 2), little-endian: x and y, 0..65535, on one scale for both; y upwards.
    unplaced
        Documents without a place.
    """

    rows: IntArray
    places: bytes
    unplaced: int


def picture(table: Table) -> Picture | None:
    """The map's points; None where the map isn't computed."""
    if not {"map_x", "map_y"} <= table.scores.keys():
        return None
    at = np.stack([table.scores["map_x"], table.scores["map_y"]], axis=1).astype(np.float64)
    placed = np.flatnonzero(np.isfinite(at).all(axis=1))
    unplaced = len(at) - len(placed)
    if len(placed) > MAX_POINTS:
        # Always the same ones, so that a recipe's change moves no point.
        placed = np.sort(np.random.default_rng(0).choice(placed, MAX_POINTS, replace=False))
    points = at[placed]
    if len(points):
        low, high = points.min(axis=0), points.max(axis=0)
        span = float((high - low).max()) or 1.0
        points = (points - (low + high) / 2) / span + 0.5
    return Picture(placed.astype(np.int64), np.round(points * 65535).astype("<u2").tobytes(), unplaced)


def _gap(shift: GroupShift) -> float:
    gap = abs(shift.share_b - shift.share_a)
    return gap if math.isfinite(gap) else 0.0


def _plain(value: float) -> float | None:
    """NaN has no form in JSON."""
    return value if math.isfinite(value) else None


def _number(value: float) -> str | None:
    if not math.isfinite(value):
        return None
    return short(value) if abs(value) >= 1e6 else f"{value:,.4g}" if abs(value) < 1000 else f"{value:,.0f}"
