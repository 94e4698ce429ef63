"""Density sampling: draw documents the more often the fewer others lie near them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from workbench.errors import InputError
from workbench.selectors.base import Columns, Selection, SelectorSpec, State
from workbench.selectors.budget import Unit, budget_needs, end_of_cut, gumbel, keep_first, rank_of


@dataclass(frozen=True)
class DensityParams:
    """Parameters of `select_density`.

    Attributes
    ----------
    keep_fraction
        In 0..1.
    variant
        "inverse": in proportion to one over the density, as the paper's text and theorem have it, so that what is kept
        covers the space evenly. "printed": in proportion to the density, as its printed algorithm ends, a misprint.
    unit
        "documents" (the paper) or "tokens".
    """

    keep_fraction: float = 0.25
    variant: Literal["inverse", "printed"] = "inverse"
    unit: Unit = "documents"


def scan_density(columns: Columns, params: DensityParams, state: State, seed: int) -> Columns:
    """`rank`, int64 (n,): 0 for the document that is drawn first.

    Raises
    ------
    InputError
        If a density isn't above 0.
    """
    density = np.asarray(columns["lsh_density"], dtype=np.float64)
    if not (density > 0).all():
        raise InputError(
            f"lsh_density must be above 0, got {density.min():g}; score it with this workbench's lsh_density"
        )
    log_weight = np.log(density) if params.variant == "printed" else -np.log(density)
    return {"rank": rank_of(columns, log_weight + gumbel(seed, list(columns["doc_id"]), "density"))}


def select_density(columns: Columns, params: DensityParams, state: State, seed: int) -> Selection:
    """Draw documents without replacement in proportion to the inverse of their density.

    Parameters
    ----------
    columns
        `lsh_density` (n,), what `budget_needs` names, and `rank` as `scan_density` gives it.

    Raises
    ------
    InputError
        If keep_fraction lies outside 0..1.

    Notes
    -----
    Sachdeva et al. 2024, arXiv:2402.09668: inverse propensity sampling, drawn as Gumbel top-k of minus the logarithm.
    """
    density, rank = columns["lsh_density"], columns["rank"]
    keep = keep_first(columns, rank, params.keep_fraction, params.unit)
    n, ends = len(keep), end_of_cut(columns, keep, rank, params.unit)
    return Selection(
        keep,
        lambda i: f"density {density[i]:.6g}: the draw has it as number {rank[i] + 1:,} of {n:,}, {ends}",
        score=-rank.astype(np.float64),
    )


SPEC = SelectorSpec(
    name="density",
    version=1,
    title="Density sampling: draw the more often the fewer documents lie near",
    paper="Sachdeva et al. 2024, arXiv:2402.09668",
    scope="column",
    params=DensityParams,
    needs=lambda params: ("lsh_density", *budget_needs(params.unit)),
    reads=("embedding", "score"),
    select=select_density,
    scan=scan_density,
    scan_params=("variant",),
    about="Thins out where documents lie densely and keeps what is rare, so that the selection covers the embedding "
    "space about evenly. For T5-Large on 20 % of C4 its paper reports over-scaling by 2.8 % (random -6.5 %); with 25 "
    "to 50 % kept it recovers what all data give. Rare is noise too, so clean first; copies are thinned, not removed. "
    "How densely documents lie depends on their length where the embedder cuts or averages.",
    assumed=(
        "The paper gives no bandwidth: 0.5 in the embedding's scale, which for unit vectors is near.",
        "Four hashes must agree where the paper speaks of one: with one, all the far documents outweigh the near ones.",
    ),
    help={
        "keep_fraction": "share to keep, 0 to 1",
        "variant": "inverse: in proportion to 1 / density; printed: to the density, the misprint of the algorithm",
        "unit": "what the share is of: documents or tokens",
    },
)
