"""The clusters that one sees on the map of the sample: for looking at it, not for selecting a corpus by."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np

from workbench.checks import Array
from workbench.scores.base import Inputs, ScoreSpec, State, as_column


@dataclass(frozen=True)
class ClusterParams:
    """Parameters of `cluster`.

    Attributes
    ----------
    min_cluster_fraction
        The smallest cluster, as a share of the sample in 0..1; never fewer than 5 documents.
    n_core_neighbors
        HDBSCAN's min_samples, at least 1: more call more documents noise.
    assign_noise
        Give noise to the cluster of the nearest document on the map that has one.
    """

    min_cluster_fraction: float = 0.005
    n_core_neighbors: int = 5
    assign_noise: bool = False


def compute_cluster(inputs: Inputs, params: ClusterParams, state: State) -> dict[str, Array]:
    """Groups of documents that lie densely on the map (HDBSCAN).

    Parameters
    ----------
    inputs
        With `map_x` and `map_y`, (n,).

    Returns
    -------
    cluster : float32 (n,)
        0 for the largest cluster, then by size; -1 for noise; NaN where the document has no place on the map.

    Raises
    ------
    InputError
        If a param is out of range, or hdbscan isn't installed.

    Notes
    -----
    Campello, Moulavi and Sander 2013; see `workbench.models.geometry.density`. BERTopic clusters a UMAP of 5
    dimensions, we the map: on the committed sample the two differ no more than two seeds of one do (adjusted
    Rand .65 to .85, .67 to .82), keep as many of the 10 nearest neighbours together (.89 to .92), and the
    clusters are those that one sees. `nearest_cluster` carries them to documents of the corpus.
    """
    from workbench.models.geometry.density import dense_clusters

    place = np.column_stack([inputs.columns["map_x"], inputs.columns["map_y"]]).astype(np.float64)
    finite = np.isfinite(place).all(axis=1)
    code = np.full(len(place), np.nan)
    code[finite] = dense_clusters(place[finite], **asdict(params))
    return {"cluster": as_column(code)}


SPECS: tuple[ScoreSpec, ...] = (
    ScoreSpec(
        name="cluster",
        version=2,
        title="Cluster on the map (HDBSCAN); 0 is the largest, -1 is noise",
        unit="cluster",
        better="neither",
        needs=("map_x", "map_y"),
        params=ClusterParams,
        compute=compute_cluster,
        scope="sample",
        paper="Campello et al. 2013",
        status="variant",
    ),
)
