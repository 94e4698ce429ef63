"""Perplexity of those documents only that the language model wasn't trained on."""

from __future__ import annotations

import warnings
from collections.abc import Mapping

import numpy as np

from workbench.checks import Array
from workbench.errors import InputError, WorkbenchWarning
from workbench.progress import Silent
from workbench.scores.base import Inputs, NoParams, ScoreSpec, State, as_column


def compute(inputs: Inputs, params: NoParams, state: State) -> Mapping[str, Array]:
    """Score the split that a reference model wasn't trained on; the other half costs nothing.

    Returns
    -------
    `unseen_perplexity` float32 (n,), 1 or more, lower is better predicted; NaN for empty documents, for those that the
    model was trained on, and for all where the model doesn't say what that was.

    Raises
    ------
    InputError
        If no models were given.

    Notes
    -----
    Ankner et al. 2024, section 2: the perplexity of what a model has seen is too low to be compared. For a document
    that isn't NaN it is `perplexity`, to the bit.
    """
    if inputs.models is None:
        raise InputError(
            "unseen_perplexity needs a language model and no models were given; name one with --lm"
        )
    seen = inputs.models.trained_on()
    if seen is None:
        warnings.warn(
            "the language model doesn't say what it was trained on, so no document has an unseen_perplexity; "
            "take one that `workbench train-lm` made",
            WorkbenchWarning,
            stacklevel=2,
        )
        return {"unseen_perplexity": as_column(np.full(len(inputs), np.nan))}
    # An empty text has nothing to be predicted, so the model never runs on it.
    texts = ["" if i in seen else text for i, text in zip(inputs.doc_ids, inputs.texts, strict=True)]
    record = inputs.models.lm.record(texts, getattr(inputs.models, "progress", Silent()))
    mean = np.full(len(texts), np.nan)
    np.divide(record["nll_sum"], record["n_scored"], out=mean, where=record["n_scored"] > 0)
    return {"unseen_perplexity": as_column(np.exp(mean))}


SPECS: tuple[ScoreSpec, ...] = (
    ScoreSpec(
        name="unseen_perplexity",
        version=1,
        title="Perplexity of documents that the language model wasn't trained on, which alone are scored",
        unit="perplexity",
        better="neither",
        needs=("text", "lm"),
        compute=compute,
        paper="Ankner et al. 2024, arXiv:2405.20541",
    ),
)
