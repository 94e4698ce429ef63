"""MinHash deduplication: keep one of each chain of documents that share a band."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from workbench.checks import Array, IntArray
from workbench.errors import InputError
from workbench.selectors.base import Columns, Selection, SelectorSpec, State


@dataclass(frozen=True)
class MinhashParams:
    """Parameters of `select_minhash`; how alike two documents must be is said by the score `minhash_bands`.

    Attributes
    ----------
    survivor
        Which of each set of near-copies stays: "first_id", the one with the smallest doc_id, or "longest", the one
        with the most characters (ties: the smallest doc_id).
    """

    survivor: Literal["first_id", "longest"] = "first_id"


def scan_minhash(columns: Columns, params: MinhashParams, state: State, seed: int) -> Columns:
    """Which documents hang together by shared bands.

    Returns
    -------
    component : int64 (n,)
        The same number for documents that a chain of shared bands joins.
    """
    return {"component": components(columns["minhash_bands"])}


def components(bands: Array) -> IntArray:
    """The connected component of each row when rows that share a number in a column are joined.

    Parameters
    ----------
    bands
        uint64 (n, b); 0 is no number, and joins nothing.

    Returns
    -------
    int64 (n,)

    Examples
    --------
    >>> components(np.array([[7, 1], [7, 2], [9, 2], [0, 0], [0, 0]], dtype=np.uint64)).tolist()
    [0, 0, 0, 1, 2]
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    n = len(bands)
    if not n:
        return np.zeros(0, dtype=np.int64)
    ones, others = [], []
    for column in bands.T:
        order = np.argsort(column, kind="stable")
        ordered = column[order]
        # A run of equal numbers is joined as a chain: n - 1 pairs, however many share it.
        same = np.flatnonzero((ordered[1:] == ordered[:-1]) & (ordered[1:] != 0))
        ones.append(order[same])
        others.append(order[same + 1])
    row, column = np.concatenate(ones), np.concatenate(others)
    graph = coo_array((np.ones(len(row), dtype=np.int8), (row, column)), shape=(n, n))
    return np.asarray(connected_components(graph, directed=False)[1], dtype=np.int64)


def select_minhash(columns: Columns, params: MinhashParams, state: State, seed: int) -> Selection:
    """Keep one document of each component.

    Parameters
    ----------
    columns
        With `doc_id` (n,), `minhash_bands` uint64 (n, b), `n_chars` for the longest, and what `scan_minhash` gives.

    Raises
    ------
    InputError
        If survivor isn't one of its values.

    Notes
    -----
    Lee et al. 2021, arXiv:2107.06499; datatrove (FineWeb) joins candidates as here. It keeps the root of the union by
    size, which depends on the order of files; here a rule on the documents themselves decides.
    """
    if params.survivor not in ("first_id", "longest"):
        raise InputError(f"survivor must be first_id or longest, got {params.survivor!r}")
    doc_ids, component = np.asarray(columns["doc_id"]), columns["component"]
    bands = columns["minhash_bands"]
    keep = np.ones(len(component), dtype=bool)
    twin = np.arange(len(component))
    rows = np.flatnonzero(
        np.bincount(component)[component] > 1
    )  # most have no near-copy, and ids sort slowly
    if len(rows):
        length = columns["n_chars"][rows] if params.survivor == "longest" else np.zeros(len(rows))
        rows = rows[np.lexsort((doc_ids[rows], -length, component[rows]))]
        first = np.r_[True, component[rows][1:] != component[rows][:-1]]
        keep[rows] = first
        twin[rows] = rows[first][np.cumsum(first) - 1]

    def explain(i: int) -> str:
        kept = doc_ids[twin[i]]
        n_shared = int(((bands[i] == bands[twin[i]]) & (bands[i] != 0)).sum())
        if n_shared:
            return f"near-copy of {kept}, which is kept: they share {n_shared} of {bands.shape[1]} bands"
        return f"joined to {kept}, which is kept, by a chain of near-copies; the two share no band themselves"

    return Selection(keep, explain)


SPEC = SelectorSpec(
    name="minhash",
    version=1,
    title="MinHash deduplication: keep one of each set of near-copies",
    paper="Lee et al. 2021, arXiv:2107.06499",
    scope="column",
    params=MinhashParams,
    needs=lambda params: ("minhash_bands", *(("n_chars",) if params.survivor == "longest" else ())),
    reads=("text",),
    select=select_minhash,
    scan=scan_minhash,
    tracks_corpus=True,
    about="Keeps one of each set of documents whose words overlap so much that a MinHash band is the same, and loses "
    "the others, chains included. Lee et al. report about ten times less verbatim memorisation; FineWeb found that "
    "one snapshot at a time beats all at once, which kept worse data than it removed of old dumps. Shared templates "
    "and boilerplate look like copies, and documents shorter than a shingle are always kept.",
    assumed=(
        (
            "A shared band makes two documents copies, without a look at their texts: of pairs with similarity s a "
            "share of 1 - (1 - s^rows)^bands is joined (Lee et al. look at the edit distance too)."
        ),
        (
            "RefinedWeb's shingles of GPT-2 tokens are shingles of words here, and the normalisation of RefinedWeb "
            "and DCLM is taken to be datatrove's."
        ),
        (
            "Which document of a set survives follows from the order of files in the published tools; here it is "
            "the smallest doc_id or the longest text."
        ),
    ),
    help={
        "survivor": "which of the near-copies stays: first_id (the smallest doc_id) or longest (most characters)"
    },
)
