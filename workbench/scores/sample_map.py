"""The sample as a map: for looking at it, not for selecting a corpus by."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Literal

from workbench.checks import Array
from workbench.scores.base import Inputs, ScoreSpec, State, as_column


@dataclass(frozen=True)
class MapParams:
    """Parameters of `map_x` and `map_y`.

    Attributes
    ----------
    n_neighbors
        Documents that make up a neighbourhood, at least 2: fewer show detail, more show the whole.
    min_distance
        How close points may lie, 0..1, as a fraction of the map's scale.
    n_epochs
        Passes of the layout. umap-learn takes 500 up to 10,000 documents and 200 above; on the committed
        sample 200 do as well: as many of the 10 nearest neighbours share a cluster (.92 and .91, 500: .89 and
        .91).
    backend
        "umap-learn", or "cuml" on a GPU where RAPIDS cuML is installed: faster, and another map.
    """

    n_neighbors: int = 15
    min_distance: float = 0.1
    n_epochs: int = 200
    backend: Literal["umap-learn", "cuml"] = "umap-learn"


def compute_map(inputs: Inputs, params: MapParams, state: State) -> dict[str, Array]:
    """Two coordinates a document, so that similar texts lie near each other (UMAP, cosine).

    Parameters
    ----------
    inputs
        With `embedding`, float32 (n, d).
    state
        `seed`, int64 (1,). The same seed gives the same map on the same machine.

    Returns
    -------
    map_x, map_y : float32 (n,)
        NaN where the embedding isn't finite, or is zero. Axes and distances between far groups mean nothing.

    Raises
    ------
    InputError
        If a param is out of range, or the backend isn't installed.
    """
    from workbench.models.geometry.layout import lay_out

    place = lay_out(inputs.columns["embedding"], seed=int(state["seed"][0]), **asdict(params))
    return {"map_x": as_column(place[:, 0]), "map_y": as_column(place[:, 1])}


def _axis(name: str, which: str) -> ScoreSpec:
    return ScoreSpec(
        name=name,
        version=2,
        title=f"{which} coordinate on the map of the sample (UMAP of the embedding)",
        unit="map units",
        better="neither",
        needs=("embedding",),
        params=MapParams,
        compute=compute_map,
        scope="sample",
        paper="McInnes et al. 2018, arXiv:1802.03426",
    )


SPECS: tuple[ScoreSpec, ...] = (_axis("map_x", "First"), _axis("map_y", "Second"))
