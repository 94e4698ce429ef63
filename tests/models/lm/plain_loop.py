"""The score record by the plainest loop, as an oracle."""

from __future__ import annotations

import numpy as np

from workbench.models.tokens import load_backend


def brute_force(located, texts, definition):
    """The score record by the plainest loop: for each token the whole model on what may stand before it."""
    import torch
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(located.folder, dtype=torch.float32).eval()
    backend = load_backend(located)
    window, stride = definition["window"], definition["stride"]
    begin = [] if definition["context_token_id"] is None else [definition["context_token_id"]]
    span = window if begin else window + 1
    nll, n_scored = [], []
    for text in texts:
        ids = backend.encode(text, add_special_tokens=False).ids[: definition["max_tokens"]]
        total, n = 0.0, 0
        of_window: dict[int, torch.Tensor] = {}
        for j in range(0 if begin else 1, len(ids)):
            # The window in which token j is new, and the token it begins with.
            end = span if j < span else min(span + ((j - span) // stride + 1) * stride, len(ids))
            first = max(0, end - span)
            if first not in of_window:
                with torch.no_grad():
                    logits = model(torch.tensor([begin + ids[first : end - 1]])).logits[0].double()
                of_window[first] = torch.log_softmax(logits, -1)
            total -= of_window[first][j - first - 1 + len(begin), ids[j]].item()
            n += 1
        nll.append(total if n else np.nan)
        n_scored.append(n)
    return np.array(nll), np.array(n_scored)
