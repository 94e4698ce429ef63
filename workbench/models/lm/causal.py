"""Per-document log-likelihoods of a causal language model."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from workbench.checks import Array, FloatArray, IntArray
from workbench.errors import ModelError
from workbench.models.base import Definition, Surprisal
from workbench.models.lm.backbone import Backbone, Layout, Rows
from workbench.models.lm.definition import lm_definition
from workbench.models.lm.head import CHUNK_LOGITS, Head, check_head
from workbench.models.lm.windows import Windows, plan_windows
from workbench.models.locate import Located
from workbench.models.runtime import batch_tokens, device, device_errors, reason
from workbench.models.threads import Each, side_by_side
from workbench.models.token_cache import TokenCache
from workbench.models.tokens import FileTokenizer
from workbench.models.transformer import load_transformer
from workbench.progress import Progress, shown

Take = Callable[[IntArray, IntArray, FloatArray], None]


class WindowedLM:
    """Scores documents window by window (workbench.models.lm.windows); every token is predicted exactly once.

    Each window begins with the context token, which never counts. A document's first `max_tokens` tokens are scored.

    Parameters
    ----------
    layout
        "auto": on a CPU windows are packed into rows of one length and attended to one by one, where the
        model allows it; else they are padded into batches of fixed shapes (workbench.models.batches). Either
        way a document's numbers don't depend on the documents beside it, to the bit, on one machine with one number of
        threads. "padded" asks for the latter. "packed": packed on a GPU, too, by position ids or a mask; a
        document's numbers then vary by rounding (1e-5 nats a token in float32, 1e-3 in bfloat16) with the
        documents beside it.
    cache
        Where token ids are kept, shared by models with one tokenizer.

    Raises
    ------
    ModelError
        If the model can't be loaded, its head isn't a plain linear layer over its backbone, its tokenizer has
        tokens that it doesn't know, or packed windows see each other.

    Notes
    -----
    The backbone runs alone; logits are made in float32 a chunk of positions at a time
    (workbench.models.lm.head). Sums are float64. Where memory runs out, batches are halved and the work goes on.
    """

    def __init__(
        self,
        located: Located,
        dtype: str | None = None,
        definition: Definition | None = None,
        *,
        layout: Layout = "auto",
        cache: TokenCache | None = None,
    ) -> None:
        self._tokenizer = FileTokenizer(located, cache=cache)
        self._definition = definition if definition is not None else lm_definition(located, dtype)
        self._window, self._stride, self._max_tokens = (
            _integer(self._definition, name) for name in ("window", "stride", "max_tokens")
        )
        context = self._definition["context_token_id"]
        self._context = None if context is None else _integer(self._definition, "context_token_id")
        self._device = device()
        self._name = located.id
        self._model = load_transformer(located, str(self._definition["dtype"]), self._device, "causal")
        self._head = Head(self._model, CHUNK_LOGITS[self._device])
        _check_vocabulary(located.id, self._tokenizer.backend, self._head.n_vocabulary)
        check_head(located.id, self._model, self._head, self._context or 0)
        self._backbone = Backbone(located.id, self._model, layout)
        self._batch_tokens = batch_tokens(self._model.config, self._model.dtype, self._device)

    def definition(self) -> Definition:
        return self._definition

    def record(self, texts: Sequence[str], progress: Progress) -> Mapping[str, Array]:
        """The score record of each text: see workbench.models.base.CausalLM.

        `n_scored` is the number of predicted tokens, `n_truncated_tokens` of those beyond `max_tokens`, and
        `n_bytes_scored` the UTF-8 bytes of the span that was scored. A text without a predicted token has
        `n_scored` 0 and `nll_sum` NaN; a text with a logit that isn't a number has `nll_sum` NaN, too.
        Progress advances by characters of text.
        """
        unscored = int(self._context is None)
        kept = self._tokenizer.keep(texts, self._max_tokens, unscored)
        n_read = np.array([len(k.ids) for k in kept], dtype=np.int64)
        windows = plan_windows(n_read, self._window, self._stride, context=self._context is not None)
        nll = self._nll([k.ids for k in kept], windows, [len(text) for text in texts], progress)
        n_scored = np.maximum(n_read - unscored, 0)
        return {
            "nll_sum": np.where(n_scored > 0, nll, np.nan),
            "n_scored": n_scored,
            "n_truncated_tokens": np.array([k.n_tokens for k in kept], dtype=np.int64) - n_read,
            "n_bytes_scored": np.array([k.n_bytes for k in kept], dtype=np.int64),
        }

    def surprisal(self, text: str, progress: Progress) -> Surprisal:
        """How much each of a text's tokens surprises the model: see workbench.models.base.CausalLM."""
        ids, ends = self._tokenizer.first(text, self._max_tokens)
        windows = plan_windows(
            np.array([len(ids)]), self._window, self._stride, context=self._context is not None
        )
        bits = np.full(len(ids), np.nan)

        def take(members: IntArray, place: IntArray, nll: FloatArray) -> None:
            for i, w in enumerate(members.tolist()):
                bits[windows.scored[w] : windows.end[w]] = nll[place == i] / math.log(2)
            progress.advance(int((windows.end - windows.scored)[members].sum()))

        with shown(progress, "surprise of each token", len(ids)):
            self._run([ids], windows, take)
        return Surprisal(ends, bits)

    def _nll(
        self, ids: list[IntArray], windows: Windows, n_chars: list[int], progress: Progress
    ) -> FloatArray:
        """Negative log-likelihood of each document, float64 (n,)."""
        sums = np.zeros(len(windows))
        # A document's characters count as done with its first window.
        is_first = np.diff(windows.document, prepend=-1) > 0
        without = np.ones(len(ids), dtype=bool)
        without[windows.document] = False
        progress.advance(sum(n_chars[i] for i in np.flatnonzero(without)))

        def take(members: IntArray, place: IntArray, nll: FloatArray) -> None:
            # Sequential in float64, so a window's sum doesn't depend on the batch.
            sums[members] = np.bincount(place, weights=nll, minlength=len(members))
            progress.advance(sum(n_chars[windows.document[w]] for w in members if is_first[w]))

        self._run(ids, windows, take)
        # bincount adds in the order of the windows, which is that of the document.
        return np.asarray(np.bincount(windows.document, weights=sums, minlength=len(ids)), np.float64)

    def _run(self, ids: list[IntArray], windows: Windows, take: Take) -> None:
        """Hand each batch's windows to `take`, with smaller batches where memory runs out."""
        done = np.zeros(len(windows), dtype=bool)
        with side_by_side(self._device, self._model) as each:
            while not done.all():
                try:
                    for members, place, nll in self._batches(ids, windows, np.flatnonzero(~done), each):
                        take(members, place, nll)
                        done[members] = True
                except device_errors() as error:
                    self._make_do(error)

    def _batches(
        self, ids: list[IntArray], windows: Windows, todo: IntArray, each: Each
    ) -> Iterator[tuple[IntArray, IntArray, FloatArray]]:
        """Windows, and of each predicted token its window's place among them and its loss, a batch at a time."""
        begin = [] if self._context is None else [self._context]
        inputs, targets = [], []
        for w in todo.tolist():
            one = ids[windows.document[w]][windows.first[w] : windows.end[w]]
            inputs.append(np.concatenate([np.array(begin, dtype=np.int64), one[:-1]]))
            # What is only context has no target.
            target = one if begin else one[1:]
            n_scored = int(windows.end[w] - windows.scored[w])
            targets.append(np.concatenate([np.full(len(target) - n_scored, -1), target[-n_scored:]]))
        batches = self._backbone.batches(inputs, self._window, self._batch_tokens, self._context or 0)
        for members, place, nll in each(lambda rows: self._batch(rows, targets), batches):
            yield todo[members], place, nll

    def _batch(self, rows: Rows, targets: list[IntArray]) -> tuple[IntArray, IntArray, FloatArray]:
        """The windows of a batch, and of each predicted token its window's place among them and its negative
        log-likelihood, in the order of the tokens.
        """
        import torch

        flat = rows.windows.ravel()
        order = np.argsort(flat, kind="stable")[np.count_nonzero(flat < 0) :]
        members = np.unique(flat[order])
        wanted = np.full(len(flat), -1, dtype=np.int64)
        wanted[order] = np.concatenate([targets[w] for w in members])
        real = np.flatnonzero(wanted >= 0)
        hidden = self._backbone.hidden(rows).flatten(0, 1)
        where = torch.from_numpy(real).to(hidden.device)
        with torch.inference_mode():
            nll = self._head.nll(hidden[where], torch.from_numpy(wanted[real]).to(hidden.device))
        return members, np.searchsorted(members, flat[real]), nll

    def _make_do(self, error: Exception) -> None:
        """After an error of the device: smaller batches if memory ran out, else a sentence."""
        import torch

        if not isinstance(error, torch.OutOfMemoryError):
            raise ModelError(
                f"the device that ran model {self._name!r} failed ({reason(error)}); what was scored is kept, run again"
            ) from error
        if self._batch_tokens <= self._window:
            raise ModelError(
                f"the memory of the device doesn't hold one window of {self._window} tokens of model {self._name!r}; "
                "choose a smaller window or a smaller model"
            ) from error
        self._batch_tokens = max(self._batch_tokens // 2, self._window)
        torch.cuda.empty_cache()


def _check_vocabulary(name: str, backend: Any, n_vocabulary: int) -> None:
    largest = max(backend.get_vocab(with_added_tokens=True).values(), default=0)
    if largest >= n_vocabulary:
        raise ModelError(
            f"the tokenizer of model {name!r} has token {largest}, its output layer only {n_vocabulary}; "
            "the two don't belong together, choose a folder that is whole"
        )


def _integer(definition: Definition, name: str) -> int:
    value = definition[name]
    if not isinstance(value, int):
        raise ModelError(f"a model's definition needs {name} as an integer, got {value!r}")
    return value
