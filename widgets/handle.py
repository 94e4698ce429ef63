"""A handle of a band with the documents that all else leaves it: what a cube is built from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from widgets.ladder import N_PLACES, Ladder, Side
from workbench.checks import Array, BoolArray, IntArray

# The code of a document that is kept wherever the handle stands, and of one that is kept where it is open alone.
_ALWAYS = {"low": N_PLACES - 1, "high": 0}
_ONLY_OPEN = {"low": 0, "high": N_PLACES - 1}


@dataclass(frozen=True)
class Handle:
    """One handle with the documents that all else leaves it.

    Attributes
    ----------
    rows
        Documents that everything but this handle keeps, int64 (m,).
    codes
        The place at which each of them is lost, uint16 (m,), as `Ladder.codes` has it.
    """

    side: Side
    ladder: Ladder
    rows: IntArray
    codes: IntArray


def handle_of(
    side: Side,
    ladder: Ladder,
    values: Array,
    codes: IntArray,
    left: BoolArray,
    other: float | None,
    *,
    unscored: str,
) -> Handle:
    """A handle of the band on a score.

    Parameters
    ----------
    values
        The score, (n,).
    codes
        Where each document is lost, uint16 (n,): `ladder.codes(values, side)`.
    left
        bool (n,): what all other steps keep.
    other
        The band's other threshold, beyond which this one can't go; None if that side is open.
    unscored
        What the band does with documents without the score: "keep", or anything else for "drop".
    """
    keep, lacks = left.copy(), np.isnan(values)
    held: BoolArray = np.zeros(len(values), dtype=np.bool_)
    if other is not None:
        with np.errstate(over="ignore"):
            cut = values.dtype.type(other)
        keep &= ~(values > cut if side == "low" else values < cut)
        held = values >= cut if side == "low" else values <= cut
        if unscored != "keep":
            keep &= ~lacks
    rows = np.flatnonzero(keep)
    lost = codes.take(rows)
    lost[held.take(rows)] = _ALWAYS[side]
    # With both sides open there is no band, and documents without the score come back.
    lost[lacks.take(rows)] = _ALWAYS[side] if unscored == "keep" else _ONLY_OPEN[side]
    return Handle(side, ladder, rows, lost)


def idle_handle(side: Side, ladder: Ladder, left: BoolArray) -> Handle:
    """The handle of a band that is off: wherever it stands, what all other steps keep (bool (n,)) is kept."""
    rows = np.flatnonzero(left)
    return Handle(side, ladder, rows, np.full(len(rows), _ALWAYS[side], dtype=np.uint16))
