"""How near a document lies to the nearest of the target texts, by the embedder in use."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from workbench.checks import Array
from workbench.errors import InputError
from workbench.models.geometry.kmeans import assign
from workbench.scores.base import Inputs, NoParams, ScoreSpec, State, as_column


def fit(inputs: Inputs, params: NoParams, seed: int) -> State:
    """The target's vectors and tasks.

    Returns
    -------
    target : float32 (q, d), unit rows, in the order of the target's ids
    task : int64 (q,): the place of each one's source among the target's sources in alphabetical order

    Raises
    ------
    InputError
        If no target text has a vector, or theirs are of another length than the documents'.
    """
    from workbench.models.geometry.rows import unit_rows

    assert inputs.target is not None
    target, width = inputs.target.columns["embedding"], inputs.columns["embedding"].shape[1]
    if not len(target):
        raise InputError("no text of the target has a vector; give texts that the embedder can read")
    if target.shape[1] != width:
        raise InputError(
            f"the target's vectors have {target.shape[1]} numbers, the documents' {width}; take both from one model"
        )
    task = np.unique(np.array(inputs.target.sources, dtype=object), return_inverse=True)[1]
    return {
        "target": unit_rows(target, what="row {} of the target's embeddings"),
        "task": task.astype(np.int64),
    }


def compute(inputs: Inputs, params: NoParams, state: State) -> Mapping[str, Array]:
    """`target_similarity`, float32 (n,): the largest cosine similarity to a target text, in -1..1.

    Notes
    -----
    RDS+ (Ivison et al. 2025, arXiv:2503.01807) has the embedder `rds:MODEL`, mean-pooled over a causal LM's last layer
    with weights that grow with the place; CiT (Xu et al. 2023, arXiv:2301.02241) keeps what lies above a threshold of
    it. Copies of a document all have the same similarity: remove them first.
    """
    return {"target_similarity": as_column(assign(inputs.columns["embedding"], state["target"])[1])}


SPECS: tuple[ScoreSpec, ...] = (
    ScoreSpec(
        name="target_similarity",
        version=1,
        title="Largest cosine similarity to a target text",
        unit="cosine similarity",
        better="higher",
        needs=("embedding", "target"),
        compute=compute,
        fit=fit,
        paper="Ivison et al. 2025, arXiv:2503.01807",
    ),
)
