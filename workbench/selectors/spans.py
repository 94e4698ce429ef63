"""Deduplication by sentences, lines or paragraphs: drop documents that consist mostly of what stood before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from workbench.checks import Array, IntArray, check_fraction
from workbench.errors import InputError
from workbench.selectors.base import Columns, Pieces, Repeats, Selection, SelectorSpec, State
from workbench.selectors.pieces import covered, covered_fraction, elements, first_holder, runs, scanned

_UNITS = {
    "sentences3": ("sentence_hashes", 3, "runs of three sentences"),
    "sentence": ("sentence_hashes", 1, "sentences"),
    "line": ("line_hashes", 1, "lines"),
    "paragraph": ("paragraph_hashes", 1, "paragraphs"),
}


@dataclass(frozen=True)
class SpansParams:
    """Parameters of `select_spans`.

    Attributes
    ----------
    unit
        "sentences3": each three sentences in a row, as in C4. "sentence", "line" or "paragraph" (what blank lines
        part): each by itself.
    max_duplicate_fraction
        In 0..1: the share of a document's characters that may have stood before.
    """

    unit: Literal["sentences3", "sentence", "line", "paragraph"] = "sentences3"
    max_duplicate_fraction: float = 0.5


def _units(columns: Columns, params: SpansParams) -> tuple[Array, IntArray, IntArray]:
    """Hashes and characters of the units of all documents, and how many units each document has."""
    if params.unit not in _UNITS:
        raise InputError(f"unit must be one of {', '.join(_UNITS)}, got {params.unit!r}")
    values, counts = elements(columns[_UNITS[params.unit][0]])
    return values[::2], values[1::2].astype(np.int64), counts // 2


def pieces_spans(columns: Columns, params: SpansParams) -> Pieces:
    """The spans of each document; one without a word is none."""
    hashes, _, counts = _units(columns, params)
    n = _UNITS[params.unit][1]
    spans = runs(hashes, counts, n)
    shift = (np.cumsum(counts) - counts) - (np.cumsum(spans.counts) - spans.counts)
    begins = np.arange(len(spans.hashes)) + np.repeat(shift, spans.counts)
    has_word = np.zeros(len(begins), dtype=bool)
    for step in range(n):
        has_word |= hashes[begins + step] != 0
    return Pieces(np.where(has_word, spans.hashes, np.uint64(0)), spans.counts)


def gather_spans(columns: Columns, params: SpansParams, repeats: Repeats) -> Columns:
    """Of each document the share of characters in spans that stood before, in it or in one before it.

    Returns
    -------
    duplicate_fraction : float64 (n,), 0..1
    first_copy : int64 (n,)
    """
    _, n_chars, counts = _units(columns, params)
    again = (repeats.first_document != repeats.document) | (repeats.first_place != repeats.place)
    inside = covered(counts, repeats, again, _UNITS[params.unit][1])
    return {
        "duplicate_fraction": covered_fraction(counts, inside, n_chars),
        "first_copy": first_holder(len(counts), repeats),
    }


def select_spans(columns: Columns, params: SpansParams, state: State, seed: int) -> Selection:
    """Drop documents of which more than a share of the characters stood before.

    Of equal spans the first stands in the document with the smallest doc_id, and there it is the leftmost.

    Parameters
    ----------
    columns
        With what `gather_spans` finds.

    Raises
    ------
    InputError
        If unit isn't one of its values, or max_duplicate_fraction lies outside 0..1.

    Notes
    -----
    Raffel et al. 2020, arXiv:1910.10683 (C4): of a span of three sentences that occurs more than once all but one are
    discarded. datatrove's sentence dedup marks the same spans. Both cut them out; here no text is changed, and a
    document goes as a whole.
    """
    check_fraction("max_duplicate_fraction", params.max_duplicate_fraction)
    share, holder = columns["duplicate_fraction"], columns["first_copy"]

    def explain(i: int) -> str:
        where = f"before, first of all in {holder[i]}" if holder[i] else "before in itself"
        return (
            f"{share[i]:.1%} of its characters lie in {_UNITS[params.unit][2]} that stood {where}; "
            f"{params.max_duplicate_fraction:.1%} may"
        )

    return Selection(share <= params.max_duplicate_fraction, explain)


SPEC = SelectorSpec(
    name="spans",
    version=1,
    title="Sentence, line and paragraph deduplication: drop documents that mostly stood before",
    paper="after Raffel et al. 2020, arXiv:1910.10683",
    status="variant",
    scope="pieces",
    params=SpansParams,
    needs=lambda params: (_UNITS.get(params.unit, _UNITS["sentences3"])[0],),
    reads=("text",),
    score_params=(),
    select=select_spans,
    pieces=pieces_spans,
    gather=gather_spans,
    scan=scanned(pieces_spans, gather_spans),
    scan_params=("unit",),
    tracks_corpus=True,
    about="Keeps documents whose sentences, lines or paragraphs are mostly new, and drops those of which more than a "
    "share of the characters stood before: menus, licences, boilerplate, copies with a changed frame. No text is "
    "changed: C4 cuts repeated spans out of documents, here a document stays whole or goes, and the repeated part of "
    "what stays is still there. The first of equal spans is that of the smallest doc_id, and it counts as the first "
    "even where its own document is dropped. Case, numbers, punctuation and marks on letters make no difference. "
    "Documents of fewer than three sentences have no span of three and are kept; short lines meet by chance.",
    assumed=(
        (
            "The papers cut spans out and say nothing of whole documents; half of the characters is our limit. "
            "datatrove drops what is left if it has fewer than 50 words or 3 sentences."
        ),
        "C4 names no splitter of sentences; here they end by one regular expression.",
    ),
    help={
        "unit": "what is compared: sentences3 (three sentences in a row), sentence, line or paragraph",
        "max_duplicate_fraction": "share of a document's characters that may have stood before, 0 to 1",
    },
)
