"""Best-fit packing: documents into rows of a training context, so that few are cut. Lengths in, places out."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import defaultdict
from dataclasses import dataclass
from typing import Literal

import numpy as np

from workbench.checks import IntArray, check_at_least
from workbench.errors import InputError

Variant = Literal["paper", "repo"]


@dataclass(frozen=True)
class Packing:
    """Which piece of which document lies in which row; the pieces stand by row, and in a row as they were put there.

    Attributes
    ----------
    row, doc
        int64 (m,): the row of a piece, 0 to n_rows - 1, and its document's place in `lengths`.
    start, end
        int64 (m,): the piece is the document's tokens start to end - 1.
    n_rows
        How many rows there are.
    """

    row: IntArray
    doc: IntArray
    start: IntArray
    end: IntArray
    n_rows: int


def bfd_pack(lengths: IntArray, context: int, variant: Variant = "paper") -> Packing:
    """Pack documents into rows of `context` tokens by best-fit decreasing.

    Parameters
    ----------
    lengths
        (n,): tokens of each document, with the one that ends it; 0 or more. An empty document is in no row.
    context
        Tokens of a row, 1 or more.
    variant
        "paper": a document longer than a row is cut into full rows and a rest. "repo": its first `context` tokens are
        taken and the rest is lost, as in the version of TRL that was read.

    Returns
    -------
    Packing

    Raises
    ------
    InputError
        If a length is negative or the context is below 1.

    Notes
    -----
    Ding et al. 2024, "Fewer truncations improve language modeling". The pieces go from the longest down, of equal ones
    in the order of `lengths`; each goes into the row with the least space that takes it, of equal rows into the one
    that has had that space for longest. Rows of equal space and pieces of equal length are handled together, so that
    a search is made for each different length and not for each piece.

    Examples
    --------
    >>> packed = bfd_pack(np.array([14, 7, 5, 2, 3]), 8)
    >>> list(zip(packed.row.tolist(), packed.doc.tolist(), (packed.end - packed.start).tolist()))
    [(0, 0, 8), (1, 1, 7), (2, 0, 6), (2, 3, 2), (3, 2, 5), (3, 4, 3)]
    """
    check_at_least("context", context, 1)
    lengths = np.asarray(lengths, dtype=np.int64)
    if len(lengths) and lengths.min() < 0:
        raise InputError(f"a length must be 0 or more, got {lengths.min()}; give tokens of each document")
    n_pieces = -(-lengths // context) if variant == "paper" else np.minimum(lengths, 1)
    doc = np.repeat(np.arange(len(lengths)), n_pieces)
    number = np.arange(len(doc)) - np.repeat(np.cumsum(n_pieces) - n_pieces, n_pieces)
    start = number * context
    end = np.minimum(start + context, lengths[doc])
    order = np.argsort(start - end, kind="stable")  # the longest first
    row, n_rows = _best_fit((end - start)[order], context)
    by_row = order[np.argsort(row, kind="stable")]
    return Packing(np.sort(row), doc[by_row], start[by_row], end[by_row], n_rows)


def _best_fit(sizes: IntArray, context: int) -> tuple[IntArray, int]:
    """The row of each piece, int64 (m,), and the number of rows; `sizes` fall."""
    row = np.zeros(len(sizes), dtype=np.int64)
    rows_with: defaultdict[int, list[int]] = defaultdict(list)
    spaces: list[int] = []  # those that some row has, rising
    n_rows = 0

    def put(rows: list[int], space: int) -> None:
        if space and rows:
            if not rows_with[space]:
                insort(spaces, space)
            rows_with[space].extend(rows)

    stops = np.flatnonzero(np.diff(sizes, append=0)) + 1
    at = 0
    for stop in stops.tolist():
        size = int(sizes[at])
        while at < stop:
            # A row that takes a piece becomes the one with the least space, and so takes the next ones while they fit.
            place = bisect_left(spaces, size)
            space = spaces[place] if place < len(spaces) else context
            each, n_left = space // size, stop - at
            n_taken = -(-n_left // each)
            if place < len(spaces):
                waiting = rows_with[space]
                rows, rows_with[space] = waiting[:n_taken], waiting[n_taken:]
                if not rows_with[space]:
                    spaces.pop(place)
            else:
                rows = list(range(n_rows, n_rows + n_taken))
                n_rows += n_taken
            n_put = min(n_left, len(rows) * each)
            row[at : at + n_put] = np.repeat(rows, each)[:n_put]
            n_full, n_in_last = divmod(n_put, each)
            put(rows[:n_full], space - each * size)
            put(rows[n_full:], space - n_in_last * size)
            at += n_put
    return row, n_rows


def pack_rounds(
    lengths: IntArray, n_copies: IntArray, context: int, variant: Variant = "paper"
) -> tuple[Packing, IntArray]:
    """Pack documents of which some are repeated, round after round: the k-th has those with more than k copies.

    Each round is packed by itself with `bfd_pack`, so that no row holds a document twice, which would let a model copy
    it. In one packing equal lengths stand side by side, and copies would often share a row.

    Parameters
    ----------
    lengths, context, variant
        As for `bfd_pack`.
    n_copies
        int64 (n,): how often each document is packed, 0 or more.

    Returns
    -------
    packing : Packing
    rounds : int64 (m,), the round of each piece, from 0

    Examples
    --------
    >>> packed, rounds = pack_rounds(np.array([5, 3]), np.array([1, 3]), 8)
    >>> list(zip(packed.row.tolist(), packed.doc.tolist(), rounds.tolist()))
    [(0, 0, 0), (0, 1, 0), (1, 1, 1), (2, 1, 2)]
    """
    parts, n_rows = [bfd_pack(lengths[:0], context, variant)], 0
    for k in range(int(n_copies.max(initial=0))):
        rows = np.flatnonzero(n_copies > k)
        part = bfd_pack(lengths[rows], context, variant)
        parts.append(Packing(part.row + n_rows, rows[part.doc], part.start, part.end, part.n_rows))
        n_rows += part.n_rows
    row, doc, start, end = (
        np.concatenate([getattr(part, name) for part in parts]) for name in ("row", "doc", "start", "end")
    )
    rounds = np.repeat(np.arange(-1, len(parts) - 1), [len(part.row) for part in parts])
    return Packing(row, doc, start, end, n_rows), rounds


def n_cut_by_concatenation(lengths: IntArray, context: int) -> int:
    """How many documents a boundary cuts where all stand in one stream that is parted every `context` tokens.

    Examples
    --------
    >>> n_cut_by_concatenation(np.array([14, 7, 5, 2, 3]), 8)
    3
    """
    lengths = np.asarray(lengths, dtype=np.int64)
    stops = np.cumsum(lengths)
    return int(((stops - lengths) // context < (stops - 1) // context)[lengths > 0].sum())
