"""What the Gopher repetition rules look at (Rae et al. 2021, table A1), as numbers."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from workbench.checks import Array
from workbench.scores.base import Inputs, ScoreSpec, State, as_columns
from workbench.scores.runs import Runs, Words, top_run
from workbench.scores.views import TextView, WordsParams, duplicates

_TOP_SIZES = (2, 3, 4)
_DUP_SIZES = (5, 6, 7, 8, 9, 10)


def gopher_repetition_signals(text: str, words: Sequence[str]) -> dict[str, float]:
    """The repetition signals of one document.

    Parameters
    ----------
    text
        Any text. Lines are parted by runs of newlines, paragraphs by runs of at least two.
    words
        Its words and marks, as a splitter gives them, none empty.

    Returns
    -------
    dict of str to float
        The columns named in SPECS. All are NaN for an empty text; those of n-grams also where there are no
        words, and 0 where there are words, but fewer than n. Fractions lie in 0..1; a ratio can exceed 1.

    Notes
    -----
    As datatrove computes them; RedPajama-v2's differ (it marks first occurrences too), so a threshold for one
    isn't one for the other.

    - A repeat is a line or paragraph equal to an earlier one; the first isn't counted.
    - Top n-gram: the length of the most frequent n-gram, its words joined by spaces, times its count, even if
      that is 1, over the length of the text. Overlapping occurrences count each, and the spaces need not be
      in the text, hence a ratio.
    - Repeated n-gram: a scan takes each n-gram from the left; one that was seen is counted, without spaces,
      and the scan goes on behind it; over the length of the text.

    Gopher drops a document if a value is above: lines and paragraphs 0.30, their characters 0.20; top 2, 3,
    4-gram 0.20, 0.18, 0.16; repeated 5 to 10-gram 0.15, 0.14, 0.13, 0.12, 0.11, 0.10.

    Time is linear in the number of words but for a sort.

    Examples
    --------
    >>> text = "a b c d e a b c d e"
    >>> round(gopher_repetition_signals(text, text.split())["gopher_dup_5_gram_fraction"] * 19, 6)
    5.0
    """
    return _signals(TextView(text), Words(words))


def compute(inputs: Inputs, params: WordsParams, state: State) -> Mapping[str, Array]:
    """The columns named in SPECS, each float32 (n,)."""
    return as_columns(SPECS, [_signals(view, view.words(params.words)) for view in inputs.views])


def _signals(view: TextView, words: Words) -> dict[str, float]:
    found = dict.fromkeys((spec.name for spec in SPECS), math.nan)
    n_chars = len(view.text)
    if not n_chars:
        return found
    for name, parts in (("lines", view.newline_runs), ("paragraphs", view.paragraphs)):
        n_repeats, n_repeated_chars = duplicates(parts)
        found[f"gopher_dup_{name}_fraction"] = n_repeats / len(parts)
        found[f"gopher_dup_{name}_chars_fraction"] = n_repeated_chars / n_chars
    if len(words):
        for runs in words.ranked_runs(_TOP_SIZES + _DUP_SIZES):
            if runs.n in _TOP_SIZES:
                found[f"gopher_top_{runs.n}_gram_ratio"] = _top_chars(words, runs) / n_chars
            else:
                found[f"gopher_dup_{runs.n}_gram_fraction"] = _repeated_chars(words, runs) / n_chars
    return found


# Comparing the strings of all n-grams would take most of the time and hundreds of bytes a word. So a hash sorts
# out those that can't have an equal; only the others are compared as strings, and the results are exact.


def _top_chars(words: Words, runs: Runs) -> int:
    """Length of the most frequent n-gram, joined by spaces, times its count; 0 if there is no n-gram.

    Of equally frequent ones it is the first.
    """
    if len(words) < runs.n:
        return 0
    at, count = top_run(words, runs)
    return count * (int(words.starts[at + runs.n] - words.starts[at]) + runs.n - 1)


def _repeated_chars(words: Words, runs: Runs) -> int:
    """Characters in the n-grams, joined by nothing, that a greedy scan from the left has seen before."""
    places = runs.repeated()
    begins, stops = words.starts[places].tolist(), words.starts[places + runs.n].tolist()
    joined = words.joined
    seen: set[str] = set()
    n_chars = free = 0
    for at, begin, stop in zip(places.tolist(), begins, stops, strict=True):
        if at >= free:
            ngram = joined[begin:stop]
            if ngram in seen:
                n_chars += stop - begin
                free = at + runs.n
            else:
                seen.add(ngram)
    return n_chars


def _spec(name: str, title: str, unit: str) -> ScoreSpec:
    return ScoreSpec(
        name=name,
        version=2,
        title=title + ("; NaN if no words" if "gram" in name else "; NaN for an empty text"),
        unit=unit,
        better="lower",
        needs=("text",),
        params=WordsParams,
        compute=compute,
        shares_views=True,
        paper="Rae et al. 2021, arXiv:2112.11446",
    )


SPECS: tuple[ScoreSpec, ...] = (
    _spec("gopher_dup_lines_fraction", "Repeated lines", "fraction of lines"),
    _spec("gopher_dup_lines_chars_fraction", "Characters in repeated lines", "fraction of characters"),
    _spec("gopher_dup_paragraphs_fraction", "Repeated paragraphs", "fraction of paragraphs"),
    _spec(
        "gopher_dup_paragraphs_chars_fraction", "Characters in repeated paragraphs", "fraction of characters"
    ),
    *(
        _spec(f"gopher_top_{n}_gram_ratio", f"Characters of the top {n}-gram over all", "ratio")
        for n in _TOP_SIZES
    ),
    *(
        _spec(f"gopher_dup_{n}_gram_fraction", f"Characters in repeated {n}-grams", "fraction of characters")
        for n in _DUP_SIZES
    ),
)
