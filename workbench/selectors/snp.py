"""SnP, search and pruning: the clusters that together come nearest to the target, thinned out evenly."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from workbench.checks import FloatArray, IntArray, check_fraction
from workbench.errors import InputError
from workbench.selectors.base import DESIGN_WEIGHT, Columns, Selection, SelectorSpec, State


@dataclass(frozen=True)
class SnpParams:
    """Parameters of `select_snp`.

    Attributes
    ----------
    keep_fraction
        In 0..1, of all documents: the most that pruning leaves of what the search found. The paper's sets are a fifth
        of the pool.
    """

    keep_fraction: float = 0.2


def search(
    x: FloatArray, weight: FloatArray, label: IntArray, target: FloatArray
) -> tuple[FloatArray, IntArray, int]:
    """Which clusters to merge so that together they come nearest to the target.

    Parameters
    ----------
    x
        (n, d), unit rows.
    weight
        (n,).
    label
        int64 (n,): 0 to k - 1, each of which has rows.
    target
        (q, d).

    Returns
    -------
    distance : float64 (k,), the Fréchet distance of each cluster to the target
    order : int64 (k,), clusters from the nearest on; of equal distances the lower number first
    n_merged : int
        How many of the first ones together have the smallest distance; of equal ones the fewest.
    """
    from workbench.models.geometry.frechet import Aim, moments

    aim = Aim.of(moments(target))
    # One cluster after the other, and in the axes of the target, where a distance takes half of the time.
    by_label = np.argsort(label, kind="stable")
    rows = np.split(by_label, np.cumsum(np.bincount(label))[:-1])
    clusters = [moments(x[at].astype(np.float64) @ aim.axes, weight[at]) for at in rows]
    distance = np.array([aim.distance(cluster) for cluster in clusters])
    order = np.argsort(np.round(distance, 9), kind="stable")
    merged = clusters[order[0]]
    together = [distance[order[0]]]
    for c in order[1:]:
        merged = merged.merged(clusters[c])
        together.append(aim.distance(merged))
    return distance, order, int(np.argmin(np.round(together, 9))) + 1


def scan_snp(columns: Columns, params: SnpParams, state: State, seed: int) -> Columns:
    """Search, then prune.

    Returns
    -------
    pick : int64 (n,), when farthest-point sampling comes to a document, -1 where it doesn't
    place : int64 (n,), 0 for documents of the cluster nearest to the target
    is_found : bool (n,), whether the search left the document
    distance : float64 (n,), the Fréchet distance of its cluster

    Raises
    ------
    InputError
        If keep_fraction lies outside 0..1.
    """
    from workbench.models.geometry.farthest import farthest_points
    from workbench.models.geometry.rows import unit_rows

    check_fraction("keep_fraction", params.keep_fraction)
    n = len(columns["doc_id"])
    if not n:
        empty: IntArray = np.zeros(0, dtype=np.int64)
        return {"pick": empty, "place": empty, "is_found": empty > 0, "distance": np.zeros(0)}
    # By id, so that sums and ties are those of any order of rows.
    by_id = np.argsort(np.asarray(columns["doc_id"]), kind="stable")
    x = unit_rows(columns["embedding"])[by_id]
    weight = np.asarray(columns[DESIGN_WEIGHT], dtype=np.float64)[by_id]
    label = np.unique(columns["prototype_cluster"][by_id], return_inverse=True)[1].astype(np.int64)
    if x.shape[1] != state["target"].shape[1]:
        raise InputError(
            f"the target's vectors have {state['target'].shape[1]} numbers, the documents' {x.shape[1]}; score the "
            "target with the same embedder"
        )
    distance, order, n_merged = search(x, weight, label, state["target"])
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    is_found = place[label] < n_merged
    rows = np.flatnonzero(is_found)
    nearest = int(np.argmax(x[rows] @ state["target"].mean(axis=0)))
    budget = params.keep_fraction * float(weight.sum())
    picked = rows[farthest_points(x[rows], nearest, weight[rows], budget)]
    found = {name: np.empty(n, dtype=np.int64) for name in ("pick", "place")}
    found["pick"][:] = -1
    found["pick"][by_id[picked]] = np.arange(len(picked))
    found["place"][by_id] = place[label]
    spread_found, spread_distance = np.empty(n, dtype=bool), np.empty(n)
    spread_found[by_id], spread_distance[by_id] = is_found, distance[label]
    return {**found, "is_found": spread_found, "distance": spread_distance}


def select_snp(columns: Columns, params: SnpParams, state: State, seed: int) -> Selection:
    """Keep of the clusters nearest to the target those documents that lie farthest from each other.

    Parameters
    ----------
    columns
        What `scan_snp` gives, each (n,).

    Notes
    -----
    Yao et al. 2023, arXiv:2303.16186, and yorkeyao/SnP, for images of persons and vehicles. Search: clusters are ranked
    by the Fréchet distance of their vectors to the target's and merged in that order; the first ones that together are
    nearest are left. Pruning: there identities are drawn and of their images the farthest from each other are kept;
    texts have no identities, so only the latter is here.
    """
    pick, place, is_found, distance = (columns[name] for name in ("pick", "place", "is_found", "distance"))
    keep = pick >= 0
    n_kept, n_found = int(keep.sum()), int(is_found.sum())
    n_merged = int(place[is_found].max(initial=-1)) + 1

    def explain(i: int) -> str:
        if is_found[i]:
            return (
                f"its cluster is left by the search, but it lies nearer to kept documents than others do: {n_kept:,} "
                f"of {n_found:,} are kept"
            )
        return (
            f"its cluster is number {place[i] + 1:,} by Fréchet distance to the target ({distance[i]:.4g}), and the "
            f"first {n_merged:,} together come nearest"
        )

    return Selection(keep, explain, score=np.where(keep, -pick, -len(pick) - place).astype(np.float64))


SPEC = SelectorSpec(
    name="snp",
    version=1,
    title="SnP: the clusters that together come nearest to the target, thinned out evenly",
    paper="Yao et al. 2023, arXiv:2303.16186",
    status="experimental",
    scope="column",
    params=SnpParams,
    needs=lambda params: ("embedding", "prototype_cluster", "target_similarity", DESIGN_WEIGHT),
    reads=("embedding", "score"),
    score_params=(),
    select=select_snp,
    state_of="target_similarity",
    scan=scan_snp,
    scan_params=("keep_fraction",),
    about="Keeps whole topics whose spread is the target's, then the outermost of their documents, so noise in a "
    "wanted cluster goes first into what is kept and near-copies go last. Its paper searches images for "
    "re-identification: sets 80 % smaller than the pool at equal or better accuracy. Clusters are those of "
    "prototype_distance: set its n_clusters; the released code has 50 of equal size. Few target texts tell little of "
    "their spread.",
    cost="documents found x documents kept at most; 22 s of one core for 30,000 of 100,000 documents",
    assumed=(
        "Documents stand for images; there are no identities to draw first.",
        "The document nearest to the target's mean is picked first.",
        "Both covariances are shrunk where a set has fewer vectors than dimensions; the released code has them whole.",
        "All documents of merged clusters count; the released code draws as many of them as the target has.",
    ),
    help={"keep_fraction": "largest share of all documents to keep, 0 to 1; the paper keeps a fifth"},
)
