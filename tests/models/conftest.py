"""Small causal language models with random weights, and text of very unequal lengths."""

from __future__ import annotations

from pathlib import Path

import pytest

from workbench.models.locate import Located, locate
from workbench.models.training.reference import ReferenceParams, make_model, train_tokenizer

TINY = ReferenceParams(
    n_vocabulary=300, hidden_size=32, n_layers=2, n_heads=2, intermediate_size=48, context_tokens=64, batch_rows=4,
    n_steps=30, learning_rate=1e-2,
)  # fmt: skip


@pytest.fixture(scope="session")
def texts() -> list[str]:
    """40 texts of 1 to 1,700 characters, with other scripts, odd spaces and what looks like a special token."""
    words = "the quick brown fox jumps over a lazy dog while 3.14 is not 2,718 (é ü 日本 🎉)".split()
    made = [" ".join(words[(7 * i + k * k) % len(words)] for k in range(1 + i * i // 4)) for i in range(36)]
    return [*made, "a", "  two  spaces\n\n\tand a tab ", "<|endoftext|> is text", "🎉" * 70]


def save_model(folder: Path, model, tokenizer) -> Path:
    model.save_pretrained(folder)
    tokenizer.save(str(folder / "tokenizer.json"))
    return folder


@pytest.fixture(scope="session")
def tiny_llama(tmp_path_factory: pytest.TempPathFactory, texts: list[str]) -> Located:
    """A random Llama in fp32 with a vocabulary of its own."""
    import torch

    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("llama")
    return locate(str(save_model(folder, make_model(TINY), train_tokenizer(texts, 300))), "lm")


@pytest.fixture(scope="session")
def tiny_gpt2(tmp_path_factory: pytest.TempPathFactory, texts: list[str]) -> Located:
    """A random GPT-2: absolute positions, an EOS that isn't 0, no BOS that is prepended."""
    import torch
    from transformers import GPT2Config, GPT2LMHeadModel

    torch.manual_seed(1)
    config = GPT2Config(
        vocab_size=300, n_positions=64, n_embd=32, n_layer=2, n_head=2, bos_token_id=299, eos_token_id=299
    )
    folder = tmp_path_factory.mktemp("gpt2")
    return locate(str(save_model(folder, GPT2LMHeadModel(config), train_tokenizer(texts, 300))), "lm")
