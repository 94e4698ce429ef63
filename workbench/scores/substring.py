"""Long passages that stand in the sample more than once, word for word, and how much of a document they make."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from workbench.checks import Array, IntArray, check_at_least, strings
from workbench.scores.base import Inputs, ScoreSpec, State, as_column


@dataclass(frozen=True)
class SubstringParams:
    """What a duplicate passage is.

    Attributes
    ----------
    min_tokens
        Tokens that must be the same, at least 1; 50 as published.
    keep_first
        False: every copy counts, as the published tool removes all of them. True: the first one doesn't, which is that
        of the smallest doc_id, and within a document the leftmost (GneissWeb).
    """

    min_tokens: int = 50
    keep_first: bool = False


def duplicate_spans(
    documents: Sequence[IntArray], min_tokens: int = 50, keep_first: bool = False
) -> IntArray:
    """Where documents repeat at least `min_tokens` tokens of themselves or of each other.

    Parameters
    ----------
    documents
        The token ids of each, 0 or more, in the order that says which copy is the first.
    min_tokens
        At least 1.
    keep_first
        Leave out a passage that has no equal further left, in the same document or in one before. A passage that
        overlaps its only equal on the left (a b a b a b) stays where both overlap.

    Returns
    -------
    int64 (m, 3): document, first token, and one behind the last. Spans of one document neither touch nor overlap.

    Raises
    ------
    InputError
        If `min_tokens` is below 1.

    Notes
    -----
    Lee et al. 2021, arXiv:2107.06499, find the same passages by a suffix array. Here the passages of 1, 2, 4, ...
    tokens are numbered, equal ones alike, each from the numbers of its two halves (Karp, Miller and Rosenberg 1972);
    one that occurs once is never looked at again. It is exact, and no passage crosses two documents.

    Examples
    --------
    >>> duplicate_spans([np.array([9, 1, 2, 3]), np.array([1, 2, 3, 8])], 3, keep_first=True).tolist()
    [[1, 0, 3]]
    """
    check_at_least("min_tokens", min_tokens, 1)
    sizes = np.array([len(ids) for ids in documents], dtype=np.int64)
    starts = np.cumsum(sizes) - sizes
    of_token = np.repeat(np.arange(len(documents)), sizes)
    tokens = np.concatenate(documents).astype(np.int64) if len(documents) else np.zeros(0, dtype=np.int64)
    names = _repeated(tokens, of_token, min_tokens)
    at = np.flatnonzero(names >= 0)
    if keep_first and len(at):
        order = np.argsort(names[at], kind="stable")
        is_first = np.r_[True, np.diff(names[at][order]) != 0]
        first = np.empty(len(at), dtype=np.int64)
        first[order] = at[order][is_first][np.cumsum(is_first) - 1]
        at = at[at - first >= min_tokens]
    # Adjacent passages are one span, but not across documents.
    begins = np.ones(len(at), dtype=bool)
    begins[1:] = (at[1:] > at[:-1] + min_tokens) | (of_token[at[1:]] != of_token[at[:-1]])
    ends = np.ones(len(at), dtype=bool)
    ends[:-1] = begins[1:]
    document = of_token[at[begins]]
    return np.column_stack(
        [document, at[begins] - starts[document], at[ends] + min_tokens - starts[document]]
    )


def _repeated(tokens: IntArray, of_token: IntArray, n: int) -> IntArray:
    """A number for each passage of n tokens, equal ones alike; -1 for one that occurs once or crosses documents."""
    if len(tokens) < n:
        return np.zeros(0, dtype=np.int64)
    names = _number(tokens, np.arange(len(tokens)), len(tokens))
    length = 1
    while length < n:
        step = min(length, n - length)  # the last two halves overlap where n is no power of 2
        length += step
        left, right = names[:-step], names[step:]
        one_document = of_token[: len(left)] == of_token[length - 1 :]
        rows = np.flatnonzero((left >= 0) & (right >= 0) & one_document)
        names = _number(left[rows] * len(tokens) + right[rows], rows, len(left))
    return names


def _number(keys: IntArray, rows: IntArray, n: int) -> IntArray:
    """int64 (n,): at `rows` a number for each key that occurs more than once, -1 elsewhere."""
    _, inverse, counts = np.unique(keys, return_inverse=True, return_counts=True)
    repeated = counts[inverse] > 1
    names = np.full(n, -1, dtype=np.int64)
    names[rows[repeated]] = inverse[repeated]
    return names


def compute_substring(inputs: Inputs, params: SubstringParams, state: State) -> Mapping[str, Array]:
    """The share of each document's tokens that lie in passages which the sample has more than once.

    Returns
    -------
    substring_dup_fraction : float32 (n,), 0..1
        NaN for a document without tokens.

    Raises
    ------
    InputError
        If `min_tokens` is below 1.

    Notes
    -----
    Lee et al. 2021, arXiv:2107.06499. The published tool cuts the passages out; here no document is edited, and a band
    on the share leaves out those that are mostly copied. They count in GPT-2's tokens, these are of the language model
    in use. What a sample repeats is a lower bound of what its corpus does.
    """
    order = np.argsort(strings(inputs.doc_ids), kind="stable")
    ids = inputs.columns["token_ids"]
    spans = duplicate_spans([ids[i] for i in order], params.min_tokens, params.keep_first)
    sizes = np.array([len(one) for one in ids], dtype=np.float64)
    covered = np.zeros(len(inputs))
    covered[order] = np.bincount(spans[:, 0], spans[:, 2] - spans[:, 1], minlength=len(inputs))
    with np.errstate(invalid="ignore"):
        return {"substring_dup_fraction": as_column(covered / sizes)}


SPECS: tuple[ScoreSpec, ...] = (
    ScoreSpec(
        name="substring_dup_fraction",
        version=1,
        title="Tokens in long passages, of 50 tokens by default, that the sample has more than once",
        unit="fraction of tokens",
        better="lower",
        needs=("token_ids",),
        params=SubstringParams,
        compute=compute_substring,
        scope="sample",
        paper="after Lee et al. 2021, arXiv:2107.06499",
        status="variant",
    ),
)
