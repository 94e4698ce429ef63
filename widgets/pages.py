"""Which documents a page shows, and what of them. Text goes to the view a page or a piece at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from workbench.checks import IntArray

PAGE_ROWS = 20
READ_CHARS = 20_000
_LINE_CHARS = 160

Show = Literal["all", "kept", "dropped", "selection"]


@dataclass(frozen=True)
class Query:
    """What the list of documents shows. All filters hold at once; of `near`, `disagree` and `draw` one gives the order.

    Attributes
    ----------
    show
        "selection" is what was lassoed on the map.
    source
        Only this source; None for all.
    step
        Only what this step dropped; None for all.
    only
        Only what no other step would have dropped; needs `step`.
    cluster
        Only this cluster of the score `cluster`; None for all.
    search
        Only documents whose text contains this, upper and lower case being the same; "" for all.
    reach
        How many times as far to search as at first, at least 1.
    near
        Order by nearness to the thresholds of this score; None for another order.
    disagree
        Two scores: order by how far apart a document's ranks under them are; None for another order.
    draw
        The number of a random order, 0 or more; None for another order.
    page
        0-based.
    """

    show: Show = "all"
    source: str | None = None
    step: int | None = None
    only: bool = False
    cluster: int | None = None
    search: str = ""
    reach: int = 1
    near: str | None = None
    disagree: tuple[str, str] | None = None
    draw: int | None = None
    page: int = 0


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
