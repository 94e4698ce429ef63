"""CiT: keep what is near enough to any target text, and at least a given share."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from workbench.checks import check_fraction, check_range
from workbench.selectors.base import DESIGN_WEIGHT, Columns, Selection, SelectorSpec, State
from workbench.selectors.budget import keep_first, rank_of


@dataclass(frozen=True)
class CitParams:
    """Parameters of `select_cit`.

    Attributes
    ----------
    threshold
        A document is kept if its largest cosine similarity to a target text is above it.
    min_ratio
        In 0..1: if fewer than this share of the documents pass, the nearest ones are kept until it is reached.
    """

    threshold: float = 0.55
    min_ratio: float = 0.0


def scan_cit(columns: Columns, params: CitParams, state: State, seed: int) -> Columns:
    """`rank`, int64 (n,): 0 for the document that is nearest to a target text."""
    return {"rank": rank_of(columns, columns["target_similarity"])}


def select_cit(columns: Columns, params: CitParams, state: State, seed: int) -> Selection:
    """Keep the documents whose `target_similarity` is above the threshold, and at least `min_ratio` of all.

    Raises
    ------
    InputError
        If min_ratio lies outside 0..1, or threshold is no number.

    Notes
    -----
    Xu et al. 2023, arXiv:2301.02241, and facebookresearch/CiT. There the target texts are the task's metadata
    (names of classes; here prompts or skills), the encoder is the model in training, and embedding, filtering and
    training alternate; here it is one such round. The share is asked of each batch there, here of all documents.
    """
    check_fraction("min_ratio", params.min_ratio)
    check_range(params.threshold, None)
    similarity, rank = columns["target_similarity"], columns["rank"]
    weight = np.asarray(columns[DESIGN_WEIGHT], dtype=np.float64)
    passes = similarity > params.threshold
    if weight[passes].sum() >= params.min_ratio * weight.sum():
        return Selection(
            np.asarray(passes, dtype=bool),
            lambda i: f"target_similarity {similarity[i]:.4g} is not above {params.threshold:g}",
            score=similarity.astype(np.float64),
        )
    keep = keep_first(columns, rank, params.min_ratio, "documents")
    n, n_kept = len(keep), int(keep.sum())
    return Selection(
        keep,
        lambda i: (
            f"target_similarity {similarity[i]:.4g} has rank {rank[i] + 1:,} of {n:,}, the first {n_kept:,} are kept "
            f"since fewer are above {params.threshold:g}"
        ),
        score=similarity.astype(np.float64),
    )


SPEC = SelectorSpec(
    name="cit",
    version=1,
    title="CiT: keep what is near enough to any target text",
    paper="Xu et al. 2023, arXiv:2301.02241",
    status="experimental",
    scope="column",
    params=CitParams,
    needs=lambda params: ("target_similarity", DESIGN_WEIGHT),
    select=select_cit,
    scan=scan_cit,
    about="Keeps documents that resemble one of the target texts closely, however many that are, and loses the rest. "
    "The paper filters image captions by the model in training and trains more than ten times as fast; this is one "
    "round of it, with a fixed embedder. Another embedder has other similarities, so the threshold doesn't carry over. "
    "Copies are kept all alike: remove them first.",
    assumed=("The least share is asked of all documents at once; the released code asks it of each batch.",),
    help={
        "threshold": "least similarity, itself not enough; the released code has 0.55",
        "min_ratio": "share that is kept at least, 0 to 1",
    },
)
