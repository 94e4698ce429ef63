"""Exact substring deduplication: drop documents that consist mostly of long passages which stand elsewhere too."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from workbench.checks import check_at_least, check_fraction
from workbench.errors import InputError
from workbench.selectors.base import Columns, Pieces, Repeats, Selection, SelectorSpec, State
from workbench.selectors.pieces import covered, covered_fraction, elements, first_holder, runs, scanned


@dataclass(frozen=True)
class SubstringParams:
    """Parameters of `select_substring`.

    Attributes
    ----------
    min_tokens
        Tokens in a row that must be the same, at least 1; 50 as published.
    variant
        "keep_first": the first copy of a passage doesn't count, which is that of the smallest doc_id and within a
        document the leftmost (GneissWeb). "remove_all": every copy counts, as in the published tool.
    max_duplicate_fraction
        In 0..1: the share of a document's tokens that may lie in such passages.
    """

    min_tokens: int = 50
    variant: Literal["keep_first", "remove_all"] = "keep_first"
    max_duplicate_fraction: float = 0.5


def pieces_substring(columns: Columns, params: SubstringParams) -> Pieces:
    """Each run of `min_tokens` tokens."""
    check_at_least("min_tokens", params.min_tokens, 1)
    return runs(*elements(columns["token_ids"]), params.min_tokens)


def gather_substring(columns: Columns, params: SubstringParams, repeats: Repeats) -> Columns:
    """Of each document the share of tokens in passages that stand more than once.

    Returns
    -------
    duplicate_fraction : float64 (n,), 0..1
    first_copy : int64 (n,)
    """
    if params.variant not in ("keep_first", "remove_all"):
        raise InputError(f"variant must be keep_first or remove_all, got {params.variant!r}")
    n = params.min_tokens
    counts = np.fromiter(map(len, columns["token_ids"]), dtype=np.int64, count=len(columns["token_ids"]))
    chosen = np.ones(len(repeats.row), dtype=bool)
    if params.variant == "keep_first":
        # A passage that overlaps its only equal on the left (a b a b a b) counts where both overlap.
        chosen = repeats.first_document != repeats.document
        chosen |= repeats.place - repeats.first_place >= n
    return {
        "duplicate_fraction": covered_fraction(counts, covered(counts, repeats, chosen, n)),
        "first_copy": first_holder(len(counts), repeats),
    }


def select_substring(columns: Columns, params: SubstringParams, state: State, seed: int) -> Selection:
    """Drop documents of which more than a share of the tokens lies in passages that stand more than once.

    Parameters
    ----------
    columns
        With what `gather_substring` finds.

    Raises
    ------
    InputError
        If min_tokens is below 1, variant isn't one of its values, or max_duplicate_fraction lies outside 0..1.

    Notes
    -----
    Lee et al. 2021, arXiv:2107.06499, find the passages by a suffix array. A repeated passage of n tokens or more is
    the union of repeated runs of exactly n, so equal hashes of such runs cover the same tokens, but for two runs that
    differ and have the same 64 bits.
    """
    check_fraction("max_duplicate_fraction", params.max_duplicate_fraction)
    share, holder = columns["duplicate_fraction"], columns["first_copy"]

    def explain(i: int) -> str:
        where = f"; the first of all stands in {holder[i]}" if holder[i] else ""
        again = "stood before" if params.variant == "keep_first" else "stand more than once"
        return (
            f"{share[i]:.1%} of its tokens lie in passages of {params.min_tokens} tokens and more that {again}, "
            f"{params.max_duplicate_fraction:.1%} may{where}"
        )

    return Selection(share <= params.max_duplicate_fraction, explain)


SPEC = SelectorSpec(
    name="substring",
    version=1,
    title="Exact substring deduplication: drop documents that mostly consist of passages which stand elsewhere",
    paper="after Lee et al. 2021, arXiv:2107.06499",
    status="variant",
    scope="pieces",
    params=SubstringParams,
    needs=lambda params: ("token_ids",),
    reads=("text",),
    score_params=(),
    select=select_substring,
    pieces=pieces_substring,
    gather=gather_substring,
    scan=scanned(pieces_substring, gather_substring),
    scan_params=("min_tokens", "variant"),
    tracks_corpus=True,
    cost="16 bytes a token on disk",
    about="Keeps documents with few long passages that stand elsewhere word for word, and drops those of which more "
    "than a share of the tokens does: reprints, licences, quotations, forks of a file. No text is changed: the "
    "published tools cut the passages out, here a document stays whole or goes. No passage crosses two documents. Lee "
    "et al. report about ten times less verbatim memorisation. A changed word in every 50 hides a copy, and so do "
    "other capitals or doubled spaces, since their tokens are others; MinHash finds these. remove_all drops every "
    "copy, so that nothing of a passage may be left; with keep_first a passage counts as held by its first document "
    "even where that one is dropped. Documents shorter than min_tokens are kept.",
    assumed=(
        "The papers cut passages out and say nothing of whole documents; half of the tokens is our limit.",
        "They count in GPT-2's tokens, 50 of which are 100 bytes of their encoding; these are of the tokenizer in use.",
        "GneissWeb keeps the first copy of each shard; here it is the first of the whole corpus, by doc_id.",
    ),
    help={
        "min_tokens": "tokens in a row that must be the same (at least 1)",
        "variant": "keep_first (the first copy of a passage doesn't count) or remove_all (every copy does)",
        "max_duplicate_fraction": "share of a document's tokens that may lie in such passages, 0 to 1",
    },
)
