"""How many documents and tokens a choice keeps: in all, per source, per step, per bin. Pure arithmetic on arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from widgets.bins import Bins
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
class Sums:
    """Documents and tokens of each source, int64 (s,) each; tokens None if not counted."""

    documents: IntArray
    tokens: IntArray | None

    def __add__(self, other: Sums) -> Sums:
        tokens = None if self.tokens is None or other.tokens is None else self.tokens + other.tokens
        return Sums(self.documents + other.documents, tokens)

    def __sub__(self, other: Sums) -> Sums:
        tokens = None if self.tokens is None or other.tokens is None else self.tokens - other.tokens
        return Sums(self.documents - other.documents, tokens)


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
        How many documents of the corpus each document of a source stands for, float64 (s,).
    whole
        The sums over all documents.
    """

    def __init__(
        self, names: Sequence[str], codes: IntArray, tokens: Array | None, weights: FloatArray
    ) -> None:
        self.names = tuple(names)
        self.codes = codes
        self.tokens: IntArray | None = None
        if tokens is not None:
            # A document whose tokens are NaN or infinite counts as having none.
            whole = np.asarray(tokens, dtype=np.float64)
            self.tokens = np.where(np.isfinite(whole), whole, 0.0).astype(np.int64)
        # For bincount, which would convert them each time.
        self._amounts = None if self.tokens is None else self.tokens.astype(np.float64)
        self.weights = weights
        self.whole = self.sums()

    def sums(self, rows: IntArray | None = None) -> Sums:
        """The sums of each source over these rows, or over all documents."""
        codes = self.codes if rows is None else self.codes.take(rows)
        documents = np.bincount(codes, minlength=len(self.names))
        tokens = None
        if self._amounts is not None:
            amounts = self._amounts if rows is None else self._amounts.take(rows)
            # float64 sums are exact up to 2**53 tokens.
            tokens = np.bincount(codes, weights=amounts, minlength=len(self.names)).astype(np.int64)
        return Sums(documents, tokens)

    def all(self, kept: Sums) -> Count:
        """The count over all documents."""
        pair = [None if s.tokens is None else int(s.tokens.sum()) for s in (self.whole, kept)]
        documents, n_kept = int(self.whole.documents.sum()), int(kept.documents.sum())
        return Count("all", documents, n_kept, pair[0], pair[1], 1.0, 1.0)

    def by_source(self, kept: Sums) -> list[Count]:
        """One count a source, in the order of `names`."""
        whole = self.whole
        share, kept_share = (_shares(sums.documents * self.weights) for sums in (whole, kept))
        return [
            Count(
                name,
                int(whole.documents[i]),
                int(kept.documents[i]),
                None if whole.tokens is None else int(whole.tokens[i]),
                None if kept.tokens is None else int(kept.tokens[i]),
                float(share[i]),
                float(kept_share[i]),
            )
            for i, name in enumerate(self.names)
        ]

    def amount(self, chosen: BoolArray) -> tuple[int, int | None]:
        """Documents and tokens of those that `chosen`, bool (n,), says."""
        rows = np.flatnonzero(chosen)
        return len(rows), None if self.tokens is None else int(self.tokens.take(rows).sum())

    def dropped_by_step(self, step: IntArray, n_steps: int) -> list[tuple[int, int | None]]:
        """Documents and tokens that each step drops; `step` is an outcome's, -1 for kept documents."""
        return self.by_number(step + 1, n_steps)

    def by_number(
        self, number: IntArray, n: int, rows: IntArray | None = None
    ) -> list[tuple[int, int | None]]:
        """Documents and tokens of each number from 1 to n; `number` is int (m,), 0 for none, of `rows` or of all."""
        documents = np.bincount(number, minlength=n + 1)[1:]
        if self._amounts is None:
            return [(int(d), None) for d in documents]
        amounts = self._amounts if rows is None else self._amounts.take(rows)
        tokens = np.bincount(number, weights=amounts, minlength=n + 1)[1:]
        return [(int(d), int(t)) for d, t in zip(documents, tokens, strict=True)]


class Tally:
    """Counts of the kept documents that follow a mask: only documents whose fate changed are counted again.

    Attributes
    ----------
    kept
        The sums over the kept documents.
    bins
        Kept documents in each bin, int64 (k,) by score.
    """

    def __init__(self, groups: Groups, bins: Bins) -> None:
        self._groups, self._bins = groups, bins
        self._keep: BoolArray = np.ones(len(groups.codes), dtype=np.bool_)
        self.kept = groups.whole
        self.bins = {score: chart.counts for score, chart in bins.charts.items()}

    def follow(self, keep: BoolArray) -> Tally:
        """Count what `keep`, bool (n,), keeps; itself. A mask that was counted is never written to again."""
        if keep is self._keep:
            return self
        changed = keep ^ self._keep
        if np.count_nonzero(changed) < np.count_nonzero(keep):
            rows = np.flatnonzero(changed)
            is_gain = keep.take(rows)
            gained, lost = rows[is_gain], rows[~is_gain]
            self.kept = self.kept + self._groups.sums(gained) - self._groups.sums(lost)
            more, less = self._bins.counts(gained), self._bins.counts(lost)
            self.bins = {score: counts + more[score] - less[score] for score, counts in self.bins.items()}
        else:
            rows = np.flatnonzero(keep)
            self.kept, self.bins = self._groups.sums(rows), self._bins.counts(rows)
        self._keep = keep
        return self


def _shares(amounts: Array) -> Array:
    total = amounts.sum()
    return amounts / total if total > 0 else np.zeros(len(amounts))
