"""The rules of RedPajama-v2's card: Gopher's, over its own signals."""

from __future__ import annotations

from dataclasses import dataclass

from workbench.selectors.base import Columns, Selection, SelectorSpec, State
from workbench.selectors.rules import Rule, apply_rules, rule_needs


@dataclass(frozen=True)
class RedpajamaParams:
    """Parameters of `select_redpajama`.

    Attributes
    ----------
    min_words, max_words
        Words without ASCII marks, both limits passing.
    min_mean_word_length, max_mean_word_length
        Characters, both passing.
    max_symbol_ratio
        Signs # and ellipses over words and runs of marks.
    max_bullet_lines_fraction
        In 0..1.
    max_top_2_gram_ratio
        Characters of the most frequent pair of words over all.
    """

    min_words: float = 50.0
    max_words: float = 100_000.0
    min_mean_word_length: float = 3.0
    max_mean_word_length: float = 10.0
    max_symbol_ratio: float = 0.1
    max_bullet_lines_fraction: float = 0.9
    max_top_2_gram_ratio: float = 0.2


def rules(params: RedpajamaParams) -> tuple[Rule, ...]:
    """The rules, in the order of the card."""
    return (
        Rule("rps_n_words", ">=", params.min_words),
        Rule("rps_n_words", "<=", params.max_words),
        Rule("rps_mean_word_length", ">=", params.min_mean_word_length),
        Rule("rps_mean_word_length", "<=", params.max_mean_word_length),
        Rule("rps_symbol_ratio", "<=", params.max_symbol_ratio),
        Rule("rps_bullet_lines_fraction", "<=", params.max_bullet_lines_fraction),
        Rule("rps_top_2_gram_ratio", "<=", params.max_top_2_gram_ratio),
    )


def select_redpajama(columns: Columns, params: RedpajamaParams, state: State, seed: int) -> Selection:
    """Keep the documents that fulfil the rules; one without words fulfils none.

    Notes
    -----
    The function `gopher_rules_pass` of the card of togethercomputer/RedPajama-Data-V2 ("Applying Filtering Rules"), on
    the signals of Weber et al. 2024, arXiv:2411.12372, each as the score `rps_*` of its name has it.
    """
    return apply_rules(columns, rules(params))


SPEC = SelectorSpec(
    name="redpajama",
    version=1,
    title="RedPajama-v2: the rules of its card, Gopher's over its own signals",
    paper="Weber et al. 2024, arXiv:2411.12372",
    status="variant",
    scope="row",
    params=RedpajamaParams,
    needs=lambda params: rule_needs(rules(params)),
    select=select_redpajama,
    score_params=(),
    reads_missing=True,
    rules=rules,
    about="RedPajama-v2 keeps everything and publishes signals; these are the rules that its card gives as an example "
    "and ends with an ellipsis. They are Gopher's, but words are counted without marks and n-grams of words without "
    "spaces, so `gopher_quality` gives other verdicts. Loses short pages and lists. For further rules put a `band` on "
    "any `rps_*` score.",
    assumed=(
        "The card's code has 100,000 as the most words, the announcement 10,000; the card's is the default.",
        "The rules that the card's ellipsis stands for are left out.",
    ),
    help={
        "min_words": "fewest words",
        "max_words": "most words",
        "min_mean_word_length": "least mean length of a word, in characters",
        "max_mean_word_length": "largest mean length of a word",
        "max_symbol_ratio": "most signs # and ellipses to words",
        "max_bullet_lines_fraction": "largest share of lines that begin with a bullet",
        "max_top_2_gram_ratio": "largest share of characters in the most frequent pair of words",
    },
)
