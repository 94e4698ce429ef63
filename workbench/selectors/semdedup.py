"""SemDeDup: drop documents that are semantic near-copies of another one in the same cluster."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from workbench.checks import IntArray
from workbench.errors import InputError
from workbench.selectors.base import DESIGN_WEIGHT, Columns, Scanned, Selection, SelectorSpec, State
from workbench.selectors.budget import is_tied, is_within, share_cut, tie_luck


@dataclass(frozen=True)
class SemdedupParams:
    """Parameters of `select_semdedup`.

    Attributes
    ----------
    epsilon
        In 0..1: a document goes if its cosine similarity to an earlier one of its cluster is above 1 -
        epsilon. More is dropped as it grows.
    n_clusters
        k-means clusters; the paper's C4 run has 11,000. A sample smaller than ten documents a cluster gets
        fewer: one a ten documents.
    keep
        Which of a cluster come first and so stay: "hard" (farthest from the centroid, the default of the
        paper), "easy" (nearest) or "random".
    n_iterations
        Iterations of spherical k-means; the released code has 100.
    keep_fraction
        In 0..1, in place of epsilon: the share of the sample's documents that is left, as the paper tunes epsilon. The
        cut that gives it is found on the whole sample and stands in the manifest. Among documents that tie there, as
        exact copies do, a keyed hash of the id decides. None: epsilon stands.
    """

    epsilon: float = 0.05
    n_clusters: int = 50
    keep: Literal["hard", "easy", "random"] = "hard"
    n_iterations: int = 100
    keep_fraction: float | None = None


def fit_semdedup(columns: Columns, params: SemdedupParams, seed: int) -> State:
    """Centroids of the sample's embeddings by spherical k-means, float32 (k, d).

    The released code starts faiss from random rows; here k-means++ chooses them.
    """
    from workbench.models.geometry.kmeans import sample_centroids

    return {"centroids": sample_centroids(columns["embedding"], params.n_clusters, params.n_iterations, seed)}


def group_semdedup(columns: Columns, params: SemdedupParams, state: State) -> IntArray:
    """The nearest centroid of each document."""
    from workbench.models.geometry.kmeans import assign

    return assign(columns["embedding"], state["centroids"])[0]


def scan_semdedup(columns: Columns, params: SemdedupParams, state: State, seed: int) -> Columns:
    """Of each document the largest similarity to an earlier one of its cluster, and the row of that one.

    Returns
    -------
    max_similarity : float64 (n,), 0 for the first of a cluster
    twin : int64 (n,)
    luck : float64 (n,), what decides between those that tie at a share's cut
    """
    from workbench.models.geometry.near_copies import nearest_before

    doc_ids = np.asarray(columns["doc_id"])
    nearest, twin = nearest_before(doc_ids, columns["embedding"], state["centroids"], params.keep, seed)
    return {"max_similarity": nearest, "twin": twin, "luck": tie_luck(seed, list(doc_ids))}


def solve_semdedup(
    columns: Columns, scanned: Scanned, params: SemdedupParams, state: State, seed: int
) -> State:
    """Where the sample is cut so that `keep_fraction` of it is left: {"cut": float64 (2,)}; nothing without one."""
    if params.keep_fraction is None:
        return {}
    found = scanned()
    weight = columns[DESIGN_WEIGHT]
    return {"cut": share_cut(found["max_similarity"], found["luck"], weight, params.keep_fraction)}


def select_semdedup(columns: Columns, params: SemdedupParams, state: State, seed: int) -> Selection:
    """Drop document j iff its similarity to an earlier document of its cluster is above 1 - epsilon.

    "Earlier" includes documents that are dropped themselves: the published rule is neither greedy against the
    kept ones nor connected components (on a chain a-b-c with both links above the threshold, c goes with b).

    Parameters
    ----------
    columns
        With `doc_id` (n,) and what `scan_semdedup` gives for whole clusters.

    Raises
    ------
    InputError
        If epsilon or keep_fraction lies outside 0..1.

    Notes
    -----
    Abbas et al. 2023, arXiv:2303.09540, section 3; released code facebookresearch/SemDeDup, semdedup.py.
    There ties fall as the sort leaves them; here by doc_id, so that shards and workers don't matter.
    """
    if not 0.0 <= params.epsilon <= 1.0:
        raise InputError(
            f"epsilon must lie in 0..1, got {params.epsilon:g}; the paper's range is 0.001 to 0.26"
        )
    doc_ids, nearest, twin = np.asarray(columns["doc_id"]), columns["max_similarity"], columns["twin"]
    limit = 1.0 - params.epsilon
    if params.keep_fraction is not None:
        cut = state["cut"]

        def explain(i: int) -> str:
            place = "ties with others at" if is_tied(nearest[i], cut) else "is above"
            return (
                f"similarity {nearest[i]:.4f} to {doc_ids[twin[i]]} {place} {cut[0]:.4g}, the cut that leaves "
                f"{params.keep_fraction:.4g} of the sample"
            )

        return Selection(is_within(nearest, columns["luck"], cut), explain, score=-nearest)
    return Selection(
        nearest <= limit,
        lambda i: f"similarity {nearest[i]:.4f} to {doc_ids[twin[i]]} is above {limit:.4g}",
        score=-nearest,
    )


SPEC = SelectorSpec(
    name="semdedup",
    version=2,
    title="SemDeDup: drop semantic near-copies within k-means clusters",
    paper="Abbas et al. 2023, arXiv:2303.09540",
    scope="group",
    params=SemdedupParams,
    needs=lambda params: ("embedding", *(() if params.keep_fraction is None else (DESIGN_WEIGHT,))),
    reads=("embedding",),
    select=select_semdedup,
    fit=fit_semdedup,
    fit_params=("n_clusters", "n_iterations"),
    scan=scan_semdedup,
    scan_params=("keep",),
    solve=solve_semdedup,
    group=group_semdedup,
    tracks_corpus=True,
    about="Keeps of near-copies the one that comes first and loses the others, within clusters only: copies in two "
    "clusters both stay. On LAION-440M its paper drops 37 % without loss and 50 % for less than half a point; on C4 it "
    "matches removing near-duplicates (96.1 % kept) with 80 % kept. A sample holds fewer copies than its corpus, which "
    "so loses more.",
    help={
        "epsilon": "similarity above 1 - epsilon is a copy; larger drops more",
        "n_clusters": "k-means clusters; copies are looked for within one cluster; at most one for ten documents",
        "keep": "which copy stays: hard (far from the centroid), easy (near) or random",
        "n_iterations": "iterations of k-means",
        "keep_fraction": "share of the sample to keep, 0 to 1, in place of epsilon; leave it out for epsilon",
    },
)
