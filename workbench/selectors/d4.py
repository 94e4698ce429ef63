"""D4: SemDeDup, then new clusters of what is left, then prototypes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from workbench.checks import FloatArray, IntArray, check_at_least, check_fraction
from workbench.selectors.base import DESIGN_WEIGHT, Columns, Scanned, Selection, SelectorSpec, State
from workbench.selectors.budget import is_tied, is_within, share_cut, tie_luck


@dataclass(frozen=True)
class D4Params:
    """Parameters of `select_d4`; the share kept in all is the product of the two.

    Attributes
    ----------
    dedup_fraction
        R_dedup in 0..1: the share that SemDeDup leaves. The paper fixes it at 0.75.
    prototype_fraction
        R_proto in 0..1: the share of those that is kept, the least typical ones. The paper varies it.
    n_clusters
        Of both clusterings; the paper has 11,000. Fewer than ten documents a cluster give fewer: one a ten documents.
    n_iterations
        Of spherical k-means, at least 1; the paper has about 20.
    keep
        Which of near-copies stay, as in SemDeDup: "hard" (far from the first centroid), "easy" or "random".
    """

    dedup_fraction: float = 0.75
    prototype_fraction: float = 0.5
    n_clusters: int = 50
    n_iterations: int = 20
    keep: Literal["hard", "easy", "random"] = "hard"


def _centroids(embedding: FloatArray, params: D4Params, seed: int) -> FloatArray:
    from workbench.models.geometry.kmeans import sample_centroids

    return sample_centroids(embedding, params.n_clusters, params.n_iterations, seed)


def fit_d4(columns: Columns, params: D4Params, seed: int) -> State:
    """The first two stages on the sample.

    Returns
    -------
    centroids : float32 (k, d)
        Of all documents.
    dedup_cut : float64 (2,)
        The similarity up to which a document is no copy, as `share_cut` gives it: 1 - epsilon.
    second_centroids : float32 (k, d)
        Of the documents that are no copies, clustered from scratch: copies had drawn the first ones to themselves.

    Raises
    ------
    InputError
        If a param is out of range.
    """
    from workbench.models.geometry.near_copies import nearest_before

    check_at_least("n_clusters", params.n_clusters, 1)
    check_at_least("n_iterations", params.n_iterations, 1)
    doc_ids, embedding = np.asarray(columns["doc_id"]), columns["embedding"]
    centroids = _centroids(embedding, params, seed)
    nearest, _ = nearest_before(doc_ids, embedding, centroids, params.keep, seed)
    luck = tie_luck(seed, list(doc_ids))
    share = check_fraction("dedup_fraction", params.dedup_fraction)
    cut = share_cut(nearest, luck, columns[DESIGN_WEIGHT], share)
    survivors = embedding[is_within(nearest, luck, cut)]
    # With nothing left there is nothing to decide; the first centroids hold the place.
    second = _centroids(survivors, params, seed) if len(survivors) else centroids
    return {"centroids": centroids, "dedup_cut": cut, "second_centroids": second}


def group_d4(columns: Columns, params: D4Params, state: State) -> IntArray:
    """The nearest of the first centroids: copies are looked for within it."""
    from workbench.models.geometry.kmeans import assign

    return assign(columns["embedding"], state["centroids"])[0]


def scan_d4(columns: Columns, params: D4Params, state: State, seed: int) -> Columns:
    """What both stages rank by.

    Returns
    -------
    max_similarity, twin
        As SemDeDup's.
    distance : float32 (n,), cosine distance to the nearest of the second centroids
    luck : float64 (n,), what decides between those that tie at a cut
    """
    from workbench.models.geometry.kmeans import assign
    from workbench.models.geometry.near_copies import nearest_before

    doc_ids, embedding = np.asarray(columns["doc_id"]), columns["embedding"]
    nearest, twin = nearest_before(doc_ids, embedding, state["centroids"], params.keep, seed)
    distance = np.float32(1) - assign(embedding, state["second_centroids"])[1]
    return {
        "max_similarity": nearest,
        "twin": twin,
        "distance": distance,
        "luck": tie_luck(seed, list(doc_ids)),
    }


def solve_d4(columns: Columns, scanned: Scanned, params: D4Params, state: State, seed: int) -> State:
    """The last stage on the sample: {"prototype_cut": float64 (2,)}, of minus the distance."""
    found = scanned()
    left = is_within(found["max_similarity"], found["luck"], state["dedup_cut"])
    weight = columns[DESIGN_WEIGHT][left]
    share = check_fraction("prototype_fraction", params.prototype_fraction)
    cut = share_cut(-found["distance"][left], found["luck"][left], weight, share)
    return {"prototype_cut": cut}


def select_d4(columns: Columns, params: D4Params, state: State, seed: int) -> Selection:
    """Drop near-copies, then the documents nearest to the centroids of what was left.

    Parameters
    ----------
    columns
        With `doc_id` (n,) and what `scan_d4` gives for whole groups.
    state
        Of `fit_d4` and `solve_d4`: a corpus is cut where the sample was.

    Raises
    ------
    InputError
        If a fraction lies outside 0..1.

    Notes
    -----
    Tirumala et al. 2023, arXiv:2308.12284. Of the N documents of the sample the nearest whole number to dedup_fraction
    of N are left by the first stage, and the nearest to prototype_fraction of those by the last; a keyed hash of the id
    decides between documents that tie.
    """
    doc_ids, nearest, twin = np.asarray(columns["doc_id"]), columns["max_similarity"], columns["twin"]
    distance, luck = columns["distance"], columns["luck"]
    unique = is_within(nearest, luck, state["dedup_cut"])
    far = is_within(-distance, luck, state["prototype_cut"])

    def explain(i: int) -> str:
        if not unique[i]:
            cut = state["dedup_cut"]
            place = "ties with others at" if is_tied(nearest[i], cut) else "is above"
            return (
                f"similarity {nearest[i]:.4f} to {doc_ids[twin[i]]} {place} {cut[0]:.4g}, the cut that leaves "
                f"{params.dedup_fraction:.4g} of the sample"
            )
        cut = state["prototype_cut"]
        place = "ties with others at" if is_tied(-distance[i], cut) else "is below"
        return (
            f"typical: distance {distance[i]:.4g} to its cluster's centre {place} {-cut[0]:.4g}, the cut that leaves "
            f"{params.prototype_fraction:.4g} of the sample's documents that are no copies"
        )

    return Selection(unique & far, explain, score=np.where(unique, distance, -nearest).astype(np.float64))


SPEC = SelectorSpec(
    name="d4",
    version=1,
    title="D4: drop near-copies, cluster anew, drop the most typical",
    paper="Tirumala et al. 2023, arXiv:2308.12284",
    scope="group",
    params=D4Params,
    needs=lambda params: ("embedding", DESIGN_WEIGHT),
    reads=("embedding",),
    select=select_d4,
    fit=fit_d4,
    fit_params=("dedup_fraction", "n_clusters", "n_iterations", "keep"),
    scan=scan_d4,
    scan_params=("keep",),
    solve=solve_d4,
    group=group_d4,
    tracks_corpus=True,
    about="SemDeDup takes the near-copies, the rest is clustered from scratch, and the documents nearest to the new "
    "centres go. For a 6.7B model its paper reports about 20 % higher efficiency, up to 2 % more mean accuracy on 16 "
    "tasks, and that repeating the selection beats one epoch over random documents. What lies far from every centre "
    "stays, noise too: clean and remove textual copies first, as the paper does. Shares are of documents, not tokens.",
    assumed=(
        "The prototype cut is one distance for all clusters, not one for each.",
        "The clusters of both stages are as many.",
    ),
    help={
        "dedup_fraction": "share that SemDeDup leaves, 0 to 1; the paper has 0.75",
        "prototype_fraction": "share of those that is kept, the least typical ones, 0 to 1",
        "n_clusters": "k-means clusters of both stages; the paper has 11,000; at most one for ten documents",
        "n_iterations": "iterations of k-means",
        "keep": "which near-copy stays: hard (far from the first centroid), easy (near) or random",
    },
)
