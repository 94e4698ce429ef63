"""The text that CCNet's language models see: its normalisation, and what it does with newlines."""

from __future__ import annotations

import unicodedata
from typing import Literal, get_args

from workbench.errors import InputError

NewlineMode = Literal["ccnet", "per_line"]
NEWLINE_MODES: tuple[NewlineMode, ...] = get_args(NewlineMode)

_PUNCTUATION = {
    **dict.fromkeys("，、", ","),
    **dict.fromkeys("„”“«»」「《》", '"'),
    **dict.fromkeys("´’", "'"),
    **dict.fromkeys("∶：", ":"),
    **dict.fromkeys("–━►", "-"),
    "。": ".",
    "？": "?",
    "！": "!",
    "（": "(",
    "）": ")",
    "；": ";",
    "—": " - ",
    "．": ". ",
    "～": "~",
    "…": "...",
    "〈": "<",
    "〉": ">",
    "【": "[",
    "】": "]",
    "％": "%",
}


class _Table(dict[int, str | None]):
    """What becomes of each character after NFD, found out when it is first met."""

    def __missing__(self, code: int) -> str | None:
        c = chr(code)
        category = unicodedata.category(c)
        if category in ("Mn", "Cc"):  # Cc is 0..31 and 127..159, newline and tab among them
            new = None
        elif category == "Nd":
            new = "0"
        elif category == "Cs":
            new = "\N{REPLACEMENT CHARACTER}"  # half of a pair is no text, and no file can hold it
        else:
            new = _PUNCTUATION.get(c, c)
        self[code] = new
        return new


_TABLE = _Table()


def normalized(text: str) -> str:
    r"""A text as CCNet's language models see it.

    Stripped, in lower case, decomposed (NFD) without non-spacing marks, each digit a 0, the punctuation of other
    scripts as ASCII's, control characters deleted - the newline too, so that the words around it become one.

    Notes
    -----
    Wenzek et al. 2020; `normalize` of facebookresearch/cc_net, text_normalizer.py. The full-width digit one that its
    table of punctuation turns into a quotation mark never gets there, since digits are replaced first: there is
    nothing for a variant to choose. datatrove's normaliser makes one 0 of a whole number ("2024" is "0", here and in
    CCNet "0000").

    Examples
    --------
    >>> normalized(" Él pagó 25 €…\nNo？ ")
    'el pago 00 €...no?'
    """
    return unicodedata.normalize("NFD", text.strip().lower()).translate(_TABLE)


def check_newline_mode(mode: str) -> NewlineMode:
    """Return `mode` if it is one of NEWLINE_MODES, else raise InputError."""
    for known in NEWLINE_MODES:
        if mode == known:
            return known
    raise InputError(f"newline_mode must be one of {', '.join(NEWLINE_MODES)}, got {mode!r}")


def lines_of(text: str, mode: NewlineMode) -> list[str]:
    r"""The normalised lines of a document that hold anything; each is a sentence of the n-gram model.

    Parameters
    ----------
    text
        The document.
    mode
        "ccnet": one line, the newlines deleted, as CCNet (and datatrove) score it. "per_line": a line each.

    Examples
    --------
    >>> lines_of("Hello world\n\nnext", "ccnet"), lines_of("Hello world\n\nnext", "per_line")
    (['hello worldnext'], ['hello world', 'next'])
    """
    lines = [text] if mode == "ccnet" else text.split("\n")
    return [line for line in map(normalized, lines) if line.strip()]
