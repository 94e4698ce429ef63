"""Per-document log-likelihoods of a causal language model."""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from workbench.checks import Array, FloatArray, IntArray
from workbench.errors import ModelError
from workbench.models.base import Definition
from workbench.models.batches import Batch, plan_batches
from workbench.models.locate import DEFAULT_LM, SMOLLM2, Located
from workbench.models.runtime import device, quiet, reason, resolve_dtype, torch_dtype
from workbench.models.tokens import FileTokenizer, load_backend, starting_token, untrimmed
from workbench.progress import Progress

# Both score the beginning of a document, so that a CPU scores some thousands of documents in minutes; what is beyond
# is counted as truncated.
# The context token of SmolLM2 is <|endoftext|>, between the documents it was trained on; its BOS is a chat
# token.
_KNOWN: Mapping[str, Mapping[str, int]] = {
    DEFAULT_LM: {"window": 256, "max_tokens": 256},
    SMOLLM2: {"window": 128, "max_tokens": 128, "context_token_id": 0},
}
_WINDOW = 512
_MAX_TOKENS = 2048

# A call with few texts pays for a batch of each length it has, so batches are no larger than speed asks for.
_BATCH_TOKENS = {"cpu": 1024, "cuda": 32768}
# Elements of one chunk of logits: 2 MB in float32 on a CPU, where they stay in the cache (twice as fast as 64 MB).
_LOGITS = {"cpu": 1 << 19, "cuda": 1 << 29}


def lm_definition(located: Located, dtype: str | None = None, backend: Any = None) -> Definition:
    """Everything that decides the log-likelihoods; the weights are digested, not loaded.

    Raises
    ------
    ModelError
        If a file differs from its known digest, or no context token can be found.
    """
    known = _KNOWN.get(located.id, {}) if located.built_in else {}
    config = _config(located)
    longest = int(config.get("max_position_embeddings") or config.get("n_positions") or _WINDOW)
    window = known.get("window", min(_WINDOW, longest))
    context = known.get("context_token_id")
    if context is None:
        context = _context_token(located, config, backend if backend is not None else load_backend(located))
    return {
        "kind": "lm",
        "id": located.id,
        "revision": located.revision,
        "dtype": resolve_dtype(dtype),
        "window": window,
        "stride": window,
        "max_tokens": known.get("max_tokens", _MAX_TOKENS),
        "context_token_id": context,
        "scores_eos": False,
        "special_tokens": "as text",
        "files": located.digests(),
    }


class WindowedLM:
    """Scores documents in windows that don't overlap, each beginning with the context token.

    A document's first `max_tokens` tokens are cut into windows of `window` tokens. Each window is predicted
    from the context token and the window's earlier tokens, so every token is predicted exactly once and the
    context token never counts. Rows are padded on the right, where a causal model doesn't look, into batches
    of fixed shape (workbench.models.batches): a document's numbers don't depend on the documents beside it,
    to the bit, on one machine with one number of threads.

    Raises
    ------
    ModelError
        If the model can't be loaded, or its head isn't a plain linear layer over its backbone.

    Notes
    -----
    The backbone runs alone and the logits of a chunk of positions at a time are made in float32, whatever the
    body's dtype: rounding logits to bfloat16 costs 0.01 nats a token. Sums are float64.
    """

    def __init__(
        self, located: Located, dtype: str | None = None, definition: Definition | None = None
    ) -> None:
        self._tokenizer = FileTokenizer(located)
        self._definition = (
            definition if definition is not None else lm_definition(located, dtype, self._tokenizer.backend)
        )
        untrimmed(self._tokenizer.backend)
        self._window = _integer(self._definition, "window")
        self._max_tokens = _integer(self._definition, "max_tokens")
        self._context = _integer(self._definition, "context_token_id")
        self._device = device()
        self._model = _load(located, str(self._definition["dtype"]), self._device)
        self._head = _Head(self._model, _LOGITS[self._device])
        _check_head(located.id, self._model, self._head, self._context)

    def definition(self) -> Definition:
        return self._definition

    def record(self, texts: Sequence[str], progress: Progress) -> Mapping[str, Array]:
        """The score record of each text: see workbench.models.base.CausalLM.

        `n_scored` is the number of predicted tokens, `n_truncated_tokens` of those beyond `max_tokens`, and
        `n_bytes_scored` the UTF-8 bytes of the span that was scored. An empty text has `n_scored` 0 and
        `nll_sum` NaN. Progress advances by characters of text.
        """
        kept = self._tokenizer.keep(texts, self._max_tokens)
        n_scored = np.array([len(k.ids) for k in kept], dtype=np.int64)
        owners, windows = self._windows([k.ids for k in kept])
        sums = self._window_sums(owners, windows, texts, progress)
        # bincount adds in the order of the windows, which is that of the document.
        nll = np.bincount(owners, weights=sums, minlength=len(texts)) if len(owners) else np.zeros(len(texts))
        return {
            "nll_sum": np.where(n_scored > 0, nll, np.nan),
            "n_scored": n_scored,
            "n_truncated_tokens": np.array([k.n_tokens for k in kept], dtype=np.int64) - n_scored,
            "n_bytes_scored": np.array([k.n_bytes for k in kept], dtype=np.int64),
        }

    def _windows(self, ids: list[IntArray]) -> tuple[IntArray, list[IntArray]]:
        """Each window's document and tokens, in the order of the documents."""
        owners: list[int] = []
        windows: list[IntArray] = []
        for i, one in enumerate(ids):
            for start in range(0, len(one), self._window):
                owners.append(i)
                windows.append(one[start : start + self._window])
        return np.array(owners, dtype=np.int64), windows

    def _window_sums(
        self, owners: IntArray, windows: list[IntArray], texts: Sequence[str], progress: Progress
    ) -> FloatArray:
        """Negative log-likelihood of each window, float64."""
        sums = np.zeros(len(windows))
        # A document's characters count as done with its first window.
        first = np.r_[True, owners[1:] != owners[:-1]] if len(owners) else owners.astype(bool)
        lengths = np.array([len(w) for w in windows], dtype=np.int64)
        for batch in plan_batches(lengths, self._window, _BATCH_TOKENS[self._device]):
            sums[batch.rows] = self._run(batch, windows)
            progress.advance(sum(len(texts[owners[w]]) for w in batch.rows if first[w]))
        return sums

    def _run(self, batch: Batch, windows: list[IntArray]) -> FloatArray:
        """One batch: window [t1..tL] is fed as [context, t1..tL-1] and predicted as [t1..tL]."""
        import torch

        tokens = np.full((batch.n_rows, batch.length), self._context, dtype=np.int64)
        owner = np.full((batch.n_rows, batch.length), -1, dtype=np.int64)
        targets = np.zeros((batch.n_rows, batch.length), dtype=np.int64)
        for row, w in enumerate(batch.rows):
            window = windows[w]
            tokens[row, 1 : len(window)] = window[:-1]
            targets[row, : len(window)] = window
            owner[row, : len(window)] = row
        real = owner.ravel() >= 0
        with torch.inference_mode():
            hidden = self._model.base_model(
                input_ids=torch.from_numpy(tokens).to(self._device), use_cache=False
            )[0]
            rows = hidden.flatten(0, 1)[torch.from_numpy(np.flatnonzero(real)).to(self._device)]
            nll = self._head.nll(rows, torch.from_numpy(targets.ravel()[real]).to(self._device))
        # Sequential in float64, so a window's sum doesn't depend on the batch.
        return np.asarray(
            np.bincount(owner.ravel()[real], weights=nll, minlength=len(batch.rows)), np.float64
        )


class _Head:
    """Output layer and loss, a chunk of fixed shape at a time, in float32."""

    def __init__(self, model: Any, n_logits: int) -> None:
        layer = model.get_output_embeddings()
        self._weight = layer.weight.detach().float()
        self._bias = None if getattr(layer, "bias", None) is None else layer.bias.detach().float()
        config = model.config
        # Granite divides its logits, Cohere multiplies them, Gemma 2 caps them.
        self._scale = float(getattr(config, "logit_scale", None) or 1.0) / float(
            getattr(config, "logits_scaling", None) or 1.0
        )
        self._cap = getattr(config, "final_logit_softcapping", None)
        # A multiple of 64, and at least that: kernels work on blocks of rows.
        self._chunk = max(64, n_logits // len(self._weight) // 64 * 64)

    def nll(self, hidden: Any, targets: Any) -> FloatArray:
        """Negative log-likelihood of each target, float64 (n,), from hidden states (n, d)."""
        import torch

        out = np.empty(len(hidden))
        for start in range(0, len(hidden), self._chunk):
            rows = hidden[start : start + self._chunk].float()
            n = len(rows)
            wanted = torch.nn.functional.pad(targets[start : start + n], (0, self._chunk - n))
            logits = self.logits(torch.nn.functional.pad(rows, (0, 0, 0, self._chunk - n)))
            nll = torch.logsumexp(logits, dim=-1) - logits.gather(1, wanted[:, None])[:, 0]
            out[start : start + n] = nll[:n].double().cpu().numpy()
        return out

    def logits(self, rows: Any) -> Any:
        import torch

        logits = torch.nn.functional.linear(rows, self._weight, self._bias)
        if self._scale != 1.0:
            logits = logits * self._scale
        return logits if not self._cap else torch.tanh(logits / self._cap) * self._cap


def _check_head(name: str, model: Any, head: _Head, context: int) -> None:
    """Hold backbone and head against the model's own logits on a few tokens, once, when it is loaded."""
    import torch

    vocabulary = len(model.get_output_embeddings().weight)
    tokens = (torch.arange(16, device=model.device)[None] * 7 + context) % vocabulary
    with torch.inference_mode():
        own = torch.log_softmax(model(input_ids=tokens, use_cache=False).logits[0].float(), dim=-1)
        hidden = model.base_model(input_ids=tokens, use_cache=False)[0][0]
        ours = torch.log_softmax(head.logits(hidden.float()), dim=-1)
    # The model rounds its logits to its own dtype.
    tolerance = 1e-3 if model.dtype == torch.float32 else 0.1
    difference = float((own - ours).abs().max())
    if not difference <= tolerance:
        raise ModelError(
            f"the logits of model {name!r} are not its output layer over its hidden states (they differ by "
            f"{difference:.2g} nats), so it can't be scored; choose another model"
        )


def _load(located: Located, dtype: str, where: str) -> Any:
    from transformers import AutoModelForCausalLM, GgufConfig

    options: dict[str, Any] = {"use_safetensors": True}
    if located.gguf is not None:
        # Unpacked to plain layers: packed kernels would be others on each machine.
        options = {"gguf_file": located.gguf, "quantization_config": GgufConfig(dequantize=True)}
    try:
        # The GGUF reader draws a bar of its own.
        with quiet(), contextlib.redirect_stderr(io.StringIO()):
            model: Any = AutoModelForCausalLM.from_pretrained(
                str(located.folder),
                dtype=torch_dtype(dtype),
                local_files_only=True,
                trust_remote_code=False,
                **options,
            )
    except Exception as error:
        raise ModelError(
            f"model {located.id!r} can't be loaded as a causal language model "
            f"({reason(error)}); give the folder of one in transformers' format"
        ) from error
    return model.to(where).eval()


def _config(located: Located) -> dict[str, Any]:
    if located.gguf is not None:
        return {} if located.built_in else _gguf_config(located)
    config = json.loads((located.folder / "config.json").read_text(encoding="utf-8"))
    return dict(config.get("text_config") or config)


def _gguf_config(located: Located) -> dict[str, Any]:
    from transformers import AutoConfig

    try:
        with quiet():
            config = AutoConfig.from_pretrained(
                str(located.folder), gguf_file=located.gguf, local_files_only=True, trust_remote_code=False
            )
    except Exception as error:
        raise ModelError(
            f"{located.gguf} can't be read as a GGUF model ({reason(error)}); choose another file"
        ) from error
    return dict(config.to_dict())


def _context_token(located: Located, config: Mapping[str, Any], backend: Any) -> int:
    """The token that documents begin with: what the tokenizer prepends, else EOS, which separates packed
    documents in training, else BOS.
    """
    starting = starting_token(backend)
    for token in (starting, config.get("eos_token_id"), config.get("bos_token_id")):
        if isinstance(token, list):
            token = token[0] if token else None
        if token is not None:
            return int(token)
    raise ModelError(
        f"model {located.id!r} has neither a token that begins a document nor one that ends it; "
        f"add eos_token_id to its config.json"
    )


def _integer(definition: Definition, name: str) -> int:
    value = definition[name]
    if not isinstance(value, int):
        raise ModelError(f"a model's definition needs {name} as an integer, got {value!r}")
    return value
