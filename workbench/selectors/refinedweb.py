"""RefinedWeb's line rules, as a verdict on documents: drop what they would take too much of."""

from __future__ import annotations

from dataclasses import dataclass

from workbench.checks import check_fraction
from workbench.selectors.base import Columns, Selection, SelectorSpec, State
from workbench.selectors.rules import Rule, apply_rules, rule_needs


@dataclass(frozen=True)
class RefinedwebParams:
    """Parameters of `select_refinedweb`.

    Attributes
    ----------
    max_removed_words_fraction
        Of a document's words, in 0..1; a document at it is kept.
    """

    max_removed_words_fraction: float = 0.05


def rules(params: RefinedwebParams) -> tuple[Rule, ...]:
    """The one rule."""
    return (Rule("refinedweb_removed_words_fraction", "<=", params.max_removed_words_fraction),)


def select_refinedweb(columns: Columns, params: RefinedwebParams, state: State, seed: int) -> Selection:
    """Keep the documents of which the line rules would take no more than a share of the words.

    Raises
    ------
    InputError
        If the share lies outside 0..1.

    Notes
    -----
    Penedo et al. 2023, arXiv:2306.01116. RefinedWeb edits: of what it keeps it takes those lines out. Here documents
    are decided and none is edited: one that is kept has all its lines.
    """
    check_fraction("max_removed_words_fraction", params.max_removed_words_fraction)
    return apply_rules(columns, rules(params))


SPEC = SelectorSpec(
    name="refinedweb",
    version=1,
    title="RefinedWeb line rules: drop documents with too many lines of menus, counters and capitals",
    paper="Penedo et al. 2023, arXiv:2306.01116",
    status="variant",
    scope="row",
    params=RefinedwebParams,
    needs=lambda params: rule_needs(rules(params)),
    select=select_refinedweb,
    reads_missing=True,
    rules=rules,
    about="Drops pages of menus, counters, single words and capitals; word lists, tables and code go with them. What "
    "is kept has all its lines: RefinedWeb takes these out, here no text is edited. A short text reaches the share "
    "with one such line.",
    assumed=(
        "The paper gives no code; the line rules are those of DCLM's reimplementation.",
        "Words are parted by white space; DCLM leaves words of marks alone out of both counts.",
    ),
    help={"max_removed_words_fraction": "largest share of words that the line rules would take out"},
)
