"""Metrics of how well an example is represented (Carlini et al. 2019), for text."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.spatial.distance import jensenshannon
from scipy.stats import entropy, rankdata

from workbench.errors import InputError
from workbench.stats.example_metrics import (
    confidence,
    disagreement,
    js_divergence,
    log_confidence,
    rank_of_order,
    representation_rank,
    retraining_change,
    symmetric_kl,
)


def distributions(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).dirichlet(np.ones(shape[-1]) / 2, size=shape[:-1])


def test_equal_distributions_have_no_divergence_and_disjoint_ones_ln_2() -> None:
    p = np.array([0.25, 0.75, 0.0, 0.0])
    assert js_divergence(p, p) == 0
    assert js_divergence(p, p[::-1]) == pytest.approx(math.log(2), abs=1e-15)
    assert symmetric_kl(p, p) == 0
    assert symmetric_kl(p, p[::-1]) == math.inf


def test_divergences_are_scipys_and_symmetric() -> None:
    p, q = distributions(9, 5), distributions(9, 5, seed=1)
    np.testing.assert_allclose(js_divergence(p, q), jensenshannon(p, q, axis=1) ** 2, rtol=1e-10)
    np.testing.assert_allclose(symmetric_kl(p, q), entropy(p, q, axis=1) + entropy(q, p, axis=1), rtol=1e-10)
    np.testing.assert_array_equal(js_divergence(p, q), js_divergence(q, p))
    np.testing.assert_allclose(symmetric_kl(p, q), symmetric_kl(q, p), rtol=1e-14)
    assert (js_divergence(p, q) < math.log(2)).all()


def test_confidence_averages_probabilities_over_models_and_tokens() -> None:
    p = np.array([[[0.5, 0.3, 0.2], [0.1, 0.8, 0.1]], [[0.25, 0.25, 0.5], [0.9, 0.1, 0.0]]])
    assert confidence(p) == pytest.approx((0.5 + 0.8 + 0.5 + 0.9) / 4)
    assert log_confidence(np.log([[0.5, 0.8], [0.5, 0.9]])) == pytest.approx(
        np.log([0.5, 0.8, 0.5, 0.9]).mean()
    )
    # Not the same: the mean of logarithms minds what is unlikely.
    assert math.exp(log_confidence(np.log([[0.5, 0.8], [0.5, 0.9]]))) < confidence(p)


def test_disagreement_is_the_mean_over_all_pairs_and_tokens() -> None:
    p = distributions(3, 4, 6)
    pairs = [jensenshannon(p[i, t], p[j, t]) ** 2 for i, j in ((0, 1), (0, 2), (1, 2)) for t in range(4)]
    assert disagreement(p) == pytest.approx(np.mean(pairs))
    assert disagreement(np.repeat(p[:1], 3, axis=0)) == 0
    assert 0 <= disagreement(p) <= math.log(2)


def test_what_retraining_changes_is_a_mean_a_token() -> None:
    before, after = distributions(4, 6), distributions(4, 6, seed=1)
    assert retraining_change(before, before) == 0
    assert retraining_change(before, after) == pytest.approx(symmetric_kl(before, after).mean())
    # A text twice as long of the same tokens changes as much.
    twice = retraining_change(np.tile(before, (2, 1)), np.tile(after, (2, 1)))
    assert twice == pytest.approx(retraining_change(before, after))


def test_a_document_without_tokens_has_no_metric() -> None:
    none = np.zeros((2, 0, 5))
    assert all(map(math.isnan, (confidence(none), disagreement(none), retraining_change(none[0], none[1]))))
    assert math.isnan(log_confidence(np.zeros((2, 0))))


def test_the_rank_of_an_order_is_its_inverse() -> None:
    order = np.random.default_rng(0).permutation(30)
    rank = rank_of_order(order)
    np.testing.assert_array_equal(rank[order], np.arange(30))
    np.testing.assert_array_equal(rank, np.argsort(order))
    assert not np.array_equal(rank, order)
    assert rank_of_order(np.zeros(0, dtype=int)).tolist() == []
    for wrong in ([0, 0, 1], [1, 2, 3], [0.0, 1.0]):
        with pytest.raises(InputError, match="a rank with ties is no order"):
            rank_of_order(np.array(wrong))


def test_the_best_represented_example_has_the_lowest_mean_rank() -> None:
    conf, agr, ret = [0.9, 0.5, 0.5, 0.1], [0.1, 0.2, 0.3, 0.4], [1.0, 3.0, 2.0, 4.0]
    found = representation_rank({"conf": conf, "agr": agr, "ret": ret})
    expected = (rankdata(-np.array(conf)) + rankdata(agr) + rankdata(ret)) / 3 - 1
    np.testing.assert_allclose(found, expected)
    assert (found[0], found[3]) == (0, 3)
    assert representation_rank({"adv": np.array([5.0, 1.0])}).tolist() == [0, 1]
    assert representation_rank({"priv": np.array([5.0, 1.0])}).tolist() == [1, 0]


def test_what_has_no_meaning_is_refused() -> None:
    with pytest.raises(InputError, match=r"p must be probabilities that sum to 1 .* softmax"):
        js_divergence(np.array([2.0, 1.0]), np.array([0.5, 0.5]))
    with pytest.raises(InputError, match=r"probabilities must have 3 dimensions.*got \(4, 5\)"):
        confidence(distributions(4, 5))
    with pytest.raises(InputError, match="agreement needs at least 2 models, got 1"):
        disagreement(distributions(1, 4, 5))
    with pytest.raises(InputError, match=r"log_probabilities must be \(models, tokens\) of at most 0"):
        log_confidence(np.array([[0.5]]))
    with pytest.raises(InputError, match="metrics is empty"):
        representation_rank({})
    with pytest.raises(InputError, match="there is no metric 'el2n'"):
        representation_rank({"el2n": np.ones(2)})  # type: ignore[dict-item]
    with pytest.raises(InputError, match="agr must be 2 numbers without NaN"):
        representation_rank({"conf": np.ones(2), "agr": np.array([1.0, np.nan])})
