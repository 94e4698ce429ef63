"""MinHash deduplication: keep one of each chain of documents that share a band."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from workbench.checks import Array, FloatArray, IntArray, check_fraction
from workbench.errors import InputError
from workbench.progress import current, shown
from workbench.selectors.base import Columns, Selection, SelectorSpec, State

_WINDOW = 256
_PAIRS = 1 << 16  # compared at a time


@dataclass(frozen=True)
class MinhashParams:
    """Parameters of `select_minhash`; which documents are candidates is said by the score `minhash_bands`.

    Attributes
    ----------
    survivor
        Which of each set of near-copies stays: "first_id", the one with the smallest doc_id, or "longest", the one
        with the most characters (ties: the smallest doc_id).
    min_similarity
        In 0..1. Above 0, two candidates are near-copies only if the Jaccard similarity of their shingles is estimated
        to be at least this, by the score `minhash_signature`. 0: a shared band is enough, as FineWeb has it.
    """

    survivor: Literal["first_id", "longest"] = "first_id"
    min_similarity: float = 0.0


def scan_minhash(columns: Columns, params: MinhashParams, state: State, seed: int) -> Columns:
    """The most similar candidates of each document, as a forest: cut below any similarity, it falls into the sets of
    near-copies at that similarity.

    Returns
    -------
    parent : int64 (n,)
        Another row, or -1.
    link : float64 (n,)
        The similarity to it, in 0..1; without `minhash_signature` 1, and 0 where there is no parent.
    """
    bands, signature = columns["minhash_bands"], columns.get("minhash_signature")
    if signature is None:
        one, other = candidates(bands)
        return spanning_forest(len(bands), one, other, np.ones(len(one)))
    by_id = np.argsort(columns["doc_id"], kind="stable")
    one, other = (by_id[rows] for rows in candidates(bands[by_id], _WINDOW))
    pairs = np.unique(np.minimum(one, other) * len(bands) + np.maximum(one, other))
    one, other = pairs // len(bands), pairs % len(bands)
    return spanning_forest(len(bands), one, other, agreement(signature, one, other))


def candidates(bands: Array, window: int = 1) -> tuple[IntArray, IntArray]:
    """Pairs of rows that share a number in a column.

    Parameters
    ----------
    bands
        uint64 (n, b); 0 is no number.
    window
        Each row is paired with so many of those behind it that have the same number. 1 is enough to tell which rows
        hang together.

    Returns
    -------
    Two int64 (m,); a pair may come more than once.
    """
    ones, others = [np.zeros(0, dtype=np.int64)], [np.zeros(0, dtype=np.int64)]
    progress = current()
    with shown(progress, "looking for shared bands", bands.shape[1] * window):
        for column in bands.T if len(bands) else ():
            order = np.argsort(column, kind="stable")
            ordered = column[order]
            for behind in range(1, window + 1):
                progress.advance(1)
                same = np.flatnonzero((ordered[behind:] == ordered[:-behind]) & (ordered[behind:] != 0))
                if not len(same):
                    progress.advance(window - behind)
                    break
                ones.append(order[same])
                others.append(order[same + behind])
    return np.concatenate(ones), np.concatenate(others)


def agreement(signature: Array, one: IntArray, other: IntArray) -> FloatArray:
    """The share of equal minima of each pair of rows, float64 (m,): an estimate of their Jaccard similarity."""
    share, progress = np.empty(len(one)), current()
    with shown(progress, "comparing signatures", len(one)):
        for start in range(0, len(one), _PAIRS):
            rows = slice(start, start + _PAIRS)
            share[rows] = (signature[one[rows]] == signature[other[rows]]).mean(axis=1)
            progress.advance(_PAIRS)
    return share


def spanning_forest(n: int, one: IntArray, other: IntArray, similarity: FloatArray) -> Columns:
    """A forest of the largest similarities, as `scan_minhash` returns it, of n rows and the pairs between them."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import breadth_first_order, minimum_spanning_tree

    # A weight of 0 would be no edge; of a pair that comes twice the weights would be added, were it not for unique.
    pairs, place = np.unique(one * n + other, return_index=True)
    graph = coo_array((2 - similarity[place], (pairs // max(n, 1), pairs % max(n, 1))), shape=(n, n))
    tree = minimum_spanning_tree(graph.tocsr()).tocoo() if len(pairs) else graph
    # One more row, joined to a row of each tree, is the root of all.
    root_of = np.unique(joined(n, tree.row, tree.col), return_index=True)[1]
    rows = np.concatenate([tree.row, np.full(len(root_of), n)])
    whole = coo_array((np.ones(len(rows)), (rows, np.concatenate([tree.col, root_of]))), shape=(n + 1, n + 1))
    before = breadth_first_order(whole.tocsr(), n, directed=False)[1][:n].astype(np.int64)
    parent = np.where(before == n, -1, before)
    link = np.zeros(n)
    for child, mother in ((tree.row, tree.col), (tree.col, tree.row)):
        is_child = parent[child] == mother
        link[child[is_child]] = 2 - tree.data[is_child]
    return {"parent": parent, "link": link}


def joined(n: int, one: IntArray, other: IntArray) -> IntArray:
    """The connected component of each of n rows when the pairs are joined, int64 (n,)."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    if not n:
        return np.zeros(0, dtype=np.int64)
    graph = coo_array((np.ones(len(one), dtype=np.int8), (one, other)), shape=(n, n))
    return np.asarray(connected_components(graph, directed=False)[1], dtype=np.int64)


def select_minhash(columns: Columns, params: MinhashParams, state: State, seed: int) -> Selection:
    """Keep one document of each set that near-copies join, chains included.

    Parameters
    ----------
    columns
        With `doc_id` (n,), `minhash_bands` uint64 (n, b), `n_chars` for the longest, and what `scan_minhash` gives.

    Raises
    ------
    InputError
        If survivor isn't one of its values, or min_similarity lies outside 0..1.

    Notes
    -----
    Lee et al. 2021, arXiv:2107.06499; datatrove (FineWeb) joins candidates as here. It keeps the root of the union by
    size, which depends on the order of files; here a rule on the documents themselves decides. Lee et al. hold
    candidates to an edit similarity above .8, data-prep-kit to a Jaccard similarity of .75 and more: `min_similarity`
    estimates the latter. Of more than 257 documents with the same band, each is held against the 256 next by doc_id.
    """
    if params.survivor not in ("first_id", "longest"):
        raise InputError(f"survivor must be first_id or longest, got {params.survivor!r}")
    check_fraction("min_similarity", params.min_similarity)
    doc_ids, bands, parent = np.asarray(columns["doc_id"]), columns["minhash_bands"], columns["parent"]
    linked = np.flatnonzero((parent >= 0) & (columns["link"] >= params.min_similarity - 1e-9))
    component = joined(len(doc_ids), linked, parent[linked])
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
        if not n_shared:
            return f"joined to {kept}, which is kept, by a chain of near-copies; the two share no band themselves"
        reason = f"near-copy of {kept}, which is kept: they share {n_shared} of {bands.shape[1]} bands"
        if params.min_similarity > 0:
            estimate = float(
                (columns["minhash_signature"][i] == columns["minhash_signature"][twin[i]]).mean()
            )
            reason += f" and a similarity of about {estimate:.2f}"
            if estimate < params.min_similarity:
                reason += ", and others lie between them"
        return reason

    return Selection(keep, explain)


def _needs(params: MinhashParams) -> tuple[str, ...]:
    length = ("n_chars",) if params.survivor == "longest" else ()
    # What the scan gives depends on these alone: it is kept while min_similarity moves above 0.
    return ("minhash_bands", *length, *(("minhash_signature",) if params.min_similarity > 0 else ()))


SPEC = SelectorSpec(
    name="minhash",
    version=1,
    title="MinHash deduplication: keep one of each set of near-copies",
    paper="Lee et al. 2021, arXiv:2107.06499",
    scope="column",
    params=MinhashParams,
    needs=_needs,
    reads=("text",),
    select=select_minhash,
    scan=scan_minhash,
    tracks_corpus=True,
    about="Keeps one of each set of documents whose words overlap so much that a MinHash band is the same, and loses "
    "the others, chains included. Lee et al. report about ten times less verbatim memorisation; FineWeb found that "
    "one snapshot at a time beats all at once, which kept worse data than it removed of old dumps. Shared templates "
    "and boilerplate look like copies, and documents shorter than a shingle are always kept. How alike two documents "
    'must be is a setting of the score: "scores": {"minhash_bands": {"preset": "redpajama"}} in the recipe.',
    assumed=(
        (
            "A shared band makes two documents copies, without a look at their texts: of pairs with similarity s a "
            "share of 1 - (1 - s^rows)^bands is joined. min_similarity, which is ours, verifies by 256 minima where "
            "Lee et al. look at the edit distance."
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
        "survivor": "which of the near-copies stays: first_id (the smallest doc_id) or longest (most characters)",
        "min_similarity": "estimated similarity of shingles that candidates need, 0 to 1; 0: a shared band is enough",
    },
)
