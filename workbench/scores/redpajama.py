"""The RedPajama-v2 quality signals that need no model and no blocklist (Weber et al. 2024), one number a document."""

from __future__ import annotations

import math
import re
import string
import unicodedata
from collections import Counter
from collections.abc import Callable, Mapping

import numpy as np

from workbench.checks import Array
from workbench.scores.base import Better, Inputs, NoParams, ScoreSpec, State, as_columns
from workbench.scores.runs import Runs, Words, top_run
from workbench.scores.views import TextView

_RAW_WORD = re.compile(r"\w+|[^\w\s]+")
_SENTENCE = re.compile(r"\b[^.!?]+[.!?]*")
_LATIN_LETTER = re.compile(r"[a-zA-Z]")
_NO_PUNCTUATION = str.maketrans("", "", string.punctuation)
_ELLIPSES = ("...", "…")
_TERMINAL = (".", "!", "?", "”")
_BULLETS = tuple("\u2022\u2023\u25b6\u25c0\u25e6\u25a0\u25a1\u25aa\u25ab\u2013")
_TOP_SIZES = (2, 3, 4)
_DUP_SIZES = (5, 6, 7, 8, 9, 10)
_FEW_KINDS = 100

# The English list of stopwords-json 1.2.0 (Apache-2.0), which RedPajama-v2 takes.
_STOP_WORDS = frozenset(
    (
        "a a's able about above according accordingly across actually after afterwards again against ain't all "
        "allow allows almost alone along already also although always am among amongst an and another any "
        "anybody anyhow anyone anything anyway anyways anywhere apart appear appreciate appropriate are aren't "
        "around as aside ask asking associated at available away awfully b be became because become becomes "
        "becoming been before beforehand behind being believe below beside besides best better between beyond "
        "both brief but by c c'mon c's came can can't cannot cant cause causes certain certainly changes clearly "
        "co com come comes concerning consequently consider considering contain containing contains "
        "corresponding could couldn't course currently d definitely described despite did didn't different do "
        "does doesn't doing don't done down downwards during e each edu eg eight either else elsewhere enough "
        "entirely especially et etc even ever every everybody everyone everything everywhere ex exactly example "
        "except f far few fifth first five followed following follows for former formerly forth four from "
        "further furthermore g get gets getting given gives go goes going gone got gotten greetings h had hadn't "
        "happens hardly has hasn't have haven't having he he's hello help hence her here here's hereafter hereby "
        "herein hereupon hers herself hi him himself his hither hopefully how howbeit however i i'd i'll i'm "
        "i've ie if ignored immediate in inasmuch inc indeed indicate indicated indicates inner insofar instead "
        "into inward is isn't it it'd it'll it's its itself j just k keep keeps kept know known knows l last "
        "lately later latter latterly least less lest let let's like liked likely little look looking looks ltd "
        "m mainly many may maybe me mean meanwhile merely might more moreover most mostly much must my myself n "
        "name namely nd near nearly necessary need needs neither never nevertheless new next nine no nobody non "
        "none noone nor normally not nothing novel now nowhere o obviously of off often oh ok okay old on once "
        "one ones only onto or other others otherwise ought our ours ourselves out outside over overall own p "
        "particular particularly per perhaps placed please plus possible presumably probably provides q que "
        "quite qv r rather rd re really reasonably regarding regardless regards relatively respectively right s "
        "said same saw say saying says second secondly see seeing seem seemed seeming seems seen self selves "
        "sensible sent serious seriously seven several shall she should shouldn't since six so some somebody "
        "somehow someone something sometime sometimes somewhat somewhere soon sorry specified specify specifying "
        "still sub such sup sure t t's take taken tell tends th than thank thanks thanx that that's thats the "
        "their theirs them themselves then thence there there's thereafter thereby therefore therein theres "
        "thereupon these they they'd they'll they're they've think third this thorough thoroughly those though "
        "three through throughout thru thus to together too took toward towards tried tries truly try trying "
        "twice two u un under unfortunately unless unlikely until unto up upon us use used useful uses using "
        "usually uucp v value various very via viz vs w want wants was wasn't way we we'd we'll we're we've "
        "welcome well went were weren't what what's whatever when whence whenever where where's whereafter "
        "whereas whereby wherein whereupon wherever whether which while whither who who's whoever whole whom "
        "whose why will willing wish with within without won't wonder would wouldn't x y yes yet you you'd "
        "you'll you're you've your yours yourself yourselves z zero "
    ).split()
)


def redpajama_signals(text: str) -> dict[str, float]:
    r"""The RedPajama-v2 signals of one document.

    Parameters
    ----------
    text
        Any text.

    Returns
    -------
    dict of str to float
        The columns named in SPECS. Counts are 0 where there is nothing to count; all others are NaN where what
        they divide by isn't there (RedPajama-v2 has null or 0). Fractions lie in 0..1; a ratio can exceed 1.

    Notes
    -----
    As togethercomputer/RedPajama-Data (main branch) computes them, unrounded, with English stop words.

    Held against that code on every other document of the sample (its numbers are rounded to eight places), with
    NLTK's WordPunct as Python's `re` reads it; from NLTK 3.10 on another engine reads it, which takes combining
    marks and variation selectors into words.

    - Normalised text: ASCII punctuation removed, lower case, white space as single spaces, NFD. Its words are
      parted by spaces. Raw words are NLTK's WordPunct: runs of letters and digits, and runs of marks.
    - Lines are parted by "\n" alone. RedPajama-v2 gives a number a line; here all lines have one: a share of the
      lines, or of their characters taken together, or a sum.
    - Top n-gram: characters of the words of the most frequent n-gram, times its count, over the characters of
      all words; 0 where none occurs twice. Repeated n-gram: characters of words in any n-gram that occurs
      twice, first occurrences too, each counted once. Thresholds of `gopher_*`, which count otherwise, aren't
      those of these.
    - Entropy is in nats. All-caps words are those of `str.isupper`. Stop words are told in lower case.

    Left out: what needs a model or a list (classifiers, importance weights, blocklists).

    Time is linear in the length of `text` but for a sort.

    Examples
    --------
    >>> found = redpajama_signals("The END. The end!\n- a {b}...")
    >>> found["rps_n_words"], found["rps_unique_words_fraction"], found["rps_n_sentences"]
    (6.0, 0.6666666666666666, 3.0)
    """
    return _signals(TextView(text))


def compute(inputs: Inputs, params: NoParams, state: State) -> Mapping[str, Array]:
    """The columns named in SPECS, each float32 (n,)."""
    return as_columns(SPECS, [_signals(view) for view in inputs.views])


def _signals(view: TextView) -> dict[str, float]:
    # The text behind the last newline is a line unless it is empty.
    lines = view.newline_parts if view.newline_parts[-1] else view.newline_parts[:-1]
    plain = view.text.translate(_NO_PUNCTUATION).lower()
    words = unicodedata.normalize("NFD", " ".join(plain.split())).split()
    n_filled = sum([bool(line) and not line.isspace() for line in plain.split("\n")])
    return {
        **_word_signals(words, n_filled, len(lines)),
        **_raw_signals(view.text),
        **_line_signals(lines),
        **_repetition_signals(words),
    }


def _word_signals(words: list[str], n_filled: int, n_lines: int) -> dict[str, float]:
    """What is said of the normalised words, which stand in `n_filled` of the lines."""
    counts = np.fromiter(Counter(words).values(), dtype=np.float64)
    shares = counts / max(1, len(words))
    joined = " ".join(words)
    # A space stands between two words, in the joined lines between two words of one line.
    n_chars = len(joined) - len(words) + 1
    n_line_chars = len(joined) - n_filled + 1 if words else 0
    return {
        "rps_n_words": float(len(words)),
        "rps_mean_word_length": _over(n_chars, len(words)),
        "rps_unique_words_fraction": _over(len(counts), len(words)),
        "rps_unigram_entropy": abs(float((shares * np.log(shares)).sum())) if words else math.nan,
        "rps_lorem_ipsum_ratio": _over(joined.count("lorem ipsum"), len(joined)),
        "rps_words_per_line": _over(len(words), n_lines),
        "rps_numeric_chars_fraction": _over(_count(joined, str.isnumeric), n_line_chars),
        "rps_n_javascript": float(words.count("javascript")),
    }


def _raw_signals(text: str) -> dict[str, float]:
    """What is said of the raw text and its words."""
    words = _RAW_WORD.findall(text)
    kinds = Counter(words)
    n_symbols = text.count("#") + sum(map(text.count, _ELLIPSES))
    n_caps = sum([count for word, count in kinds.items() if word.isupper()])
    n_latin = sum([count for word, count in kinds.items() if _LATIN_LETTER.search(word)])
    n_stop = sum([kinds[word] for word in _STOP_WORDS & kinds.keys()])
    return {
        "rps_n_sentences": float(len(_SENTENCE.findall(text))),
        "rps_symbol_ratio": _over(n_symbols, len(words)),
        "rps_all_caps_words_fraction": _over(n_caps, len(words)),
        "rps_no_alpha_words_fraction": _over(len(words) - n_latin, len(words)),
        "rps_stop_words_fraction": _over(n_stop, len(words)),
        "rps_curly_bracket_fraction": _over(text.count("{") + text.count("}"), len(text)),
        "rps_uppercase_chars_fraction": _over(_count(text, str.isupper), len(text)),
    }


def _line_signals(lines: list[str]) -> dict[str, float]:
    """What RedPajama-v2 says of each raw line, as one number a document."""
    ends = [line.rstrip() for line in lines]
    begins = [line.lstrip() for line in lines]
    return {
        "rps_n_lines": float(len(lines)),
        "rps_terminal_lines_fraction": _over(sum([end.endswith(_TERMINAL) for end in ends]), len(lines)),
        "rps_ellipsis_lines_fraction": _over(sum([end.endswith(_ELLIPSES) for end in ends]), len(lines)),
        "rps_bullet_lines_fraction": _over(sum([b.startswith(_BULLETS) for b in begins]), len(lines)),
    }


def _repetition_signals(words: list[str]) -> dict[str, float]:
    """What is said of runs of normalised words."""
    if not words:
        return dict.fromkeys((spec.name for spec in SPECS if "gram_" in spec.name), math.nan)
    # With a space behind each word runs of the same characters are runs of the same words.
    spaced = Words([word + " " for word in words])
    n_chars = int(spaced.starts[-1]) - len(words)
    found = {}
    for runs in spaced.ranked_runs(_TOP_SIZES + _DUP_SIZES):
        if runs.n in _TOP_SIZES:
            found[f"rps_top_{runs.n}_gram_ratio"] = _top_chars(spaced, runs) / n_chars
        else:
            found[f"rps_dup_{runs.n}_gram_fraction"] = _repeated_chars(spaced, runs) / n_chars
    return found


def _top_chars(spaced: Words, runs: Runs) -> int:
    """Characters of the most frequent n-gram times its count, 0 if none occurs twice."""
    if len(spaced) < runs.n:
        return 0
    at, count = top_run(spaced, runs)
    return count * (int(spaced.starts[at + runs.n] - spaced.starts[at]) - runs.n) if count > 1 else 0


def _repeated_chars(spaced: Words, runs: Runs) -> int:
    """Characters of the words that are part of any n-gram that occurs twice."""
    places = runs.repeated()
    begins, stops = spaced.starts[places].tolist(), spaced.starts[places + runs.n].tolist()
    grams = [spaced.joined[begin:stop] for begin, stop in zip(begins, stops, strict=True)]
    counts = Counter(grams)
    n_chars = free = 0
    for at, gram in zip(places.tolist(), grams, strict=True):
        if counts[gram] > 1:  # and not another gram of the same hash
            first = max(at, free)
            free = at + runs.n
            n_chars += int(spaced.starts[free] - spaced.starts[first]) - (free - first)
    return n_chars


def _count(text: str, is_one: Callable[[str], bool]) -> int:
    """The characters of `text` that are one."""
    kinds = [char for char in set(text) if is_one(char)]
    # A text has few kinds of capitals or numerals, and to count a kind takes no time.
    return sum(map(text.count, kinds)) if len(kinds) <= _FEW_KINDS else sum(map(is_one, text))


def _over(part: int, whole: int) -> float:
    return part / whole if whole > 0 else math.nan


def _spec(name: str, title: str, unit: str, better: Better = "neither") -> ScoreSpec:
    return ScoreSpec(
        name=name,
        version=1,
        title=title,
        unit=unit,
        better=better,
        needs=("text",),
        compute=compute,
        shares_views=True,
        paper="Weber et al. 2024, arXiv:2411.12372",
    )


_WORDS, _CHARS, _LINES = "fraction of words", "fraction of characters", "fraction of lines"

SPECS: tuple[ScoreSpec, ...] = (
    _spec("rps_n_words", "Words without ASCII marks, in lower case", "words"),
    _spec("rps_mean_word_length", "Mean length of those words", "characters a word"),
    _spec("rps_unique_words_fraction", "Different words over words", _WORDS, "higher"),
    _spec("rps_unigram_entropy", "Entropy of the words' frequencies", "nats", "higher"),
    _spec("rps_lorem_ipsum_ratio", "Occurrences of lorem ipsum over characters", "ratio", "lower"),
    _spec("rps_words_per_line", "Words over lines", "words a line"),
    _spec("rps_n_sentences", "Sentences, by a regular expression", "sentences", "higher"),
    _spec("rps_symbol_ratio", "Signs # and ellipses over words and runs of marks", "ratio", "lower"),
    _spec("rps_all_caps_words_fraction", "Words in capitals alone", _WORDS, "lower"),
    _spec("rps_no_alpha_words_fraction", "Words and runs of marks without a letter a-z", _WORDS, "lower"),
    _spec("rps_stop_words_fraction", "English stop words, of 570", _WORDS, "higher"),
    _spec("rps_curly_bracket_fraction", "Curly brackets", _CHARS, "lower"),
    _spec("rps_uppercase_chars_fraction", "Capitals", _CHARS, "lower"),
    _spec("rps_n_lines", "Lines", "lines"),
    _spec("rps_terminal_lines_fraction", "Lines ending in . ! ? or ”", _LINES, "higher"),
    _spec("rps_ellipsis_lines_fraction", "Lines ending in ... or …", _LINES, "lower"),
    _spec("rps_bullet_lines_fraction", "Lines beginning with a bullet or an en dash", _LINES, "lower"),
    _spec("rps_numeric_chars_fraction", "Numerals, of characters without ASCII marks", _CHARS, "lower"),
    _spec("rps_n_javascript", "Words that are javascript", "words", "lower"),
    *(
        _spec(f"rps_top_{n}_gram_ratio", f"Characters of the top {n}-gram over all", "ratio", "lower")
        for n in _TOP_SIZES
    ),
    *(
        _spec(f"rps_dup_{n}_gram_fraction", f"Characters in {n}-grams that occur twice", _CHARS, "lower")
        for n in _DUP_SIZES
    ),
)
