"""The C4 rules on whole documents: enough sentences in the lines that are left, no placeholder text, no code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

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
    """

    variant: Literal["repo", "paper"] = "repo"
    terminal_punctuation: bool = True
    min_sentences: int | None = None


def rules(params: C4RulesParams) -> tuple[Rule, ...]:
    """The rules on the document."""
    least = _MIN_SENTENCES[params.variant] if params.min_sentences is None else params.min_sentences
    return (
        Rule("c4_n_lorem_ipsum_lines", "<=", 0),
        Rule("c4_n_curly_bracket_lines", "<=", 0),
        Rule("c4_n_sentences", ">=", least),
    )


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
    """
    return apply_rules(columns, rules(params))


SPEC = SelectorSpec(
    name="c4",
    version=1,
    title="C4 rules: keep documents of which enough sentences are left, without lorem ipsum or curly brackets",
    paper="Raffel et al. 2020, arXiv:1910.10683",
    scope="row",
    params=C4RulesParams,
    needs=lambda params: rule_needs(rules(params)),
    select=select_c4,
    score_settings=line_rules,
    reads_missing=True,
    rules=rules,
    about="Keeps pages with some whole sentences; loses short ones, and nearly all code with its curly brackets. C4 "
    "also takes lines out of what it keeps; here no text is edited, so what is kept has all its lines. The lists of "
    "bad words and the test of language of C4 aren't among these rules.",
    assumed=(
        "The marks that end a line are datatrove's, which has the apostrophe besides the paper's four.",
        "Words and sentences of the C4 release are taken from two copies of TensorFlow Datasets' code: 5 and 3.",
    ),
    help={
        "variant": "repo: 3 words a line, 5 sentences (datatrove); paper: 5 words, 3 sentences (C4 release)",
        "terminal_punctuation": "whether lines must end in a terminal mark; FineWeb has C4 without this rule",
        "min_sentences": "fewest sentences in the lines that are left; open: the variant's",
    },
)
