"""SCIP: drop code files of small clusters, then those far from their cluster's centre."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from workbench.checks import check_fraction
from workbench.selectors.base import DESIGN_WEIGHT, Columns, Selection, SelectorSpec, State
from workbench.selectors.budget import keep_first


@dataclass(frozen=True)
class ScipParams:
    """Parameters of `select_scip`.

    Attributes
    ----------
    keep_fraction
        In 0..1; the paper drops 0.2.
    alpha
        In 0..1: the part of what is dropped that goes for the size of its cluster, the rest for its distance.
    """

    keep_fraction: float = 0.8
    alpha: float = 0.8


def scan_scip(columns: Columns, params: ScipParams, state: State, seed: int) -> Columns:
    """The two orders in which documents go.

    Returns
    -------
    size : float64 (n,), documents of the corpus that the cluster's documents stand for
    by_size, by_distance : int64 (n,), 0 for the document that is kept first
        By size the last is in a smallest cluster, of those the farthest from its centre, of those the smallest doc_id.
    """
    doc_id, distance = np.asarray(columns["doc_id"]), np.asarray(columns["prototype_distance"])
    cluster = np.unique(columns["prototype_cluster"], return_inverse=True)[1]
    size = np.bincount(cluster, columns[DESIGN_WEIGHT])[cluster]
    ranks = []
    for keys in ((doc_id, -distance, size), (doc_id, -distance)):
        rank = np.empty(len(doc_id), dtype=np.int64)
        rank[np.lexsort(keys)] = np.arange(len(doc_id))[::-1]
        ranks.append(rank)
    return {"size": size, "by_size": ranks[0], "by_distance": ranks[1]}


def select_scip(columns: Columns, params: ScipParams, state: State, seed: int) -> Selection:
    """Drop the documents of the smallest clusters, then of the others those farthest from their cluster's centre.

    Parameters
    ----------
    columns
        DESIGN_WEIGHT, `prototype_cluster`, `prototype_distance`, each (n,), and what `scan_scip` gives.

    Raises
    ------
    InputError
        If keep_fraction or alpha lies outside 0..1.

    Notes
    -----
    Yang et al. 2023, arXiv:2312.02418. Of n documents the nearest whole number to keep_fraction * n is kept, and the
    first stage leaves the nearest to (1 - alpha * (1 - keep_fraction)) * n.
    """
    check_fraction("keep_fraction", params.keep_fraction)
    check_fraction("alpha", params.alpha)
    by_size, by_distance = columns["by_size"], columns["by_distance"]
    first_share = 1 - params.alpha * (1 - params.keep_fraction)
    large = keep_first(columns, by_size, first_share, "documents")
    rank = np.empty_like(by_size)
    rank[np.lexsort((np.where(large, by_distance, by_size), ~large))] = np.arange(len(rank))
    keep = keep_first(columns, rank, params.keep_fraction, "documents")
    distance, size, n = columns["prototype_distance"], columns["size"], len(rank)

    def explain(i: int) -> str:
        if not large[i]:
            return (
                f"its cluster has {size[i]:,.0f} documents: by the size of clusters it has rank {by_size[i] + 1:,} of "
                f"{n:,}, of which the first {first_share:.4g} are kept"
            )
        return (
            f"too far from its cluster's centre: distance {distance[i]:.4g} is among the largest of the "
            f"{int(large.sum()):,} documents in larger clusters, of which {int(keep.sum()):,} are kept"
        )

    return Selection(keep, explain, score=-rank.astype(np.float64))


SPEC = SelectorSpec(
    name="scip",
    version=1,
    title="SCIP: drop code in small clusters and far from its cluster's centre",
    paper="Yang et al. 2023, arXiv:2312.02418",
    scope="column",
    params=ScipParams,
    needs=lambda params: ("prototype_distance", "prototype_cluster", DESIGN_WEIGHT),
    reads=("embedding", "score"),
    select=select_scip,
    scan=scan_scip,
    about="For code: damaged syntax was seen to land in small clusters and damaged content far from centres, so that "
    "is what goes. On Python of The Stack its paper gains up to 3 % over no pruning on HumanEval and MBPP. The paper "
    "has 100 clusters: set n_clusters of prototype_distance. It keeps copies, which make large clusters, and long "
    "files lie elsewhere than short ones.",
    assumed=(
        "Where the boundary falls within a cluster, the documents farthest from its centre go first, then by doc_id.",
    ),
    help={
        "keep_fraction": "share to keep, 0 to 1; the paper has 0.8",
        "alpha": "part of what is dropped that goes for the size of its cluster, 0 to 1; the rest for its distance",
    },
)
