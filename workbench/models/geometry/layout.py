"""Two coordinates for each embedding, so that similar ones lie near each other (UMAP)."""

from __future__ import annotations

import math
import sys
import warnings
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from workbench.checks import FloatArray, check_at_least, check_fraction
from workbench.errors import InputError
from workbench.models.geometry.neighbours import NeighboursParams, neighbours

_MIN_FOR_UMAP = 30
"""With fewer distinct embeddings, each neighbourhood is half of the sample and UMAP's start may fail."""

_EXACT_ROWS = 50_000


def lay_out(
    embedding: FloatArray,
    *,
    n_neighbors: int,
    min_distance: float,
    n_epochs: int,
    seed: int,
    backend: Literal["umap-learn", "cuml"] = "umap-learn",
) -> npt.NDArray[np.float32]:
    """The map of some embeddings.

    Parameters
    ----------
    embedding
        float32 (n, d).
    n_neighbors
        Documents that make up a neighbourhood, at least 2.
    min_distance
        How close points may lie, 0..1.
    n_epochs
        Passes of the layout, at least 1.
    seed
        The same seed gives the same map on the same machine.
    backend
        "cuml" runs on a GPU and gives another map.

    Returns
    -------
    float32 (n, 2); NaN where the embedding isn't finite, or is zero.

    Raises
    ------
    InputError
        If a param is out of range, or the backend isn't installed.

    Notes
    -----
    McInnes, Healy and Melville 2018, arXiv:1802.03426, cosine; by umap-learn on one thread, since only so it
    repeats, from our own neighbours (exact up to 50,000 rows). Below 30 distinct embeddings the map is the
    first two principal components.
    """
    check_at_least("n_neighbors", n_neighbors, 2)
    check_at_least("n_epochs", n_epochs, 1)
    check_fraction("min_distance", min_distance)
    if backend not in _MAKERS:
        raise InputError(f"backend must be one of {', '.join(_MAKERS)}, got {backend!r}")
    # A row of zeros has no direction, and so no cosine with any other.
    usable = np.isfinite(embedding).all(axis=1) & (embedding != 0).any(axis=1)
    place = np.full((len(embedding), 2), np.nan, dtype=np.float32)
    rows = np.ascontiguousarray(embedding[usable], dtype=np.float32)
    if len(np.unique(rows, axis=0)) < _MIN_FOR_UMAP:
        place[usable] = _principal(rows)
        return place
    maker = _MAKERS[backend](
        rows,
        n_neighbors=min(n_neighbors, len(rows) - 1),
        min_dist=min_distance,
        n_epochs=n_epochs,
        metric="cosine",
        # numpy's RandomState takes 32 bits.
        random_state=seed % 2**32,
    )
    with warnings.catch_warnings():
        # Texts of several languages do fall apart into unconnected groups; the map shows that.
        warnings.filterwarnings("ignore", message=".*[Gg]raph is not fully connected.*")
        warnings.filterwarnings("ignore", message=".*Spectral initialisation failed.*")
        warnings.filterwarnings("ignore", message=".*precomputed_knn.*")
        place[usable] = maker.fit_transform(rows)
    return place


def _umap_learn(rows: FloatArray, n_neighbors: int, random_state: int, **params: Any) -> Any:
    try:
        import umap
    except ImportError as error:
        raise InputError(
            'the map needs umap-learn, which is not installed; run `pip install "selection-workbench[lab]"`'
        ) from error
    _keep_compiled("umap.umap_", "umap.layouts", "umap.utils")
    # umap-learn compares small samples pair by pair in Python (25 s for 3,800 rows, of 28 s in all).
    method: Literal["exact", "approximate"] = "exact" if len(rows) <= _EXACT_ROWS else "approximate"
    near = neighbours(
        rows, n_neighbors, NeighboursParams("cosine", method), include_self=True, seed=random_state
    )
    known = (near.indices.astype(np.int32), 1 - near.similarity)
    return umap.UMAP(
        n_jobs=1, n_neighbors=n_neighbors, random_state=random_state, precomputed_knn=known, **params
    )


@cache
def _keep_compiled(*modules: str) -> None:
    """Let numba keep on disk what it compiles of these modules: else each process waits 15 s for its first map."""
    from numba.core.dispatcher import Dispatcher

    for module in modules:
        for function in vars(sys.modules[module]).values():
            if isinstance(function, Dispatcher):
                # There may be no folder that can be written; then it is compiled each time, as without us.
                with suppress(RuntimeError):
                    function.enable_caching()


def _cuml(rows: FloatArray, **params: Any) -> Any:
    # Its results have not been looked at on a GPU; the test sees to the call alone.
    try:
        from cuml.manifold import UMAP
    except ImportError as error:
        raise InputError(
            "backend cuml needs RAPIDS cuML and a GPU; install it as its site says, or take backend umap-learn"
        ) from error
    return UMAP(output_type="numpy", **params)


_MAKERS: dict[str, Callable[..., Any]] = {"umap-learn": _umap_learn, "cuml": _cuml}


def _principal(rows: FloatArray) -> FloatArray:
    """The first two principal components, each with its largest entry positive; 0 where there is none."""
    out = np.zeros((len(rows), 2))
    if len(rows):
        centred = rows - rows.mean(axis=0, dtype=np.float64)
        left, size, _ = np.linalg.svd(centred, full_matrices=False)
        # Below this it is rounding: identical embeddings lie on one point.
        n_axes = int((size[:2] > 1e-5 * math.sqrt(len(rows))).sum())
        axes = left[:, :n_axes] * size[:n_axes]
        sign = np.sign(axes[np.abs(axes).argmax(axis=0), np.arange(n_axes)])
        out[:, :n_axes] = axes * sign
    return out
