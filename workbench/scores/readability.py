"""How hard a text is to read for those whose first language is not English."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

from workbench.checks import Array
from workbench.scores.base import Inputs, NoParams, ScoreSpec, State, as_column

_SENTENCE = re.compile(r"\b[^.!?]+[.!?]*")
# An apostrophe belongs to its word where an English ending follows; all other marks are no part of one.
_MARKS = re.compile(r"'(?![tsd]\b|ve\b|ll\b|re\b)|[^\w\s']")
_IN_WORD = re.compile(r"\w")
_MINI_WORD_CHARS = 3


def eflaw(text: str) -> float:
    """McAlpine's EFLAW: words and, once more, words of at most three characters, a sentence.

    Parameters
    ----------
    text
        Any text; the idea is one of English.

    Returns
    -------
    float
        1 or more; up to 20 is very easy, above 29 confusing by its author's scale. NaN where there are no words
        (textstat has 0 there, which would be the easiest text of all).

    Notes
    -----
    Words and sentences are those of textstat 0.7, which GneissWeb takes: words are parted by white space and lose their
    marks, a sentence ends at . ! or ?, and one of fewer than three words doesn't count (there is always one). textstat
    rounds to one place; here nothing is rounded.

    Examples
    --------
    >>> eflaw("I am a cat. It is a dog.")
    8.0
    """
    words = _MARKS.sub("", text).split()
    if not words:
        return math.nan
    n_mini = sum([len(word) <= _MINI_WORD_CHARS for word in words])
    n_sentences = sum(map(_has_three_words, _SENTENCE.findall(text)))
    return (len(words) + n_mini) / max(1, n_sentences)


def _has_three_words(sentence: str) -> bool:
    # Most sentences begin with three words, and then the rest needn't be parted.
    first = sentence.split(None, 3)[:3]
    if len(first) == 3 and all(map(_IN_WORD.search, first)):
        return True
    return len(first) == 3 and sum(_IN_WORD.search(part) is not None for part in sentence.split()) >= 3


def compute(inputs: Inputs, params: NoParams, state: State) -> Mapping[str, Array]:
    """`eflaw` of each text, float32 (n,)."""
    return {"eflaw": as_column([eflaw(text) for text in inputs.texts])}


SPECS: tuple[ScoreSpec, ...] = (
    ScoreSpec(
        name="eflaw",
        version=1,
        title="McAlpine EFLAW: words and short words a sentence, low is easy to read; NaN if no words",
        unit="words a sentence",
        better="neither",
        needs=("text",),
        compute=compute,
        paper="McAlpine's EFLAW as in textstat 0.7",
    ),
)
