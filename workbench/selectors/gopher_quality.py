"""The Gopher quality rules: keep what has the words, lines and marks of natural English text."""

from __future__ import annotations

from dataclasses import dataclass

from workbench.selectors.base import Columns, Selection, SelectorSpec, State
from workbench.selectors.rules import Rule, apply_rules, rule_needs


@dataclass(frozen=True)
class GopherQualityParams:
    """Parameters of `select_gopher_quality`; each limit itself passes.

    Attributes
    ----------
    min_words, max_words
        Of words, not counting marks.
    min_mean_word_length, max_mean_word_length
        In characters.
    max_symbol_ratio
        Of "#" to words and, apart from it, of ellipses to words.
    max_bullet_lines_fraction, max_ellipsis_lines_fraction
        In 0..1, of lines.
    min_alpha_words_fraction
        In 0..1, of words and marks.
    min_stop_words
        Different ones of the, be, to, of, and, that, have, with.
    """

    min_words: int = 50
    max_words: int = 100_000
    min_mean_word_length: float = 3.0
    max_mean_word_length: float = 10.0
    max_symbol_ratio: float = 0.1
    max_bullet_lines_fraction: float = 0.9
    max_ellipsis_lines_fraction: float = 0.3
    min_alpha_words_fraction: float = 0.8
    min_stop_words: int = 2


def rules(params: GopherQualityParams) -> tuple[Rule, ...]:
    """The rules, in the order of the paper's table."""
    return (
        Rule("gopher_n_words", ">=", params.min_words),
        Rule("gopher_n_words", "<=", params.max_words),
        Rule("gopher_mean_word_length", ">=", params.min_mean_word_length),
        Rule("gopher_mean_word_length", "<=", params.max_mean_word_length),
        Rule("gopher_hash_ratio", "<=", params.max_symbol_ratio),
        Rule("gopher_ellipsis_ratio", "<=", params.max_symbol_ratio),
        Rule("gopher_bullet_lines_fraction", "<=", params.max_bullet_lines_fraction),
        Rule("gopher_ellipsis_lines_fraction", "<=", params.max_ellipsis_lines_fraction),
        Rule("gopher_alpha_words_fraction", ">=", params.min_alpha_words_fraction),
        Rule("gopher_n_stop_words", ">=", params.min_stop_words),
    )


def select_gopher_quality(
    columns: Columns, params: GopherQualityParams, state: State, seed: int
) -> Selection:
    """Keep the documents that fulfil all of the Gopher quality rules; one without words fulfils none on words.

    Notes
    -----
    Rae et al. 2021, arXiv:2112.11446, table A1; comparators as in datatrove's GopherQualityFilter.
    """
    return apply_rules(columns, rules(params))


SPEC = SelectorSpec(
    name="gopher_quality",
    version=1,
    title="Gopher quality rules: keep documents that look like natural English text",
    paper="Rae et al. 2021, arXiv:2112.11446",
    scope="row",
    params=GopherQualityParams,
    needs=lambda params: rule_needs(rules(params)),
    select=select_gopher_quality,
    reads_missing=True,
    rules=rules,
    about="Keeps prose and loses lists, tables, code, very short and very long documents, and all that is not English: "
    "the stop words are English ones, told in lower case. Half of the rules depend on the length, so look at the kept "
    "share by length. The limits hold for words as datatrove parts them; other words shift each of them.",
    help={
        "min_words": "fewest words, without marks",
        "max_words": "most words, without marks",
        "min_mean_word_length": "shortest mean length of a word, in characters",
        "max_mean_word_length": "longest mean length of a word, in characters",
        "max_symbol_ratio": "most # to words, and most ellipses to words",
        "max_bullet_lines_fraction": "largest share of lines that begin with a bullet",
        "max_ellipsis_lines_fraction": "largest share of lines that end in an ellipsis",
        "min_alpha_words_fraction": "smallest share of words with a letter",
        "min_stop_words": "fewest different English stop words, of eight",
    },
)
