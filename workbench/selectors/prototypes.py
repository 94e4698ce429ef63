"""SSL prototypes: keep the documents far from (or near to) the centre of their cluster."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from workbench.checks import FloatArray, check_fraction
from workbench.selectors.base import DESIGN_WEIGHT, Columns, Selection, SelectorSpec, State
from workbench.selectors.budget import Unit, budget_needs, end_of_cut, keep_first, rank_of


@dataclass(frozen=True)
class PrototypesParams:
    """Parameters of `select_prototypes`.

    Attributes
    ----------
    keep_fraction
        In 0..1.
    keep
        "hard" (far from the centre: the paper's choice where there is much data) or "easy" (near: where there is
        little).
    floor
        Class balance, in 0..1: each source keeps at least this share of an equal part of what is kept; the rest goes
        by rank over all. The paper's experiments have 0.5, 0 is off.
    unit
        "documents" (the paper) or "tokens".
    """

    keep_fraction: float = 0.5
    keep: Literal["hard", "easy"] = "hard"
    floor: float = 0.0
    unit: Unit = "documents"


def scan_prototypes(columns: Columns, params: PrototypesParams, state: State, seed: int) -> Columns:
    """`rank`, int64 (n,): 0 for the document that is kept first."""
    distance = columns["prototype_distance"]
    return {"rank": rank_of(columns, distance if params.keep == "hard" else -distance)}


def select_prototypes(columns: Columns, params: PrototypesParams, state: State, seed: int) -> Selection:
    """Keep the share of documents farthest from (nearest to) the centroid of their own cluster, over all clusters.

    Parameters
    ----------
    columns
        `prototype_distance` (n,), `source` where there is a floor, and `rank` as `scan_prototypes` gives it.

    Raises
    ------
    InputError
        If keep_fraction or floor lies outside 0..1.

    Notes
    -----
    Sorscher et al. 2022, arXiv:2206.14486; the floor as in facebookresearch's effective_pruning: int(M / K * floor) of
    each of K classes.
    """
    check_fraction("floor", params.floor)
    distance, rank = columns["prototype_distance"], columns["rank"]
    if params.floor:
        rank = _with_floor(columns, rank, params)
    keep = keep_first(columns, rank, params.keep_fraction, params.unit)
    n, ends = len(keep), end_of_cut(columns, keep, rank, params.unit)
    side = "far enough from" if params.keep == "hard" else "near enough to"
    return Selection(
        keep,
        lambda i: (
            f"not {side} its cluster's centre: distance {distance[i]:.4g} has rank {rank[i] + 1:,} of {n:,}, "
            f"{ends}"
        ),
        score=-rank.astype(np.float64),
    )


def _with_floor(columns: Columns, rank: FloatArray, params: PrototypesParams) -> FloatArray:
    """The ranking with each source's own share before all others."""
    names, source = np.unique(np.asarray(columns["source"], dtype=str), return_inverse=True)
    amount = np.array(columns[DESIGN_WEIGHT], dtype=np.float64)
    if params.unit == "tokens":
        amount *= columns["n_tokens"]
    share = np.floor(params.keep_fraction * amount.sum() / max(len(names), 1) * params.floor)
    own = np.zeros(len(rank), dtype=bool)
    for number in range(len(names)):
        rows = np.flatnonzero(source == number)
        rows = rows[np.argsort(rank[rows], kind="stable")]
        own[rows] = np.cumsum(amount[rows]) <= share
    order = np.lexsort((rank, ~own))
    again = np.empty_like(rank)
    again[order] = np.arange(len(order))
    return again


SPEC = SelectorSpec(
    name="prototypes",
    version=1,
    title="SSL prototypes: keep documents far from their cluster's centre",
    paper="Sorscher et al. 2022, arXiv:2206.14486",
    scope="column",
    params=PrototypesParams,
    needs=lambda params: (
        "prototype_distance",
        *budget_needs(params.unit),
        *(("source",) if params.floor else ()),
    ),
    reads=("embedding", "score"),
    select=select_prototypes,
    scan=scan_prototypes,
    scan_params=("keep",),
    about="Keeps what lies far from the middle of its cluster and loses the most typical documents (hard), or the "
    "other way round (easy). On ImageNet it equals the best supervised metric down to 70 to 80 % kept. Hard also "
    "means noise, so clean and remove duplicates first: copies drag a centre to themselves; they are kept all or none.",
    help={
        "keep_fraction": "share to keep, 0 to 1",
        "keep": "hard (far from the centre; much data) or easy (near; little data)",
        "floor": "class balance: share of an equal part that each source keeps at least; 0 is off, the paper has 0.5",
        "unit": "what the share is of: documents or tokens",
    },
)
