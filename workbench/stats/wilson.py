"""A share that was counted, with its interval: of a few hundred votes or held-out documents."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

from workbench.errors import InputError


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


def wilson_interval(successes: float, n: float, level: float = 0.95) -> tuple[float, float]:
    """Wilson's score interval of a proportion.

    Parameters
    ----------
    successes, n
        `0 <= successes <= n`; they needn't be whole, for effective sizes. Of no trial at all the interval is 0..1.
    level
        Above 0 and below 1.

    Raises
    ------
    InputError
        If an argument is out of range.

    Notes
    -----
    Wilson 1927, JASA 22:209; without continuity correction.

    Examples
    --------
    >>> [round(limit, 4) for limit in wilson_interval(8, 10)]
    [0.4902, 0.9433]
    """
    if not 0.0 < level < 1.0:
        raise InputError(f"level must lie between 0 and 1, got {level:g}")
    if not 0.0 <= successes <= n:
        raise InputError(f"successes must lie in 0..n, got {successes:g} of n={n:g}")
    if n == 0:
        return 0.0, 1.0
    z2 = NormalDist().inv_cdf((1.0 + level) / 2.0) ** 2
    p = successes / n
    middle = (p + z2 / (2.0 * n)) / (1.0 + z2 / n)
    half = math.sqrt(z2 * (p * (1.0 - p) / n + z2 / (4.0 * n * n))) / (1.0 + z2 / n)
    # At the ends the limit is the end itself, where the difference would leave 1e-17.
    low = 0.0 if successes == 0 else max(0.0, middle - half)
    return low, 1.0 if successes == n else min(1.0, middle + half)


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
    return Share(n_found, n, n_found / n if n else None, *wilson_interval(n_found, n))
