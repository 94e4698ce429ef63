"""How well an n-gram model predicts a document, in CCNet's way: the perplexity, and head, middle or tail."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from workbench.checks import Array, FloatArray, check_at_least
from workbench.errors import InputError
from workbench.progress import Silent
from workbench.scores.base import Inputs, NoParams, ScoreSpec, State, as_column

BUCKETS = ("head", "middle", "tail")
_ALL = -1  # stands in the place of a language where languages are not told apart


def ccnet_perplexity(log10_prob: Array, n_words: Array) -> Array:
    """Perplexity of a document by an n-gram model.

    Parameters
    ----------
    log10_prob
        log10 of the document's probability: of its words and of the end of each line, (n,).
    n_words
        Words, and one more a line for its end, (n,).

    Returns
    -------
    float64 (n,), lower is better predicted; NaN where a text has no words.

    Notes
    -----
    Wenzek et al. 2020, which rounds to one decimal place; this doesn't. Compare it within one model only.

    Examples
    --------
    >>> ccnet_perplexity(np.array([-10.0]), np.array([5])).tolist()
    [100.0]
    """
    out = np.full(len(log10_prob), np.nan)
    np.divide(-np.asarray(log10_prob, dtype=np.float64), n_words, out=out, where=np.asarray(n_words) > 0)
    return np.asarray(np.power(10.0, out))


def compute(inputs: Inputs, params: NoParams, state: State) -> Mapping[str, Array]:
    """The record of the n-gram model in use and the perplexity that follows from it.

    Returns
    -------
    `ccnet_perplexity`, `ngram_log10_prob` and `ngram_n_words`, each float64 (n,). Of a text without words the
    first two are NaN and the count 0.

    Raises
    ------
    InputError
        If no models were given.
    """
    if inputs.models is None:
        raise InputError(
            "ccnet_perplexity needs an n-gram model and no models were given; name one with --ngram"
        )
    record = inputs.models.ngram.record(inputs.texts, getattr(inputs.models, "progress", Silent()))
    scores, n_words = record["log10_prob"], record["n_words"]
    return {
        "ccnet_perplexity": as_column(ccnet_perplexity(scores, n_words), "float64"),
        "ngram_log10_prob": as_column(np.where(n_words > 0, scores, np.nan), "float64"),
        "ngram_n_words": as_column(n_words, "float64"),
    }


def compute_trained_on(inputs: Inputs, params: NoParams, state: State) -> Mapping[str, Array]:
    """Mark the documents whose n-gram perplexity is in-sample: `ngram_trained_on` float32 (n,), 1 for those that the
    n-gram model was trained on, 0 for others, NaN where the model doesn't say.
    """
    seen = None if inputs.models is None else inputs.models.trained_on("ngram")
    marks = np.full(len(inputs), np.nan) if seen is None else [float(i in seen) for i in inputs.doc_ids]
    return {"ngram_trained_on": as_column(marks)}


@dataclass(frozen=True)
class BucketParams:
    """Where head ends and tail begins.

    Attributes
    ----------
    head_percentile, tail_percentile
        Of the sample's perplexities, 0..100, the first not above the second. CCNet's are 30 and 60.
    by_language
        Whether each language has its own percentiles, as in CCNet; its perplexities are not comparable.
    min_documents
        Of a language that are scored in the sample, at least 1; a language with fewer gets no bucket.
    """

    head_percentile: float = 30.0
    tail_percentile: float = 60.0
    by_language: bool = True
    min_documents: int = 20


def fit_buckets(inputs: Inputs, params: BucketParams, seed: int) -> State:
    """The cutoffs: {"language": int64 (k,), ascending, "cutoffs": float64 (k, 2)}, unweighted percentiles of the
    sample's scorable documents.

    Raises
    ------
    InputError
        If a percentile lies outside 0..100, they are the wrong way round, or `min_documents` is below 1.
    """
    low, high = params.head_percentile, params.tail_percentile
    if not 0 <= low <= high <= 100:
        raise InputError(
            f"head_percentile and tail_percentile must lie in 0..100, the first not above the second, got {low:g} and "
            f"{high:g}; CCNet's are 30 and 60"
        )
    check_at_least("min_documents", params.min_documents, 1)
    values = inputs.columns["ccnet_perplexity"].astype(np.float64)
    languages = _languages(inputs, params)
    found, cutoffs = [], []
    for language in np.unique(languages[~np.isnan(languages)]):
        own = values[(languages == language) & ~np.isnan(values)]
        if len(own) >= params.min_documents:
            found.append(int(language))
            cutoffs.append(np.percentile(own, [low, high]))
    return {
        "language": np.array(found, dtype=np.int64),
        "cutoffs": np.array(cutoffs, dtype=np.float64).reshape(-1, 2),
    }


def ccnet_bucket(perplexity: Array, language: Array, known: Array, cutoffs: Array) -> Array:
    """Head, middle or tail of each document, by the cutoffs of its language.

    Parameters
    ----------
    perplexity, language
        (n,); NaN where unknown.
    known
        The languages that have cutoffs, ascending, (k,).
    cutoffs
        Where head ends and tail begins, (k, 2).

    Returns
    -------
    float64 (n,), index into BUCKETS: 0 below the first cutoff, 1 below the second, else 2; NaN where there is no
    perplexity, no language, or no cutoff for it (CCNet calls these "all").

    Examples
    --------
    >>> values, cutoffs = np.array([5.0, 10, 20, np.nan]), np.array([[10.0, 20]])
    >>> ccnet_bucket(values, np.zeros(4), np.array([0]), cutoffs).tolist()
    [0.0, 1.0, 2.0, nan]
    """
    out = np.full(len(perplexity), np.nan)
    if not len(known):
        return out
    has_both = ~np.isnan(perplexity) & ~np.isnan(language)
    row = np.minimum(np.searchsorted(known, np.where(has_both, language, known[0])), len(known) - 1)
    scored = has_both & (known[row] == language)
    out[scored] = (np.asarray(perplexity)[:, None] >= cutoffs[row]).sum(axis=1)[scored]
    return out


def compute_bucket(inputs: Inputs, params: BucketParams, state: State) -> Mapping[str, Array]:
    """`ccnet_bucket` float32 (n,): index into BUCKETS by the sample's cutoffs, NaN where there are none."""
    values = inputs.columns["ccnet_perplexity"].astype(np.float64)
    buckets = ccnet_bucket(values, _languages(inputs, params), state["language"], state["cutoffs"])
    return {"ccnet_bucket": as_column(buckets)}


def _languages(inputs: Inputs, params: BucketParams) -> FloatArray:
    languages = inputs.columns["language"].astype(np.float64)
    return languages if params.by_language else np.full(len(languages), float(_ALL))


def _spec(name: str, title: str, unit: str, **rest: Any) -> ScoreSpec:
    given: dict[str, Any] = {"better": "neither", "needs": ("text", "ngram"), "compute": compute} | rest
    return ScoreSpec(
        name=name,
        version=1,
        title=title,
        unit=unit,
        paper="Wenzek et al. 2020 (CCNet), arXiv:1911.00359",
        **given,
    )


# a model without <unk> gives a strange word 1e-100, whose inverse no float32 can hold
_WIDE = "float64"

SPECS: tuple[ScoreSpec, ...] = (
    _spec(
        "ccnet_perplexity",
        "Perplexity by an n-gram model, on CCNet's normalised text",
        "perplexity",
        dtype=_WIDE,
    ),
    _spec(
        "ngram_log10_prob", "log10 of the document's probability by the n-gram model", "log10", dtype=_WIDE
    ),
    _spec(
        "ngram_n_words",
        "Words that the n-gram model predicted, the end of each line among them",
        "words",
        dtype=_WIDE,
    ),
    _spec(
        "ngram_trained_on",
        "1 where the n-gram model was trained on the document, whose perplexity is then too low",
        "mark",
        better="lower",
        needs=("ngram",),
        compute=compute_trained_on,
    ),
    _spec(
        "ccnet_bucket",
        "Head, middle or tail by the n-gram perplexity among the sample's documents of the same language",
        "label",
        needs=("ccnet_perplexity", "language"),
        params=BucketParams,
        compute=compute_bucket,
        fit=fit_buckets,
        labels=BUCKETS,
    ),
)
