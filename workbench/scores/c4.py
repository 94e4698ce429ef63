"""What the C4 rules look at (Raffel et al. 2020), as numbers: which lines a rule drops, and what stays."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from workbench.checks import Array
from workbench.scores.base import Better, Inputs, ScoreSpec, State, as_columns
from workbench.scores.views import Splitter, TextView, check_splitter
from workbench.scores.words import SENTENCE_END, TERMINAL_PUNCTUATION, split_words

_CITATION = re.compile(r"\[\d*]|\[edit]|\[citation needed]")
# The paper has the first four; the apostrophe is datatrove's.
_LINE_ENDS = (".", "?", "!", '"', "'")
_ELLIPSIS = "..."
_LONG_LINE = 200  # characters: a paragraph, to mC4
_POLICY = ("terms of use", "privacy policy", "cookie policy", "uses cookies", "use of cookies", "use cookies")
_PHRASES = (*_POLICY, "javascript", "lorem ipsum")


@dataclass(frozen=True)
class C4Params:
    """The line rules, which all columns of the family depend on.

    Attributes
    ----------
    min_line_words
        Words, parted by white space, below which a line is short. datatrove has 3; the C4 release had 5.
    max_word_length
        Characters above which a word makes its line a long-word line.
    terminal_punctuation
        Whether a line must end in . ? ! " or '. FineWeb uses C4 without this rule.
    words
        How sentences are found: "fast" by one regular expression, "datatrove" by words as datatrove splits
        them. Nothing else in the family depends on it.
    """

    min_line_words: int = 3
    max_word_length: int = 1_000
    terminal_punctuation: bool = True
    words: Splitter = "fast"

    def __post_init__(self) -> None:
        check_splitter(self.words)


def count_sentences(line: str) -> int:
    """The sentences in `line`, by spaCy's rule: a new one begins at the first word after a terminal mark.

    A full stop inside a word ("Mr.", "U.S.") ends none, since `split_words` keeps it there; nor does an
    ellipsis.

    Examples
    --------
    >>> count_sentences('Mr. Jones went home. "Why?" she asked.')
    3
    """
    n_sentences = 0
    ended = True
    for word in split_words(line):
        if word in TERMINAL_PUNCTUATION:
            # A line that begins with marks has its first sentence there.
            n_sentences = max(n_sentences, 1)
            ended = True
        elif n_sentences == 0 or (ended and not _is_marks(word)):
            n_sentences += 1
            ended = False
    return n_sentences


def count_sentences_fast(line: str) -> int:
    """The sentences in `line`: one more than there are terminal marks with white space and a word behind.

    A title ("Mr."), an initial and an ellipsis end none.

    Examples
    --------
    >>> count_sentences_fast('Mr. Jones went home. "Why?" she asked.')
    3
    """
    return len(SENTENCE_END.findall(line)) + 1 if line else 0


def c4_signals(
    text: str, params: C4Params = C4Params(), *, sentence_counter: Callable[[str], int] | None = None
) -> dict[str, float]:
    r"""Count the lines of `text` that each C4 rule drops, and measure what is left.

    Parameters
    ----------
    text
        Any text. Lines are those of `str.splitlines`, stripped.
    params
        The line rules.
    sentence_counter
        Gives the number of sentences in a line; that of `params.words` if None.

    Returns
    -------
    dict of str to float
        The columns named in SPECS. Counts are 0 for an empty text; `c4_kept_chars_fraction` (0..1) is NaN
        there.

    Notes
    -----
    A line counts for the first rule that drops it, in datatrove's order: long word, no terminal punctuation,
    short, javascript, policy. Citations ([1], [edit]) are removed after the first of these. A line that says
    lorem ipsum or holds a "{" is counted if no earlier rule dropped it, and then goes on: C4 drops the whole
    document where there is one such line, so the other counts are those with these two rules off.

    C4 keeps a document that has no such line and at least 5 sentences (datatrove; 3 in the C4 release) in its
    kept lines. The list of bad words is the score n_bad_words. Long lines have at least 200 characters and are parted
    by newlines alone, as in datatrove's C4ParagraphFilter (mC4).

    Examples
    --------
    >>> found = c4_signals("A line of words. And more.\nHome | About\nEnable Javascript to go on.")
    >>> found["c4_n_lines"], found["c4_n_no_terminal_lines"], found["c4_n_javascript_lines"]
    (3.0, 1.0, 1.0)
    >>> found["c4_n_lines_kept"], found["c4_n_sentences"]
    (1.0, 2.0)
    """
    if sentence_counter is None:
        sentence_counter = count_sentences_fast if params.words == "fast" else count_sentences
    return _signals(TextView(text), params, sentence_counter)


def compute(inputs: Inputs, params: C4Params, state: State) -> Mapping[str, Array]:
    """The columns named in SPECS, each float32 (n,)."""
    count = count_sentences_fast if params.words == "fast" else count_sentences
    return as_columns(SPECS, [_signals(view, params, count) for view in inputs.views])


def _signals(view: TextView, params: C4Params, sentence_counter: Callable[[str], int]) -> dict[str, float]:
    found = dict.fromkeys((spec.name for spec in SPECS), 0.0)
    kept: list[str] = []
    low_text = view.text.lower()
    # Nearly no text says any of this, and then no line of it needs to be looked at, unless a citation may part it.
    is_plain = not ("{" in low_text or any(phrase in low_text for phrase in _PHRASES))
    for raw_line in view.lines:
        line = raw_line.strip()
        is_cited = "[" in line
        uncited = _CITATION.sub("", line) if is_cited else line
        rule = _line_rule(line, uncited, params)
        if rule is None and (is_cited or not is_plain):
            low = uncited.lower()
            found["c4_n_lorem_ipsum_lines"] += "lorem ipsum" in low
            # datatrove looks for "{" after it has dropped the lines that say javascript.
            found["c4_n_curly_bracket_lines"] += "{" in uncited and "javascript" not in low
            rule = _content_rule(low)
        if rule is None:
            kept.append(uncited)
        else:
            found[rule] += 1
    found["c4_n_lines"] = float(len(view.lines))
    found["c4_n_long_lines"] = float(sum([len(part) >= _LONG_LINE for part in view.newline_parts]))
    found["c4_n_lines_kept"] = float(len(kept))
    found["c4_n_sentences"] = float(sum(map(sentence_counter, kept)))
    found["c4_kept_chars_fraction"] = len("\n".join(kept).strip()) / len(view.text) if view.text else math.nan
    return found


def _line_rule(line: str, uncited: str, params: C4Params) -> str | None:
    """The column of the first rule on a line's form that drops it; citations count as words."""
    longest = params.max_word_length
    if len(line) > longest and max(map(len, line.split()), default=0) > longest:
        return "c4_n_long_word_lines"
    if params.terminal_punctuation and (not uncited.endswith(_LINE_ENDS) or uncited.endswith(_ELLIPSIS)):
        return "c4_n_no_terminal_lines"
    n_least = params.min_line_words
    # Most lines have so many words that only their first ones need to be parted.
    return "c4_n_short_lines" if n_least > 0 and len(line.split(None, n_least)) < n_least else None


def _content_rule(low: str) -> str | None:
    """The column of the first rule on what a lower-cased line says that drops it."""
    if "javascript" in low:
        return "c4_n_javascript_lines"
    return "c4_n_policy_lines" if any(phrase in low for phrase in _POLICY) else None


def _is_marks(word: str) -> bool:
    return all(unicodedata.category(char)[0] == "P" for char in word)


def _spec(name: str, title: str, unit: str, better: Better) -> ScoreSpec:
    return ScoreSpec(
        name=name,
        version=2,
        title=title,
        unit=unit,
        better=better,
        needs=("text",),
        params=C4Params,
        compute=compute,
        shares_views=True,
        paper="Raffel et al. 2020, arXiv:1910.10683",
    )


SPECS: tuple[ScoreSpec, ...] = (
    _spec("c4_n_lines", "Lines", "lines", "neither"),
    _spec("c4_n_long_word_lines", "Lines dropped for a word that is too long", "lines", "lower"),
    _spec("c4_n_no_terminal_lines", "Lines dropped for no terminal punctuation", "lines", "lower"),
    _spec("c4_n_short_lines", "Lines dropped for too few words", "lines", "lower"),
    _spec("c4_n_javascript_lines", "Lines dropped for saying javascript", "lines", "lower"),
    _spec("c4_n_policy_lines", "Lines dropped for cookies, privacy policy or terms of use", "lines", "lower"),
    _spec("c4_n_lorem_ipsum_lines", "Lines that say lorem ipsum", "lines", "lower"),
    _spec("c4_n_curly_bracket_lines", "Lines that hold a curly bracket", "lines", "lower"),
    _spec("c4_n_long_lines", "Lines of at least 200 characters", "lines", "higher"),
    _spec("c4_n_lines_kept", "Lines that no rule drops", "lines", "higher"),
    _spec("c4_n_sentences", "Sentences in the kept lines", "sentences", "higher"),
    _spec(
        "c4_kept_chars_fraction",
        "Characters in kept lines; NaN for an empty text",
        "fraction of characters",
        "higher",
    ),
)
