"""The sizes in which a reference model is trained, from a laptop's to that of Ankner et al."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from workbench.errors import InputError


@dataclass(frozen=True)
class Shape:
    """A Llama's size, and how it is trained where nothing else is said.

    Attributes
    ----------
    hidden_size, n_layers, n_heads, intermediate_size
        Of the transformer; a head is 64 wide.
    batch_tokens
        Targets of one step.
    learning_rate
        Its maximum; larger models take smaller ones.
    """

    name: str
    hidden_size: int
    n_layers: int
    n_heads: int
    intermediate_size: int
    batch_tokens: int
    learning_rate: float

    @property
    def n_body(self) -> int:
        """Parameters of the blocks and norms, without the embedding."""
        d, block = self.hidden_size, 4 * self.hidden_size + 3 * self.intermediate_size + 2
        return self.n_layers * d * block + d

    def n_parameters(self, n_vocabulary: int) -> int:
        """All parameters; input and output embedding are one matrix."""
        return self.n_body + n_vocabulary * self.hidden_size

    @property
    def max_vocabulary(self) -> int:
        """The largest vocabulary: its embedding has twice the body's parameters; beyond, the model is a table."""
        return 2 * self.n_body // self.hidden_size


# name: width, layers, heads, intermediate (about 8/3 of the width, as in Llama), tokens a step, learning rate.
# 2M is that of the committed reference-lm. 125M is GPT-2 small's and MPT-125M's (Ankner et al.): 12 layers of 768 with
# 12 heads; with three matrices of 2048 its feed-forward has the parameters of their two of 3072. The rates fall from
# 3e-3 (the committed model) to 6e-4 (usual for GPT-2 small with AdamW); Ankner et al. use Lion at 2e-4.
_TABLE: Mapping[str, tuple[int, int, int, int, int, float]] = {
    "2M": (192, 4, 3, 512, 4_096, 3e-3),
    "10M": (320, 6, 5, 896, 8_192, 2e-3),
    "30M": (512, 8, 8, 1344, 16_384, 1.5e-3),
    "60M": (640, 10, 10, 1728, 32_768, 1e-3),
    "125M": (768, 12, 12, 2048, 131_072, 6e-4),
}
SHAPES: dict[str, Shape] = {name: Shape(name, *row) for name, row in _TABLE.items()}


def find_shape(name: str) -> Shape:
    """The shape of a name in `SHAPES`.

    Raises
    ------
    InputError
        If there is none.

    Examples
    --------
    >>> find_shape("2M").n_parameters(4096), find_shape("125M").n_parameters(50257)
    (2557632, 123551232)
    """
    if name not in SHAPES:
        raise InputError(f"there is no shape {name!r}; choose one of {', '.join(SHAPES)}")
    return SHAPES[name]


def check_vocabulary(shape: Shape, n_vocabulary: int) -> None:
    """Raise InputError where the embedding would be most of the model."""
    if n_vocabulary > shape.max_vocabulary:
        raise InputError(
            f"a vocabulary of {n_vocabulary:,} tokens is too large for the shape {shape.name}, which takes at most "
            f"{shape.max_vocabulary:,}; choose a larger shape or a smaller vocabulary"
        )


def make_llama(shape: Shape, n_vocabulary: int, context_tokens: int, separator_id: int) -> Any:
    """A Llama with random weights; input and output embeddings are one matrix."""
    from transformers import LlamaConfig, LlamaForCausalLM

    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=n_vocabulary,
            hidden_size=shape.hidden_size,
            intermediate_size=shape.intermediate_size,
            num_hidden_layers=shape.n_layers,
            num_attention_heads=shape.n_heads,
            num_key_value_heads=shape.n_heads,
            max_position_embeddings=context_tokens,
            tie_word_embeddings=True,
            bos_token_id=separator_id,
            eos_token_id=separator_id,
        )
    )
