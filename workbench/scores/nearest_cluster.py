"""The sample's clusters, carried to every document of a corpus: the nearest one, and how far it lies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from workbench.checks import Array, BoolArray, FloatArray
from workbench.errors import InputError
from workbench.models.geometry.kmeans import assign
from workbench.scores.base import Inputs, ScoreSpec, State, as_column


@dataclass(frozen=True)
class NearestClusterParams:
    """How the sample's clusters are found; the defaults are those of `map_x` and `cluster`.

    Attributes
    ----------
    space
        Where HDBSCAN looks: on the "map", which is made anew for this and gives the clusters of the score
        `cluster` under the same seed, or among the unit embeddings themselves ("embedding").
    n_neighbors, min_distance, n_epochs
        Of the map, as in `MapParams`.
    min_cluster_fraction, n_core_neighbors
        Of the clusters, as in `ClusterParams`.
    """

    space: Literal["map", "embedding"] = "map"
    n_neighbors: int = 15
    min_distance: float = 0.1
    n_epochs: int = 200
    min_cluster_fraction: float = 0.005
    n_core_neighbors: int = 5


def fit(inputs: Inputs, params: NearestClusterParams, seed: int) -> State:
    """The mean directions of the sample's clusters: {"centroids": float32 (k, d), unit rows}.

    Row i is the cluster that `cluster` calls i; noise has none. k is 0 where HDBSCAN finds no cluster.

    Raises
    ------
    InputError
        If a param is out of range, or a package isn't installed.
    """
    from workbench.models.geometry.density import dense_clusters
    from workbench.models.geometry.layout import lay_out
    from workbench.models.geometry.rows import unit_rows

    if params.space not in ("map", "embedding"):
        raise InputError(f"space must be map or embedding, got {params.space!r}")
    embedding = inputs.columns["embedding"]
    if params.space == "map":
        place: FloatArray = lay_out(
            embedding,
            n_neighbors=params.n_neighbors,
            min_distance=params.min_distance,
            n_epochs=params.n_epochs,
            seed=seed,
        ).astype(np.float64)
        chosen = np.isfinite(place).all(axis=1)
        place = place[chosen]
    else:
        chosen = _has_direction(embedding)
        place = unit_rows(embedding[chosen])
    codes = np.full(len(embedding), -1)
    codes[chosen] = dense_clusters(
        place, min_cluster_fraction=params.min_cluster_fraction, n_core_neighbors=params.n_core_neighbors
    )
    codes[~_has_direction(embedding)] = -1
    return {"centroids": _mean_directions(embedding, codes)}


def _mean_directions(embedding: FloatArray, codes: Array) -> FloatArray:
    from workbench.models.geometry.rows import unit_rows

    # A cluster of rows without direction alone (all zero) has no centroid, and the later ones move up.
    means = [
        unit_rows(embedding[codes == c]).mean(axis=0, dtype=np.float64) for c in np.unique(codes[codes >= 0])
    ]
    if not means:
        return np.zeros((0, embedding.shape[1]), dtype=np.float32)
    return unit_rows(np.stack(means))


def _has_direction(embedding: FloatArray) -> BoolArray:
    return np.asarray(np.isfinite(embedding).all(axis=1) & (embedding != 0).any(axis=1))


def compute(inputs: Inputs, params: NearestClusterParams, state: State) -> Mapping[str, Array]:
    """The cluster whose mean direction is nearest to each document's embedding.

    Parameters
    ----------
    inputs
        With `embedding`, (n, d).
    state
        Of `fit`.

    Returns
    -------
    nearest_cluster : float32 (n,)
        The code of the cluster, as `cluster` has it; never noise.
    nearest_cluster_distance : float32 (n,)
        1 minus the cosine similarity to its mean direction, in 0..2; low is typical of the cluster. Put a band
        on it to leave out what belongs to none.

    Both are NaN where the embedding is zero or not finite, or the sample has no clusters.

    Raises
    ------
    InputError
        If the dimension isn't that of the sample.

    Notes
    -----
    HDBSCAN's clusters have any shape, and a mean direction stands for one only as far as it is compact:
    look at how many of the sample's documents agree with `cluster` before selecting by it.
    """
    embedding, centroids = inputs.columns["embedding"], state["centroids"]
    code, distance = (np.full(len(embedding), np.nan, dtype=np.float32) for _ in range(2))
    known = _has_direction(embedding)
    if len(centroids):
        labels, similarity = assign(embedding[known], centroids)
        code[known], distance[known] = labels, np.float32(1) - similarity
    return {"nearest_cluster": as_column(code), "nearest_cluster_distance": as_column(distance)}


def _spec(name: str, title: str, unit: str) -> ScoreSpec:
    return ScoreSpec(
        name=name,
        version=1,
        title=title,
        unit=unit,
        better="neither",
        needs=("embedding",),
        params=NearestClusterParams,
        compute=compute,
        fit=fit,
        paper="Campello et al. 2013",
        status="variant",
    )


SPECS: tuple[ScoreSpec, ...] = (
    _spec("nearest_cluster", "Nearest of the sample's clusters, by its mean direction", "cluster"),
    _spec(
        "nearest_cluster_distance",
        "Cosine distance to the nearest of the sample's clusters",
        "cosine distance",
    ),
)
