"""What a stratified sample says about ratios of its corpus: the mix of what is kept, and its mean length."""

from __future__ import annotations

import numpy as np

from workbench.checks import BoolArray, FloatArray, IntArray
from workbench.errors import InputError
from workbench.stats.share import Estimate

MIN_FOR_SHARE = 20
"""Sampled documents of a stratum below which its share gets no interval."""

MIN_FOR_MEAN = 50
"""Kept documents below which their mean gets no interval: fewer don't show the long tail of a length."""


def kept_shares(
    keep: BoolArray, code: IntArray, n_corpus: FloatArray, *, level: float = 0.95
) -> list[Estimate | None]:
    """Each stratum's share of the corpus's kept documents.

    Parameters
    ----------
    keep
        bool (n,): the sampled documents that are kept.
    code
        The stratum of each sampled document, int (n,), 0..h - 1.
    n_corpus
        How many documents each stratum has in the corpus, float64 (h,).
    level
        Of the intervals, above 0 and below 1.

    Returns
    -------
    list of Estimate or None
        One a stratum; None where fewer than MIN_FOR_SHARE of its documents were sampled, or nothing is kept.

    Notes
    -----
    The share is a ratio of two expanded totals. Its variance is that of its linearisation (Särndal, Swensson, Wretman
    1992, section 5.6) with the finite population correction, and each stratum's kept fraction drawn toward a half
    by one kept and one dropped document, since a fraction of 0 or 1 would have no variance. The interval is taken on
    the logit, so that it stays within 0..1, and around the share that follows from the stratum's own fraction so drawn.

    Measured (1,000 draws each; 3 and 8 strata of 20 to 900 sampled documents; kept fractions .05 to 1): a 95 % interval
    covers .89 to 1.00, the least in a stratum of 20 documents of which one is kept.
    """
    z = _quantile(level)
    size = np.asarray(n_corpus, dtype=np.float64)
    n = np.bincount(code, minlength=len(size)).astype(np.float64)
    kept = np.bincount(code[keep], minlength=len(size)).astype(np.float64)
    expanded = np.divide(size * kept, n, out=np.zeros_like(size), where=n > 0)
    total = expanded.sum()
    fraction = (kept + 1.0) / (n + 2.0)
    left = 1.0 - np.divide(n, size, out=np.ones_like(size), where=size > 0)
    variance = size**2 * left * fraction * (1.0 - fraction) / np.maximum(n - 1.0, 1.0)
    found: list[Estimate | None] = []
    for i in range(len(size)):
        if n[i] < MIN_FOR_SHARE or total == 0.0:
            found.append(None)
            continue
        share, others = float(expanded[i] / total), float(total - expanded[i])
        if left[i] == 0.0 and kept[i] == 0:
            found.append(Estimate(0.0, 0.0, 0.0))
            continue
        if others == 0.0:
            found.append(Estimate(share, share, share))
            continue
        own = size[i] * (fraction[i] if left[i] > 0.0 else kept[i] / n[i])
        middle = own / (own + others)
        spread = variance[i] * (1.0 - middle) ** 2 + (variance.sum() - variance[i]) * middle**2
        half = z * np.sqrt(spread) / (own + others) / (middle * (1.0 - middle))
        at = np.log(middle / (1.0 - middle))
        low, high = 1.0 / (1.0 + np.exp(-(at + np.array([-half, half]))))
        found.append(Estimate(share, min(share, float(low)), max(share, float(high))))
    return found


def kept_mean(
    keep: BoolArray, amount: FloatArray, code: IntArray, n_corpus: FloatArray, *, level: float = 0.95
) -> Estimate | None:
    """The mean amount (tokens, say) of the corpus's kept documents.

    Parameters
    ----------
    amount
        (n,), finite and not negative.
    keep, code, n_corpus, level
        As of `kept_shares`.

    Returns
    -------
    Estimate or None
        None where fewer than MIN_FOR_MEAN documents are kept, or none of their amounts is above 0.

    Notes
    -----
    A ratio of two expanded totals with the variance of its linearisation, as in `kept_shares`; strata of which one
    document was sampled count as one. The interval is taken on the logarithm, as lengths are skewed.

    Measured (1,000 draws each; log-normal lengths, sigma 1; 50 to 1,500 kept, of 1, 3 and 8 strata): a 95 % interval
    covers .90 to .955, the least where fewest are kept.
    """
    z = _quantile(level)
    rows = np.flatnonzero(keep)
    if len(rows) < MIN_FOR_MEAN:
        return None
    n_all = np.bincount(code, minlength=len(n_corpus))
    single = n_all < 2
    group = np.where(single, 0, np.cumsum(~single))[code]
    size = np.bincount(np.where(single, 0, np.cumsum(~single)), weights=n_corpus * (n_all > 0))
    n = np.bincount(group, minlength=len(size)).astype(np.float64)
    rate = np.divide(size, n, out=np.zeros_like(size), where=n > 0)
    values = np.asarray(amount, dtype=np.float64)[rows]
    weight = rate[group[rows]]
    documents, total = weight.sum(), (weight * values).sum()
    if total <= 0.0:
        return None
    mean = float(total / documents)
    residual = values - mean
    sums = np.bincount(group[rows], weights=residual, minlength=len(size))
    squares = np.bincount(group[rows], weights=residual**2, minlength=len(size))
    spread = np.divide(n * squares - sums**2, n * (n - 1.0), out=squares.copy(), where=n > 1)
    variance = float((size * (size - n) * np.divide(spread, n, out=np.zeros_like(n), where=n > 0)).sum())
    half = z * np.sqrt(max(0.0, variance)) / documents / mean
    return Estimate(mean, float(mean * np.exp(-half)), float(mean * np.exp(half)))


def _quantile(level: float) -> float:
    from scipy.special import ndtri

    if not 0.0 < level < 1.0:
        raise InputError(f"level must lie between 0 and 1, got {level:g}; 0.95 is usual")
    return float(ndtri((1.0 + level) / 2.0))
