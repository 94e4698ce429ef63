"""TAGCOS: of each cluster of gradients a few that together point where their mean points."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from workbench.checks import IntArray, check_at_least, check_fraction
from workbench.selectors.base import Columns, Selection, SelectorSpec, State

# Of clusters much smaller than this a share of 5 % is no document.
_DOCUMENTS_A_CLUSTER = 40


@dataclass(frozen=True)
class TagcosParams:
    """Parameters of `select_tagcos`.

    Attributes
    ----------
    keep_fraction
        In 0..1: of a cluster of n documents int(keep_fraction * n) are kept.
    n_clusters
        k-means clusters, at least 1. A sample smaller than 40 documents a cluster gets fewer: one for each 40.
    ridge
        Of the least squares on the picked rows, 0 or more.
    tolerance
        A pursuit ends when what is left of the mean is shorter than this share of it, 0 or more.
    n_iterations
        Iterations of k-means, at least 1.
    """

    keep_fraction: float = 0.05
    n_clusters: int = 100
    ridge: float = 1.0
    tolerance: float = 1e-4
    n_iterations: int = 100


def fit_tagcos(columns: Columns, params: TagcosParams, seed: int) -> State:
    """Centroids of the sample's vectors by spherical k-means, float32 (k, d).

    Raises
    ------
    InputError
        If n_clusters or n_iterations is below 1.
    """
    from workbench.models.geometry.kmeans import sample_centroids

    k, n_iterations, few = params.n_clusters, params.n_iterations, _DOCUMENTS_A_CLUSTER
    return {"centroids": sample_centroids(columns["embedding"], k, n_iterations, seed, rows_a_cluster=few)}


def group_tagcos(columns: Columns, params: TagcosParams, state: State) -> IntArray:
    """The nearest centroid of each document."""
    from workbench.models.geometry.kmeans import assign

    return assign(columns["embedding"], state["centroids"])[0]


def select_tagcos(columns: Columns, params: TagcosParams, state: State, seed: int) -> Selection:
    """Keep of each cluster a share whose vectors add up to the cluster's mean.

    Parameters
    ----------
    columns
        With `doc_id` (n,) and `embedding` (n, d) of whole clusters.

    Raises
    ------
    InputError
        If keep_fraction lies outside 0..1, or ridge or tolerance is negative.

    Notes
    -----
    Zhang et al. 2024, arXiv:2407.15235, as in the released code, 2003pro/TAGCOS: pursuits (`omp_rounds`) for the mean
    of the cluster's rows until its share is reached. Where no row left points along the mean, fewer are kept.
    """
    from workbench.models.geometry.omp import omp_rounds

    check_fraction("keep_fraction", params.keep_fraction)
    for name in ("ridge", "tolerance"):
        check_at_least(name, getattr(params, name), 0)
    doc_ids, labels = np.asarray(columns["doc_id"]), group_tagcos(columns, params, state)
    keep = np.zeros(len(labels), dtype=bool)
    size, n_kept = np.zeros((2, len(state["centroids"])), dtype=np.int64)
    by_label = np.lexsort((doc_ids, labels))
    for rows in np.split(by_label, np.flatnonzero(np.diff(labels[by_label])) + 1):
        if not len(rows):
            continue
        vectors = np.asarray(columns["embedding"][rows], dtype=np.float64)
        budget = int(params.keep_fraction * len(rows) + 1e-9)  # 0.29 * 100 is 28.999999999999996
        chosen = omp_rounds(
            vectors, vectors.mean(axis=0), budget, ridge=params.ridge, tolerance=params.tolerance
        )
        keep[rows[chosen]] = True
        size[labels[rows[0]]], n_kept[labels[rows[0]]] = len(rows), len(chosen)

    def explain(i: int) -> str:
        n, m = size[labels[i]], n_kept[labels[i]]
        if not m:
            return (
                f"its cluster holds {n:,} documents, and a share of {params.keep_fraction:g} of them is none"
            )
        return f"is not among the {m:,} of {n:,} documents that stand for the mean of its cluster"

    return Selection(keep, explain)


SPEC = SelectorSpec(
    name="tagcos",
    version=1,
    title="TAGCOS: of each cluster the few vectors that add up to its mean",
    paper="Zhang et al. 2024, arXiv:2407.15235",
    scope="group",
    params=TagcosParams,
    needs=lambda params: ("embedding",),
    reads=("embedding",),
    select=select_tagcos,
    fit=fit_tagcos,
    fit_params=("n_clusters", "n_iterations"),
    group=group_tagcos,
    about="Keeps of each cluster what points where the cluster points on the whole, so the typical, and loses what "
    "lies across; of clusters below 1 / keep_fraction documents it keeps nothing. In the paper, on gradients of "
    "instruction data, 5 % come close to all of it, ahead of other methods without a target. Bring gradients with "
    "`--embedder column:NAME`: projected, averaged over checkpoints by learning rate; embeddings are a stand-in. "
    "They become unit vectors, so that a gradient's length, which falls with that of its text, doesn't count.",
    assumed=(
        "The released code clusters gradients as they are, by Euclidean k-means without a seed; here by direction.",
        "A sample below 40 documents a cluster gets fewer clusters; the paper has 100 whatever the size.",
    ),
    cost="matching pursuit in a group",
    help={
        "keep_fraction": "share of each cluster to keep, 0 to 1, rounded down",
        "n_clusters": "k-means clusters",
        "ridge": "of the least squares; 1 as published, 0 lets a pursuit go on longer",
        "tolerance": "a pursuit ends when so small a share of the mean is left",
        "n_iterations": "iterations of k-means",
    },
)
