"""DSIR's importance weight: how much likelier a document's n-grams are in the target than in the sample."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, pairwise
from typing import Literal

import numpy as np
import numpy.typing as npt

from workbench.checks import Array, FloatArray, IntArray, check_at_least
from workbench.errors import InputError
from workbench.scores.base import Inputs, ScoreSpec, State, as_column

_BATCH = 256
_FLOOR = 1e-8  # of the released code: added to each probability before its logarithm


@dataclass(frozen=True)
class DsirParams:
    """What is counted and how the ratio is taken; the defaults are the package data-selection's.

    Attributes
    ----------
    n
        n-grams of 1 to n tokens, at least 1.
    n_buckets
        Buckets that they are hashed into, at least 1.
    min_tokens
        A document of fewer tokens has no weight (NaN), as the package drops it; 0 gives each its weight.
    target_laplace_smoothing
        Added to each of the target's counts, at least 0. A bucket that the target lacks costs its log-probability in
        the sample less log 1e-8 for each hit, so a small target needs it.
    words
        "regex": a word's combining marks belong to it, as in the package with NLTK from 3.10 on; "re": they part it, as
        with older ones. Of account for Indic scripts, Persian and the like.
    variant
        "repo": of the whole document, a sum that grows with its length. "paper": the document is cut into chunks of
        equal length, and the mean of their weights is taken.
    chunk_words
        Words (between white space) of a chunk, at least 1; read by "paper" only.
    """

    n: int = 2
    n_buckets: int = 10_000
    min_tokens: int = 100
    target_laplace_smoothing: float = 0.0
    words: Literal["regex", "re"] = "regex"
    variant: Literal["repo", "paper"] = "repo"
    chunk_words: int = 128


def log_ratio(target: IntArray, raw: IntArray, smoothing: float = 0.0) -> npt.NDArray[np.float64]:
    """Log of the target's probability of each bucket over the raw texts', float64 (n_buckets,), each floored by 1e-8.

    Raises
    ------
    InputError
        If there are no counts on one side.
    """
    if not raw.sum():
        raise InputError("the sample holds no word, so n-grams can't be counted; give texts with words")
    smoothed = target + smoothing
    if not smoothed.sum():
        raise InputError("the target holds no word, so n-grams can't be counted; give texts with words")
    return np.asarray(np.log(smoothed / smoothed.sum() + _FLOOR) - np.log(raw / raw.sum() + _FLOOR))


def log_weights(
    texts: Sequence[str], ratios: FloatArray, params: DsirParams = DsirParams()
) -> npt.NDArray[np.float64]:
    """DSIR's log-importance-weight of each text for each of k targets, float64 (n, k); NaN below `min_tokens`.

    Parameters
    ----------
    ratios
        As `log_ratio` gives them, (k, n_buckets).

    Notes
    -----
    Xie et al. 2023, arXiv:2302.03169, and the package data-selection: the sum of the log-ratios of all n-grams. It is a
    sum, so a document of twice the length has twice the weight, whichever its sign. The paper resamples chunks of equal
    length; what is assumed here for a whole document ("paper"): it is cut between words into n_words / chunk_words
    chunks, rounded, at least one, whose lengths differ by one word at most, and has the mean of their weights.
    The tokens are WordPunct's in both variants; the paper has NLTK's word_tokenize.
    """
    from workbench.models.ngram.hashed import ngram_buckets

    out = np.full((len(texts), len(ratios)), np.nan)
    for first in range(0, len(texts), _BATCH):
        rows = slice(first, first + _BATCH)
        pieces, owner, n_pieces = (
            list(texts[rows]),
            np.arange(len(texts[rows])),
            np.ones(len(texts[rows]), dtype=np.int64),
        )
        if params.variant == "paper":
            cut = [chunks(text, params.chunk_words) for text in pieces]
            n_pieces = np.array([len(found) for found in cut])
            pieces, owner = list(chain.from_iterable(cut)), np.repeat(owner, n_pieces)
        found, piece, n_tokens = ngram_buckets(pieces, params.n, params.n_buckets, params.words)
        # added up one by one, so that a text's sum is the same to the bit beside whatever texts
        length = np.bincount(owner, weights=n_tokens, minlength=len(n_pieces))
        for target, ratio in enumerate(ratios):
            total = np.bincount(owner[piece], weights=ratio[found], minlength=len(n_pieces)) / n_pieces
            out[rows, target] = np.where((length >= params.min_tokens) & (length > 0), total, np.nan)
    return out


def chunks(text: str, n_words: int) -> list[str]:
    """The text cut between words into pieces of about n words, as equal as can be; at least one piece.

    Examples
    --------
    >>> chunks("a b c d e f g", 3)
    ['a b c d', 'e f g']
    """
    words = text.split()
    k = max(1, math.floor(len(words) / n_words + 0.5))
    size, longer = divmod(len(words), k)
    ends = [0]
    for i in range(k):
        ends.append(ends[-1] + size + (i < longer))
    return [" ".join(words[a:b]) for a, b in pairwise(ends)]


def fit(inputs: Inputs, params: DsirParams, seed: int) -> State:
    """The buckets' log-ratios: {"log_ratio": float64 (n_buckets,)}.

    All n-grams of the target and of the sample count, short documents' too, each document once. The package stops
    counting raw texts at 100,000 times `n_buckets` n-grams, which no sample comes to.

    Raises
    ------
    InputError
        If a param is out of range, or sample or target holds no word.
    """
    assert inputs.target is not None
    target, raw = (_counts(i.texts, params) for i in (inputs.target, inputs))
    return {"log_ratio": log_ratio(target, raw, params.target_laplace_smoothing)}


def fit_targets(inputs: Inputs, params: DsirParams, seed: int) -> State:
    """The same for each source of the target by itself, in alphabetical order.

    Returns
    -------
    log_ratio : float64 (k, n_buckets)
    n_grams : int64 (k,): how many each source of the target has

    Raises
    ------
    InputError
        If a param is out of range, or the sample or a source of the target holds no word.
    """
    assert inputs.target is not None
    raw = _counts(inputs.texts, params)
    source = np.array(inputs.target.sources, dtype=object)
    texts = np.array(inputs.target.texts, dtype=object)
    targets = [_counts(texts[source == name].tolist(), params) for name in sorted(set(source.tolist()))]
    ratios = [log_ratio(target, raw, params.target_laplace_smoothing) for target in targets]
    return {"log_ratio": np.stack(ratios), "n_grams": np.array([t.sum() for t in targets], dtype=np.int64)}


def _counts(texts: Sequence[str], params: DsirParams) -> IntArray:
    """How often each bucket is hit, int64 (n_buckets,)."""
    from workbench.models.ngram.hashed import bucket_counts

    check_at_least("n", params.n, 1)
    check_at_least("n_buckets", params.n_buckets, 1)
    check_at_least("min_tokens", params.min_tokens, 0)
    check_at_least("target_laplace_smoothing", params.target_laplace_smoothing, 0)
    check_at_least("chunk_words", params.chunk_words, 1)
    for name, one, other in (("words", "regex", "re"), ("variant", "repo", "paper")):
        if (got := getattr(params, name)) not in (one, other):
            raise InputError(f"{name} must be {one} or {other}, got {got!r}")
    return bucket_counts(texts, params.n, params.n_buckets, params.words)


def compute(inputs: Inputs, params: DsirParams, state: State) -> Mapping[str, Array]:
    """`dsir_log_weight`, float64 (n,), as `log_weights` gives it."""
    weights = log_weights(inputs.texts, state["log_ratio"][None], params)[:, 0]
    return {"dsir_log_weight": as_column(weights, "float64")}


def compute_targets(inputs: Inputs, params: DsirParams, state: State) -> Mapping[str, Array]:
    """`dsir_target_log_weights`, float32 (n, k), as `log_weights` gives them."""
    return {"dsir_target_log_weights": as_column(log_weights(inputs.texts, state["log_ratio"], params))}


SPECS: tuple[ScoreSpec, ...] = (
    ScoreSpec(
        name="dsir_log_weight",
        version=1,
        title="DSIR: log of how much likelier the text's n-grams are in the target than in the sample, a sum",
        unit="nats",
        better="higher",
        needs=("text", "target"),
        compute=compute,
        params=DsirParams,
        fit=fit,
        dtype="float64",
        paper="Xie et al. 2023, arXiv:2302.03169",
    ),
    ScoreSpec(
        name="dsir_target_log_weights",
        version=1,
        title="DSIR's log-weight for each source of the target by itself",
        unit="nats",
        better="higher",
        needs=("text", "target"),
        compute=compute_targets,
        params=DsirParams,
        fit=fit_targets,
        vector=True,
        paper="Xie et al. 2023, arXiv:2302.03169",
    ),
)
