"""Density-based pruning: clusters that are wide and far from others keep more of their documents."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from workbench.checks import FloatArray, IntArray, check_fraction
from workbench.errors import InputError
from workbench.selectors.base import DESIGN_WEIGHT, Columns, Selection, SelectorSpec, State
from workbench.selectors.budget import fits, largest_remainder, place_in_groups, rank_of

_N_NEIGHBOURS = 20
_TAU = {"paper": 0.1, "repo": 0.5}
_FLOOR = {"paper": 0.0, "repo": 0.5}


@dataclass(frozen=True)
class DbpParams:
    """Parameters of `select_dbp`.

    Attributes
    ----------
    keep_fraction
        In 0..1 (the released code calls it its prune ratio).
    tau
        Temperature of the softmax over clusters, above 0: the larger, the more alike are the quotas. None: the
        variant's, which the manifest then holds.
    variant
        "paper": tau 0.1, each cluster keeps at least 1 document; "repo": tau 0.5, each keeps at least half of an equal
        part.
    n_clusters
        k-means clusters; the paper has 500 for LAION-280M and 100 for DataComp medium. Fewer than ten documents a
        cluster give fewer: one a ten documents.
    n_iterations
        Of spherical k-means, at least 1.
    """

    keep_fraction: float = 0.5
    tau: float | None = None
    variant: Literal["paper", "repo"] = "paper"
    n_clusters: int = 100
    n_iterations: int = 20


def resolve_dbp(columns: Columns, params: DbpParams, sample_weight: FloatArray) -> DbpParams:
    """The variant's temperature where none is given."""
    return params if params.tau is not None else replace(params, tau=_TAU[params.variant])


def fit_dbp(columns: Columns, params: DbpParams, seed: int) -> State:
    """The sample's clusters and what their quotas follow from.

    Returns
    -------
    centroids : float32 (k, d)
    n : float64 (k,)
        Documents of the corpus that each cluster's documents stand for.
    d_intra : float64 (k,)
        Mean cosine distance of a cluster's documents to its centroid.
    d_inter : float64 (k,)
        Mean cosine distance of a centroid to the 20 nearest others (to all, if there are fewer).

    Raises
    ------
    InputError
        If n_clusters or n_iterations is below 1.
    """
    from workbench.models.geometry.kmeans import assign, sample_centroids

    embedding, weight = columns["embedding"], np.asarray(columns[DESIGN_WEIGHT], dtype=np.float64)
    centroids = sample_centroids(embedding, params.n_clusters, params.n_iterations, seed)
    n_clusters = len(centroids)
    labels, similarity = assign(embedding, centroids)
    n = np.bincount(labels, weight, minlength=n_clusters)
    distance = np.bincount(labels, weight * (1 - similarity.astype(np.float64)), minlength=n_clusters)
    d_intra = np.divide(distance, n, out=np.zeros(n_clusters), where=n > 0)
    return {"centroids": centroids, "n": n, "d_intra": d_intra, "d_inter": distance_to_others(centroids)}


def distance_to_others(centroids: FloatArray) -> FloatArray:
    """Mean cosine distance of each centroid (k, d), unit rows, to the 20 nearest others, float64 (k,); 0 for one alone.

    It is left out by its number, not as the nearest hit, which among equal centroids would be another one.
    """
    k = len(centroids)
    if k == 1:
        return np.zeros(1)
    distance = 1.0 - np.clip(centroids.astype(np.float64) @ centroids.astype(np.float64).T, -1, 1)
    np.fill_diagonal(distance, np.inf)
    return np.asarray(np.sort(distance, axis=1)[:, : min(_N_NEIGHBOURS, k - 1)].mean(axis=1))


def quota_shares(d_intra: FloatArray, d_inter: FloatArray, tau: float) -> FloatArray:
    """Each cluster's part of what is kept before limits: softmax(d_intra * d_inter / tau), float64 (k,).

    Raises
    ------
    InputError
        If tau isn't above 0.

    Examples
    --------
    >>> quota_shares(np.array([0.3, 0.1, 0.2]), np.array([0.4, 0.2, 0.2]), 0.1).round(3).tolist()
    [0.55, 0.202, 0.247]
    """
    if not tau > 0 or not np.isfinite(tau):
        raise InputError(f"tau must be above 0, got {tau:g}; the paper has 0.1, its code 0.5")
    complexity = np.asarray(d_intra, dtype=np.float64) * d_inter
    shares = np.exp((complexity - complexity.max(initial=-np.inf)) / tau)
    return np.asarray(shares / shares.sum())


def quotas(shares: FloatArray, low: FloatArray, high: FloatArray, total: float) -> FloatArray:
    """The numbers nearest to `total * shares` that lie in their limits and sum to `total`, float64 (k,).

    The quadratic program min |x - total * shares|^2 with sum x = total, low <= x <= high, whose solution is
    clip(total * shares - nu, low, high); nu by bisection.

    Raises
    ------
    InputError
        If no numbers in the limits sum to `total`.

    Examples
    --------
    >>> quotas(np.array([0.5, 0.3, 0.2]), np.ones(3), np.array([20.0, 100, 100]), 60).round(6).tolist()
    [20.0, 23.0, 17.0]
    """
    slack = 1e-9 * max(total, 1)
    if high.sum() < total - slack or low.sum() > total + slack:
        raise InputError(
            f"the clusters can't keep {total:.6g} documents: at least {low.sum():.6g}, at most {high.sum():.6g}; "
            "raise keep_fraction or take fewer clusters"
        )
    wanted = total * np.asarray(shares, dtype=np.float64)
    less, more = float((wanted - high).min(initial=0)), float((wanted - low).max(initial=0))
    for _ in range(100):
        middle = (less + more) / 2
        if np.clip(wanted - middle, low, high).sum() > total:
            less = middle
        else:
            more = middle
    return np.asarray(np.clip(wanted - (less + more) / 2, low, high))


def kept_shares(params: DbpParams, state: State) -> FloatArray:
    """The share of its documents that each cluster keeps, float64 (k,)."""
    check_fraction("keep_fraction", params.keep_fraction)
    n = state["n"]
    # Weights of a sample needn't sum to a whole number, and all of it is not more than that.
    total = min(int(np.floor(params.keep_fraction * n.sum() + 0.5)), int(n.sum() + 1e-9))
    # A cluster that holds none of the sample has no quota; what falls there later is kept at the common share.
    out = np.full(len(n), params.keep_fraction)
    there = n > 0
    size, tau = n[there], _TAU[params.variant] if params.tau is None else params.tau
    # The repository's int(M / K * ratio), else at least 1; never all of a cluster.
    least = max(int(total / max(len(size), 1) * _FLOOR[params.variant]), 1)
    low = np.clip(size - 1, 0, least)
    share = quota_shares(state["d_intra"][there], state["d_inter"][there], tau)
    whole = largest_remainder(quotas(share, low, size, total), total, np.ceil(size).astype(np.int64))
    out[there] = np.minimum(whole / size, 1.0)
    return out


def group_dbp(columns: Columns, params: DbpParams, state: State) -> IntArray:
    """The nearest centroid of each document."""
    from workbench.models.geometry.kmeans import assign

    return assign(columns["embedding"], state["centroids"])[0]


def scan_dbp(columns: Columns, params: DbpParams, state: State, seed: int) -> Columns:
    """Where each document stands in its cluster, the farthest from the centroid first; ties by doc_id.

    Returns
    -------
    label : int64 (n,)
    distance : float32 (n,), cosine distance to the centroid
    place : int64 (n,), 0 for the farthest
    until : float64 (n,), documents of the corpus up to and half of this one
    """
    from workbench.models.geometry.kmeans import assign

    labels, similarity = assign(columns["embedding"], state["centroids"])
    place, until = place_in_groups(rank_of(columns, -similarity), labels, columns[DESIGN_WEIGHT])
    return {"label": labels, "distance": np.float32(1) - similarity, "place": place, "until": until}


def select_dbp(columns: Columns, params: DbpParams, state: State, seed: int) -> Selection:
    """Keep of each cluster its share of the documents farthest from its centroid.

    Parameters
    ----------
    columns
        Of whole clusters: DESIGN_WEIGHT, and what `scan_dbp` gives.

    Raises
    ------
    InputError
        If keep_fraction lies outside 0..1, tau isn't above 0, or keep_fraction leaves fewer documents than the
        clusters keep at least.

    Notes
    -----
    Abbas et al. 2024, arXiv:2401.04578; released code amro-kamal/effective_pruning, which calls a solver for the
    quotas and rounds each (so that they miss the total). Here they are solved in closed form and rounded by the largest
    remainders, so that on the sample they sum to the nearest whole number to keep_fraction of it. On a corpus each
    cluster keeps the share of its documents that it keeps of the sample's.
    """
    labels, distance, place = columns["label"], columns["distance"], columns["place"]
    share = kept_shares(params, state)
    size = np.bincount(labels, np.asarray(columns[DESIGN_WEIGHT], dtype=np.float64), minlength=len(share))
    keep = fits(columns["until"], (share * size)[labels])
    sizes = np.bincount(labels, minlength=len(share))
    return Selection(
        keep,
        lambda i: (
            f"distance {distance[i]:.4g} to its cluster's centre has rank {place[i] + 1:,} of {sizes[labels[i]]:,} in "
            f"the cluster, which keeps the farthest {share[labels[i]]:.4g} of its documents"
        ),
        score=-(columns["until"] / np.maximum(size[labels], 1e-300)),
    )


SPEC = SelectorSpec(
    name="dbp",
    version=1,
    title="Density-based pruning: more of wide and remote clusters, less of dense ones",
    paper="Abbas et al. 2024, arXiv:2401.04578",
    scope="group",
    params=DbpParams,
    needs=lambda params: ("embedding", DESIGN_WEIGHT),
    reads=("embedding",),
    select=select_dbp,
    resolve=resolve_dbp,
    fit=fit_dbp,
    fit_params=("n_clusters", "n_iterations"),
    scan=scan_dbp,
    scan_params=(),
    group=group_dbp,
    about="Each cluster gets a quota that grows with its width and its distance from other clusters, and keeps its "
    "documents farthest from the centre. On LAION its paper is 1.1 points of ImageNet accuracy ahead of OpenCLIP with "
    "27.7 % of the data. What lies far from a centre may be noise: clean and remove near-copies first, as the paper "
    "does. The temperature decides most: at 0.5 the quotas are nearly alike.",
    assumed=(
        "The paper's temperature is taken as 0.1; its code has 0.5.",
        "On a corpus each cluster keeps the share that it keeps on the sample.",
    ),
    help={
        "keep_fraction": "share to keep, 0 to 1",
        "tau": "temperature of the quotas, above 0; left out: 0.1 (paper) or 0.5 (repo)",
        "variant": "paper: at least 1 document a cluster; repo: at least half of an equal part",
        "n_clusters": "k-means clusters; the paper has 100 to 500; at most one for ten documents",
        "n_iterations": "iterations of k-means",
    },
)
