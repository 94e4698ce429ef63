"""How well each example is represented: the metrics of Carlini et al., for text models, from probabilities."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from typing import Literal

import numpy as np
import numpy.typing as npt

from workbench.checks import FloatArray, IntArray
from workbench.errors import InputError
from workbench.stats.agreement import mean_ranks

Metric = Literal["adv", "ret", "agr", "conf", "priv"]

WELL_REPRESENTED: Mapping[Metric, Literal["highest", "lowest"]] = {
    "adv": "highest",
    "ret": "lowest",
    "agr": "lowest",
    "conf": "highest",
    "priv": "lowest",
}
"""Which end of a metric the well represented examples have: far from a wrong answer (adv), unchanged by training
without them (ret), agreed upon (agr), confident (conf), learned under little privacy loss (priv, an epsilon)."""


def confidence(probabilities: FloatArray) -> float:
    """Mean over models and tokens of the probability of the likeliest next token; in 0..1, high is well represented.

    Parameters
    ----------
    probabilities
        (m, t, v): m models (seeds) on the t tokens of one document, over a vocabulary of v.

    Returns
    -------
    A mean of probabilities, not of their logarithms (see `log_confidence`), each token counting alike: where texts
    differ in length the mean of a short one scatters more. NaN of a document without tokens.
    """
    p = _distributions("probabilities", probabilities, 3)
    return float(p.max(axis=2).mean()) if p.shape[1] else math.nan


def log_confidence(log_probabilities: FloatArray) -> float:
    """Mean over models and tokens of the log-probability of the token that stands there; nats a token.

    Parameters
    ----------
    log_probabilities
        (m, t), at most 0.
    """
    values = np.asarray(log_probabilities, dtype=np.float64)
    if values.ndim != 2 or not (values <= 0).all():
        raise InputError(f"log_probabilities must be (models, tokens) of at most 0, got {values.shape}")
    return float(values.mean()) if values.size else math.nan


def js_divergence(p: FloatArray, q: FloatArray) -> npt.NDArray[np.float64]:
    """Jensen-Shannon divergence of distributions along the last axis, nats: 0 for equal ones, ln 2 for disjoint ones.

    Parameters
    ----------
    p, q
        (..., v), each summing to 1.
    """
    p, q = _distributions("p", p), _distributions("q", q)
    middle = (p + q) / 2
    return np.clip((_kl(p, middle) + _kl(q, middle)) / 2, 0, math.log(2))


def disagreement(probabilities: FloatArray) -> float:
    """Mean over tokens and pairs of models of the Jensen-Shannon divergence: agr; in 0..ln 2, low is well represented.

    Parameters
    ----------
    probabilities
        (m, t, v), at least 2 models.

    Raises
    ------
    InputError
        If there are fewer than 2 models, or what is given are no distributions.
    """
    p = _distributions("probabilities", probabilities, 3)
    if len(p) < 2:
        raise InputError(
            f"agreement needs at least 2 models, got {len(p)}; train the model with another seed too"
        )
    if not p.shape[1]:
        return math.nan
    pairs = itertools.combinations(range(len(p)), 2)
    return float(np.mean([js_divergence(p[i], p[j]).mean() for i, j in pairs]))


def symmetric_kl(p: FloatArray, q: FloatArray) -> npt.NDArray[np.float64]:
    """KL(p, q) + KL(q, p) along the last axis, nats, 0 or more; inf where one has a token that the other can't give.

    Parameters
    ----------
    p, q
        (..., v), each summing to 1.
    """
    p, q = _distributions("p", p), _distributions("q", q)
    return np.maximum(_kl(p, q) + _kl(q, p), 0)


def retraining_change(before: FloatArray, after: FloatArray) -> float:
    """Mean over tokens of the symmetric KL between a model's outputs before and after it goes on training: ret.

    Parameters
    ----------
    before, after
        (t, v): on one document, which isn't among the data of the further training.

    Returns
    -------
    Nats a token, 0 or more; low is well represented.
    """
    before, after = _distributions("before", before, 2), _distributions("after", after, 2)
    return float(symmetric_kl(before, after).mean()) if len(before) else math.nan


def rank_of_order(order: IntArray) -> npt.NDArray[np.int64]:
    """From an order (the example at each place) the place of each example.

    The metrics were released as orders. Taken for ranks, they are wrong without looking wrong.

    Raises
    ------
    InputError
        If it isn't a permutation of 0..n - 1.

    Examples
    --------
    >>> rank_of_order(np.array([2, 0, 1])).tolist()
    [1, 2, 0]
    """
    order = np.asarray(order)
    n = len(order)
    if (
        order.shape != (n,)
        or not np.issubdtype(order.dtype, np.integer)
        or not np.array_equal(np.sort(order), np.arange(n))
    ):
        raise InputError(f"order must hold each of 0..{n - 1} once; a rank with ties is no order")
    rank = np.empty(n, dtype=np.int64)
    rank[order] = np.arange(n)
    return rank


def representation_rank(metrics: Mapping[Metric, FloatArray]) -> npt.NDArray[np.float64]:
    """Mean of each example's ranks under several metrics, float64 (n,): 0 is best represented, n - 1 worst.

    Parameters
    ----------
    metrics
        (n,) each, no NaN; which end is good is known of each.

    Raises
    ------
    InputError
        If there is none, one isn't known, lengths differ, or a value is NaN.

    Notes
    -----
    Carlini, Erlingsson and Papernot 2019, arXiv:1910.13427. Good under all: prototypes. Badly ranked by agr and ret
    and yet confident: memorised. Badly ranked, but near each other in an embedding: an uncommon kind, not noise.
    """
    if not metrics:
        raise InputError(f"metrics is empty; give some of {', '.join(WELL_REPRESENTED)}")
    ranks = []
    n = len(next(iter(metrics.values())))
    for name, values in metrics.items():
        if name not in WELL_REPRESENTED:
            raise InputError(f"there is no metric {name!r}; it may be one of {', '.join(WELL_REPRESENTED)}")
        values = np.asarray(values, dtype=np.float64)
        if values.shape != (n,) or np.isnan(values).any():
            raise InputError(f"{name} must be {n} numbers without NaN, got {values.shape}")
        ranks.append(mean_ranks(values if WELL_REPRESENTED[name] == "lowest" else -values) - 1)
    return np.asarray(np.mean(ranks, axis=0))


def _kl(p: FloatArray, q: FloatArray) -> npt.NDArray[np.float64]:
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = np.where(p > 0, p * (np.log(p) - np.log(q)), 0.0)
    return np.asarray(terms.sum(axis=-1))


def _distributions(name: str, values: FloatArray, ndim: int | None = None) -> npt.NDArray[np.float64]:
    p = np.asarray(values, dtype=np.float64)
    if p.ndim < 1 or (ndim is not None and p.ndim != ndim):
        raise InputError(
            f"{name} must have {ndim or 'at least 1'} dimensions, the last the vocabulary, got {p.shape}"
        )
    # float16 probabilities of a large vocabulary sum to 1 only about
    if not (p >= 0).all() or not np.allclose(p.sum(axis=-1), 1, atol=1e-2):
        raise InputError(
            f"{name} must be probabilities that sum to 1 over the vocabulary; apply a softmax to logits"
        )
    return p
