"""A causal model's output layer and loss, a chunk of positions at a time, so that logits are never stored whole."""

from __future__ import annotations

from typing import Any

import numpy as np

from workbench.checks import FloatArray
from workbench.errors import ModelError

# Elements of one chunk of logits: 2 MB in float32 on a CPU, where they stay in the cache (twice as fast as 64 MB).
CHUNK_LOGITS = {"cpu": 1 << 19, "cuda": 1 << 29}


class Head:
    """Output layer and negative log-likelihood in float32, whatever the body's dtype.

    Rounding logits to bfloat16 costs 0.01 nats a token; so the hidden states are turned to float32 before the product.
    Chunks have one fixed shape, and the last one is padded: a position's loss doesn't depend on the others, to the bit.

    Parameters
    ----------
    model
        A transformers causal language model.
    n_logits
        Elements of one chunk.
    """

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
        self.n_vocabulary = len(self._weight)
        # A multiple of 64, and at least that: kernels work on blocks of rows.
        self._chunk = max(64, n_logits // self.n_vocabulary // 64 * 64)

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

    def logits(self, hidden: Any) -> Any:
        """Logits in float32, (n, vocabulary), of hidden states in float32."""
        import torch

        logits = torch.nn.functional.linear(hidden, self._weight, self._bias)
        if self._scale != 1.0:
            logits = logits * self._scale
        return logits if not self._cap else torch.tanh(logits / self._cap) * self._cap


def check_head(name: str, model: Any, head: Head, context: int) -> None:
    """Hold backbone and head against the model's own logits on a few tokens, once, when it is loaded.

    Raises
    ------
    ModelError
        If they differ: the model does something between the two that isn't known here.
    """
    import torch

    tokens = (torch.arange(16, device=model.device)[None] * 7 + context) % head.n_vocabulary
    with torch.inference_mode():
        logits = model(input_ids=tokens, use_cache=False).logits[0].float()
        own = torch.log_softmax(logits, dim=-1)
        hidden = model.base_model(input_ids=tokens, use_cache=False)[0][0]
        ours = torch.log_softmax(head.logits(hidden.float()), dim=-1)
    # The model rounds its logits to its own dtype: a logit of 30 by up to 0.12 in bfloat16.
    tolerance = max(1e-3, 4 * torch.finfo(model.dtype).eps * float(logits.abs().max()))
    difference = float((own - ours).abs().max())
    if not difference <= tolerance:
        raise ModelError(
            f"the logits of model {name!r} are not its output layer over its hidden states (they differ by "
            f"{difference:.2g} nats), so it can't be scored; choose another model"
        )
