"""CRISP: how much more of the target than of the sample lies in a document's cluster."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from workbench.checks import Array
from workbench.errors import InputError
from workbench.models.geometry.kmeans import assign, sample_centroids
from workbench.scores.base import Inputs, ScoreSpec, State, as_column

_FLOOR = 1e-8


@dataclass(frozen=True)
class CrispParams:
    """How the clusters are found, on the sample alone.

    Attributes
    ----------
    n_clusters
        At most, at least 1: a small sample of n documents gets n // 10. The paper has 64 and powers of 64; few target
        texts ask for few clusters.
    n_iterations
        Of k-means, at least 1.
    """

    n_clusters: int = 64
    n_iterations: int = 20


def fit(inputs: Inputs, params: CrispParams, seed: int) -> State:
    """The sample's clusters and their weights.

    Returns
    -------
    centroids : float32 (k, d), unit rows
    log_weight : float64 (k,)
        Log of the target's share of the cluster over the sample's, each with 1e-8 added.

    Raises
    ------
    InputError
        If a param is out of range, or no target text has a vector of the documents' length.
    """
    assert inputs.target is not None
    x, target = inputs.columns["embedding"], inputs.target.columns["embedding"]
    if not len(target) or target.shape[1] != x.shape[1]:
        raise InputError(
            f"the target needs a text with a vector of {x.shape[1]} numbers, got vectors of shape {target.shape}"
        )
    centroids = sample_centroids(x, params.n_clusters, params.n_iterations, seed)
    shares = [
        np.bincount(assign(rows, centroids)[0], minlength=len(centroids)) / len(rows) for rows in (target, x)
    ]
    return {"centroids": centroids, "log_weight": np.log(shares[0] + _FLOOR) - np.log(shares[1] + _FLOOR)}


def compute(inputs: Inputs, params: CrispParams, state: State) -> Mapping[str, Array]:
    """`crisp_log_weight`, float32 (n,): the log-weight of each document's cluster.

    Notes
    -----
    Grangier et al. 2024, arXiv:2410.03735: draw a cluster by the target's histogram, then a document of it evenly. That
    is a draw in proportion to the target's share of the cluster over the sample's: `rank` with draw="gumbel" (without
    replacement). 1e-8 is added to each share, so that a cluster which the target lacks has a number; it is drawn last.
    The paper's clusters are hierarchical, these are not. Few target texts and many clusters repeat few documents.
    """
    cluster = assign(inputs.columns["embedding"], state["centroids"])[0]
    return {"crisp_log_weight": as_column(state["log_weight"][cluster])}


SPECS: tuple[ScoreSpec, ...] = (
    ScoreSpec(
        name="crisp_log_weight",
        version=1,
        title="CRISP: log of the target's share of the document's cluster over the sample's",
        unit="nats",
        better="higher",
        needs=("embedding", "target"),
        compute=compute,
        params=CrispParams,
        fit=fit,
        paper="Grangier et al. 2024, arXiv:2410.03735",
        status="experimental",
    ),
)
