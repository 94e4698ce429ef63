"""The sentences, lines and paragraphs of a text, as copies are looked for by them."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Literal

from workbench.scores.words import SENTENCE_END

Kind = Literal["sentence", "line", "paragraph"]

_PARAGRAPH_BREAK = re.compile(r"\n\s*\n")


def split_units(text: str, kind: Kind) -> list[str]:
    """The sentences, lines or paragraphs (what blank lines part) of a text but for blank ones.

    Examples
    --------
    >>> split_units('Mr. Jones went home. "Why?" she asked.', "sentence")
    ['Mr. Jones went home. ', '"Why?" ', 'she asked.']
    """
    if kind == "line":
        parts = text.splitlines()
    elif kind == "paragraph":
        parts = _PARAGRAPH_BREAK.split(text)
    else:
        stops = [0, *(found.end() for found in SENTENCE_END.finditer(text)), len(text)]
        parts = [text[start:stop] for start, stop in pairwise(stops)]
    return [part for part in parts if part.strip()]
