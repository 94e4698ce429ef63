"""What the Gopher quality rules look at (Rae et al. 2021, table A1), as numbers."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from workbench.checks import Array
from workbench.scores.base import Better, Inputs, ScoreSpec, State, as_columns
from workbench.scores.runs import Words
from workbench.scores.views import TextView, WordsParams

_STOP_WORDS = frozenset(("the", "be", "to", "of", "and", "that", "have", "with"))
_BULLETS = ("•", "-")
_ELLIPSES = ("...", "…")


def gopher_quality_signals(text: str, words: Sequence[str]) -> dict[str, float]:
    """The quality signals of one document.

    Parameters
    ----------
    text
        Any text. Lines are those of `str.splitlines`.
    words
        Its words and marks, as a splitter gives them, none empty.

    Returns
    -------
    dict of str to float
        The columns named in SPECS. Counts are 0 where there are no words. A ratio over words is NaN where
        there are none, a fraction of lines where there are no lines. Fractions lie in 0..1, ratios at 0 or
        above.

    Notes
    -----
    As datatrove computes them. `gopher_n_words` and `gopher_mean_word_length` leave out tokens
    of marks alone; the ratios of "#" and of ellipses to words divide by all tokens. Stop words count by kind
    and in lower case only ("The" is none). Gopher keeps a document if 50 <= n_words <= 100,000; 3 <=
    mean_word_length <= 10; either ratio <= 0.1; bullet lines <= 0.9; ellipsis lines <= 0.3; words with a
    letter >= 0.8; n_stop_words >= 2.

    Examples
    --------
    >>> found = gopher_quality_signals("- the end of #1", ["-", "the", "end", "of", "#", "1"])
    >>> found["gopher_n_words"], found["gopher_mean_word_length"], found["gopher_n_stop_words"]
    (4.0, 2.25, 2.0)
    """
    return _signals(TextView(text), Words(words))


def compute(inputs: Inputs, params: WordsParams, state: State) -> Mapping[str, Array]:
    """The columns named in SPECS, each float32 (n,)."""
    return as_columns(SPECS, [_signals(view, view.words(params.words)) for view in inputs.views])


def _signals(view: TextView, words: Words) -> dict[str, float]:
    text, lines = view.text, view.lines
    n_bullets = sum([line.lstrip().startswith(_BULLETS) for line in lines])
    n_dots, n_signs = text.count("..."), text.count("…")
    n_ellipses = 0
    if n_dots or n_signs:
        n_ellipses = sum([line.rstrip().endswith(_ELLIPSES) for line in lines])
    n_words = int(words.is_word.sum())
    return {
        "gopher_n_words": float(n_words),
        "gopher_mean_word_length": _over(int(words.lengths[words.is_word].sum()), n_words),
        "gopher_hash_ratio": _over(text.count("#"), len(words)),
        "gopher_ellipsis_ratio": _over(n_dots + n_signs, len(words)),
        "gopher_bullet_lines_fraction": _over(n_bullets, len(lines)),
        "gopher_ellipsis_lines_fraction": _over(n_ellipses, len(lines)),
        "gopher_alpha_words_fraction": _over(int(words.has_letter.sum()), len(words)),
        "gopher_n_stop_words": float(len(_STOP_WORDS.intersection(words.list))),
    }


def _over(part: int, whole: int) -> float:
    return part / whole if whole else math.nan


def _spec(name: str, title: str, unit: str, better: Better) -> ScoreSpec:
    return ScoreSpec(
        name=name,
        version=2,
        title=title,
        unit=unit,
        better=better,
        needs=("text",),
        params=WordsParams,
        compute=compute,
        shares_views=True,
        paper="Rae et al. 2021, arXiv:2112.11446",
    )


SPECS: tuple[ScoreSpec, ...] = (
    _spec("gopher_n_words", "Words, without marks", "words", "neither"),
    _spec(
        "gopher_mean_word_length", "Mean length of those words; NaN if none", "characters a word", "neither"
    ),
    _spec("gopher_hash_ratio", "Signs # over words and marks; NaN if none", "ratio", "lower"),
    _spec("gopher_ellipsis_ratio", "Ellipses over words and marks; NaN if none", "ratio", "lower"),
    _spec(
        "gopher_bullet_lines_fraction",
        "Lines beginning with • or -; NaN if none",
        "fraction of lines",
        "lower",
    ),
    _spec(
        "gopher_ellipsis_lines_fraction", "Lines ending in ..., …; NaN if none", "fraction of lines", "lower"
    ),
    _spec("gopher_alpha_words_fraction", "Tokens with a letter; NaN if none", "fraction of tokens", "higher"),
    _spec("gopher_n_stop_words", "Different English stop words, of eight, in lower case", "words", "higher"),
)
