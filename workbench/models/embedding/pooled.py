"""Texts to unit vectors with the hidden states of a causal language model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from workbench.checks import FloatArray, IntArray
from workbench.errors import ModelError
from workbench.models.base import Definition
from workbench.models.embedding.vectors import Batcher, cut, make_chunks
from workbench.models.locate import Located
from workbench.models.runtime import device, resolve_dtype
from workbench.models.tokens import FileTokenizer, load_backend, starting_token
from workbench.models.transformer import load_transformer, read_config
from workbench.progress import Progress

POOLINGS = ("last-token", "mean", "rds")

# As for the sentence models: small enough for a CPU's cache and to leave few dummy rows.
_BATCH_TOKENS = {"cpu": 512, "cuda": 32768}
# Of SemDeDup's and RDS+'s settings; a model with fewer positions takes fewer.
_MAX_TOKENS = 2048


def pooled_definition(located: Located, pooling: str, dtype: str | None = None) -> Definition:
    """Everything that decides the vectors; the weights are digested, not loaded."""
    config = read_config(located)
    starting = starting_token(load_backend(located))
    longest = config.get("max_position_embeddings") or config.get("n_positions") or _MAX_TOKENS
    return {
        "kind": "embedder",
        "method": pooling,
        "id": located.id,
        "revision": located.revision,
        "dtype": resolve_dtype(dtype),
        "layer": "last",
        "max_tokens": min(int(longest), _MAX_TOKENS),
        "starting_token_id": starting,
        "empty_token_id": _empty_token(config) if starting is None else starting,
        "special_tokens": "as text",
        "normalised": True,
        "files": located.digests(),
    }


def pooling_weights(length: int, pooling: str) -> FloatArray:
    """The weight of each of a text's tokens, float32 (length,), summing to 1.

    Notes
    -----
    "last-token": the last one (SemDeDup: Abbas et al. 2023, section 3; D4: Tirumala et al. 2023).
    "mean": 1 / length. "rds": w_i = i / (1 + ... + length), counted from 1 (Ivison et al. 2025, RDS+, after
    Muennighoff 2022). The repository of RDS+ ignores the padding; here padding has no weight.

    Examples
    --------
    >>> pooling_weights(4, "rds").tolist() == np.float32([.1, .2, .3, .4]).tolist()
    True
    """
    if pooling == "last-token":
        raw: FloatArray = np.eye(1, length, length - 1).ravel()
    else:
        raw = np.ones(length) if pooling == "mean" else np.arange(1.0, length + 1)
    return np.asarray(raw / raw.sum(), dtype=np.float32)


class PooledLM:
    """The last hidden layer of a causal language model (after its final norm), pooled to unit rows.

    Tokens are the tokenizer's, after the token that it puts before a text itself (its weight counts: it is a
    position of the sequence); an empty text is that token, or the one that ends documents. Rows are padded on
    the right, where a causal model doesn't look, into batches of fixed shape, so a vector doesn't depend on
    the texts beside it, to the bit. Pooling is done in float32.

    Raises
    ------
    ModelError
        If the model can't be loaded, or looks at later tokens.
    """

    def __init__(self, located: Located, definition: Definition) -> None:
        self._definition = definition
        self._pooling = str(definition["method"])
        self._tokenizer = FileTokenizer(located)
        starting = definition["starting_token_id"]
        self._before = [] if starting is None else [int(str(starting))]
        self._empty = [int(str(definition["empty_token_id"]))]
        self._max_tokens = int(str(definition["max_tokens"]))
        self._device = device()
        self._model = load_transformer(located, str(definition["dtype"]), self._device, "none")
        _check_causal(located.id, self._model)
        self.dimension = int(self._hidden(np.array([self._empty])).shape[-1])
        self._batcher = Batcher(
            self._run,
            self._max_tokens,
            _BATCH_TOKENS[self._device],
            padded=False,
            where=self._device,
            model=self._model,
        )

    def definition(self) -> Definition:
        return self._definition

    def encode(self, texts: Sequence[str], progress: Progress, *, max_chunks: int = 1) -> FloatArray:
        kept = self._tokenizer.keep(texts, self._room * max_chunks)
        pieces = [
            [
                ([*self._before, *p] or self._empty, len(p))
                for p in cut(k.ids.tolist(), self._room, max_chunks)
            ]
            for k in kept
        ]
        return self._batcher.encode(make_chunks(pieces), texts, self.dimension, progress)

    def count_chunks(self, texts: Sequence[str]) -> IntArray:
        return -(-self._tokenizer.count(texts) // self._room)

    @property
    def _room(self) -> int:
        """Tokens of a text that fit into one row."""
        return max(self._max_tokens - len(self._before), 1)

    def _run(self, ids: list[Sequence[int]], length: int, n_rows: int) -> FloatArray:
        import torch

        tokens = np.full((n_rows, length), self._empty[0], dtype=np.int64)
        weights = np.zeros((n_rows, length, 1), dtype=np.float32)
        for row, one in enumerate(ids):
            tokens[row, : len(one)] = one
            weights[row, : len(one), 0] = pooling_weights(len(one), self._pooling)
        with torch.inference_mode():
            hidden = self._hidden(tokens).float()
            pooled = (hidden * torch.from_numpy(weights).to(self._device)).sum(dim=1)
            return np.asarray(pooled[: len(ids)].cpu().numpy())

    def _hidden(self, tokens: IntArray) -> Any:
        return _hidden(self._model, tokens)


def _hidden(model: Any, tokens: IntArray) -> Any:
    """The last hidden layer, (rows, length, d)."""
    import torch

    with torch.inference_mode():
        return model(input_ids=torch.from_numpy(tokens).to(model.device), use_cache=False)[0]


def _check_causal(name: str, model: Any) -> None:
    """An encoder would look at the padding: its states of 8 tokens change when 8 others follow."""
    vocabulary = int(model.get_input_embeddings().weight.shape[0])
    tokens = (np.arange(16, dtype=np.int64)[None] * 7 + 3) % vocabulary
    long, short = (_hidden(model, t)[0, :8].float() for t in (tokens, tokens[:, :8]))
    difference, size = float((long - short).abs().max()), float(short.abs().max())
    # Rounding in bfloat16 alone is below a tenth; a bidirectional model's difference is as large as its states.
    if difference > 0.1 * size:
        raise ModelError(
            f"model {name!r} isn't causal: later tokens change the states of earlier ones; "
            f"give an encoder by its folder alone, without last-token:, mean: or rds: before it"
        )


def _empty_token(config: dict[str, Any]) -> int:
    """What stands for an empty text where the tokenizer puts nothing before a text."""
    for name in ("eos_token_id", "bos_token_id"):
        token = config.get(name)
        if isinstance(token, list):
            token = token[0] if token else None
        if token is not None:
            return int(token)
    return 0
