"""How many documents and tokens a choice keeps: in all, per source, per step. Pure arithmetic on arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from workbench.checks import Array, BoolArray, FloatArray, IntArray


@dataclass(frozen=True)
class Count:
    """Documents and tokens of one group, and how many of them are kept.

    Attributes
    ----------
    tokens, kept_tokens
        None where tokens were not counted.
    share, kept_share
        The group's share of all documents, and of the kept ones, both weighted back to the corpus; in 0..1.
    """

    name: str
    documents: int
    kept: int
    tokens: int | None = None
    kept_tokens: int | None = None
    share: float = 0.0
    kept_share: float = 0.0

    def to_json(self) -> dict[str, object]:
        """For a view."""
        return {
            "name": self.name,
            "documents": self.documents,
            "kept": self.kept,
            "tokens": self.tokens,
            "keptTokens": self.kept_tokens,
            "share": self.share,
            "keptShare": self.kept_share,
        }


@dataclass(frozen=True)
class Groups:
    """What doesn't change while thresholds move: each document's source, tokens and weight.

    Attributes
    ----------
    names
        The sources, sorted.
    codes
        The place of each document's source in `names`, int64 (n,).
    tokens
        Tokens of each document, int64 (n,), None if not counted.
    weights
        How many documents of the corpus each document stands for, float64 (n,).
    """

    names: tuple[str, ...]
    codes: IntArray
    tokens: IntArray | None
    weights: FloatArray

    def all(self, keep: BoolArray) -> Count:
        """The count over all documents."""
        kept = int(np.count_nonzero(keep))
        if self.tokens is None:
            return Count("all", len(keep), kept, share=1.0, kept_share=1.0)
        return Count("all", len(keep), kept, int(self.tokens.sum()), int(self.tokens[keep].sum()), 1.0, 1.0)

    def by_source(self, keep: BoolArray) -> list[Count]:
        """One count a source, in the order of `names`."""
        n = len(self.names)
        documents, kept = np.bincount(self.codes, minlength=n), np.bincount(self.codes[keep], minlength=n)
        share = _shares(np.bincount(self.codes, weights=self.weights, minlength=n))
        kept_share = _shares(np.bincount(self.codes[keep], weights=self.weights[keep], minlength=n))
        tokens: Array = np.zeros(n)
        kept_tokens: Array = np.zeros(n)
        if self.tokens is not None:
            # float64 sums are exact up to 2**53 tokens
            tokens = np.bincount(self.codes, weights=self.tokens, minlength=n)
            kept_tokens = np.bincount(self.codes[keep], weights=self.tokens[keep], minlength=n)
        return [
            Count(
                name,
                int(documents[i]),
                int(kept[i]),
                None if self.tokens is None else int(tokens[i]),
                None if self.tokens is None else int(kept_tokens[i]),
                float(share[i]),
                float(kept_share[i]),
            )
            for i, name in enumerate(self.names)
        ]

    def dropped_by_step(self, step: IntArray, n_steps: int) -> list[tuple[int, int | None]]:
        """Documents and tokens that each step drops; `step` is an outcome's, -1 for kept documents."""
        dropped = step >= 0
        documents = np.bincount(step[dropped], minlength=n_steps)
        if self.tokens is None:
            return [(int(d), None) for d in documents]
        tokens = np.bincount(step[dropped], weights=self.tokens[dropped], minlength=n_steps)
        return [(int(d), int(t)) for d, t in zip(documents, tokens, strict=True)]


def group(sources: Sequence[str], tokens: Array | None, weights: FloatArray) -> Groups:
    """Prepare counting; a document whose tokens are NaN counts as having none."""
    names, codes = np.unique(np.asarray(sources, dtype=object), return_inverse=True)
    whole = None if tokens is None else np.nan_to_num(np.asarray(tokens, dtype=np.float64)).astype(np.int64)
    return Groups(tuple(str(name) for name in names), codes.astype(np.int64), whole, weights)


def _shares(amounts: Array) -> Array:
    total = amounts.sum()
    return amounts / total if total > 0 else np.zeros(len(amounts))
