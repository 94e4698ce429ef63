"""What a document is about, as a vector: the input of everything that clusters or compares."""

from __future__ import annotations

from collections.abc import Mapping

from workbench.checks import Array
from workbench.errors import InputError
from workbench.progress import Silent
from workbench.scores.base import Inputs, NoParams, ScoreSpec, State, as_column


def compute(inputs: Inputs, params: NoParams, state: State) -> Mapping[str, Array]:
    """`embedding`, float32 (n, d): the unit vector that the embedder in use makes of each text.

    Raises
    ------
    InputError
        If no models were given.
    """
    if inputs.models is None:
        raise InputError("embedding needs an embedder and no models were given; name one with --embedder")
    progress = getattr(inputs.models, "progress", Silent())
    return {"embedding": as_column(inputs.models.embedder.encode(inputs.texts, progress))}


SPECS: tuple[ScoreSpec, ...] = (
    ScoreSpec(
        name="embedding",
        version=1,
        title="Sentence embedding of the beginning of the text",
        unit="unit vector",
        better="neither",
        needs=("text", "embedder"),
        compute=compute,
        paper="Reimers and Gurevych 2019, arXiv:1908.10084",
    ),
)
