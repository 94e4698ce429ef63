from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from workbench.errors import ModelError
from workbench.models.embedding.pooled import POOLINGS, PooledLM, pooled_definition, pooling_weights
from workbench.models.locate import DEFAULT_EMBEDDER, locate
from workbench.progress import Silent


def embedder(located, pooling: str, **settings) -> PooledLM:
    return PooledLM(located, {**pooled_definition(located, pooling, "float32"), **settings})


@pytest.fixture(scope="module")
def reference():
    return locate("reference-lm", "lm")


@pytest.fixture(scope="module")
def tiny_opt(tmp_path_factory, texts):
    """SemDeDup's own kind of model: learned positions with an offset, and a tokenizer that prepends a token."""
    from tokenizers.processors import TemplateProcessing
    from transformers import OPTConfig, OPTForCausalLM

    from workbench.models.training.reference import train_tokenizer

    torch.manual_seed(2)
    config = OPTConfig(
        vocab_size=300, hidden_size=32, num_hidden_layers=2, num_attention_heads=2, ffn_dim=48,
        max_position_embeddings=64, word_embed_proj_dim=32, eos_token_id=5, bos_token_id=5, pad_token_id=1,
    )  # fmt: skip
    tokenizer = train_tokenizer(texts, 300)
    first = tokenizer.id_to_token(5)
    tokenizer.post_processor = TemplateProcessing(single=f"{first} $A", special_tokens=[(first, 5)])
    folder = tmp_path_factory.mktemp("opt")
    OPTForCausalLM(config).save_pretrained(folder)
    tokenizer.save(str(folder / "tokenizer.json"))
    return locate(str(folder), "lm")


def plain(located, text: str, pooling: str, max_tokens: int) -> np.ndarray:
    """One text through transformers' own model, its last hidden state pooled by hand."""
    from transformers import AutoModelForCausalLM, PreTrainedTokenizerFast

    model = AutoModelForCausalLM.from_pretrained(located.folder, dtype=torch.float32).eval()
    tokenizer = PreTrainedTokenizerFast(tokenizer_file=str(located.folder / "tokenizer.json"))
    ids = tokenizer(text, return_tensors="pt", truncation=True, max_length=max_tokens)["input_ids"]
    with torch.inference_mode():
        states = model(ids, output_hidden_states=True).hidden_states[-1][0].double().numpy()
    if pooling == "last-token":
        pooled = states[-1]
    elif pooling == "mean":
        pooled = states.mean(axis=0)
    else:
        weights = np.arange(1, len(states) + 1)
        pooled = (states * weights[:, None]).sum(axis=0) / weights.sum()
    return pooled / np.linalg.norm(pooled)


@pytest.mark.parametrize("pooling", POOLINGS)
@pytest.mark.parametrize("name", ["reference-lm", "gpt2", "opt"])
def test_vectors_are_those_of_a_plain_forward_pass_of_one_text(name, pooling, tiny_gpt2, tiny_opt, reference):
    located = {"reference-lm": reference, "gpt2": tiny_gpt2, "opt": tiny_opt}[name]
    model = embedder(located, pooling)
    assert model.definition()["starting_token_id"] == (5 if name == "opt" else None)
    texts = ["a", "The quick brown fox jumps over the lazy dog.", "long text about many things " * 60]
    vectors = model.encode(texts, Silent())
    assert vectors.dtype == np.float32
    for text, vector in zip(texts, vectors, strict=True):
        expected = plain(located, text, pooling, int(model.definition()["max_tokens"]))
        np.testing.assert_allclose(vector, expected, atol=2e-5)


@pytest.mark.parametrize("pooling", POOLINGS)
def test_a_vector_does_not_depend_on_the_texts_beside_it_to_the_bit(reference, texts, pooling):
    model = embedder(reference, pooling)
    vectors = model.encode(texts, Silent())
    order = np.random.default_rng(0).permutation(len(texts))
    assert model.encode([texts[i] for i in order], Silent()).tobytes() == vectors[order].tobytes()
    for i in (0, 20, 35):
        assert model.encode([texts[i]], Silent()).tobytes() == vectors[i : i + 1].tobytes()


def test_weights_are_those_of_the_papers():
    np.testing.assert_allclose(pooling_weights(4, "rds"), [0.1, 0.2, 0.3, 0.4], rtol=1e-7)
    np.testing.assert_allclose(pooling_weights(4, "mean"), [0.25] * 4)
    assert pooling_weights(3, "last-token").tolist() == [0, 0, 1]
    for pooling in POOLINGS:
        assert pooling_weights(1, pooling).tolist() == [1]
        assert pooling_weights(2048, pooling).sum() == pytest.approx(1, abs=1e-6)


def test_what_looks_like_a_special_token_is_text(reference):
    model = embedder(reference, "last-token")
    one, other, empty = model.encode(["<|endoftext|>", "<|endoftext |>", ""], Silent())
    assert one @ empty < 0.99
    assert np.isfinite(other).all()


def test_a_long_text_is_the_mean_of_its_chunks(reference):
    model = embedder(reference, "mean", max_tokens=8)
    text = "one two three four five six seven eight nine ten eleven twelve"
    (kept,) = model._tokenizer.keep([text], 1000)
    assert model.count_chunks([text, ""]).tolist() == [-(-len(kept.ids) // 8), 0]
    pieces = [kept.ids[start : start + 8] for start in range(0, len(kept.ids), 8)][:2]
    states = [model._hidden(piece[None])[0].mean(dim=0).numpy() for piece in pieces]
    mean = sum(len(p) * s / np.linalg.norm(s) for p, s in zip(pieces, states, strict=True))
    (vector,) = model.encode([text], Silent(), max_chunks=2)
    np.testing.assert_allclose(vector, mean / np.linalg.norm(mean), atol=1e-5)


def test_the_definition_names_pooling_and_settings_but_no_path(tiny_gpt2):
    definition = pooled_definition(tiny_gpt2, "rds")
    assert (definition["method"], definition["max_tokens"], definition["empty_token_id"]) == ("rds", 64, 299)
    assert "model.safetensors" in definition["files"]
    assert str(tiny_gpt2.folder.parent) not in json.dumps(definition)
    assert definition != pooled_definition(tiny_gpt2, "mean")


def test_an_encoder_is_refused_since_it_looks_at_the_padding(tmp_path):
    from transformers import BertConfig, BertModel

    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=30522, hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=40,
        initializer_range=1.0,
    )  # fmt: skip
    BertModel(config).save_pretrained(tmp_path)
    source = locate(DEFAULT_EMBEDDER, "embedder").folder
    (tmp_path / "tokenizer.json").write_bytes((source / "tokenizer.json").read_bytes())
    with pytest.raises(
        ModelError, match=r"isn't causal: later tokens change .*; give an encoder by its folder"
    ):
        embedder(locate(str(tmp_path), "lm"), "mean")


def test_a_folder_that_is_no_model_is_one_sentence(tmp_path, tiny_gpt2):
    located = tiny_gpt2
    for name in ("tokenizer.json", "model.safetensors"):
        (tmp_path / name).write_bytes((located.folder / name).read_bytes())
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "nonesuch"}))
    with pytest.raises(ModelError, match=r"can't be loaded as a language model .*; give the folder"):
        embedder(locate(str(tmp_path), "lm"), "mean")
