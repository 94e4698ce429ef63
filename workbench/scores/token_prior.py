"""How common a document's tokens are, whatever their order: the cheapest stand-in for a perplexity."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from workbench.checks import Array, FloatArray, IntArray, check_at_least
from workbench.errors import InputError
from workbench.scores.base import Inputs, ScoreSpec, State, as_column

_BATCH = 256


@dataclass(frozen=True)
class TokenPriorParams:
    """How the tokens' probabilities are estimated.

    Attributes
    ----------
    smoothing
        Added to the count of every token of the vocabulary, above 0, so that one that the sample lacks has a
        probability too.
    """

    smoothing: float = 1.0


def fit(inputs: Inputs, params: TokenPriorParams, seed: int) -> State:
    """Log-probabilities of the tokens: {"log_prior": float64 (v + 1,)} in nats, v the largest id of the sample plus 1.

    The last entry is that of every token beyond. Each document of the sample counts as it is, unweighted: a sample that
    was drawn by source has all sources in proportion, up to rounding.

    Raises
    ------
    InputError
        If `smoothing` isn't above 0.
    """
    check_at_least("smoothing", params.smoothing, sys.float_info.min)
    counts = np.zeros(1, dtype=np.int64)
    for ids in _token_ids(inputs):
        found = np.bincount(ids, minlength=len(counts))
        found[: len(counts)] += counts
        counts = found
    return {"log_prior": log_prior(counts, params.smoothing)}


def log_prior(counts: IntArray, smoothing: float) -> FloatArray:
    """Log-probability of each token, and one more for those that were not counted.

    Parameters
    ----------
    counts
        By token id, (v,).
    smoothing
        Added to each count, and to one more that stands for the tokens beyond.

    Returns
    -------
    float64 (v + 1,), nats; their probabilities sum to 1.

    Examples
    --------
    >>> np.exp(log_prior(np.array([2, 0, 4]), 0.5)).round(4).tolist()
    [0.3125, 0.0625, 0.5625, 0.0625]
    """
    smoothed = np.r_[counts, 0] + smoothing
    return np.asarray(np.log(smoothed) - np.log(smoothed.sum()))


def compute(inputs: Inputs, params: TokenPriorParams, state: State) -> Mapping[str, Array]:
    """Mean and standard deviation of the tokens' log-probabilities in each document.

    Returns
    -------
    `token_prior` and `token_prior_std` float32 (n,), nats a token; NaN where a text has no tokens.
    """
    known = state["log_prior"]
    means, deviations = np.full((2, len(inputs)), np.nan)
    for i, ids in enumerate(_token_ids(inputs)):
        if len(ids):
            values = known[np.minimum(ids, len(known) - 1)]
            means[i], deviations[i] = values.mean(), values.std()
    return {"token_prior": as_column(means), "token_prior_std": as_column(deviations)}


def _token_ids(inputs: Inputs) -> Iterator[IntArray]:
    """The token ids of each text."""
    if inputs.models is None:
        raise InputError("token_prior needs a tokenizer and no models were given; name a model with --lm")
    for first in range(0, len(inputs), _BATCH):
        for kept in inputs.models.tokenizer.keep(inputs.texts[first : first + _BATCH], sys.maxsize):
            yield kept.ids


_PAPER = "after Seo et al. 2025, arXiv:2509.18577"

SPECS: tuple[ScoreSpec, ...] = tuple(
    ScoreSpec(
        name=name,
        version=1,
        title=title,
        unit="nats/token",
        better="neither",
        needs=("text", "tokenizer"),
        params=TokenPriorParams,
        compute=compute,
        fit=fit,
        paper=_PAPER,
        status="variant",
    )
    for name, title in (
        ("token_prior", "Mean log-probability of the document's tokens by their counts in the sample"),
        ("token_prior_std", "Standard deviation of the log-probability of the document's tokens"),
    )
)
