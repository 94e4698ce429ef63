from __future__ import annotations

import json

import numpy as np
import pytest

from tests.models.counting import Counting
from workbench.errors import Cancelled, ModelError
from workbench.models.embedding.sentence import SentenceEmbedder, embedder_definition
from workbench.models.locate import DEFAULT_EMBEDDER, locate
from workbench.progress import Silent


@pytest.fixture(scope="module")
def texts() -> list[str]:
    """11 texts of three lengths only: short, middle, and of exactly the model's maximum once they are cut."""
    words = "the quick brown fox jumps over a lazy dog while 3.14 is not 2,718 (é ü 日本 🎉)".split()
    numbers = [3, 4, 5, 6, 50, 52, 54, 56, 300, 330, 2000]
    return [" ".join(words[(7 * i + k * k) % len(words)] for k in range(n)) for i, n in enumerate(numbers)]


@pytest.fixture(scope="module")
def minilm():
    return SentenceEmbedder(locate(DEFAULT_EMBEDDER, "embedder"), "float32")


@pytest.fixture(scope="module")
def vectors(minilm, texts):
    return minilm.encode(texts, Silent())


def test_vectors_equal_those_of_sentence_transformers(minilm, vectors, texts):
    from sentence_transformers import SentenceTransformer

    own = SentenceTransformer(str(locate(DEFAULT_EMBEDDER, "embedder").folder), device="cpu").encode(texts)
    assert vectors.shape == own.shape == (11, minilm.dimension)
    assert (1 - (vectors * own).sum(axis=1)).max() < 1e-5


def test_vectors_are_unit_rows(vectors):
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_a_vector_does_not_depend_on_the_texts_beside_it_to_the_bit(minilm, texts, dtype):
    model = minilm if dtype == "float32" else SentenceEmbedder(locate(DEFAULT_EMBEDDER, "embedder"), dtype)
    # Of texts of exactly the model's maximum a library drops the mask, of a batch with others it can't.
    vectors = model.encode(texts, Silent())
    order = np.random.default_rng(0).permutation(len(texts))
    assert model.encode([texts[i] for i in order], Silent()).tobytes() == vectors[order].tobytes()
    for i in (0, 5, 10):
        assert model.encode([texts[i]], Silent()).tobytes() == vectors[i : i + 1].tobytes()


def test_bfloat16_is_near_float32(minilm, vectors, texts):
    model = SentenceEmbedder(locate(DEFAULT_EMBEDDER, "embedder"), "bfloat16")
    assert (1 - (model.encode(texts[:4], Silent()) * vectors[:4]).sum(axis=1)).max() < 0.01
    assert model.definition() != minilm.definition()


def test_text_beyond_the_models_maximum_changes_nothing(minilm):
    text = "one two three " * 400
    a, b = minilm.encode([text, text + "something else " * 100_000], Silent())
    assert a.tobytes() == b.tobytes()


def test_a_text_whose_first_characters_give_few_tokens_is_read_further(minilm):
    spaces = " " * 10_000
    a, b = minilm.encode(["a house by the sea", spaces + "a house by the sea"], Silent())
    np.testing.assert_allclose(a, b, atol=1e-6)


def test_a_long_text_is_the_token_weighted_mean_of_its_chunks(minilm):
    """Each word here is one token, so a chunk is 254 words."""
    words = ("one two three four five six seven eight nine ten " * 70).split()
    text, room = " ".join(words[:700]), 254
    chunks = [" ".join(words[start : min(start + room, 700)]) for start in range(0, 700, room)]
    own = minilm.encode(chunks, Silent()).astype(np.float64)
    mean = (own * np.array([254, 254, 192])[:, None]).sum(axis=0)
    (vector,) = minilm.encode([text], Silent(), max_chunks=16)
    np.testing.assert_allclose(vector, mean / np.linalg.norm(mean), atol=1e-6)
    capped = minilm.encode([text], Silent(), max_chunks=2)[0]
    mean = own[:2].sum(axis=0)
    np.testing.assert_allclose(capped, mean / np.linalg.norm(mean), atol=1e-6)
    assert minilm.count_chunks([text, chunks[0], "one", ""]).tolist() == [3, 1, 1, 0]


def test_texts_that_fit_have_the_same_vector_with_chunks_to_the_bit(minilm, vectors, texts):
    chunked = minilm.encode(texts, Silent(), max_chunks=3)
    fits = minilm.count_chunks(texts) <= 1
    assert 0 < fits.sum() < len(texts)
    assert chunked[fits].tobytes() == vectors[fits].tobytes()
    assert (chunked[~fits] != vectors[~fits]).any(axis=1).all()
    (alone,) = minilm.encode(texts[-1:], Silent(), max_chunks=3)
    assert alone.tobytes() == chunked[-1].tobytes()


def test_a_models_prompt_stands_before_every_chunk(tmp_path, minilm):
    import shutil

    folder = shutil.copytree(locate(DEFAULT_EMBEDDER, "embedder").folder, tmp_path / "prompted")
    settings = json.loads((folder / "config_sentence_transformers.json").read_text())
    settings |= {"prompts": {"passage": "passage: "}, "default_prompt_name": "passage"}
    (folder / "config_sentence_transformers.json").write_text(json.dumps(settings))
    model = SentenceEmbedder(locate(str(folder), "embedder"), "float32")
    words = "one two three four five six seven eight nine ten".split() * 30
    chunks = [" ".join(["passage", ":", *words[:252]]), " ".join(["passage", ":", *words[252:300]])]
    own = minilm.encode(chunks, Silent())
    mean = own[0] * 252.0 + own[1] * 48.0
    (vector,) = model.encode([" ".join(words[:300])], Silent(), max_chunks=4)
    np.testing.assert_allclose(vector, mean / np.linalg.norm(mean), atol=1e-6)
    assert model.count_chunks([" ".join(words[:300]), " ".join(words[:252])]).tolist() == [2, 1]


def test_no_text_and_the_empty_text_have_vectors_of_the_right_shape(minilm):
    assert minilm.encode([], Silent()).shape == (0, 384)
    assert np.isfinite(minilm.encode([""], Silent())).all()


def test_the_definition_names_files_and_settings_but_no_path(minilm):
    definition = embedder_definition(locate(DEFAULT_EMBEDDER, "embedder"))
    assert definition == minilm.definition()
    assert definition["max_tokens"] == 256
    files = definition["files"]
    assert {
        "model.safetensors",
        "tokenizer.json",
        "config.json",
        "modules.json",
        "1_Pooling/config.json",
    } <= set(files)
    assert "data_config.json" not in files
    assert "site-packages" not in json.dumps(definition)


def test_progress_counts_every_character_once_and_can_stop(minilm, texts):
    count = Counting()
    minilm.encode(texts[:4], count)
    assert count.n == sum(map(len, texts[:4]))
    count.stop = 0
    with pytest.raises(Cancelled):
        minilm.encode(texts[:4], count)


def test_a_plain_encoder_is_mean_pooled(tmp_path, texts):
    import torch
    from transformers import BertConfig, BertModel

    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=30522, hidden_size=32, num_hidden_layers=1, num_attention_heads=2, intermediate_size=40
    )
    BertModel(config).save_pretrained(tmp_path)
    source = locate(DEFAULT_EMBEDDER, "embedder").folder
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (tmp_path / name).write_bytes((source / name).read_bytes())
    vectors = SentenceEmbedder(locate(str(tmp_path), "embedder")).encode(texts[:5], Silent())
    assert vectors.shape == (5, 32)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)


def test_a_folder_that_is_no_encoder_is_refused_in_one_sentence(tmp_path):
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "nonesuch"}))
    (tmp_path / "model.safetensors").write_bytes(b"")
    with pytest.raises(
        ModelError, match=r"can't be loaded as an embedder .*give the folder of a sentence-transformers"
    ):
        SentenceEmbedder(locate(str(tmp_path), "embedder"))


def test_static_embeddings_are_refused_in_one_sentence(tmp_path):
    import tokenizers
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import StaticEmbedding

    source = locate(DEFAULT_EMBEDDER, "embedder").folder
    tokenizer = tokenizers.Tokenizer.from_file(str(source / "tokenizer.json"))
    SentenceTransformer(modules=[StaticEmbedding(tokenizer, embedding_dim=4)]).save(str(tmp_path))
    with pytest.raises(
        ModelError, match=r"is no transformer \(StaticEmbedding\); name a static model as static:FOLDER"
    ):
        SentenceEmbedder(locate(str(tmp_path), "embedder"))
