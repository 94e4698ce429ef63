"""The FineWeb custom rules: drop lists, menus and pages whose lines repeat."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from workbench.selectors.base import Columns, Selection, SelectorSpec, State
from workbench.selectors.rules import Rule, apply_rules, rule_needs


@dataclass(frozen=True)
class FinewebParams:
    """Parameters of `select_fineweb`.

    Attributes
    ----------
    variant
        "repo": datatrove's filter, whose limits pass themselves. "paper": the body of the paper, where a document at a
        limit is dropped, which has another limit on repeated lines and no rule on newlines.
    min_terminal_lines_fraction
        In 0..1: lines that end in a terminal mark.
    max_short_lines_fraction
        In 0..1: lines of at most 30 characters.
    max_dup_lines_chars_fraction
        In 0..1: characters in repeated lines. None is the variant's: 0.01 (repo), 0.1 (paper).
    max_newlines_per_word
        0 or more; for variant "repo".
    """

    variant: Literal["repo", "paper"] = "repo"
    min_terminal_lines_fraction: float = 0.12
    max_short_lines_fraction: float = 0.67
    max_dup_lines_chars_fraction: float | None = None
    max_newlines_per_word: float = 0.3


def rules(params: FinewebParams) -> tuple[Rule, ...]:
    """The rules of the variant, in datatrove's order."""
    is_repo = params.variant == "repo"
    dup = params.max_dup_lines_chars_fraction
    if dup is None:
        dup = 0.01 if is_repo else 0.1
    found = (
        Rule("fineweb_terminal_lines_fraction", ">=" if is_repo else ">", params.min_terminal_lines_fraction),
        Rule("fineweb_short_lines_fraction", "<=" if is_repo else "<", params.max_short_lines_fraction),
        Rule("fineweb_dup_lines_chars_fraction", "<=" if is_repo else "<", dup),
    )
    newlines = Rule("fineweb_newlines_per_word", "<=", params.max_newlines_per_word)
    return (*found, newlines) if is_repo else found


def select_fineweb(columns: Columns, params: FinewebParams, state: State, seed: int) -> Selection:
    """Keep the documents that fulfil the custom rules; one whose lines are all blank fulfils none.

    Notes
    -----
    Penedo et al. 2024, arXiv:2406.17557, section 3.6; datatrove's FineWebQualityFilter.
    """
    return apply_rules(columns, rules(params))


SPEC = SelectorSpec(
    name="fineweb",
    version=1,
    title="FineWeb custom rules: drop lists, menus and pages of repeated lines",
    paper="Penedo et al. 2024, arXiv:2406.17557",
    scope="row",
    params=FinewebParams,
    needs=lambda params: rule_needs(rules(params)),
    select=select_fineweb,
    reads_missing=True,
    rules=rules,
    about="Drops lists, menus and pages whose lines repeat; poems, code and dialogue, whose lines are short or end in "
    "no mark, go with them. The paper's three rules remove about 22 % of the tokens (10.14, 12.47 and 3.73 %) for "
    "about one point of its aggregate. FineWeb runs them last, behind the Gopher rules and those of C4.",
    assumed=(
        "The paper is taken to drop a document at each of its limits (<= 0.12, >= 0.67, >= 0.1); the first is sure.",
        "The paper's lines are shorter than 30 characters, datatrove's have at most 30; the score is datatrove's.",
    ),
    help={
        "variant": "repo: datatrove's filter; paper: the limits of the paper's body, three rules",
        "min_terminal_lines_fraction": "smallest share of lines that end in a terminal mark",
        "max_short_lines_fraction": "largest share of lines of at most 30 characters",
        "max_dup_lines_chars_fraction": "largest share of characters in repeated lines; open: 0.01 or 0.1 by variant",
        "max_newlines_per_word": "most newlines to words; not in variant paper",
    },
)
