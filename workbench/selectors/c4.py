"""The C4 rules on whole documents: enough sentences in the lines that are left, no placeholder text, no code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from workbench.checks import check_fraction, keyed_uniform
from workbench.errors import InputError
from workbench.selectors.base import Columns, Selection, SelectorSpec, State
from workbench.selectors.rules import Rule, apply_rules, rule_needs

_MIN_LINE_WORDS = {"repo": 3, "paper": 5}
_MIN_SENTENCES = {"repo": 5, "paper": 3}


@dataclass(frozen=True)
class C4RulesParams:
    """Parameters of `select_c4`.

    Attributes
    ----------
    variant
        "repo": datatrove's 3 words a line and 5 sentences. "paper": the C4 release's 5 words and 3 sentences.
    terminal_punctuation
        Whether a line without a terminal mark counts as dropped; FineWeb has C4 without that rule.
    min_sentences
        In the lines that are left; None is the variant's.
    min_long_lines
        Lines of at least 200 characters, at least this many; None: no such rule. mC4 has 3, in place of the rule on
        terminal marks.
    max_bad_words
        Words of a list of your own in the text, at most this many; None: no such rule. C4 has 0.
    bad_words_kept_fraction
        In 0..1: of the documents with more, this share is kept all the same, by a keyed hash of the id; 0 is
        datatrove's default too.
    """

    variant: Literal["repo", "paper"] = "repo"
    terminal_punctuation: bool = True
    min_sentences: int | None = None
    min_long_lines: int | None = None
    max_bad_words: int | None = None
    bad_words_kept_fraction: float = 0.0


def rules(params: C4RulesParams) -> tuple[Rule, ...]:
    """The rules on the document."""
    least = _MIN_SENTENCES[params.variant] if params.min_sentences is None else params.min_sentences
    long_lines = (
        () if params.min_long_lines is None else (Rule("c4_n_long_lines", ">=", params.min_long_lines),)
    )
    return (
        Rule("c4_n_lorem_ipsum_lines", "<=", 0),
        Rule("c4_n_curly_bracket_lines", "<=", 0),
        Rule("c4_n_sentences", ">=", least),
        *long_lines,
    )


def bad_words_rules(params: C4RulesParams) -> tuple[Rule, ...]:
    """The rule on bad words, if there is one."""
    most = params.max_bad_words
    return () if most is None else (Rule("n_bad_words", "<=", most),)


def all_rules(params: C4RulesParams) -> tuple[Rule, ...] | None:
    """All that is asked, None where the draw of bad_words_kept_fraction decides too."""
    is_drawn = params.max_bad_words is not None and params.bad_words_kept_fraction > 0
    return None if is_drawn else (*rules(params), *bad_words_rules(params))


def line_rules(params: C4RulesParams) -> Mapping[str, Mapping[str, object]]:
    """The settings of the c4 scores that the params stand for: which lines are left is counted there."""
    settings = {
        "min_line_words": _MIN_LINE_WORDS[params.variant],
        "terminal_punctuation": params.terminal_punctuation,
    }
    return {"c4_n_sentences": settings}


def select_c4(columns: Columns, params: C4RulesParams, state: State, seed: int) -> Selection:
    """Keep the documents of which the line rules leave enough, and no line of which says lorem ipsum or holds a {.

    Notes
    -----
    Raffel et al. 2020, arXiv:1910.10683. C4 edits: it takes lines out of the documents that it keeps (short ones, those
    without a terminal mark, those about javascript and policies). Here documents are decided and none is edited: one is
    kept where C4 keeps some of it, and it is kept with all its lines. The line rules are settings of the c4 scores,
    `{"scores": {"c4_n_sentences": {"min_line_words": 5}}}` in a recipe.

    The list of bad words is yours, in `{"scores": {"n_bad_words": {"words": [...]}}}`; C4 has the lists of LDNOOBW, one
    a language. mC4's rule on long lines is of Xue et al. 2021, arXiv:2010.11934, as in datatrove's C4ParagraphFilter.

    Raises
    ------
    InputError
        If there is a limit on bad words and n_bad_words was scored without a list, or the share lies outside 0..1.
    """
    check_fraction("bad_words_kept_fraction", params.bad_words_kept_fraction)
    told = bad_words_rules(params)
    if not told:
        return apply_rules(columns, rules(params))
    if np.isnan(columns["n_bad_words"]).any():
        raise InputError(
            'n_bad_words has no list; add "scores": {"n_bad_words": {"words": ["...", "..."]}} to the recipe and score '
            "again"
        )
    found, excused = apply_rules(columns, (*rules(params), *told)), apply_rules(columns, rules(params)).keep
    # The draw alone decides for whom the words don't count; the other rules hold for all.
    draw = keyed_uniform(seed, list(columns["doc_id"]), "c4_bad_words")
    is_kept = excused & (draw < params.bad_words_kept_fraction)
    return Selection(found.keep | is_kept, found.explain)


SPEC = SelectorSpec(
    name="c4",
    version=1,
    title="C4 rules: keep documents of which enough sentences are left, without lorem ipsum or curly brackets",
    paper="Raffel et al. 2020, arXiv:1910.10683",
    scope="row",
    params=C4RulesParams,
    needs=lambda params: rule_needs((*rules(params), *bad_words_rules(params))),
    select=select_c4,
    score_settings=line_rules,
    reads_missing=True,
    rules=all_rules,
    about="Keeps pages with some whole sentences; loses short ones, and nearly all code with its curly brackets. C4 "
    "also takes lines out of what it keeps; here no text is edited, so what is kept has all its lines. For bad "
    "words bring a list of your own; C4's takes more of the texts from and about minorities than of others (Dodge "
    "et al. 2021). Its test of language is the step `category`. mC4's rule on long lines replaces the one on terminal "
    "marks, which other scripts lack.",
    assumed=(
        "The marks that end a line are datatrove's, which has the apostrophe besides the paper's four.",
        "Words and sentences of the C4 release are taken from two copies of TensorFlow Datasets' code: 5 and 3.",
    ),
    help={
        "variant": "repo: 3 words a line, 5 sentences (datatrove); paper: 5 words, 3 sentences (C4 release)",
        "terminal_punctuation": "whether lines must end in a terminal mark; FineWeb has C4 without this rule",
        "min_sentences": "fewest sentences in the lines that are left; open: the variant's",
        "min_long_lines": "fewest lines of at least 200 characters, as mC4 has 3; open: no such rule",
        "max_bad_words": "most words of the list that n_bad_words was scored with; C4 has 0; open: no such rule",
        "bad_words_kept_fraction": "share of the documents with more that is kept all the same, 0 to 1",
    },
)
