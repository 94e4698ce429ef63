"""What decides the log-likelihoods of a causal language model: files, dtype, windows, context token."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from workbench.errors import ModelError
from workbench.models.base import Definition
from workbench.models.lm.windows import plan_windows
from workbench.models.locate import DEFAULT_LM, SMOLLM2, Located
from workbench.models.runtime import resolve_dtype
from workbench.models.tokens import load_backend, starting_token
from workbench.models.transformer import read_config

Context = Literal["auto", "bos", "eos", "none"]

# Both score the beginning of a document, so that a CPU scores some thousands of documents in minutes; what is beyond
# is counted as truncated. The context token of SmolLM2 is <|endoftext|>, between the documents it was trained on; its
# BOS is a chat token.
_KNOWN: Mapping[str, Mapping[str, int]] = {
    DEFAULT_LM: {"window": 256, "stride": 256, "max_tokens": 256},
    SMOLLM2: {"window": 128, "stride": 128, "max_tokens": 128, "context_token_id": 0},
}
_WINDOW = 2048
_MAX_WINDOWS = 4


@dataclass(frozen=True)
class LMSettings:
    """How a language model reads documents; None is the model's own default.

    Attributes
    ----------
    window
        Tokens read at once, at least 2; by default 2,048 or the model's maximum (256 and 128 for the two
        models that come with the workbench, so that a CPU is done in minutes).
    stride
        New tokens of each window after a document's first, 1..window; by default half of the window.
    max_tokens
        Tokens of a document that are scored, at least 1; by default those of 4 windows. The rest is counted.
    context
        The token before each window: "auto" (the one that the tokenizer prepends, else EOS, else BOS, else
        none), "bos", "eos", or "none": then a document's first token is only read, not predicted.
    """

    window: int | None = None
    stride: int | None = None
    max_tokens: int | None = None
    context: Context = "auto"


def lm_definition(
    located: Located, dtype: str | None = None, settings: LMSettings | None = None
) -> Definition:
    """Everything that decides the log-likelihoods; the weights are digested, not loaded.

    Raises
    ------
    ModelError
        If a file differs from its known digest, a setting is out of range, or the model lacks the context token.
    """
    settings = settings or LMSettings()
    # What the built-in models are known for holds as long as nothing else is asked for.
    known = _KNOWN.get(located.id, {}) if located.built_in else {}
    # The built-in GGUF's settings are known, and take seconds to read.
    config = {} if located.gguf is not None and located.built_in else read_config(located)
    longest = longest_window(config)
    window = known.get("window", min(_WINDOW, longest)) if settings.window is None else settings.window
    if window > longest:
        raise ModelError(
            f"window must be at most {longest}, which model {located.id!r} can read, got {window}"
        )
    asked = settings.window is not None
    stride = settings.stride
    if stride is None:
        # a window below its least is refused for what it is, not for half of it
        stride = max(window // 2, 1) if asked else known.get("stride", window // 2)
    plan_windows(np.zeros(0, np.int64), window, stride, context=True)  # checks the two
    max_tokens = settings.max_tokens
    if max_tokens is None:
        max_tokens = known["max_tokens"] if known and not asked else window + (_MAX_WINDOWS - 1) * stride
    if max_tokens < 1:
        raise ModelError(f"max_tokens must be at least 1, got {max_tokens}")
    context = known.get("context_token_id") if settings.context == "auto" else None
    if context is None:
        context = _context_token(located, config, settings.context)
    return {
        "kind": "lm",
        "id": located.id,
        "revision": located.revision,
        "dtype": resolve_dtype(dtype),
        "window": window,
        "stride": stride,
        "max_tokens": max_tokens,
        "context_token_id": context,
        "scores_eos": False,
        "special_tokens": "as text",
        "files": located.digests(),
    }


def longest_window(config: Mapping[str, Any]) -> int:
    """Tokens that the model can read at once; a model that states no maximum (ALiBi) gets the default window."""
    for name in ("max_position_embeddings", "n_positions", "max_seq_len", "seq_length"):
        if config.get(name):
            return int(config[name])
    return _WINDOW


def _context_token(located: Located, config: Mapping[str, Any], context: Context) -> int | None:
    """The token that windows begin with.

    "auto": what the tokenizer prepends, else EOS, which separates packed documents in training, else BOS, else none.
    """
    if context == "none":
        return None
    by_name = {name: _first(config.get(f"{name}_token_id")) for name in ("eos", "bos")}
    if context == "auto":
        tokens = (starting_token(load_backend(located)), by_name["eos"], by_name["bos"])
        return next((token for token in tokens if token is not None), None)
    if by_name[context] is None:
        raise ModelError(
            f"model {located.id!r} has no {context.upper()} token in its config.json; "
            "choose another context token, or none"
        )
    return by_name[context]


def _first(token: Any) -> int | None:
    token = next(iter(token), None) if isinstance(token, list) else token
    return None if token is None else int(token)
