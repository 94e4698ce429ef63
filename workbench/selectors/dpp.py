"""DPP: keep the documents that together span the most, each of which adds something to those before it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from workbench.checks import FloatArray, check_fraction
from workbench.errors import InputError
from workbench.selectors.base import DESIGN_WEIGHT, Columns, Selection, SelectorSpec, State
from workbench.selectors.budget import Unit, budget_needs, keep_first

_MAX_LOG_RANGE = 600.0  # of float64's 709


@dataclass(frozen=True)
class DppParams:
    """Parameters of `select_dpp`.

    Attributes
    ----------
    keep_fraction
        In 0..1, of what the steps before left; at most `order_fraction`.
    order_fraction
        In 0..1: so much is put in order, which takes the time; any smaller keep_fraction is answered from it.
    bandwidth
        s of the kernel exp(-|z_i - z_j|^2 / (2 s^2)), above 0.
    quality
        A score, higher being better: the kernel is g_i K_ij g_j with g = exp(quality_weight * score). None: diversity
        alone.
    quality_weight
        lambda; negative where a lower score is better.
    unit
        "documents" or "tokens".
    """

    keep_fraction: float = 0.1
    order_fraction: float = 0.2
    bandwidth: float = 1.0
    quality: str | None = None
    quality_weight: float = 1.0
    unit: Unit = "documents"


def scan_dpp(columns: Columns, params: DppParams, state: State, seed: int) -> Columns:
    """The greedy order up to `order_fraction`.

    Returns
    -------
    rank : int64 (n,), those that weren't put in order behind all others
    is_ordered : bool (n,)
    gain : float64 (n,), d^2 when the document was picked, at the end if it wasn't
    """
    from workbench.models.geometry.dpp import greedy_order

    check_fraction("order_fraction", params.order_fraction)
    if not math.isfinite(params.quality_weight):
        raise InputError(
            f"quality_weight must be a number, got {params.quality_weight:g}; 0 leaves quality out"
        )
    by_id = np.argsort(np.asarray(columns["doc_id"]), kind="stable")
    amount = np.asarray(columns[DESIGN_WEIGHT], dtype=np.float64)[by_id]
    if params.unit == "tokens":
        amount = amount * columns["n_tokens"][by_id]
    log_quality: FloatArray | None = None
    if params.quality is not None:
        log_quality = params.quality_weight * np.asarray(columns[params.quality], dtype=np.float64)[by_id]
        if len(log_quality) and np.ptp(log_quality) > _MAX_LOG_RANGE:
            raise InputError(
                f"quality_weight times {params.quality} spans {np.ptp(log_quality):.3g}, and exp of it at most "
                f"{_MAX_LOG_RANGE:g}; take a smaller quality_weight than {params.quality_weight:g}"
            )
    found = greedy_order(
        columns["embedding"][by_id],
        amount,
        params.order_fraction * float(amount.sum()),
        bandwidth=params.bandwidth,
        log_quality=log_quality,
    )
    n, k = len(by_id), len(found.order)
    is_ordered = np.zeros(n, dtype=bool)
    is_ordered[by_id[found.order]] = True
    rank = np.empty(n, dtype=np.int64)
    rank[by_id[found.order]] = np.arange(k)
    rest = by_id[~is_ordered[by_id]]
    rank[rest] = np.arange(k, n)
    gain = np.empty(n)
    gain[by_id] = found.gain
    return {"rank": rank, "is_ordered": is_ordered, "gain": gain}


def select_dpp(columns: Columns, params: DppParams, state: State, seed: int) -> Selection:
    """Keep the first documents of the greedy order until `keep_fraction` of all documents or tokens is reached.

    Parameters
    ----------
    columns
        What `scan_dpp` gives, and what the budget reads.

    Raises
    ------
    InputError
        If keep_fraction lies outside 0..1 or above order_fraction, or the bandwidth isn't above 0.

    Notes
    -----
    Wang et al. 2024, arXiv:2402.02318, with the greedy MAP of Chen et al. 2018, arXiv:1709.05135. A document whose d^2
    is below 1e-10 (a copy of those kept) is never picked, whatever the fraction. Of documents that add alike the one
    with the smaller doc_id comes first; so the first pick without a quality is the smallest doc_id.
    """
    from workbench.models.geometry.dpp import ADDS_NOTHING

    if check_fraction("keep_fraction", params.keep_fraction) > params.order_fraction:
        raise InputError(
            f"keep_fraction must not be above order_fraction, got {params.keep_fraction:g} and "
            f"{params.order_fraction:g}; raise order_fraction"
        )
    rank, is_ordered, gain = columns["rank"], columns["is_ordered"], columns["gain"]
    keep = keep_first(columns, rank, params.keep_fraction, params.unit) & is_ordered
    n_ordered, n_kept = int(is_ordered.sum()), int(keep.sum())

    def explain(i: int) -> str:
        if is_ordered[i]:
            return f"adds d^2 {gain[i]:.3g} as number {rank[i] + 1:,} of the order, the first {n_kept:,} are kept"
        if gain[i] < ADDS_NOTHING:
            return f"adds nothing to the {n_ordered:,} documents before it: d^2 is below {ADDS_NOTHING:g}"
        return f"is not among the first {n_ordered:,} of the order, the first {n_kept:,} are kept"

    return Selection(keep, explain, score=-rank.astype(np.float64))


SPEC = SelectorSpec(
    name="dpp",
    version=1,
    title="DPP: keep the documents that together are most diverse",
    paper="Wang et al. 2024, arXiv:2402.02318",
    scope="column",
    params=DppParams,
    needs=lambda params: tuple(
        dict.fromkeys(
            (
                "embedding",
                *budget_needs(params.unit),
                *(() if params.quality is None else (params.quality,)),
            )
        )
    ),
    reads=("embedding", "score"),
    score_params=("quality",),
    select=select_dpp,
    scan=scan_dpp,
    scan_params=("order_fraction", "bandwidth", "quality", "quality_weight", "unit"),
    about="Keeps what differs most from everything kept before it and loses the dense middle; noise and rare formats "
    "differ most of all, so clean first. The paper measures by normalised gradients how diverse a set is, and that "
    "number goes with how well models follow instructions; bring gradients with `--embedder column:NAME` (they become "
    "unit vectors, since a gradient's length falls with that of its text), otherwise embeddings stand for them. "
    "The order takes n k^2 time and 8 n k bytes for k of n documents, at most 2 GiB.",
    assumed=(
        "The bandwidth of the paper's kernel isn't known to us; 1 is a choice for unit vectors.",
        "How the paper weighs quality against diversity isn't known to us; g = exp(quality_weight * score) is usual.",
    ),
    cost="n k^2 for k in order",
    help={
        "keep_fraction": "share to keep, 0 to 1, at most order_fraction",
        "order_fraction": "share that is put in order once; any smaller share to keep is then answered at once",
        "bandwidth": "of the kernel: at this distance two unit vectors count as 0.61 alike",
        "quality": "score that is weighed against diversity, or none",
        "quality_weight": "how much the score counts; negative where lower is better",
        "unit": "what the share is of: documents or tokens",
    },
)
