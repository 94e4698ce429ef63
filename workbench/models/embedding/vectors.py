"""From rows of token ids to one unit vector a text: chunks of long texts, batches, and what to do without memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from workbench.checks import Array, FloatArray, IntArray
from workbench.errors import ModelError
from workbench.models.batches import Batch, plan_batches
from workbench.models.runtime import device_errors, reason
from workbench.models.threads import side_by_side
from workbench.progress import Progress

Run = Callable[[list[Sequence[int]], int, int], FloatArray]
"""`run(ids, length, n_rows)`: the vectors of at most `n_rows` rows of ids, padded to (n_rows, length)."""


@dataclass(frozen=True)
class Chunks:
    """What n texts are cut into.

    Attributes
    ----------
    ids
        Token ids of each chunk as the model is given them, the chunks of a text one after another.
    owner
        The text of each chunk, int64, rising; each text has at least one chunk.
    n_tokens
        The text's own tokens in each chunk, special tokens not counted: a chunk's weight.
    """

    ids: list[Sequence[int]]
    owner: IntArray
    n_tokens: IntArray


def make_chunks(pieces: Sequence[Sequence[tuple[Sequence[int], int]]]) -> Chunks:
    """Chunks from the (ids, n_tokens) of each text."""
    return Chunks(
        [ids for own in pieces for ids, _ in own],
        np.repeat(np.arange(len(pieces)), [len(own) for own in pieces]).astype(np.int64),
        np.array([n for own in pieces for _, n in own], dtype=np.int64),
    )


def cut(ids: Sequence[int], room: int, max_chunks: int) -> list[Sequence[int]]:
    """The first `room * max_chunks` ids in pieces of `room`; one empty piece if there are none.

    Examples
    --------
    >>> cut([1, 2, 3, 4, 5], 2, 2), cut([], 2, 2)
    ([[1, 2], [3, 4]], [[]])
    """
    end = min(len(ids), room * max_chunks)
    return [ids[start : min(start + room, end)] for start in range(0, max(end, 1), room)]


def combine(vectors: FloatArray, chunks: Chunks, n_texts: int) -> FloatArray:
    """One unit row a text, float32 (n_texts, d): the mean of its chunks' rows, weighted by their tokens.

    The row of a text of one chunk is taken as it is, to the bit. A chunk without a direction (NaN) makes its text's
    row NaN.
    """
    starts = np.searchsorted(chunks.owner, np.arange(n_texts))
    out = vectors[starts]
    counts = np.bincount(chunks.owner, minlength=n_texts)
    for text in np.flatnonzero(counts > 1):
        rows = slice(starts[text], starts[text] + counts[text])
        weights = chunks.n_tokens[rows, None].astype(np.float64)
        out[text] = unit((vectors[rows] * weights).sum(axis=0, keepdims=True))[0]
    return out


def unit(rows: Array) -> FloatArray:
    """Rows scaled to length 1, float32 (n, d); NaN where a row is zero or not finite, since it has no direction."""
    with np.errstate(invalid="ignore", over="ignore"):
        norms = np.linalg.norm(rows, axis=1, keepdims=True)
        scaled = rows / np.maximum(norms, 1e-12)
    scaled[~np.isfinite(norms[:, 0]) | (norms[:, 0] == 0)] = np.nan
    return np.asarray(scaled, dtype=np.float32)


class Batcher:
    """Runs rows of ids through a model in batches of fixed shape, with half the tokens a batch if memory runs out.

    A row's batch shape follows from its own length (workbench.models.batches). A GPU that ran out of memory takes
    smaller shapes from then on, so its vectors may differ from those of the larger shapes by rounding.

    Parameters
    ----------
    run
        The model.
    longest
        The longest row it takes.
    batch_tokens
        Tokens of a batch.
    padded
        As in `plan_batches`.
    where, model
        As in `side_by_side`.
    """

    def __init__(
        self, run: Run, longest: int, batch_tokens: int, *, padded: bool, where: str, model: Any = None
    ) -> None:
        self._run = run
        self._where, self._model = where, model
        self._shape = (0, 0)
        self._longest = longest
        self._padded = padded
        self.batch_tokens = batch_tokens

    def encode(self, chunks: Chunks, texts: Sequence[str], dimension: int, progress: Progress) -> FloatArray:
        """Unit rows, float32 (n texts, dimension); a text's characters count as done with its first chunk.

        Raises
        ------
        ModelError
            If a single row doesn't fit into memory, or the device fails.
        """
        vectors = np.empty((len(chunks.ids), dimension), dtype=np.float32)
        lengths = np.array([len(one) for one in chunks.ids], dtype=np.int64)
        first = np.r_[True, chunks.owner[1:] != chunks.owner[:-1]] if len(lengths) else lengths.astype(bool)
        todo = np.ones(len(lengths), dtype=bool)
        with side_by_side(self._where, self._model) as each:
            while todo.any():
                rows = np.flatnonzero(todo)
                batches = plan_batches(lengths[rows], self._longest, self.batch_tokens, padded=self._padded)
                try:
                    for batch, raw in each(lambda b, rows=rows: (b, self._one(chunks, rows, b)), batches):
                        members = rows[batch.rows]
                        vectors[members] = unit(raw)
                        todo[members] = False
                        progress.advance(sum(len(texts[chunks.owner[i]]) for i in members if first[i]))
                except device_errors() as error:
                    self._make_do(error)
        return combine(vectors, chunks, len(texts))

    def _one(self, chunks: Chunks, rows: IntArray, batch: Batch) -> FloatArray:
        self._shape = batch.length, batch.n_rows
        return self._run([chunks.ids[i] for i in rows[batch.rows]], batch.length, batch.n_rows)

    def _make_do(self, error: Exception) -> None:
        """After an error of the device: smaller batches if memory ran out, else a sentence."""
        import torch

        # Of the batch that failed: where memory runs out batches run one after the other.
        length, n_rows = self._shape
        if not isinstance(error, torch.OutOfMemoryError):
            raise ModelError(
                f"the device that ran the embedder failed ({reason(error)}); what was scored is kept, run again"
            ) from error
        if n_rows == 1:
            raise ModelError(
                f"the GPU's memory doesn't hold one row of {length} tokens; free some, take a smaller model, "
                "or run without the GPU (CUDA_VISIBLE_DEVICES=)"
            ) from error
        # Below the rows that just failed, whatever the budget was: it may not have been what bounded them.
        self.batch_tokens = max(n_rows // 2, 1) * length
        torch.cuda.empty_cache()
