from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from workbench.errors import ModelError
from workbench.models.embedding.embedders import (
    define_embedder,
    load_embedder,
    locate_embedder,
    parse_embedder,
)
from workbench.models.embedding.static import StaticEmbedder, locate_static, static_definition
from workbench.models.locate import DEFAULT_EMBEDDER, locate
from workbench.progress import Silent

VOCABULARY = 30522
TEXTS = ["The quick brown fox", "quick fox!", "x", "", "🎉🎉 zzzz [SEP]", "words and more words " * 400]


def folder_of(path: Path, arrays: dict[str, np.ndarray], config: dict | None = None) -> Path:
    """A static model with MiniLM's tokenizer."""
    source = locate(DEFAULT_EMBEDDER, "embedder").folder
    path.mkdir(exist_ok=True)
    save_file(arrays, path / "model.safetensors")
    (path / "config.json").write_text(json.dumps({"model_type": "model2vec", **(config or {})}))
    tokenizer = json.loads((source / "tokenizer.json").read_text())
    (path / "tokenizer.json").write_text(json.dumps({**tokenizer, "truncation": None, "padding": None}))
    return path


def embedder(folder: Path) -> StaticEmbedder:
    located = locate_static(str(folder))
    return StaticEmbedder(located, static_definition(located))


@pytest.fixture(scope="module")
def table() -> np.ndarray:
    return np.random.default_rng(0).normal(size=(VOCABULARY, 12)).astype(np.float32)


@pytest.fixture(scope="module")
def own(tmp_path_factory, table) -> Path:
    return folder_of(tmp_path_factory.mktemp("m2v"), {"embeddings": table})


def by_hand(folder: Path, table: np.ndarray, text: str, limit: int | None = 512) -> np.ndarray:
    import tokenizers

    backend = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
    backend.encode_special_tokens = True
    ids = backend.encode(text, add_special_tokens=False).ids[:limit]
    ids = [i for i in ids if i != backend.token_to_id("[UNK]")]
    mean = table[ids].astype(np.float64).mean(axis=0)
    return mean / np.linalg.norm(mean)


def test_a_text_is_the_mean_of_its_tokens_vectors_without_unknown_ones(own, table):
    vectors = embedder(own).encode(TEXTS, Silent())
    assert vectors.dtype == np.float32
    assert np.isnan(vectors[3]).all(), "the empty text has no direction"
    for i in (0, 1, 2, 4, 5):
        np.testing.assert_allclose(vectors[i], by_hand(own, table, TEXTS[i]), atol=1e-6)


def test_a_vector_does_not_depend_on_the_texts_beside_it_to_the_bit(own):
    model = embedder(own)
    vectors = model.encode(TEXTS, Silent())
    assert model.encode(TEXTS[::-1], Silent()).tobytes() == vectors[::-1].tobytes()
    for i, text in enumerate(TEXTS):
        assert model.encode([text], Silent()).tobytes() == vectors[i : i + 1].tobytes()
    assert model.encode([], Silent()).shape == (0, 12)


def test_weights_and_shared_rows_are_applied(tmp_path, own, table):
    rows = (np.arange(VOCABULARY) % 100).astype(np.int32)
    weights = np.random.default_rng(1).uniform(0.1, 2, VOCABULARY)
    for name, arrays, full in (
        ("shared", {"embeddings": table[:100], "mapping": rows}, table[rows]),
        ("weighted", {"embeddings": table, "weights": weights}, table * weights[:, None]),
        (
            "both",
            {"embeddings": table[:100], "mapping": rows, "weights": weights},
            table[rows] * weights[:, None],
        ),
    ):
        vectors = embedder(folder_of(tmp_path / name, arrays)).encode(TEXTS[:2], Silent())
        for text, vector in zip(TEXTS, vectors, strict=False):
            np.testing.assert_allclose(vector, by_hand(own, full, text), atol=1e-6)


def test_the_models_maximum_cuts_or_makes_chunks(tmp_path, own, table):
    model = embedder(folder_of(tmp_path, {"embeddings": table}, {"max_length": 6}))
    text = "one two three four five six seven eight nine ten eleven twelve thirteen"
    np.testing.assert_allclose(model.encode([text], Silent())[0], by_hand(own, table, text, 6), atol=1e-6)
    parts = ["one two three four five six", "seven eight nine ten eleven twelve", "thirteen"]
    mean = sum(w * by_hand(own, table, part) for w, part in zip((6, 6, 1), parts, strict=True))
    (vector,) = model.encode([text], Silent(), max_chunks=9)
    np.testing.assert_allclose(vector, mean / np.linalg.norm(mean), atol=1e-6)
    assert model.count_chunks([text, "one", ""]).tolist() == [3, 1, 0]


def test_a_sentence_transformers_model_has_the_vectors_of_its_library(tmp_path, table):
    import tokenizers
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import StaticEmbedding

    source = folder_of(tmp_path / "source", {"embeddings": table})
    tokenizer = tokenizers.Tokenizer.from_file(str(source / "tokenizer.json"))
    peer = SentenceTransformer(modules=[StaticEmbedding(tokenizer, embedding_weights=table)], device="cpu")
    peer.save(str(tmp_path / "saved"))
    model = embedder(tmp_path / "saved")
    texts = [text for text in TEXTS if text and "[SEP]" not in text]
    expected = peer.encode(texts, normalize_embeddings=True)
    np.testing.assert_allclose(model.encode(texts, Silent()), expected, atol=1e-5)
    assert model.definition()["max_tokens"] is None
    assert model.count_chunks(["", TEXTS[5]]).tolist() == [0, 1]


def test_vectors_are_those_of_model2vec(own):
    from model2vec import StaticModel

    texts = [TEXTS[i] for i in (0, 1, 2, 5)]
    expected = StaticModel.from_pretrained(own).encode(texts)
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    np.testing.assert_allclose(embedder(own).encode(texts, Silent()), expected, atol=1e-6)


def test_wordllama_is_found_in_its_package_or_the_package_is_named():
    name = parse_embedder("static:wordllama")
    if importlib.util.find_spec("wordllama") is None:
        with pytest.raises(ModelError, match="install it with: pip install --no-deps wordllama"):
            locate_embedder(name)
        return
    located = locate_embedder(name)
    definition = define_embedder(name, located)
    model = load_embedder(definition, located)
    vectors = model.encode(["a cat and a dog", "two dogs and a kitten", "interest rates fell"], Silent())
    assert vectors.shape == (3, 256)
    assert vectors[0] @ vectors[1] > vectors[0] @ vectors[2] + 0.2


def test_a_folder_without_a_table_is_one_sentence(tmp_path, table):
    with pytest.raises(ModelError, match=r"holds no table of vectors \(embeddings or embedding.weight\)"):
        embedder(folder_of(tmp_path, {"something": table}))


def test_fewer_vectors_than_tokens_is_one_sentence(tmp_path, table):
    with pytest.raises(ModelError, match="has 30522 tokens and 30000 vectors; get the model again"):
        embedder(folder_of(tmp_path, {"embeddings": table[:30000]}))


def test_a_broken_tokenizer_is_one_sentence(tmp_path, table):
    folder = folder_of(tmp_path, {"embeddings": table})
    (folder / "tokenizer.json").write_text("{")
    with pytest.raises(ModelError, match="has no tokenizer that can be read"):
        embedder(folder)


def test_a_folder_without_its_tokenizer_is_one_sentence(tmp_path, table):
    folder = folder_of(tmp_path, {"embeddings": table})
    (folder / "tokenizer.json").unlink()
    with pytest.raises(ModelError, match=r"lacks its tokenizer.json; get the complete model"):
        embedder(folder)


@pytest.mark.parametrize("limit", [0, "many", 2.5])
def test_a_maximum_that_is_none_is_one_sentence(tmp_path, table, limit):
    with pytest.raises(ModelError, match=r"max_length of model .* must be at least 1 or null, got"):
        embedder(folder_of(tmp_path, {"embeddings": table}, {"max_length": limit}))


def test_settings_that_are_no_object_are_one_sentence(tmp_path, table):
    folder = folder_of(tmp_path, {"embeddings": table})
    for text, message in (("[]", "holds no settings"), ("{", "can't be read")):
        (folder / "config.json").write_text(text)
        with pytest.raises(ModelError, match=rf"config.json {message}"):
            embedder(folder)


def test_rows_or_weights_that_do_not_fit_are_one_sentence(tmp_path, table):
    for extra in ({"mapping": np.full(VOCABULARY, 100)}, {"weights": np.ones(5)}):
        with pytest.raises(ModelError, match=r"rows and weights of model .* don't fit its table"):
            embedder(
                folder_of(tmp_path, {"embeddings": table[:100] if "mapping" in extra else table, **extra})
            )


def test_the_definition_names_files_and_settings_but_no_path(own):
    definition = static_definition(locate_static(str(own)))
    assert (definition["method"], definition["max_tokens"], definition["drops_unknown"]) == (
        "static",
        512,
        True,
    )
    assert set(definition["files"]) == {"config.json", "model.safetensors", "tokenizer.json"}
    assert str(own.parent) not in json.dumps(definition)
