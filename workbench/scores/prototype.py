"""How far a document lies from the typical ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from workbench.checks import Array
from workbench.models.geometry.kmeans import assign, sample_centroids
from workbench.scores.base import Inputs, ScoreSpec, State, as_column


@dataclass(frozen=True)
class PrototypeParams:
    """How the prototypes are found.

    Attributes
    ----------
    n_clusters
        Clusters at most, at least 1: a small sample of n documents gets n // 10.
    n_iterations
        Of k-means, at least 1.
    """

    n_clusters: int = 50
    n_iterations: int = 20


def fit(inputs: Inputs, params: PrototypeParams, seed: int) -> State:
    """The centroids of the sample's embeddings: {"centroids": float32 (k, d), unit rows}.

    k is `min(n_clusters, max(1, n // 10))`, to be read off the state.

    Raises
    ------
    InputError
        If `n_clusters` or `n_iterations` is below 1, or an embedding is zero or not finite.
    """
    x = inputs.columns["embedding"]
    return {"centroids": sample_centroids(x, params.n_clusters, params.n_iterations, seed)}


def prototype_distance(embedding: Array, centroids: Array) -> Array:
    """1 minus the cosine similarity to the nearest centroid.

    Parameters
    ----------
    embedding
        (n, d).
    centroids
        (k, d), unit rows.

    Returns
    -------
    float32 (n,) in 0..2; low is typical, high is rare, hard or noise.

    Raises
    ------
    InputError
        If the dimensions differ, or a row is zero or not finite.

    Notes
    -----
    Sorscher et al. 2022, with spherical k-means. Duplicates pull a centroid towards themselves (Tirumala et
    al. 2023), so remove them first. Much data: keep the far ones; little data: keep the near ones.

    Examples
    --------
    >>> x = np.array([[2.0, 0.0], [0.0, 3.0], [0.0, -1.0]])
    >>> prototype_distance(x, np.array([[1.0, 0.0], [0.0, 1.0]])).tolist()
    [0.0, 0.0, 1.0]
    """
    return np.asarray(np.float32(1) - assign(embedding, centroids)[1])


def compute(inputs: Inputs, params: PrototypeParams, state: State) -> Mapping[str, Array]:
    """Which centroid of the fitted state is nearest to each document, and how far it is.

    Returns
    -------
    prototype_distance : float32 (n,)
        As the function of that name.
    prototype_cluster : float32 (n,)
        The row of the nearest centroid, the lowest of equally near ones.
    """
    labels, similarity = assign(inputs.columns["embedding"], state["centroids"])
    return {
        "prototype_distance": as_column(np.float32(1) - similarity),
        "prototype_cluster": as_column(labels.astype(np.float32)),
    }


_PAPER = "Sorscher et al. 2022, arXiv:2206.14486"

SPECS: tuple[ScoreSpec, ...] = tuple(
    ScoreSpec(
        name=name,
        version=version,
        title=title,
        unit=unit,
        better="neither",
        needs=("embedding",),
        compute=compute,
        params=PrototypeParams,
        fit=fit,
        paper=_PAPER,
    )
    for name, version, title, unit in (
        (
            "prototype_distance",
            2,
            "Cosine distance to the nearest of the sample's cluster centres",
            "cosine distance",
        ),
        ("prototype_cluster", 1, "Number of the nearest of the sample's cluster centres", "cluster"),
    )
)
