"""What a stratified sample says about ratios of its corpus: the mix of what is kept, and its mean length."""

from __future__ import annotations

from math import exp, hypot, inf, log

import numpy as np

from workbench.checks import BoolArray, FloatArray, IntArray
from workbench.errors import InputError
from workbench.stats.share import Estimate

MIN_FOR_SHARE = 20
"""Sampled documents of a stratum below which its share gets no interval."""

MAX_LOG = 50.0
"""Of the upper limit of a mean over its value, where no limit is known: more than any document."""


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


def mean_amount(total: Estimate, documents: Estimate) -> Estimate | None:
    """The mean amount (tokens, say) of a document: the quotient of two estimates of one corpus.

    Returns
    -------
    Estimate or None
        None if there is no document, or no amount.

    Notes
    -----
    The limits are those of a quotient of independent estimates, on the logarithm (MOVER-R: Donner and Zou 2012, Stat.
    Methods Med. Res. 21:347). More documents hold more tokens, so they are rather too wide than too narrow.
    """
    if documents.value <= 0.0 or total.value <= 0.0:
        return None
    mean = total.value / documents.value
    below = [log(total.value / total.low) if total.low > 0 else inf, log(documents.high / documents.value)]
    above = [
        log(total.high / total.value),
        log(documents.value / documents.low) if documents.low > 0 else inf,
    ]
    return Estimate(mean, mean * exp(-hypot(*below)), mean * exp(min(hypot(*above), MAX_LOG)))


def _quantile(level: float) -> float:
    from scipy.special import ndtri

    if not 0.0 < level < 1.0:
        raise InputError(f"level must lie between 0 and 1, got {level:g}; 0.95 is usual")
    return float(ndtri((1.0 + level) / 2.0))
