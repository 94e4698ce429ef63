"""CREST's selection part: of random subsets the documents that stand for the others, with weights."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from workbench.checks import Array, FloatArray, IntArray, check_fraction, keyed_uniform
from workbench.errors import InputError
from workbench.selectors.base import Columns, Selection, SelectorSpec, State
from workbench.selectors.budget import keep_in_groups, largest_remainder

_MAX_SUBSET = 20_000


@dataclass(frozen=True)
class CrestParams:
    """Parameters of `select_crest`.

    Attributes
    ----------
    keep_fraction
        In 0..1, of each subset; in all the nearest number of documents.
    subset_documents
        About so many documents are drawn for a subset, 2 to 20,000; each document is in one subset.
    weighted
        Whether a kept document's weight is the number of documents of its subset that it stands for.
    """

    keep_fraction: float = 0.1
    subset_documents: int = 500
    weighted: bool = True


def scan_crest(columns: Columns, params: CrestParams, state: State, seed: int) -> Columns:
    """The random subset of each document, and its place in the subset's greedy order.

    Returns
    -------
    subset, place : int64 (n,)

    Raises
    ------
    InputError
        If subset_documents lies outside 2..20,000.
    """
    from workbench.models.geometry.facility import facility_location, nearness

    if not 2 <= params.subset_documents <= _MAX_SUBSET:
        raise InputError(
            f"subset_documents must lie in 2..{_MAX_SUBSET} (its square is held in memory), "
            f"got {params.subset_documents}"
        )
    embedding = columns["embedding"]
    subset, place = np.zeros((2, len(embedding)), dtype=np.int64)
    for number, rows in enumerate(_subsets(columns["doc_id"], params.subset_documents, seed)):
        vectors = embedding[rows]
        order = facility_location(nearness(vectors, vectors), len(rows)).order
        subset[rows] = number
        place[rows[order]] = np.arange(len(rows))
    return {"subset": subset, "place": place}


def _subsets(doc_ids: Array, size: int, seed: int) -> list[IntArray]:
    """Rows of each random subset, by doc_id; all subsets are as large as each other, or one larger."""
    ids = np.asarray(doc_ids)
    if not len(ids):
        return []
    shuffled = np.lexsort((ids, keyed_uniform(seed, list(ids), "crest")))
    pieces = np.array_split(shuffled, max(1, round(len(ids) / size)))
    return [rows[np.argsort(ids[rows], kind="stable")] for rows in pieces]


def select_crest(columns: Columns, params: CrestParams, state: State, seed: int) -> Selection:
    """Keep of each random subset the documents that facility location picks first.

    Parameters
    ----------
    columns
        `embedding` (n, d), and what `scan_crest` gives.

    Raises
    ------
    InputError
        If keep_fraction lies outside 0..1, or subset_documents outside its range.

    Notes
    -----
    After Yang, Kang and Mirzasoleiman 2023, arXiv:2306.01244, of which this is one round of mini-batch coresets with
    the gradients given: similarity is the largest distance less the distance. The weights of a subset sum to its size.
    """
    check_fraction("keep_fraction", params.keep_fraction)
    subset, place = columns["subset"], columns["place"]
    size = np.bincount(subset)
    total = int(params.keep_fraction * len(subset) + 0.5)
    quota = largest_remainder(size.astype(np.float64), total, size) if len(size) else size
    keep = keep_in_groups(place, subset, quota)
    weight = _weights(columns, keep, subset) if params.weighted else None
    return Selection(
        keep,
        lambda i: (
            f"is number {place[i] + 1:,} of those that stand for its random subset of {size[subset[i]]:,} documents, "
            f"the first {quota[subset[i]]:,} are kept"
        ),
        weight=weight,
    )


def _weights(columns: Columns, keep: Array, subset: Array) -> FloatArray:
    from workbench.models.geometry.facility import nearness, stands_for

    weight = np.ones(len(keep))
    place, embedding = columns["place"], columns["embedding"]
    by_place = np.lexsort((place, subset))
    for rows in np.split(by_place, np.flatnonzero(np.diff(subset[by_place])) + 1):
        kept = rows[keep[rows]]
        if len(kept):
            weight[kept] = stands_for(nearness(embedding[rows], embedding[kept]))
    return weight


SPEC = SelectorSpec(
    name="crest",
    version=1,
    title="CREST: of random subsets the documents that stand for the others, with weights",
    paper="Yang et al. 2023, arXiv:2306.01244",
    status="experimental",
    scope="column",
    params=CrestParams,
    needs=lambda params: ("embedding",),
    reads=("embedding",),
    select=select_crest,
    scan=scan_crest,
    scan_params=("subset_documents",),
    about="Keeps of each random subset the middles of its dense places and gives them the weight of what they stand "
    "for; what is rare goes first, and of copies one is kept. CREST picks anew as training goes on, by gradients of "
    "the last layer, and trains 1.7 to 2.5 times faster with little loss; one pick before training, as here, has no "
    "such result behind it. Bring gradients with `--embedder column:NAME`; they become unit vectors.",
    assumed=(
        "CREST's thresholds for picking anew and for leaving out what is learned aren't known to us; neither is here.",
        "Each document is in one random subset, and all subsets keep the same share; the paper draws subsets anew.",
        "The sizes of subset and share are a choice.",
    ),
    cost="pairs within random subsets",
    help={
        "keep_fraction": "share of each subset to keep, 0 to 1",
        "subset_documents": "documents of a random subset",
        "weighted": "weigh each kept document by how many it stands for",
    },
)
