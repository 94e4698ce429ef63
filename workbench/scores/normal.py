"""A text without what near-copies differ in: case, numbers, punctuation, white space, marks on letters."""

from __future__ import annotations

import re
import unicodedata

# In hex, as datatrove 0.10 (Apache-2.0, utils/text.py) has them; a test holds them against it.
_PUNCTUATION = (
    "0-8 b-1f 21-2f 3a-40 5b-60 7b-9f ab b4 bb 2013-2014 2019 201c-201e 2026 2236 2501 25ba 3001-3002 3008-300d "
    "3010-3011 ff01 ff05 ff08-ff09 ff0c ff0e ff11 ff1a-ff1b ff1f ff5e"
)
_NUMBER = re.compile(r"\d+(?:[.,،٫⎖⎗⎘]\d+)?")


def _expand(ranges: str) -> frozenset[str]:
    pairs = (part.split("-") for part in ranges.split())
    return frozenset(chr(code) for pair in pairs for code in range(int(pair[0], 16), int(pair[-1], 16) + 1))


PUNCTUATION = _expand(_PUNCTUATION)
"""What becomes a space."""

_TO_SPACE = str.maketrans(dict.fromkeys(PUNCTUATION, " "))


def simplify(text: str) -> str:
    """`text` as datatrove's dedup steps compare it (its `simplify_text` with its defaults).

    Lower case; a number becomes 0; punctuation becomes a space, and white space one; marks are taken off letters.

    Examples
    --------
    >>> simplify("Café No. 3.14, isn't it?")
    'cafe no 0 isn t it'
    """
    text = " ".join(_NUMBER.sub("0", text.lower()).translate(_TO_SPACE).split())
    if text.isascii():
        return text
    text = unicodedata.normalize("NFD", text)
    return text.translate({ord(c): None for c in set(text) if unicodedata.category(c) == "Mn"}).strip()
