"""Windows packed into rows of fixed length: no padding but at a row's end."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import deque
from collections.abc import Iterator

import numpy as np

from workbench.checks import IntArray


def pack_rows(lengths: IntArray, row_tokens: int) -> Iterator[list[int]]:
    """Put windows into rows of at most `row_tokens` tokens, longest first (best fit, decreasing).

    Parameters
    ----------
    lengths
        Tokens of each window, (m,), each 1..row_tokens.

    Yields
    ------
    The windows of a row, in the order in which they stand in it.

    Notes
    -----
    Best fit decreasing needs at most 11/9 of the fewest possible rows, plus a constant (Johnson 1973), and
    the same windows always give the same rows.

    Examples
    --------
    >>> sorted(pack_rows(np.array([3, 7, 2, 5, 3]), 10))
    [[1, 0], [3, 4, 2]]
    """
    rows: list[list[int]] = []
    # The rows that have room left, by how much: of equal room the oldest is filled first.
    by_room: dict[int, deque[int]] = {}
    rooms: list[int] = []  # the keys of by_room, rising
    for i in np.argsort(-lengths, kind="stable").tolist():
        n = int(lengths[i])
        at = bisect_left(rooms, n)
        if at == len(rooms):
            rows.append([])
            row, room = len(rows) - 1, row_tokens
        else:
            room = rooms[at]
            row = by_room[room].popleft()
            if not by_room[room]:
                del by_room[room], rooms[at]
        rows[row].append(i)
        left = room - n
        if left and left not in by_room:
            insort(rooms, left)
        if left:
            by_room.setdefault(left, deque()).append(row)
    yield from rows
