"""A share that was counted, with its interval: of a few hundred votes or held-out documents."""

from __future__ import annotations

import math
from dataclasses import dataclass

from workbench.errors import InputError

_Z = 1.959963984540054  # the normal distribution's 97.5 % quantile


@dataclass(frozen=True)
class Share:
    """A counted share and its 95 % interval, all in 0..1; `value` is None where nothing was counted.

    Attributes
    ----------
    n_found, n
        So many of so many.
    """

    n_found: int
    n: int
    value: float | None
    low: float
    high: float


def wilson_share(n_found: int, n: int) -> Share:
    """A share with Wilson's (1927) score interval, which holds near 0 and 1 and for few counts as well.

    Parameters
    ----------
    n_found
        0..n.
    n
        At least 0; of nothing the interval is 0..1.

    Raises
    ------
    InputError
        If n_found lies outside of 0..n.

    Examples
    --------
    >>> share = wilson_share(8, 10)
    >>> round(share.low, 4), round(share.high, 4)
    (0.4902, 0.9433)
    """
    if not 0 <= n_found <= n:
        raise InputError(f"n_found must lie in 0..{n}, got {n_found}; count what is found among all")
    if n == 0:
        return Share(0, 0, None, 0.0, 1.0)
    p = n_found / n
    middle = (p + _Z**2 / (2 * n)) / (1 + _Z**2 / n)
    half = _Z * math.sqrt(p * (1 - p) / n + _Z**2 / (4 * n**2)) / (1 + _Z**2 / n)
    # Of none or all the interval ends there exactly, which the sum of roundings may miss.
    low = 0.0 if n_found == 0 else middle - half
    high = 1.0 if n_found == n else middle + half
    return Share(n_found, n, p, low, high)
