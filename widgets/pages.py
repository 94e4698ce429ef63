"""Which documents a page shows, and what of them. Text goes to the view a page or a piece at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from workbench.checks import Array, BoolArray, IntArray

PAGE_ROWS = 20
READ_CHARS = 20_000
_LINE_CHARS = 160

Show = Literal["all", "kept", "dropped", "selection"]


@dataclass(frozen=True)
class Query:
    """What the list of documents shows.

    Attributes
    ----------
    show
        "selection" is what was lassoed on the map.
    source
        Only this source; None for all.
    step
        Only what this step dropped; None for all.
    search
        Only documents whose text contains this, upper and lower case being the same; "" for all.
    near
        Order by nearness to the thresholds of this score; None for the sample's order.
    page
        0-based.
    """

    show: Show = "all"
    source: str | None = None
    step: int | None = None
    search: str = ""
    near: str | None = None
    page: int = 0


def matching_rows(
    query: Query,
    texts: Sequence[str],
    sources: Array,
    keep: BoolArray,
    dropped_by: IntArray,
    selection: IntArray,
    order: IntArray | None = None,
) -> IntArray:
    """The rows that a query asks for, in order, int64.

    Parameters
    ----------
    texts, sources, keep, dropped_by
        Of all documents, (n,).
    selection
        The lassoed rows.
    order
        Rows in the order to list them; None for the sample's.
    """
    wanted = np.ones(len(texts), dtype=bool)
    if query.show == "kept":
        wanted &= keep
    elif query.show == "dropped":
        wanted &= ~keep
    elif query.show == "selection":
        wanted[:] = False
        wanted[selection] = True
    if query.source is not None:
        wanted &= np.asarray(sources == query.source)
    if query.step is not None:
        wanted &= dropped_by == query.step
    rows = np.flatnonzero(wanted) if order is None else order[wanted[order]]
    if query.search:
        needle = query.search.lower()
        rows = np.asarray([row for row in rows.tolist() if needle in texts[row].lower()], dtype=np.int64)
    return rows.astype(np.int64)


def page_of(rows: IntArray, page: int) -> tuple[IntArray, int, int]:
    """The rows of a page, the page that this is (held to those there are), and the number of pages (at least 1)."""
    n_pages = max(1, -(-len(rows) // PAGE_ROWS))
    page = min(max(0, page), n_pages - 1)
    return rows[page * PAGE_ROWS : (page + 1) * PAGE_ROWS], page, n_pages


def first_line(text: str) -> str:
    """The first line that isn't blank, cut to fit a list."""
    # A slice first: stripping a 50 MB document for one line would copy it.
    for line in text[:4096].splitlines():
        if line.strip():
            line = line.strip()
            return line if len(line) <= _LINE_CHARS else line[: _LINE_CHARS - 1] + "…"
    return ""


def piece(text: str, offset: int) -> str:
    """The next piece of a text for the reader."""
    return text[offset : offset + READ_CHARS]
