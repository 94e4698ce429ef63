"""Which tokens a causal model reads at once: long documents are cut into windows so that each token is
predicted once.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from workbench.checks import IntArray
from workbench.errors import ModelError


@dataclass(frozen=True)
class Windows:
    """The windows of all documents, in the order of the documents, m of them.

    Attributes
    ----------
    document
        The document of each window, int64 (m,).
    first, end
        The window covers the document's tokens `first` to `end - 1`, int64 (m,).
    scored
        Those from `scored` on are predicted in it; the ones before are context, int64 (m,).
    """

    document: IntArray
    first: IntArray
    end: IntArray
    scored: IntArray

    def __len__(self) -> int:
        return len(self.document)


def plan_windows(n_tokens: IntArray, window: int, stride: int, *, context: bool) -> Windows:
    """Cut documents into windows in which every token is predicted exactly once.

    The first window predicts as many tokens as the model reads at once; each later one predicts up to `stride` further
    tokens, and reads as many of the tokens before them as fit.

    Parameters
    ----------
    n_tokens
        Tokens of each document, (n,), 0 or more.
    window
        Tokens that the model reads at once, at least 2, the context token included.
    stride
        New tokens of each window after a document's first, 1..window; with `window`, windows don't overlap.
    context
        Whether each window begins with a context token. If not, a document's first token is only read, never predicted.

    Raises
    ------
    ModelError
        If `window` or `stride` is out of range.

    Notes
    -----
    lm-evaluation-harness's rolling windows (`get_rolling_token_windows`), and the context token before every
    window: without it a later window of a model that was trained with one is predicted worse (transformers
    pull request 40524).

    Examples
    --------
    >>> plan = plan_windows(np.array([7]), 4, 2, context=True)
    >>> list(zip(plan.first.tolist(), plan.scored.tolist(), plan.end.tolist()))
    [(0, 0, 4), (2, 4, 6), (3, 6, 7)]
    """
    if window < 2:
        raise ModelError(f"window must be at least 2 tokens, got {window}")
    if not 1 <= stride <= window:
        raise ModelError(f"stride must lie in 1..{window} (the window), got {stride}")
    # Without a context token one more token of the document fits, since the last one is only predicted.
    span, first_scored = (window, 0) if context else (window + 1, 1)
    rows = []
    for document, n in enumerate(n_tokens.tolist()):
        if n > first_scored:
            rows.append((document, 0, min(span, n), first_scored))
        for scored in range(span, n, stride):
            end = min(scored + stride, n)
            rows.append((document, max(0, end - span), end, scored))
    table = np.array(rows, dtype=np.int64).reshape(-1, 4)
    return Windows(table[:, 0], table[:, 1], table[:, 2], table[:, 3])
