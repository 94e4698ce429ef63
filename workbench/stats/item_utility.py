"""Which items of an evaluation set to keep: what each tells about the systems that are compared (subset2evaluate)."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from workbench.checks import BoolArray, FloatArray, strings
from workbench.errors import InputError


def metric_variance(scores: FloatArray) -> npt.NDArray[np.float64]:
    """Population variance of each item's scores over the systems, (n,): where systems differ, an item tells them apart.

    Parameters
    ----------
    scores
        (n, m): a metric of n items' outputs by m systems, no NaN.

    Examples
    --------
    >>> metric_variance(np.array([[0.0, 1.0], [0.5, 0.5]])).tolist()
    [0.25, 0.0]
    """
    return np.asarray(_checked(scores).var(axis=1))


def metric_difficulty(scores: FloatArray) -> npt.NDArray[np.float64]:
    """Minus the mean of each item's scores over the systems, (n,): hard items first (the package's metric_avg).

    Parameters
    ----------
    scores
        (n, m), higher being better, no NaN.
    """
    return np.asarray(-_checked(scores).mean(axis=1))


def metric_consistency(scores: FloatArray) -> npt.NDArray[np.float64]:
    """Kendall's tau-c between each item's scores of the systems and their means over all items, (n,), -1..1.

    0 of an item that gives all systems the same score.

    Parameters
    ----------
    scores
        (n, m), at least 2 systems, no NaN.

    Raises
    ------
    InputError
        If there are fewer than 2 systems, or a score is NaN.
    """
    from scipy.stats import kendalltau

    values = _checked(scores)
    if values.shape[1] < 2:
        raise InputError(f"consistency needs at least 2 systems to put in order, got {values.shape[1]}")
    overall = values.mean(axis=0)
    tau = [kendalltau(item, overall, variant="c").statistic if np.ptp(item) else 0.0 for item in values]
    return np.nan_to_num(np.array(tau, dtype=np.float64), nan=0.0)


def unigram_diversity(outputs: Sequence[Sequence[str]]) -> npt.NDArray[np.float64]:
    """Minus the mean F1 of shared words over all pairs of an item's outputs, (n,), -1..0: different outputs first.

    Parameters
    ----------
    outputs
        Of each item the texts of the systems, at least 2. Words are what stands between white space. A pair with an
        empty text counts as alike, as in the released code.

    Raises
    ------
    InputError
        If an item has fewer than 2 outputs.

    Examples
    --------
    >>> unigram_diversity([["a b", "a b"], ["a b", "a c"]]).tolist()
    [-1.0, -0.5]
    """
    return np.array(
        [-float(np.mean([_f1(a, b) for a, b in _pairs(item)])) for item in outputs], dtype=np.float64
    )


def embedding_diversity(embeddings: FloatArray) -> npt.NDArray[np.float64]:
    """Minus the mean cosine similarity over all pairs of an item's outputs, (n,), -1..1: different outputs first.

    Parameters
    ----------
    embeddings
        (n, m, d), m at least 2 systems, of any scale: unlike the released code's plain product of vectors, a long one
        makes no item look uniform.

    Raises
    ------
    InputError
        If there are fewer than 2 outputs an item, or a vector is zero or not finite.
    """
    x = np.asarray(embeddings, dtype=np.float64)
    if x.ndim != 3 or x.shape[1] < 2:
        raise InputError(f"embeddings must be (items, systems, d) with at least 2 systems, got {x.shape}")
    length = np.linalg.norm(x, axis=2, keepdims=True)
    if not ((length > 0) & np.isfinite(length)).all():
        raise InputError("an output's vector is zero or not finite; embed it again or leave the item out")
    x = x / length
    m = x.shape[1]
    # The square of the sum holds each pair twice and each vector with itself.
    return np.asarray(-((x.sum(axis=1) ** 2).sum(axis=1) - m) / (m * (m - 1)))


def response_probability(
    ability: FloatArray, difficulty: FloatArray, discrimination: FloatArray, guess: FloatArray | float = 0.0
) -> npt.NDArray[np.float64]:
    """How likely each system is right on each item: c + (1 - c) / (1 + exp(-a (theta - b))), (n, m), in 0..1.

    Parameters
    ----------
    ability
        theta (m,).
    difficulty, discrimination
        b and a, (n,).
    guess
        c, (n,) or one for all, in 0..1.
    """
    theta, b, a = (np.asarray(v, dtype=np.float64) for v in (ability, difficulty, discrimination))
    c = np.broadcast_to(np.asarray(guess, dtype=np.float64), b.shape)
    if theta.ndim != 1 or b.ndim != 1 or a.shape != b.shape:
        raise InputError(f"ability must be (m,), the others (n,), got {theta.shape}, {b.shape} and {a.shape}")
    if not ((c >= 0) & (c <= 1)).all():
        raise InputError("guess must lie in 0..1, the chance of a right answer without any ability")
    half = np.tanh(a[:, None] * (theta - b[:, None]) / 2)  # doesn't overflow
    return np.asarray(c[:, None] + (1 - c[:, None]) * (1 + half) / 2)


def fisher_information(
    ability: FloatArray, difficulty: FloatArray, discrimination: FloatArray
) -> npt.NDArray[np.float64]:
    """What each item tells about the systems' abilities: the sum over systems of a^2 p (1 - p), (n,), 0 or more.

    Parameters
    ----------
    ability, difficulty, discrimination
        As in `response_probability`, without guessing.
    """
    p = response_probability(ability, difficulty, discrimination)
    return np.asarray(np.asarray(discrimination, dtype=np.float64) ** 2 * (p * (1 - p)).sum(axis=1))


def difficult_and_discriminating(
    difficulty: FloatArray, discrimination: FloatArray
) -> npt.NDArray[np.float64]:
    """Difficulty times discrimination, (n,): the package's diffdisc.

    Two negative numbers give a high one, as in the released code: fit with discriminations above 0.
    """
    return np.asarray(np.asarray(difficulty, dtype=np.float64) * np.asarray(discrimination, dtype=np.float64))


def top_items(utility: FloatArray, ids: Sequence[str], budget: int) -> BoolArray:
    """Keep the `budget` items of the highest utility, of equal ones the smaller id; bool (n,).

    Parameters
    ----------
    utility
        (n,), no NaN.
    ids
        n ids, each once.
    budget
        0 to n items.

    Raises
    ------
    InputError
        If the budget lies outside 0..n, an id comes twice, or a utility is NaN.

    Notes
    -----
    Zouhar et al. 2025, arXiv:2501.18251; released code zouharvi/subset2evaluate. Item response models are
    fitted by `item_response`. Not here: BLEU, regressors that read the source alone, and the
    choice under a cost an item.
    """
    utility = np.asarray(utility, dtype=np.float64)
    n = len(ids)
    if utility.shape != (n,) or np.isnan(utility).any():
        raise InputError(f"utility must be {n} numbers without NaN, one an id, got {utility.shape}")
    if len(set(ids)) < n:
        raise InputError(f"ids must each come once, got {n} with {len(set(ids))} different")
    if not 0 <= budget <= n:
        raise InputError(f"budget must lie in 0..{n} (the number of items), got {budget}")
    keep = np.zeros(n, dtype=bool)
    keep[np.lexsort((strings(ids), -utility))[:budget]] = True
    return keep


def _f1(a: str, b: str) -> float:
    x, y = Counter(a.split()), Counter(b.split())
    if not x or not y:
        return 1.0
    return 2 * (x & y).total() / (x.total() + y.total())


def _pairs(item: Sequence[str]) -> list[tuple[str, str]]:
    if len(item) < 2:
        raise InputError(f"diversity needs at least 2 outputs an item, got {len(item)}")
    return list(itertools.combinations(item, 2))


def _checked(scores: FloatArray) -> npt.NDArray[np.float64]:
    values = np.asarray(scores, dtype=np.float64)
    if values.ndim != 2 or not values.shape[1] or not np.isfinite(values).all():
        raise InputError(f"scores must be numbers (items, systems), each there, got {values.shape}")
    return values
