"""CaR, clustering and ranking: the best of all, and the best of each cluster."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from workbench.checks import FloatArray, IntArray, check_at_least, check_fraction
from workbench.selectors.base import DESIGN_WEIGHT, Columns, Selection, SelectorSpec, State
from workbench.selectors.budget import fits, place_in_groups, rank_of


@dataclass(frozen=True)
class CarParams:
    """Parameters of `select_car`.

    Attributes
    ----------
    score
        The quality score's name.
    n_top
        Documents kept for their rank among all, at least 0; the paper's n1.
    n_each
        Documents kept of each cluster, at least 0; the paper's n2.
    top_fraction, each_fraction
        The same as shares of all documents and of each cluster's, in 0..1, in place of the numbers; None: the
        numbers. Numbers are documents of the corpus, so that a sample which stands for many more shows less than one
        document of each cluster: take shares there.
    first
        "highest" or "lowest": which end of the score is the better.
    clusters
        "own": k-means of a PCA of the embedding, int(sqrt(N / 2)) clusters for N documents of the corpus, as published.
        "prototype": those of the score `prototype_cluster`.
    pca_variance
        Of "own": the PCA keeps as many components as explain this share of the variance, above 0 up to 1.
    """

    score: str
    n_top: int = 1000
    n_each: int = 1
    top_fraction: float | None = None
    each_fraction: float | None = None
    first: Literal["highest", "lowest"] = "highest"
    clusters: Literal["own", "prototype"] = "own"
    pca_variance: float = 0.95


def published_clusters(n: int) -> int:
    """The paper's number of clusters for n documents, for `n_clusters` of prototype_distance.

    Examples
    --------
    >>> published_clusters(52_002)
    161
    """
    return max(int(math.sqrt(n / 2)), 1)


def principal_components(x: FloatArray, variance: float) -> tuple[FloatArray, FloatArray]:
    """The mean (d,) and the fewest principal components (p, d) that explain a share of the variance, float64.

    Parameters
    ----------
    x
        (n, d), n at least 1.
    variance
        Above 0 up to 1.
    """
    rows = np.asarray(x, dtype=np.float64)
    mean = rows.mean(axis=0)
    values, vectors = np.linalg.eigh((rows - mean).T @ (rows - mean))
    values, vectors = np.maximum(values[::-1], 0), vectors[:, ::-1]
    explained = np.cumsum(values) / max(float(values.sum()), 1e-300)
    # A share of all variance must not ask for what rounding adds.
    n_components = int(np.searchsorted(explained, variance * (1 - 1e-12))) + 1
    return mean, np.ascontiguousarray(vectors.T[: min(n_components, len(values))])


def fit_car(columns: Columns, params: CarParams, seed: int) -> State:
    """The paper's clusters of the sample; nothing where those of `prototype_cluster` are taken.

    Returns
    -------
    mean : float64 (d,)
    components : float64 (p, d)
    centroids : float64 (k, p)

    Raises
    ------
    InputError
        If pca_variance lies outside 0..1, or is 0.
    """
    from workbench.models.geometry.kmeans import KMeansParams, kmeans
    from workbench.models.geometry.rows import unit_rows

    if params.clusters == "prototype":
        return {}
    check_at_least("pca_variance", check_fraction("pca_variance", params.pca_variance), 1e-9)
    x = unit_rows(columns["embedding"])
    mean, components = principal_components(x, params.pca_variance)
    # As elsewhere: the centroid of a few documents is no cluster's but theirs.
    k = min(published_clusters(round(columns[DESIGN_WEIGHT].sum())), max(len(x) // 10, 1))
    how = KMeansParams(n_clusters=k, spherical=False, n_iterations=300)
    fitted = kmeans((x - mean) @ components.T, how, seed=seed)
    return {"mean": mean, "components": components, "centroids": fitted.centroids.astype(np.float64)}


def cluster_of(columns: Columns, params: CarParams, state: State) -> IntArray:
    """The cluster of each document, int64 (n,): the nearest centroid, the lowest of equally near ones."""
    from workbench.models.geometry.rows import unit_rows

    if params.clusters == "prototype":
        return np.asarray(columns["prototype_cluster"]).astype(np.int64)
    y = (unit_rows(columns["embedding"]) - state["mean"]) @ state["components"].T
    centroids = state["centroids"]
    distance = (centroids**2).sum(axis=1) - 2 * (y @ centroids.T)
    # Rounded, so that which rows stand beside it doesn't decide between centroids that are equally near.
    return np.asarray(np.round(distance, 9).argmin(axis=1), dtype=np.int64)


def scan_car(columns: Columns, params: CarParams, state: State, seed: int) -> Columns:
    """Where each document stands, the best first; ties by doc_id.

    Returns
    -------
    rank, place : int64 (n,), among all and in its cluster
    until, until_in_cluster : float64 (n,), documents of the corpus up to and half of this one
    """
    key = np.array(columns[params.score], dtype=np.float64)
    rank = rank_of(columns, key if params.first == "highest" else -key)
    weight = columns[DESIGN_WEIGHT]
    _, until = place_in_groups(rank, np.zeros_like(rank), weight)
    cluster = np.unique(cluster_of(columns, params, state), return_inverse=True)[1].astype(np.int64)
    place, until_in_cluster = place_in_groups(rank, cluster, weight)
    return {
        "rank": rank,
        "place": place,
        "until": until,
        "until_in_cluster": until_in_cluster,
        "cluster": cluster,
    }


def select_car(columns: Columns, params: CarParams, state: State, seed: int) -> Selection:
    """Keep the best documents of all and the best of each cluster, none twice.

    Parameters
    ----------
    columns
        The score and DESIGN_WEIGHT, each (n,), and what `scan_car` gives.

    Raises
    ------
    InputError
        If a number is below 0, or a share outside 0..1.

    Notes
    -----
    Ge et al. 2024, arXiv:2402.18191; released code IronBeliever/CaR, which can keep one of each cluster only.
    """
    check_at_least("n_top", params.n_top, 0)
    check_at_least("n_each", params.n_each, 0)
    cluster, rank, place, score = columns["cluster"], columns["rank"], columns["place"], columns[params.score]
    size = np.bincount(cluster, columns[DESIGN_WEIGHT])
    top, each = float(params.n_top), np.full(len(size), float(params.n_each))
    if params.top_fraction is not None:
        top = check_fraction("top_fraction", params.top_fraction) * size.sum()
    if params.each_fraction is not None:
        each = check_fraction("each_fraction", params.each_fraction) * size
    of_all = fits(columns["until"], top)
    of_cluster = fits(columns["until_in_cluster"], each[cluster])
    n_all, n_cluster = int(of_all.sum()), np.bincount(cluster, of_cluster).astype(np.int64)
    return Selection(
        of_all | of_cluster,
        lambda i: (
            f"{params.score} {score[i]:.6g} has rank {rank[i] + 1:,} among all, of which {n_all:,} are kept, and "
            f"{place[i] + 1:,} in its cluster, of which {n_cluster[cluster[i]]:,} are"
        ),
        score=np.where(of_cluster, 0, -len(rank)) - rank.astype(np.float64),
    )


SPEC = SelectorSpec(
    name="car",
    version=2,
    title="CaR: the best of all and the best of each cluster",
    paper="Ge et al. 2024, arXiv:2402.18191",
    scope="column",
    params=CarParams,
    needs=lambda params: tuple(
        dict.fromkeys(
            (params.score, "embedding" if params.clusters == "own" else "prototype_cluster", DESIGN_WEIGHT)
        )
    ),
    reads=("embedding", "score"),
    select=select_car,
    fit=fit_car,
    fit_params=("clusters", "pca_variance"),
    scan=scan_car,
    scan_params=("score", "first"),
    about="A ranking whose tail is filled up with the best of each cluster, so that no topic is lost. With 1.96 % of "
    "Alpaca's instructions (1,017 of 52,002) its paper is judged 32.1 % better than Alpaca, at 11.2 % of the cost. The "
    "clusters are of a PCA of the embedding, int(sqrt(n / 2)) for n documents. Whatever the score "
    "confounds, length as a rule, decides in every cluster.",
    assumed=("A corpus's clusters are found on its sample, at most one a ten of its documents.",),
    help={
        "score": "name of the quality score",
        "n_top": "documents of the corpus kept for their rank among all; the paper has 1,000",
        "n_each": "documents of the corpus kept of each cluster; the paper has 1",
        "top_fraction": "share of all documents in place of n_top, 0 to 1",
        "each_fraction": "share of each cluster's documents in place of n_each, 0 to 1",
        "first": "which end of the score is the better: highest or lowest",
        "clusters": "own: of a PCA of the embedding, as published; prototype: of the score prototype_cluster",
        "pca_variance": "share of the variance that the PCA keeps; published is 0.95",
    },
)
