"""How often a text says words of a list that the user brings."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from workbench.checks import Array
from workbench.errors import InputError
from workbench.scores.base import Inputs, ScoreSpec, State, as_column


@dataclass(frozen=True)
class BadWordsParams:
    """The list.

    Attributes
    ----------
    words
        Words and phrases, compared in lower case. Empty: no document has a number.
    apart
        "words": only where no letter, digit or underscore stands beside them; "anywhere": for scripts that part no
        words (Japanese, Thai, Chinese).
    """

    words: tuple[str, ...] = ()
    apart: Literal["words", "anywhere"] = "words"

    def __post_init__(self) -> None:
        if any(not word.strip() for word in self.words):
            raise InputError("words holds an empty word, which stands in every text; take it out")
        if self.apart not in ("words", "anywhere"):
            raise InputError(f"apart must be words or anywhere, got {self.apart!r}")


@lru_cache(maxsize=4)
def _pattern(given: tuple[str, ...], apart: str) -> re.Pattern[str]:
    # The longest first, so that a phrase is found before a word that it begins with.
    words = sorted({word.strip().lower() for word in given}, key=lambda word: (-len(word), word))
    any_of = "|".join(re.escape(word) for word in words)
    return re.compile(any_of if apart == "anywhere" else rf"(?<!\w)(?:{any_of})(?!\w)")


def count_bad_words(text: str, params: BadWordsParams) -> float:
    """How many words of the list stand in the text, none of them within another; NaN if there is no list.

    Notes
    -----
    It is above 0 where datatrove's C4BadWordsFilter finds one: there and here a word is parted by anything but
    letters, digits and underscores, in the text in lower case.

    Examples
    --------
    >>> count_bad_words("Darn it, darned DARN.", BadWordsParams(("darn",)))
    2.0
    """
    return (
        float(len(_pattern(tuple(params.words), params.apart).findall(text.lower())))
        if params.words
        else math.nan
    )


def compute(inputs: Inputs, params: BadWordsParams, state: State) -> Mapping[str, Array]:
    """`n_bad_words`, float32 (n,), as `count_bad_words` gives it."""
    return {"n_bad_words": as_column([count_bad_words(text, params) for text in inputs.texts])}


SPECS: tuple[ScoreSpec, ...] = (
    ScoreSpec(
        name="n_bad_words",
        version=1,
        title="Words of a list of your own (its setting words); no list, no number",
        unit="words",
        better="lower",
        needs=("text",),
        compute=compute,
        params=BadWordsParams,
        paper="Raffel et al. 2020, arXiv:1910.10683",
    ),
)
