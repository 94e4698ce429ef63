"""How well a language model predicts a document."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from workbench.checks import Array
from workbench.errors import InputError
from workbench.progress import Silent
from workbench.scores.base import Inputs, NoParams, ScoreSpec, State, as_column


def perplexity(nll_sum: Array, n_scored: Array) -> Array:
    """Exponential of the mean negative log-likelihood of a token.

    Parameters
    ----------
    nll_sum
        Nats, (n,).
    n_scored
        Predicted tokens, (n,).

    Returns
    -------
    float64 (n,), 1 or more, lower is better predicted; NaN where nothing was predicted.

    Notes
    -----
    Ankner et al. 2024. Compare it within one model only; across tokenizers compare `bits_per_byte`.

    Examples
    --------
    >>> perplexity(np.array([0.0, np.log(8) * 5]), np.array([3, 5])).round(6).tolist()
    [1.0, 8.0]
    """
    return np.asarray(np.exp(_ratio(nll_sum, n_scored)))


def bits_per_byte(nll_sum: Array, n_bytes_scored: Array) -> Array:
    """Bits of surprise a UTF-8 byte of the text that was scored.

    Parameters
    ----------
    nll_sum
        Nats, (n,).
    n_bytes_scored
        Bytes of the scored span, (n,): of a document that was cut off, only the part before the cut.

    Returns
    -------
    float64 (n,), 0 or more, lower is better predicted; NaN where nothing was predicted.

    Examples
    --------
    >>> bits_per_byte(np.array([np.log(2) * 12]), np.array([6])).tolist()
    [2.0]
    """
    return np.asarray(_ratio(nll_sum, n_bytes_scored) / np.log(2))


def compute(inputs: Inputs, params: NoParams, state: State) -> Mapping[str, Array]:
    """The score record of each text and what follows from it, by one pass of the language model in use.

    Returns
    -------
    `perplexity` and `bits_per_byte` float32 (n,); `nll_sum` in nats, `n_scored`, `n_truncated_tokens` and
    `n_bytes_scored` float64 (n,). Of an empty text the first three are NaN and the counts 0.

    Raises
    ------
    InputError
        If no models were given.
    """
    if inputs.models is None:
        raise InputError("perplexity needs a language model and no models were given; name one with --lm")
    record = inputs.models.lm.record(inputs.texts, getattr(inputs.models, "progress", Silent()))
    nll_sum = record["nll_sum"]
    return {
        "perplexity": as_column(perplexity(nll_sum, record["n_scored"])),
        "bits_per_byte": as_column(bits_per_byte(nll_sum, record["n_bytes_scored"])),
        **{name: as_column(record[name], "float64") for name in ("nll_sum", *_COUNTS)},
    }


def compute_trained_on(inputs: Inputs, params: NoParams, state: State) -> Mapping[str, Array]:
    """Mark the documents whose perplexity is in-sample: `lm_trained_on` float32 (n,), 1 for those that the language
    model was trained on, 0 for others, NaN where the model doesn't say.
    """
    seen = None if inputs.models is None else inputs.models.trained_on()
    marks = np.full(len(inputs), np.nan) if seen is None else [float(i in seen) for i in inputs.doc_ids]
    return {"lm_trained_on": as_column(marks)}


def _ratio(above: Array, below: Array) -> Array:
    out = np.full(len(above), np.nan)
    np.divide(above, below, out=out, where=below > 0)
    return out


def _spec(name: str, title: str, unit: str, **rest: Any) -> ScoreSpec:
    given: dict[str, Any] = {"better": "neither", "needs": ("text", "lm"), "compute": compute} | rest
    return ScoreSpec(name=name, version=1, title=title, unit=unit, **given)


_COUNTS = ("n_scored", "n_truncated_tokens", "n_bytes_scored")
_ANKNER = "Ankner et al. 2024, arXiv:2405.20541"

SPECS: tuple[ScoreSpec, ...] = (
    _spec(
        "perplexity",
        "Exponential of the mean negative log-likelihood of a token",
        "perplexity",
        paper=_ANKNER,
    ),
    _spec("bits_per_byte", "Bits of surprise a byte of text, comparable across tokenizers", "bits/byte"),
    _spec("nll_sum", "Negative log-likelihood of the scored tokens, in all", "nats", dtype="float64"),
    _spec("n_scored", "Tokens that were predicted", "tokens", dtype="float64"),
    _spec(
        "n_truncated_tokens",
        "Tokens beyond the model's maximum, which were not predicted",
        "tokens",
        dtype="float64",
    ),
    _spec("n_bytes_scored", "UTF-8 bytes of the text that was predicted", "bytes", dtype="float64"),
    _spec(
        "lm_trained_on",
        "1 where the language model was trained on the document, whose perplexity is then too low",
        "mark",
        better="lower",
        needs=("lm",),
        compute=compute_trained_on,
        paper=_ANKNER,
    ),
)
