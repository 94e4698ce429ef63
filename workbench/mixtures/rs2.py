"""RS2: another random subset in every epoch."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from workbench.checks import Array, IntArray, check_at_least, check_fraction, keyed_uniform, strings
from workbench.errors import InputError


def rs2_plan(
    doc_ids: Sequence[str], fraction: float, n_epochs: int, seed: int = 0, *, replacement: bool = False
) -> list[IntArray]:
    """The rows that each epoch trains on, in the order of training.

    Parameters
    ----------
    doc_ids
        (n,), all different.
    fraction
        Of the documents in each epoch, above 0 up to 1; their number is the nearest one, at least 1.
    n_epochs
        1 or more.
    seed
        The plan depends on it and on the ids, not on their order.
    replacement
        False: the epochs walk through one shuffle of all documents, and a new one when it is exhausted, so that every
        document is seen once before any is seen again. True: each epoch is drawn from all documents, whatever the
        others drew; within an epoch no document is drawn twice either way.

    Returns
    -------
    One int64 (m,) an epoch: places in `doc_ids`.

    Raises
    ------
    InputError
        If fraction or n_epochs is out of range, there is no document, or an id is there twice.

    Notes
    -----
    Okanovic et al. 2023, "Repeated random sampling for minimizing the time-to-accuracy of learning". The learning rate
    has to come down over the fraction * n_epochs * n documents that are trained on. Where an epoch goes beyond the end
    of a shuffle, the documents that it has from there stand last in the next one, so that none is in it twice (the
    released code wasn't read for that).

    Examples
    --------
    >>> plan = rs2_plan(["a", "b", "c", "d"], 0.25, 4)
    >>> sorted(int(row) for epoch in plan for row in epoch)
    [0, 1, 2, 3]
    """
    check_at_least("n_epochs", n_epochs, 1)
    check_at_least("fraction", check_fraction("fraction", fraction), 1e-12)
    ids = strings(doc_ids)
    if not len(ids):
        raise InputError("there are no documents to plan epochs of; give at least one")
    if len(set(doc_ids)) < len(ids):
        raise InputError("a doc_id is there twice; give each document an id of its own")
    size = max(1, int(np.floor(fraction * len(ids) + 0.5)))
    if replacement:
        return [_shuffled(ids, seed, epoch)[:size] for epoch in range(n_epochs)]
    epochs: list[IntArray] = []
    left, n_shuffles = np.zeros(0, dtype=np.int64), 0
    for _ in range(n_epochs):
        if len(left) < size:
            order = _shuffled(ids, seed, n_shuffles)
            is_left = np.isin(order, left)
            left = np.concatenate([left, order[~is_left], order[is_left]])
            n_shuffles += 1
        epochs.append(left[:size])
        left = left[size:]
    return epochs


def _shuffled(ids: Array, seed: int, number: int) -> IntArray:
    """All rows in a random order, equal draws by id."""
    return np.lexsort((ids, keyed_uniform(seed, list(ids), f"rs2:{number}")))
