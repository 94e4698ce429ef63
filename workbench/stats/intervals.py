"""What a stratified sample says about its corpus: totals of the kept documents, with intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from workbench.checks import Array, BoolArray, FloatArray, IntArray
from workbench.errors import InputError
from workbench.stats.share import Amount, Estimate, collapse, estimates, grouped, quotient


@dataclass(frozen=True)
class Known:
    """What is known of a whole corpus and goes along with an amount, as the bytes of its texts do with tokens.

    Attributes
    ----------
    values
        Of each sampled document, (n,), finite and not negative.
    totals
        Of each stratum of the corpus.
    """

    values: Array
    totals: Mapping[str, float]


@dataclass(frozen=True)
class Totals:
    """Totals over the kept documents of a corpus.

    Attributes
    ----------
    all
        Estimate by amount ("n_documents", "n_tokens", ...), over all strata.
    by_source
        The same for each stratum, in the order of their names.
    level
        The level of the intervals.
    """

    all: Mapping[str, Estimate]
    by_source: Mapping[str, Mapping[str, Estimate]]
    level: float


_FEW = 30
"""Sampled documents below which strata share one ratio in `all`: that of so few is biased, and biases add up."""


@dataclass(frozen=True)
class _Strata:
    """Sizes by stratum, each float64 (h,), and the stratum of each document, int64 (n,)."""

    names: list[str]
    code: IntArray
    n_corpus: FloatArray
    n: FloatArray

    def sums(self, values: Array) -> FloatArray:
        """Sum by stratum, float64 (h,)."""
        return grouped(self.code, values, len(self.names))


def kept_totals(
    keep: BoolArray,
    amounts: Mapping[str, Array],
    strata: Sequence[str] | Array,
    n_corpus: Mapping[str, int],
    *,
    known: Mapping[str, Known] | None = None,
    level: float = 0.95,
) -> Totals:
    """Totals of the corpus's kept documents, from a sample drawn without replacement within strata.

    Parameters
    ----------
    keep
        bool (n,): the sampled documents that are kept.
    amounts
        By name, (n,), finite and not negative: n_documents (ones), n_tokens, n_bytes.
    strata
        The stratum of each sampled document, str (n,), or its place among the sorted names, int (n,).
    n_corpus
        How many documents each stratum has in the corpus.
    known
        By amount, what is known of the corpus and goes along with it; without, the number of documents.
    level
        Of the intervals, above 0 and below 1.

    Returns
    -------
    Totals
        The values are ratio estimates: what is kept for each unit of what is known, times what is known of the
        stratum (by documents: Horvitz-Thompson's). In `all`, strata of fewer than 30 sampled documents share
        one ratio. An interval has no width where a stratum is sampled whole, and never contradicts the sample
        (what is kept there is kept in the corpus). A stratum of which fewer than two documents were sampled has
        an interval from there to the worst case; in `all`, such strata count as one. A stratum of which none
        was sampled is estimated by the mean of the others.

    Raises
    ------
    InputError
        If lengths differ, an amount is negative or not finite, or the level isn't between 0 and 1.
    InputError
        If a stratum isn't in `n_corpus`, or more of its documents were sampled than it has.

    Notes
    -----
    Few documents hold much of a corpus's text, and a sample may have none of them. What is kept of the bytes, which are
    counted for the whole corpus, depends on that much less than what is kept by the document (ratio estimator:
    Cochran 1977, Sampling Techniques, chapter 6).

    An interval is that of the kept share of the amount, times the amount in the corpus. The share has the stratified
    variance of its linearisation (finite population correction, normal quantile widened to Student's) and the
    limits of a beta distribution: Clopper and Pearson's with an effective number of documents, as Korn and
    Graubard 1998, Surv. Methodol. 24:193. Their one document more has the size-biased mean amount, since tokens sit in
    long documents. To the amount in the corpus, where it isn't known itself, goes the spread of its ratio to
    what is known, on the logarithm (MOVER: Zou and Donner 2008, Stat. Med. 27:1693).

    Measured (500 corpora a run, three runs; 1 to 8 sources of 2,000 to 40,000 documents, their lengths log-normal
    of sigma .5 to 2, gamma, or Pareto of exponent 1.3 to 3; 30 to 1,000 documents sampled a source, or in proportion;
    kept share .02 to .98, at random or by length): a 95 % interval covers documents .962 to .978, tokens .954
    to .964, bytes .958 to .982 of the corpora; of single sources .959 to .971. Without bytes that are known, tokens
    .927. With 40 to 1,000 sources of 1 to 10 sampled documents: .90 to .99.

    What an interval doesn't know: thresholds that were tuned on this sample, and selectors whose effect grows
    with the corpus (duplicates; see `SelectorSpec.tracks_corpus`).

    Examples
    --------
    >>> keep = np.array([True] * 30 + [False] * 70)
    >>> totals = kept_totals(keep, {"n_documents": np.ones(100)}, ["web"] * 100, {"web": 10_000})
    >>> estimate = totals.all["n_documents"]
    >>> round(estimate.value), round(estimate.low), round(estimate.high)
    (3000, 2110, 4014)
    """
    if not 0.0 < level < 1.0:
        raise InputError(f"level must lie between 0 and 1, got {level:g}; 0.95 is usual")
    keep = np.asarray(keep, dtype=bool)
    for name, values in amounts.items():
        _check_amount(name, np.asarray(values), len(keep))
    layout = _layout(len(keep), strata, n_corpus)
    each, one = np.arange(len(layout.names)), np.zeros(len(layout.names), dtype=np.int64)
    by_all: dict[str, Estimate] = {}
    by_source: dict[str, dict[str, Estimate]] = {name: {} for name in layout.names}
    for name, values in amounts.items():
        amount = _sums_of(layout, keep, np.asarray(values, dtype=np.float64), (known or {}).get(name))
        for source, estimate in zip(layout.names, estimates(amount, each, each, level), strict=True):
            by_source[source][name] = estimate
        pooled = collapse(amount)
        few = pooled.n < _FEW
        group = one[: len(few)]
        by_all[name] = estimates(pooled, np.where(few, 0, np.cumsum(~few)), group, level, n_groups=1)[0]
    return Totals(by_all, by_source, level)


def _check_amount(name: str, amount: Array, n: int) -> None:
    if amount.shape != (n,):
        raise InputError(f"{name} has shape {amount.shape} for {n} documents; give one amount a document")
    bad = np.flatnonzero(~(np.isfinite(amount) & (amount >= 0)))
    if len(bad):
        raise InputError(
            f"{name} must be finite and not negative, got {amount[bad[0]]:g} in row {bad[0]}; mend the column"
        )


def _layout(n_documents: int, strata: Sequence[str] | Array, n_corpus: Mapping[str, int]) -> _Strata:
    if len(strata) != n_documents:
        raise InputError(f"there are {len(strata)} strata for {n_documents} documents; give one a document")
    names = sorted(n_corpus)
    code = strata if isinstance(strata, np.ndarray) and strata.dtype.kind == "i" else places_of(strata, names)
    count = grouped(code, np.ones(len(code)), len(names))
    size = np.array([n_corpus[name] for name in names], dtype=np.float64)
    over = np.flatnonzero(count > size)
    if len(over):
        i = int(over[0])
        raise InputError(
            f"{names[i]!r} has {count[i]:.0f} documents in the sample, but by its design {size[i]:.0f} in "
            "the corpus; draw the sample again"
        )
    return _Strata(names, code, size, count)


def places_of(strata: Sequence[str] | Array, names: list[str]) -> IntArray:
    """The place of each stratum in `names`, int64; InputError if one isn't there."""
    place = {name: i for i, name in enumerate(names)}
    unknown = next((name for name in strata if name not in place), None)
    if unknown is not None:
        raise InputError(
            f"the sample has documents of {str(unknown)!r}, but its design doesn't; draw the sample again"
        )
    return np.fromiter((place[name] for name in strata), dtype=np.int64, count=len(strata))


def _sums_of(layout: _Strata, keep: BoolArray, a: FloatArray, known: Known | None) -> Amount:
    if known is None:
        x, totals = np.ones(len(a)), layout.n_corpus
    else:
        x = np.asarray(known.values, dtype=np.float64)
        _check_amount("what is known", x, len(keep))
        totals = np.array([known.totals[name] for name in layout.names], dtype=np.float64)
    kept = a * keep
    return Amount(
        n_corpus=layout.n_corpus,
        n=layout.n,
        known=totals,
        x=layout.sums(x),
        xx=layout.sums(x * x),
        a=layout.sums(a),
        aa=layout.sums(a * a),
        ax=layout.sums(a * x),
        kept=layout.sums(kept),
        kept_aa=layout.sums(kept * a),
        kept_ax=layout.sums(kept * x),
        densest=float(quotient(a, x).max(initial=0.0)),
        same=bool((a == x).all()),
    )
