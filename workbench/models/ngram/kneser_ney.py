"""Estimates an n-gram model: interpolated modified Kneser-Ney smoothing, on integer arrays.

Chen and Goodman 1998 (the smoothing), Heafield et al. 2013 (lmplz, whose treatment of the ends of a sentence, of
<unk>, of pruning and of discounts that can't be estimated is followed here; the n-grams and their numbers are lmplz's).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from workbench.checks import BoolArray, FloatArray, IntArray
from workbench.errors import InputError
from workbench.models.ngram.backoff import END_ID, RESERVED, START_ID, BackoffModel, Grams
from workbench.progress import Progress, shown

MAX_ORDER = 5
FALLBACK = (0.5, 1.0, 1.5)
"""Discounts where counts don't give any: what lmplz's --discount_fallback stands for."""


@dataclass(frozen=True)
class KneserNeyParams:
    """Of the model.

    Attributes
    ----------
    order
        Words of the longest n-gram, 1..5.
    prune
        By order from 1: n-grams that stand in the text this often or less are left out, and their mass goes to the
        lower orders. The last threshold holds for all higher orders. The first must be 0, and none may be below
        the one before it.
    """

    order: int = 5
    prune: tuple[int, ...] = (0,)

    def thresholds(self) -> tuple[int, ...]:
        """A threshold for each order.

        Raises
        ------
        InputError
            If `order` isn't in 1..5, or `prune` is no ascending list that begins with 0.
        """
        if not 1 <= self.order <= MAX_ORDER:
            raise InputError(f"order must lie in 1..{MAX_ORDER}, got {self.order}; CCNet's is 5")
        prune = self.prune or (0,)
        if prune[0] != 0 or len(prune) > self.order or list(prune) != sorted(prune):
            raise InputError(
                f"prune must begin with 0 and never fall, with at most one number an order ({self.order}), got "
                f"{', '.join(map(str, prune))}; 0,0,1 leaves out trigrams and longer ones that stand once"
            )
        return (*prune, *[prune[-1]] * (self.order - len(prune)))


@dataclass(frozen=True)
class Discounts:
    """D1, D2 and D3+ of one order, and whether they are FALLBACK because the counts gave none."""

    amounts: tuple[float, float, float]
    is_fallback: bool


@dataclass(frozen=True)
class Estimate:
    """A trained model and how it came about.

    Attributes
    ----------
    model
        The probabilities.
    discounts
        By order, from 1.
    """

    model: BackoffModel
    discounts: tuple[Discounts, ...]


@dataclass(frozen=True)
class _Counts:
    """The m distinct n-grams of one order, sorted by (prefix, word), before smoothing; each int64 (m,).

    `suffix` is the row in the next lower order of the n-gram without its first word; `raw` how often it stands in
    the text; `adjusted` what it is weighed by; `starts` whether its first word is <s>.
    """

    prefix: IntArray
    word: IntArray
    suffix: IntArray
    raw: IntArray
    adjusted: IntArray
    starts: BoolArray


def estimate(stream: IntArray, words: Sequence[str], params: KneserNeyParams, progress: Progress) -> Estimate:
    """Train a model.

    Parameters
    ----------
    stream
        Word ids, integers (t,): sentences one after another, each from START_ID to END_ID. About 150 bytes a word
        are needed while counting (order 5).
    words
        The vocabulary by id: RESERVED first, then only words that stand in `stream`, as lmplz's vocabulary is what
        it has seen.
    params
        Order and pruning.
    progress
        Advances by words counted, `order * len(stream)` in all.

    Raises
    ------
    InputError
        If the order or a threshold is out of range, or there is no word.

    Notes
    -----
    With a(g) the count of the n-gram g (in the highest order, and where g begins with <s>, how often it stands in
    the text; else the number of distinct words before it), h' = h without its first word, and D of a count being
    D1, D2 or D3+: p(w|h) = (a(hw) - D(a(hw))) / sum_v a(hv) + g(h) p(w|h'), where g(h) = sum_v D(a(hv)) / sum_v a(hv),
    which is also the backoff weight; what is pruned gives g(h) its whole count. The unigrams are interpolated with
    the uniform distribution over all words but <s>, of which <unk> has just that share. With n_k the number of
    n-grams of an order that have the count k, and Y = n1 / (n1 + 2 n2): D_k = k - (k + 1) Y n_{k+1} / n_k.
    """
    thresholds = params.thresholds()
    if len(stream) == 0 or len(words) <= len(RESERVED):
        raise InputError("an n-gram model needs at least one word to be trained on; give documents with text")
    with shown(progress, "counting n-grams", params.order * len(stream)):
        counted = _count(stream, len(words), params.order, progress)
    discounts = [_discounts(counts.adjusted) for counts in counted]
    probs = [np.full(len(words), 1.0 / (len(words) - 1))]  # of order 0: all words but <s>
    backoffs, keeps = [], []
    for n, counts in enumerate(counted):
        keep = counts.raw > thresholds[n] if n else np.ones(len(words), dtype=bool)
        n_prefixes = len(counted[n - 1].word) if n else 1
        higher, backoff = _smooth(counts, keep, discounts[n].amounts, probs[n], n_prefixes)
        probs.append(higher)
        backoffs.append(backoff)
        keeps.append(keep)
    backoffs.append(np.ones(len(probs[-1])))
    orders = tuple(
        _grams(counts, probs[n + 1], backoffs[n + 1], keeps[n], keeps[n - 1] if n else None)
        for n, counts in enumerate(counted)
    )
    orders[0].log_prob[START_ID] = 0.0  # as lmplz has it: given, never predicted
    # An order of which nothing is kept has no section that every reader takes.
    return Estimate(BackoffModel(words, tuple(grams for grams in orders if len(grams))), tuple(discounts))


def _count(stream: IntArray, n_words: int, order: int, progress: Progress) -> list[_Counts]:
    """The distinct n-grams of each order, by sorting pairs of the first n - 1 words' row and the last word."""
    stream = stream.astype(np.int64)
    every = np.arange(n_words)
    raw = np.bincount(stream, minlength=n_words)
    orders = [_Counts(np.zeros_like(every), every, every, raw, raw.copy(), every == START_ID)]
    progress.advance(len(stream))
    rows = stream  # of the n-gram that begins at each place of the stream; only those at `at` count
    at = np.arange(len(stream))
    for n in range(2, order + 1):
        lower = orders[-1]
        at = at[stream[at + n - 2] != END_ID]
        keys = rows[at] * n_words + stream[at + n - 1]
        by_key = np.argsort(keys)
        keys = keys[by_key]
        first = np.flatnonzero(np.r_[True, keys[1:] != keys[:-1]] if len(keys) else np.zeros(0, dtype=bool))
        suffix = rows[at[by_key[first]] + 1]
        prefix, word = np.divmod(keys[first], n_words)
        raw = np.diff(np.r_[first, len(keys)])
        starts = lower.starts[prefix]
        orders.append(_Counts(prefix, word, suffix, raw, raw.copy(), starts))
        # Nothing stands before <s>, so an n-gram that begins with it is weighed by how often it stands there.
        lower.adjusted[:] = np.where(lower.starts, lower.raw, np.bincount(suffix, minlength=len(lower.word)))
        here = np.empty(len(keys), dtype=np.int64)
        here[by_key] = np.repeat(np.arange(len(first)), raw)
        rows = np.full(len(stream), -1)
        rows[at] = here
        progress.advance(len(stream))
    orders[0].adjusted[START_ID] = 0
    return orders


def _discounts(adjusted: IntArray) -> Discounts:
    """D1, D2 and D3+ from how many n-grams have the counts 1, 2, 3 and 4 (Chen and Goodman's equation 26)."""
    n = np.bincount(adjusted[adjusted < 5], minlength=5).astype(np.float64)
    if n[1:4].all():
        y = n[1] / (n[1] + 2 * n[2])
        amounts = tuple(float(k - (k + 1) * y * n[k + 1] / n[k]) for k in (1, 2, 3))
        # lmplz takes a discount of 0 too; after it a word that was never seen would have the probability 0.
        if all(0 < amount <= k for k, amount in enumerate(amounts, 1)):
            return Discounts((amounts[0], amounts[1], amounts[2]), is_fallback=False)
    return Discounts(FALLBACK, is_fallback=True)


def _smooth(
    counts: _Counts, keep: BoolArray, amounts: tuple[float, float, float], lower: FloatArray, n_prefixes: int
) -> tuple[FloatArray, FloatArray]:
    """Probability of each n-gram (m,); backoff weight of each context (n_prefixes,), 1 where nothing follows."""
    total = np.bincount(counts.prefix, weights=counts.adjusted, minlength=n_prefixes)
    left_out = np.where(keep, 0, counts.adjusted)
    discount = np.where(keep, np.r_[0.0, amounts][np.minimum(counts.adjusted, 3)], left_out)
    freed = np.bincount(counts.prefix, weights=discount, minlength=n_prefixes)
    weight = np.ones(n_prefixes)
    np.divide(freed, total, out=weight, where=total > 0)
    share = (counts.adjusted - discount) / total[counts.prefix]
    return share + weight[counts.prefix] * lower[counts.suffix], weight


def _grams(
    counts: _Counts, probs: FloatArray, backoff: FloatArray, keep: BoolArray, keep_lower: BoolArray | None
) -> Grams:
    """What is kept of an order, in logarithms, with the prefixes' rows among those that are kept."""
    row = np.zeros(1, dtype=np.int64) if keep_lower is None else np.cumsum(keep_lower) - 1
    return Grams(row[counts.prefix[keep]], counts.word[keep], np.log10(probs[keep]), np.log10(backoff[keep]))
