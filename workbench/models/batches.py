"""Batches of fixed shape, so that a text's numbers don't depend on the texts beside it, to the bit.

A matrix product's rounding depends on its shape: the library chooses other kernels for other sizes. Here a
text's shape follows from its own length alone: lengths are rounded up to a bucket, each bucket has a fixed
number of rows, and a batch that isn't full is filled with dummy rows. What a row gives then doesn't depend on
its place or on the other rows (tested for the models in use, with MKL and oneDNN).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from workbench.checks import IntArray


@dataclass(frozen=True)
class Batch:
    """Texts of one bucket.

    Attributes
    ----------
    rows
        Indices of the texts, `n_rows` or fewer.
    length
        Tokens a row, after padding.
    n_rows
        Rows of the batch with its dummy rows: the same for every batch of this length.
    """

    rows: IntArray
    length: int
    n_rows: int


def bucket_lengths(longest: int) -> IntArray:
    """Row lengths up to `longest`: steps of 16 up to 128, then of a quarter of the power of two below."""
    lengths = [min(16, longest)]
    while lengths[-1] < longest:
        power = 1 << (lengths[-1].bit_length() - 1)
        lengths.append(min(lengths[-1] + max(16, power // 4), longest))
    return np.array(lengths, dtype=np.int64)


def plan_batches(
    lengths: IntArray, longest: int, batch_tokens: int, *, padded: bool = False
) -> Iterator[Batch]:
    """Group texts into batches of fixed shape, the longest first: if memory is short, it is so at once.

    Parameters
    ----------
    lengths
        Tokens of each text, (n,), each 1..longest.
    longest
        The longest row that the model takes.
    batch_tokens
        Tokens of a batch; it has `batch_tokens // length` rows, at least one.
    padded
        Give each text of fewer than `longest` tokens at least one place of padding, and those of `longest`
        batches of their own. No batch's mask is full by chance then, where a library would drop it and take
        another kernel.
    """
    buckets = bucket_lengths(longest)
    if padded:
        of = np.where(lengths < longest, np.searchsorted(buckets, lengths + 1), len(buckets))
        buckets = np.append(buckets, longest)
    else:
        of = np.searchsorted(buckets, lengths)
    for b in range(len(buckets) - 1, -1, -1):
        length = int(buckets[b])
        n_rows = max(batch_tokens // length, 1)
        members = np.flatnonzero(of == b)
        for start in range(0, len(members), n_rows):
            yield Batch(members[start : start + n_rows], length, n_rows)
