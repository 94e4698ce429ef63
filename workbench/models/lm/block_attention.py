"""Attention of windows packed into one row, each by itself: nothing is padded, nothing masked, nothing can leak.

The matrix products of a row have one fixed shape whatever is packed into it, and each window's attention has
the window's own shape: a window's numbers don't depend on the others, to the bit, and no place is wasted on padding.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

NAME = "workbench_blocks"
"""Its name among transformers' attention implementations."""

_blocks: ContextVar[Sequence[tuple[int, int]]] = ContextVar("blocks")


@contextmanager
def blocks(spans: Sequence[tuple[int, int]]) -> Iterator[None]:
    """Within this, a row of tokens is the windows that stand at `spans` (first, end)."""
    token = _blocks.set(spans)
    try:
        yield
    finally:
        _blocks.reset(token)


def register() -> None:
    """Make it known to transformers, which then makes no mask for it."""
    from transformers import AttentionInterface, AttentionMaskInterface

    AttentionInterface.register(NAME, attend)
    AttentionMaskInterface.register(NAME, _no_mask)


def _no_mask(*_: Any, **__: Any) -> None:
    return None


def attend(
    module: Any,
    query: Any,
    key: Any,
    value: Any,
    attention_mask: Any,
    scaling: float | None = None,
    dropout: float = 0.0,
    sliding_window: int | None = None,
    softcap: float | None = None,
    s_aux: Any = None,
    **_: Any,
) -> tuple[Any, None]:
    """Causal attention within each block; queries (1, heads, n, d) to outputs (1, n, heads, d).

    Raises
    ------
    NotImplementedError
        For attention sinks, a mask of the model's own, or more than one row: the backbone, which tries this way on
        two windows before any document, then takes another one.
    """
    import torch

    if s_aux is not None or attention_mask is not None or query.shape[0] != 1:
        raise NotImplementedError("attention sinks, masks and several rows can't be split into blocks")
    groups = query.shape[1] // key.shape[1]
    if groups > 1:
        key, value = (x.repeat_interleave(groups, dim=1) for x in (key, value))
    # What no window covers stays zero.
    out = torch.zeros_like(query.transpose(1, 2), memory_format=torch.contiguous_format)
    for first, end in _blocks.get():
        q, k, v = (x[:, :, first:end] for x in (query, key, value))
        if softcap is None and (sliding_window is None or end - first <= sliding_window):
            one = torch.nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True, scale=scaling)
        else:
            one = _plain(q, k, v, scaling, sliding_window, softcap)
        out[:, first:end] = one.transpose(1, 2)
    return out, None


def _plain(q: Any, k: Any, v: Any, scaling: float | None, window: int | None, softcap: float | None) -> Any:
    """With a sliding window or capped logits, which torch's own attention hasn't."""
    import torch

    logits = q @ k.transpose(2, 3) * (scaling if scaling is not None else q.shape[-1] ** -0.5)
    if softcap is not None:
        logits = torch.tanh(logits / softcap) * softcap
    place = torch.arange(q.shape[2], device=q.device)
    back = place[:, None] - place
    hidden = (back < 0) | (back >= (window or len(place)))
    weights = torch.softmax(logits.masked_fill(hidden, float("-inf")), dim=-1, dtype=torch.float32)
    return weights.to(q.dtype) @ v
