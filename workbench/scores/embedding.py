"""What a document is about, as a vector: the input of everything that clusters or compares."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from workbench.checks import Array, check_at_least
from workbench.errors import InputError
from workbench.progress import Silent
from workbench.scores.base import Inputs, ModelSource, NoParams, ScoreSpec, State, as_column


@dataclass(frozen=True)
class EmbeddingParams:
    """How a document becomes a vector, whatever the embedder.

    Attributes
    ----------
    long
        A document longer than the model takes: "truncate" embeds its beginning, "chunk_mean" embeds it in chunks and
        takes the mean of their unit vectors, weighted by their tokens.
    max_chunks
        Chunks at most with "chunk_mean", at least 1; what is beyond is cut off.
    storage
        "float16" rounds each number to 11 significant bits (an error of 0.05 % of it at most, to the nearest; below
        6e-5 of 3e-8 absolute), for half the disk; what reads the embedding gets the rounded numbers as float32.
    """

    long: Literal["truncate", "chunk_mean"] = "truncate"
    max_chunks: int = 16
    storage: Literal["float32", "float16"] = "float32"


def fit(inputs: Inputs, params: EmbeddingParams, seed: int) -> State:
    """What the embedder in use must learn from the sample; nothing for a model that is trained already.

    For tfidf-svd the features and their projection, for a column of the corpus the length of its vectors:
    {"dimension": int64 (1,)}.
    """
    models = _models(inputs)
    method = models.definition("embedder").get("method")
    if method == "tfidf-svd":
        return dict(models.embedder.fit(inputs.texts, seed))
    if method == "column":
        return {"dimension": np.array([_vectors(inputs).shape[1]], dtype=np.int64)}
    return {}


def compute(inputs: Inputs, params: EmbeddingParams, state: State) -> Mapping[str, Array]:
    """`embedding`, float32 (n, d): the unit vector of each document; NaN where it has none.

    Raises
    ------
    InputError
        If no models were given, or `max_chunks` is below 1.
    """
    check_at_least("max_chunks", params.max_chunks, 1)
    models = _models(inputs)
    if inputs.vectors is not None:
        from workbench.models.embedding.vectors import unit

        rows = unit(inputs.vectors)
    else:
        embedder = models.embedder.with_state(state) if state else models.embedder
        chunks = {"max_chunks": params.max_chunks} if params.long == "chunk_mean" else {}
        rows = embedder.encode(inputs.texts, getattr(models, "progress", Silent()), **chunks)
    if params.storage == "float16":
        rows = rows.astype(np.float16)
    return {"embedding": as_column(rows)}


def count_chunks(inputs: Inputs, params: NoParams, state: State) -> Mapping[str, Array]:
    """`n_chunks`: into how many chunks the embedder's maximum cuts each text."""
    return {"n_chunks": as_column(_models(inputs).embedder.count_chunks(inputs.texts))}


def _models(inputs: Inputs) -> ModelSource:
    if inputs.models is None:
        raise InputError("embedding needs an embedder and no models were given; name one with --embedder")
    return inputs.models


def _vectors(inputs: Inputs) -> Array:
    if inputs.vectors is None:
        raise InputError("the embedder is a column of the corpus and the documents came without it")
    return inputs.vectors


SPECS: tuple[ScoreSpec, ...] = (
    ScoreSpec(
        name="embedding",
        version=1,
        title="Embedding of the text by the embedder in use",
        unit="unit vector",
        better="neither",
        needs=("text", "embedder"),
        compute=compute,
        params=EmbeddingParams,
        fit=fit,
        stored=lambda params: str(params.storage),
        vector=True,
        paper="Reimers and Gurevych 2019, arXiv:1908.10084",
    ),
    ScoreSpec(
        name="n_chunks",
        version=1,
        title="Chunks that the embedder's maximum of tokens cuts the text into",
        unit="chunks",
        better="neither",
        needs=("text", "embedder"),
        compute=count_chunks,
    ),
)
