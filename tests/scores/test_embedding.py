from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from workbench.errors import InputError
from workbench.models.load import Models
from workbench.scores.base import Inputs, NoParams
from workbench.scores.embedding import SPECS, EmbeddingParams, compute, count_chunks, fit

TEXTS = [
    "wheat and barley on the farm",
    "barley and wheat",
    "a ship in the harbour",
    "the harbour and a sail",
    "",
]


class FakeEmbedder:
    dimension = 3

    def encode(self, texts, progress, *, max_chunks=1):
        progress.advance(sum(map(len, texts)))
        self.max_chunks = max_chunks
        return np.eye(3, dtype=np.float32)[[len(t) % 3 for t in texts]] * np.float32(0.123456)

    def count_chunks(self, texts):
        return np.array([len(t) // 2 for t in texts])


def inputs_of(texts=("x", "yy"), **more) -> Inputs:
    return Inputs([str(i) for i in range(len(texts))], ["s"] * len(texts), list(texts), **more)


def fakes() -> SimpleNamespace:
    return SimpleNamespace(embedder=FakeEmbedder(), definition=lambda kind: {"id": "fake"})


def test_the_column_holds_a_row_a_document():
    columns = compute(inputs_of(models=fakes()), EmbeddingParams(), {})
    assert list(columns) == [SPECS[0].name]
    assert (columns["embedding"] > 0).tolist() == [[False, True, False], [False, False, True]]
    assert columns["embedding"].dtype == SPECS[0].dtype


@pytest.mark.parametrize(("params", "expected"), [
    (EmbeddingParams(), 1),
    (EmbeddingParams(max_chunks=5), 1),
    (EmbeddingParams("chunk_mean"), 16),
    (EmbeddingParams("chunk_mean", 5), 5),
])  # fmt: skip
def test_only_chunk_mean_embeds_more_than_the_beginning(params, expected):
    models = fakes()
    compute(inputs_of(models=models), params, {})
    assert models.embedder.max_chunks == expected


def test_float16_rounds_what_is_computed_and_its_error_is_as_stated():
    whole = compute(inputs_of(models=fakes()), EmbeddingParams(), {})["embedding"]
    rounded = compute(inputs_of(models=fakes()), EmbeddingParams(storage="float16"), {})["embedding"]
    assert rounded.dtype == np.float32
    assert (rounded == rounded.astype(np.float16)).all()
    assert (rounded != whole).any()
    assert (np.abs(rounded - whole) <= np.abs(whole) * 5e-4).all()
    assert SPECS[0].stored(EmbeddingParams(storage="float16")) == "float16"


def test_a_fitted_embedder_uses_its_state():
    inputs = inputs_of(TEXTS, models=Models(embedder="tfidf-svd"))
    state = fit(inputs, EmbeddingParams(), 0)
    vectors = compute(inputs, EmbeddingParams(), state)["embedding"]
    assert vectors.shape == (5, state["components"].shape[1])
    assert vectors[0] @ vectors[1] > vectors[0] @ vectors[2]
    assert np.isnan(vectors[4]).all()
    assert fit(inputs_of(models=fakes()), EmbeddingParams(), 0) == {}


def test_vectors_that_the_corpus_brings_are_normalised():
    given = np.array([[3.0, 4.0], [0.0, 0.0], [np.nan, 1.0]], dtype=np.float32)
    inputs = inputs_of("abc", models=Models(embedder="column:v"), vectors=given)
    state = fit(inputs, EmbeddingParams(), 0)
    assert state["dimension"].tolist() == [2]
    vectors = compute(inputs, EmbeddingParams(), state)["embedding"]
    np.testing.assert_allclose(vectors[0], [0.6, 0.8], rtol=1e-6)
    assert np.isnan(vectors[1:]).all()


def test_chunks_are_counted():
    assert count_chunks(inputs_of(["", "1234"], models=fakes()), NoParams(), {})["n_chunks"].tolist() == [
        0,
        2,
    ]


def test_a_missing_model_is_one_sentence():
    with pytest.raises(InputError, match="embedding needs an embedder and no models were given"):
        compute(inputs_of(), EmbeddingParams(), {})


def test_a_missing_column_is_one_sentence():
    with pytest.raises(
        InputError, match="the embedder is a column of the corpus and the documents came without"
    ):
        fit(inputs_of(models=Models(embedder="column:v")), EmbeddingParams(), 0)


def test_no_chunks_is_one_sentence():
    with pytest.raises(InputError, match="max_chunks must be at least 1, got 0"):
        compute(inputs_of(models=fakes()), EmbeddingParams(max_chunks=0), {})
