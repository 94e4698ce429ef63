"""Selections side by side: what two methods keep in common."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from workbench.checks import BoolArray, FloatArray
from workbench.errors import InputError


def overlaps(keeps: Mapping[str, BoolArray], weight: FloatArray | None = None) -> FloatArray:
    """What every two selections have in common: documents that both keep, as a share of those that either keeps.

    Parameters
    ----------
    keeps
        bool (n,) by name, k of them.
    weight
        (n,): corpus documents that each stands for; None: 1 each.

    Returns
    -------
    float64 (k, k), 0..1 (Jaccard's index); 1 on the diagonal, NaN where neither keeps anything. Two random
    halves have a third.

    Raises
    ------
    InputError
        If the selections are of different lengths.

    Examples
    --------
    >>> overlaps({"a": np.array([True, True, False]), "b": np.array([False, True, True])})[0, 1].round(3)
    np.float64(0.333)
    """
    sizes = {len(keep) for keep in keeps.values()}
    if len(sizes) > 1:
        raise InputError(f"selections must be of the same documents, got {sorted(sizes)} documents")
    if not keeps:
        return np.zeros((0, 0))
    kept = np.stack([np.asarray(keep, dtype=np.float64) for keep in keeps.values()])
    amount = np.ones(kept.shape[1]) if weight is None else np.asarray(weight, dtype=np.float64)
    both = (kept * amount) @ kept.T
    alone = np.diag(both)
    either = alone[:, None] + alone[None, :] - both
    return np.divide(both, either, out=np.full_like(both, np.nan), where=either > 0)
