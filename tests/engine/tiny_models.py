"""A language model's folder with a real tokenizer and no weights to speak of: enough to count tokens."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file


def write_tiny_lm(folder: Path, texts: Iterable[str], vocabulary: int = 1000) -> Path:
    """A folder with config.json, a byte-level BPE tokenizer trained on `texts`, and empty weights."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=vocabulary, initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator(texts, trainer)
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(folder / "tokenizer.json"))
    config = {
        "model_type": "llama",
        "vocab_size": vocabulary,
        "eos_token_id": 0,
        "max_position_embeddings": 256,
    }
    (folder / "config.json").write_text(json.dumps(config))
    save_file({"weight": np.zeros((2, 3), dtype=np.float32)}, str(folder / "model.safetensors"))
    return folder


def write_random_lm(folder: Path, texts: Iterable[str], vocabulary: int = 400) -> Path:
    """A Llama with random weights, other ones each time, and a tokenizer that follows from `texts`."""
    from transformers import LlamaConfig, LlamaForCausalLM

    write_tiny_lm(folder, texts, vocabulary)
    config = LlamaConfig(
        vocab_size=vocabulary, hidden_size=16, intermediate_size=24, num_hidden_layers=1, num_attention_heads=2,
        num_key_value_heads=2, max_position_embeddings=256, bos_token_id=0, eos_token_id=0, initializer_range=0.3,
    )  # fmt: skip
    LlamaForCausalLM(config).save_pretrained(folder)
    return folder
