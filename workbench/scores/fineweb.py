"""What the FineWeb custom rules look at (Penedo et al. 2024, section 3.6), as numbers."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from workbench.checks import Array
from workbench.scores.base import Better, Inputs, ScoreSpec, State, as_columns
from workbench.scores.views import TextView, WordsParams, duplicates
from workbench.scores.words import TERMINAL_PUNCTUATION

_SHORT_LINE_CHARS = 30


def fineweb_signals(text: str, words: Sequence[str]) -> dict[str, float]:
    r"""The FineWeb signals of one document.

    Parameters
    ----------
    text
        Any text. Lines are parted by "\n" alone, and blank ones don't count.
    words
        Its words and marks, as a splitter gives them, none empty.

    Returns
    -------
    dict of str to float
        The columns named in SPECS: fractions in 0..1, the ratio 0 or above. All NaN where every line is
        blank; the ratio is NaN where there are no words.

    Notes
    -----
    As datatrove computes them: a line isn't stripped before its end and its length are looked
    at. FineWeb drops a document if the terminal lines are below 0.12, the short lines above 0.67, the
    characters in repeated lines above 0.01 (released code and the paper's appendix; 0.1 in its body) or the
    newlines per word above 0.3.

    Examples
    --------
    >>> found = fineweb_signals("A line.\n\nA line.\nno end", "A line . A line . no end".split())
    >>> found["fineweb_dup_lines_chars_fraction"], found["fineweb_newlines_per_word"]
    (0.35, 0.375)
    """
    return _signals(TextView(text), len(words))


def compute(inputs: Inputs, params: WordsParams, state: State) -> Mapping[str, Array]:
    """The columns named in SPECS, each float32 (n,)."""
    return as_columns(SPECS, [_signals(view, len(view.words(params.words))) for view in inputs.views])


def _signals(view: TextView, n_words: int) -> dict[str, float]:
    lines = [line for line in view.newline_parts if line and not line.isspace()]
    if not lines:
        return dict.fromkeys((spec.name for spec in SPECS), math.nan)
    n_newlines = len(view.newline_parts) - 1
    _, n_repeated_chars = duplicates(lines)
    n_terminal = sum([line[-1] in TERMINAL_PUNCTUATION for line in lines])
    n_short = sum([len(line) <= _SHORT_LINE_CHARS for line in lines])
    return {
        "fineweb_terminal_lines_fraction": n_terminal / len(lines),
        "fineweb_short_lines_fraction": n_short / len(lines),
        "fineweb_dup_lines_chars_fraction": n_repeated_chars / (len(view.text) - n_newlines),
        "fineweb_newlines_per_word": n_newlines / n_words if n_words else math.nan,
    }


def _spec(name: str, title: str, unit: str, better: Better) -> ScoreSpec:
    return ScoreSpec(
        name=name,
        version=2,
        title=title + "; NaN if every line is blank",
        unit=unit,
        better=better,
        needs=("text",),
        params=WordsParams,
        compute=compute,
        shares_views=True,
        paper="Penedo et al. 2024, arXiv:2406.17557",
    )


SPECS: tuple[ScoreSpec, ...] = (
    _spec(
        "fineweb_terminal_lines_fraction",
        "Lines with a terminal mark at the end",
        "fraction of lines",
        "higher",
    ),
    _spec("fineweb_short_lines_fraction", "Lines of at most 30 characters", "fraction of lines", "lower"),
    _spec(
        "fineweb_dup_lines_chars_fraction", "Characters in repeated lines", "fraction of characters", "lower"
    ),
    _spec("fineweb_newlines_per_word", "Newlines over words and marks", "ratio", "lower"),
)
