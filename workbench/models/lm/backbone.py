"""A causal model's body run on rows of windows, padded or packed, so that no window sees another one."""

from __future__ import annotations

import inspect
import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from workbench.checks import IntArray
from workbench.errors import ModelError
from workbench.models.batches import plan_batches
from workbench.models.lm.block_attention import NAME, blocks, register
from workbench.models.lm.packing import pack_rows
from workbench.models.runtime import quiet

Layout = Literal["auto", "padded", "packed"]
LAYOUTS: tuple[Layout, ...] = ("auto", "padded", "packed")

Isolation = Literal["blocks", "positions", "mask"]
"""How packed windows are kept apart: attended to one by one, by position ids that restart, or by a mask."""

# Nats by which two windows packed and alone may differ: rounding, no leak (a leak is 3 to 6).
_LEAK = {"float32": 1e-3, "bfloat16": 0.2}


@dataclass(frozen=True)
class Rows:
    """A batch of rows as a model takes it.

    Attributes
    ----------
    tokens
        Inputs, int64 (rows, length); what no window covers is a dummy token.
    positions
        Of each token within its window, int64 (rows, length); 0 where there is none, since a model has only so many.
    windows
        The window of each token, -1 for none, int64 (rows, length).
    """

    tokens: IntArray
    positions: IntArray
    windows: IntArray

    def spans(self) -> list[tuple[int, int]]:
        """Where the windows of the first row stand: first token, end."""
        row = self.windows[0]
        starts = [*np.flatnonzero(np.diff(row, prepend=-2)).tolist(), len(row)]
        return [(a, b) for a, b in itertools.pairwise(starts) if row[a] >= 0]


def padded_rows(inputs: list[IntArray], longest: int, batch_tokens: int, dummy: int) -> Iterator[Rows]:
    """A window a row, in batches of fixed shape (workbench.models.batches): a window's numbers don't depend
    on the others, to the bit. Padding stands on the right, where a causal model doesn't look.
    """
    lengths = np.array([len(one) for one in inputs], dtype=np.int64)
    for batch in plan_batches(lengths, longest, batch_tokens):
        yield _filled([[i] for i in batch.rows.tolist()], inputs, batch.n_rows, batch.length, dummy)


def packed_rows(inputs: list[IntArray], longest: int, batch_tokens: int, dummy: int) -> Iterator[Rows]:
    """Several windows a row of `longest` tokens, in batches of fixed shape."""
    lengths = np.array([len(one) for one in inputs], dtype=np.int64)
    rows = list(pack_rows(lengths, longest))
    n_rows = max(batch_tokens // longest, 1)
    for start in range(0, len(rows), n_rows):
        yield _filled(rows[start : start + n_rows], inputs, n_rows, longest, dummy)


def _filled(rows: list[list[int]], inputs: list[IntArray], n_rows: int, length: int, dummy: int) -> Rows:
    tokens = np.full((n_rows, length), dummy, dtype=np.int64)
    positions = np.zeros((n_rows, length), dtype=np.int64)
    windows = np.full((n_rows, length), -1, dtype=np.int64)
    for row in range(n_rows):
        at = 0
        for window in rows[row] if row < len(rows) else ():
            to = at + len(inputs[window])
            tokens[row, at:to] = inputs[window]
            positions[row, at:to] = np.arange(to - at)
            windows[row, at:to] = window
            at = to
    return Rows(tokens, positions, windows)


class Backbone:
    """The body of a transformers model, alone: hidden states after its last norm, no logits, no cache.

    Parameters
    ----------
    model
        A transformers causal language model.
    layout
        "padded": a window a row. "packed": several windows a row, kept apart in the first way that this model heeds.
        "auto": packed on a CPU if windows can be attended to one by one, else padded.

    Raises
    ------
    ModelError
        If windows are to be packed and the model lets them see each other whatever one does.

    Notes
    -----
    transformers looks for packed windows in the position ids only if there is no 2-D mask and no cache;
    otherwise documents leak into each other silently, by 3 to 6 nats. So two windows are scored packed and
    alone, once, before anything else.
    """

    def __init__(self, name: str, model: Any, layout: Layout) -> None:
        register()
        self._model = model
        self._own_attention = model.config._attn_implementation
        self._takes_positions = "position_ids" in inspect.signature(model.base_model.forward).parameters
        self._isolation: Isolation | None = None
        if layout != "padded":
            self._isolation, leak = self._find_isolation(self._ways(layout))
            if layout == "packed" and self._isolation is None:
                raise ModelError(
                    f"documents packed into one row see each other in model {name!r} (by {leak:.2g} nats); "
                    "score it with the layout padded"
                )

    def batches(self, inputs: list[IntArray], longest: int, batch_tokens: int, dummy: int) -> Iterator[Rows]:
        """Windows of at most `longest` tokens in batches of fixed shape, about `batch_tokens` tokens each."""
        if self._isolation is None:
            return padded_rows(inputs, longest, batch_tokens, dummy)
        if self._isolation == "blocks":
            length = max(batch_tokens, longest)
            return packed_rows(inputs, length, length, dummy)
        return packed_rows(inputs, longest, batch_tokens, dummy)

    def hidden(self, rows: Rows) -> Any:
        """Hidden states of a batch, (rows, length, d), on the model's device."""
        return self._run(rows, self._isolation)

    def _run(self, rows: Rows, isolation: Isolation | None) -> Any:
        import torch

        where = self._model.device
        given: dict[str, Any] = {"input_ids": torch.from_numpy(rows.tokens).to(where), "use_cache": False}
        if isolation and self._takes_positions:
            given["position_ids"] = torch.from_numpy(rows.positions).to(where)
        if isolation == "mask":
            given["attention_mask"] = self._mask(torch.from_numpy(rows.windows).to(where))
        with torch.inference_mode(), blocks(rows.spans() if isolation == "blocks" else ()):
            return self._model.base_model(**given)[0]

    def _mask(self, windows: Any) -> Any:
        """What is added to attention logits: 0 within a window and before, else the lowest number; (rows, 1, n, n)."""
        import torch

        n = windows.shape[1]
        causal = torch.ones(n, n, dtype=torch.bool, device=windows.device).tril()
        seen = (windows[:, :, None] == windows[:, None, :]) & causal
        mask = torch.zeros(seen.shape, dtype=self._model.dtype, device=windows.device)
        return mask.masked_fill_(~seen, torch.finfo(self._model.dtype).min)[:, None]

    def _ways(self, layout: Layout) -> list[Isolation]:
        on_cpu = self._model.device.type == "cpu"
        ways: list[Isolation] = ["blocks"] if on_cpu else []
        if layout == "packed":
            ways += ["positions"] if self._takes_positions else []
            # A mask of ours would take the place of the model's own sliding window.
            ways += ["mask"] if getattr(self._model.config, "sliding_window", None) is None else []
        return ways

    def _find_isolation(self, ways: list[Isolation]) -> tuple[Isolation | None, float]:
        """The first way in which two windows packed and alone agree, and the least difference that was found."""
        inputs = [(np.arange(n, dtype=np.int64) * 11 + n) % self._model.config.vocab_size for n in (24, 17)]
        alone = [
            self._log_probabilities(self._run(rows, None)[0])
            for one in inputs
            for rows in packed_rows([one], len(one), len(one), 0)
        ]
        (together,) = packed_rows(inputs, 44, 44, 0)
        worst = float("inf")
        for way in ways:
            self._attend("blocks" if way == "blocks" else "own")
            try:
                packed = self._log_probabilities(self._run(together, way)[0])
            except (ValueError, TypeError, RuntimeError):
                continue  # this model doesn't take a mask of that form, or attends in a way of its own
            worst = min(
                worst,
                max(
                    float((packed[together.windows[0] == i] - one).abs().max()) for i, one in enumerate(alone)
                ),
            )
            if worst <= _LEAK[str(self._model.dtype).removeprefix("torch.")]:
                return way, worst
        self._attend("own")
        return None, worst

    def _attend(self, how: Literal["own", "blocks"]) -> None:
        with quiet():
            self._model.set_attn_implementation(NAME if how == "blocks" else self._own_attention)

    def _log_probabilities(self, hidden: Any) -> Any:
        import torch

        with torch.inference_mode():
            return torch.log_softmax(self._model.get_output_embeddings()(hidden).float(), dim=-1)
