"""The Gopher repetition rules: drop what says the same lines, paragraphs or runs of words again and again."""

from __future__ import annotations

from dataclasses import dataclass

from workbench.selectors.base import Columns, Selection, SelectorSpec, State
from workbench.selectors.rules import Rule, apply_rules, rule_needs

_TOP_SIZES, _DUP_SIZES = (2, 3, 4), (5, 6, 7, 8, 9, 10)


@dataclass(frozen=True)
class GopherRepetitionParams:
    """Parameters of `select_gopher_repetition`: the largest values that are kept.

    Attributes
    ----------
    dup_lines_fraction, dup_paragraphs_fraction
        In 0..1, of lines and of paragraphs.
    dup_lines_chars_fraction, dup_paragraphs_chars_fraction
        In 0..1, of characters.
    top_2_gram to top_4_gram
        Characters of the most frequent n-gram over those of the text, 0 or more.
    dup_5_gram to dup_10_gram
        In 0..1: characters in repeated n-grams over those of the text.
    """

    dup_lines_fraction: float = 0.3
    dup_paragraphs_fraction: float = 0.3
    dup_lines_chars_fraction: float = 0.2
    dup_paragraphs_chars_fraction: float = 0.2
    top_2_gram: float = 0.2
    top_3_gram: float = 0.18
    top_4_gram: float = 0.16
    dup_5_gram: float = 0.15
    dup_6_gram: float = 0.14
    dup_7_gram: float = 0.13
    dup_8_gram: float = 0.12
    dup_9_gram: float = 0.11
    dup_10_gram: float = 0.1


def rules(params: GopherRepetitionParams) -> tuple[Rule, ...]:
    """The rules, in the order of the paper's table. A text of no words repeats none, an empty one is dropped."""
    whole = (
        "dup_lines_fraction",
        "dup_paragraphs_fraction",
        "dup_lines_chars_fraction",
        "dup_paragraphs_chars_fraction",
    )
    return (
        *(Rule(f"gopher_{name}", "<=", getattr(params, name)) for name in whole),
        *(
            Rule(f"gopher_top_{n}_gram_ratio", "<=", getattr(params, f"top_{n}_gram"), "passes")
            for n in _TOP_SIZES
        ),
        *(
            Rule(f"gopher_dup_{n}_gram_fraction", "<=", getattr(params, f"dup_{n}_gram"), "passes")
            for n in _DUP_SIZES
        ),
    )


def select_gopher_repetition(
    columns: Columns, params: GopherRepetitionParams, state: State, seed: int
) -> Selection:
    """Keep the documents of which nothing repeats more than its limit; the limit itself passes.

    Notes
    -----
    Rae et al. 2021, arXiv:2112.11446, table A1; comparators as in datatrove's GopherRepetitionFilter.
    """
    return apply_rules(columns, rules(params))


SPEC = SelectorSpec(
    name="gopher_repetition",
    version=1,
    title="Gopher repetition rules: drop documents that repeat themselves",
    paper="Rae et al. 2021, arXiv:2112.11446",
    scope="row",
    params=GopherRepetitionParams,
    needs=lambda params: rule_needs(rules(params)),
    select=select_gopher_repetition,
    reads_missing=True,
    rules=rules,
    about="Drops templates, menus, logs and texts that a machine spun out; code, tables and poems with a refrain go "
    "with them. The rules on the top n-grams also drop texts of few words, of which any n-gram is a large part. "
    "RedPajama's signals of like names count first occurrences too, and these limits are none for them.",
    assumed=(
        "The paper speaks of characters in any repeated n-gram; here, as in datatrove, only repeats of it count.",
    ),
    help={
        "dup_lines_fraction": "largest share of lines that repeat an earlier one",
        "dup_paragraphs_fraction": "largest share of paragraphs that repeat an earlier one",
        "dup_lines_chars_fraction": "largest share of characters in repeated lines",
        "dup_paragraphs_chars_fraction": "largest share of characters in repeated paragraphs",
        **{f"top_{n}_gram": f"largest share of characters of the most frequent {n}-gram" for n in _TOP_SIZES},
        **{f"dup_{n}_gram": f"largest share of characters in repeated {n}-grams" for n in _DUP_SIZES},
    },
)
