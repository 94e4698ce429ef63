"""Keep one of each set of documents with the same text."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from workbench.checks import IntArray
from workbench.selectors.base import Columns, Selection, SelectorSpec, State


@dataclass(frozen=True)
class ExactParams:
    """`select_exact` has no parameters."""


def select_exact(columns: Columns, params: ExactParams, state: State, seed: int) -> Selection:
    """Keep, of all documents whose UTF-8 bytes are the same, the one with the smallest doc_id.

    The rule is a total order on ids, so it doesn't depend on the order of files or rows.

    Parameters
    ----------
    columns
        With `doc_id` (n,) and `text_digest` uint64 (n, 2).
    """
    digest, doc_id = columns["text_digest"], np.asarray(columns["doc_id"])
    order = np.lexsort((doc_id, digest[:, 1], digest[:, 0]))
    ordered = digest[order]
    first = np.ones(len(order), dtype=bool)
    first[1:] = (ordered[1:] != ordered[:-1]).any(axis=1)
    keep = np.zeros(len(order), dtype=bool)
    keep[order[first]] = True
    kept_twin = np.empty(len(order), dtype=np.int64)
    kept_twin[order] = order[first][np.cumsum(first) - 1]
    return Selection(keep, lambda i: f"same text as {doc_id[kept_twin[i]]}")


def group_exact(columns: Columns, params: ExactParams, state: State) -> IntArray:
    """The first 63 bits of the text's digest: equal texts meet."""
    return (columns["text_digest"][:, 0] >> np.uint64(1)).astype(np.int64)


SPEC = SelectorSpec(
    name="exact",
    version=1,
    title="Exact deduplication: keep one of each set of identical texts",
    scope="group",
    params=ExactParams,
    needs=lambda params: ("text_digest",),
    reads=("text",),
    select=select_exact,
    group=group_exact,
    tracks_corpus=True,
)
