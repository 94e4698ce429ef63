"""What the text signals read of a document, each part found once however many of them are computed."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from workbench.errors import InputError
from workbench.scores.runs import Words
from workbench.scores.words import MARKS, split_words

Splitter = Literal["fast", "datatrove"]

_BREAKS = re.compile(r"\n+")
_PARAGRAPHS = re.compile(r"\n{2,}")

_LETTER, _ALNUM = r"[^\W\d_]", r"[^\W_]"
_IN_WORD = rf"[^\s{MARKS.replace('_', '')}§=%£€—–.|/\\^~@+$-]"
_ENDING = r"(?:[sdmtSDMT]|re|ve|ll)\b"
# Marks that part no word as long as more of it follows, as in code and numbers: spaCy's tokenizer looks for few
# inside a word. Those that it finds between letters part it there alone ("a/b", "well-known", "end.Start").
_JOINT = (
    rf"""(?:[()\[\]{{}}"!?;&*#%|\\^@+$]|['’](?!{_ENDING})|\.(?!\.)(?:(?![A-Z])|(?<![a-z].))"""
    rf"""|[:<>=/,](?:(?!{_LETTER})|(?<!{_ALNUM}.))|[-–—](?!-)(?:(?!{_ALNUM})|(?<!{_ALNUM}.)))"""
)
# Repetitions are possessive, but in a URL, which is read once, and that of joints is bounded: time is linear.
_FAST_WORD = re.compile(
    rf"""https?://[^\s<>"'()\[\]{{}},;]*[^\s<>"'()\[\]{{}},;.:!?]|"""
    rf"{_IN_WORD}++(?:{_JOINT}{{1,8}}+{_IN_WORD}++)*+|['’]{_ENDING}|\.++|[-/|\\^~@+]++|\S"
)


@dataclass(frozen=True)
class WordsParams:
    """Which splitter the words come from.

    Attributes
    ----------
    words
        "fast": one regular expression, see `split_fast`. "datatrove": spaCy's rules, which datatrove's filters
        split by; three times slower, see `split_words`.
    """

    words: Splitter = "fast"

    def __post_init__(self) -> None:
        check_splitter(self.words)


def check_splitter(words: str) -> None:
    """Raise InputError unless `words` names a splitter."""
    if words not in ("fast", "datatrove"):
        raise InputError(f"words must be fast or datatrove, got {words!r}; choose one of the two")


class TextView:
    """One text and its parts, each found when it is first asked for.

    Parameters
    ----------
    text
        Any text.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self._words: dict[str, Words] = {}

    def words(self, splitter: Splitter) -> Words:
        """Its words and marks; see `split_fast` and `split_words`."""
        if splitter not in self._words:
            split = split_fast if splitter == "fast" else split_words
            self._words[splitter] = Words(split(self.text))
        return self._words[splitter]

    @cached_property
    def lines(self) -> list[str]:
        """The lines of `str.splitlines`."""
        return self.text.splitlines()

    @cached_property
    def newline_parts(self) -> list[str]:
        r"""What stands between single "\n"."""
        return self.text.split("\n")

    @cached_property
    def newline_runs(self) -> list[str]:
        r"""What stands between runs of "\n"."""
        return _BREAKS.split(self.text) if "\n\n" in self.text else self.newline_parts

    @cached_property
    def paragraphs(self) -> list[str]:
        r"""What stands between runs of at least two "\n" in the stripped text."""
        body = self.text.strip()
        return _PARAGRAPHS.split(body) if "\n\n" in body else [body]


def split_fast(text: str) -> list[str]:
    """The words and punctuation marks of `text`, in order, by one regular expression.

    Parameters
    ----------
    text
        Any text.

    Returns
    -------
    list of str
        Non-empty, without white space; joined they give `text` less its white space.

    Notes
    -----
    Close to `split_words` where the signals look: a mark at the end of a word is a word of its own, one within
    stays in it but where two words meet ("a/b", "well-known", "end.Start"); an English ending behind an
    apostrophe is a word ("didn" and "'t", not "did" and "n't"); a URL with its scheme is one. It knows no
    abbreviations or emoticons, and it parts "-" and "/" from the front of a word.

    Measured on the sample corpus (3,776 documents) against datatrove 0.10's four filters with their defaults,
    documents with another verdict (with `split_words`: none):

    =================  ==  ===========================================================================
    filter              n  which, and why
    =================  ==  ===========================================================================
    Gopher quality      5  0.77 to 0.80 of words with a letter, at 0.8: marks in a row that spaCy leaves
                           together, in old fiction, a table and documentation
    Gopher repetition  14  code, its documentation and web pages: n-grams of marks, at a threshold
    FineWeb             2  Chinese with code in it, near 0.3 newlines a word
    C4                  5  a sentence or two more or less, at 5: "Ms.", "Inc.", code in a sentence
    =================  ==  ===========================================================================

    Time is linear in the length of `text`.

    Examples
    --------
    >>> split_fast("He didn't pay $5.50 (e.g. in the U.S.)...")
    ['He', 'didn', "'t", 'pay', '$', '5.50', '(', 'e.g', '.', 'in', 'the', 'U.S', '.', ')', '...']
    """
    return _FAST_WORD.findall(text)


def duplicates(parts: Iterable[str]) -> tuple[int, int]:
    """How many of `parts` repeat an earlier one, and the characters in those that do."""
    parts = list(parts)
    kinds = set(parts)
    if len(kinds) == len(parts):
        return 0, 0
    return len(parts) - len(kinds), sum(map(len, parts)) - sum(map(len, kinds))
