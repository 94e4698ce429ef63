"""What RefinedWeb's line rules look at (Penedo et al. 2023), as one number a document."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

from workbench.checks import Array
from workbench.scores.base import Inputs, NoParams, ScoreSpec, State, as_columns
from workbench.scores.views import TextView

_COUNTER = re.compile(
    r"\W*\d[\d,.]*[kmb]?\s+(?:likes|shares|comments|retweets|reposts|quotes|bookmarks|upvotes|downvotes|downloads|views"
    r"|followers)\W*\Z"
)
_MAX_UPPERCASE = 0.5
_MIN_WORDS = 2
# In lines of so many words only, and there they alone are taken out.
_SHORT_LINE_WORDS = 10
_PHRASES = (
    re.compile(r"items in cart", re.I),
    re.compile(r"read more\.\.\.\Z", re.I),
    re.compile(r"\Asign-in", re.I),
)
_SIGNS = ("items in cart", "read more...", "sign-in")


def removed_words_fraction(text: str) -> float:
    r"""The share of a text's words that the line rules of RefinedWeb take out.

    Parameters
    ----------
    text
        Any text. Lines are parted by "\n" alone, words by white space.

    Returns
    -------
    float
        In 0..1; NaN where there are no words.

    Notes
    -----
    The paper names the rules and gives no code; these are those of its reimplementation in DCLM (mlfoundations/dclm). A
    line goes if more than half of its characters are capitals, if it is all digits, if it is a counter ("3 likes"), or
    if it is one word. Of a line of at most ten words "items in cart" goes, "Read more..." at its end, and "Sign-in" at
    its start. DCLM doesn't count marks as words. RefinedWeb drops a document of which more than 0.05 of the words go,
    and otherwise goes on with what is left.

    Examples
    --------
    >>> removed_words_fraction("A line of six whole words.\n3 likes\nHOME")
    0.3333333333333333
    """
    return _fraction(TextView(text))


def compute(inputs: Inputs, params: NoParams, state: State) -> Mapping[str, Array]:
    """`refinedweb_removed_words_fraction` of each text, float32 (n,)."""
    return as_columns(SPECS, [{SPECS[0].name: _fraction(view)} for view in inputs.views])


def _fraction(view: TextView) -> float:
    n_words = n_left = 0
    for line in view.newline_parts:
        n_line = len(line.split())
        n_words += n_line
        if n_line >= _MIN_WORDS:
            n_left += _n_left(line, n_line)
    return (n_words - n_left) / n_words if n_words else math.nan


def _n_left(line: str, n_words: int) -> int:
    """Words that are left of a line of at least two."""
    low = line.lower()
    if low != line and sum(map(str.isupper, line)) / len(line) > _MAX_UPPERCASE:
        return 0
    if _COUNTER.match(low):
        return 0
    if n_words <= _SHORT_LINE_WORDS and any(sign in low for sign in _SIGNS):
        for phrase in _PHRASES:
            line = phrase.sub("", line)
        return len(line.split())
    return n_words


SPECS: tuple[ScoreSpec, ...] = (
    ScoreSpec(
        name="refinedweb_removed_words_fraction",
        version=1,
        title="Words that RefinedWeb's line rules take out; NaN if no words",
        unit="fraction of words",
        better="lower",
        needs=("text",),
        compute=compute,
        shares_views=True,
        paper="Penedo et al. 2023, arXiv:2306.01116",
        status="variant",
    ),
)
