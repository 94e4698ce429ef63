"""What each item of an evaluation set tells about the systems (Zouhar et al. 2025, subset2evaluate)."""

from __future__ import annotations

import math
import statistics

import numpy as np
import pytest
from scipy.stats import kendalltau

from workbench.errors import InputError
from workbench.stats.item_utility import (
    difficult_and_discriminating,
    embedding_diversity,
    fisher_information,
    metric_consistency,
    metric_difficulty,
    metric_variance,
    response_probability,
    top_items,
    unigram_diversity,
)


def scores() -> np.ndarray:
    """20 items by 6 systems of rising skill."""
    return np.random.default_rng(0).normal(size=(20, 6)) + np.arange(6) / 3


def test_variance_is_that_of_the_population_and_difficulty_minus_the_mean() -> None:
    given = scores()
    assert metric_variance(np.array([[0.0, 1.0]])).tolist() == [0.25]
    np.testing.assert_allclose(metric_variance(given), [statistics.pvariance(row) for row in given])
    np.testing.assert_allclose(metric_difficulty(given), [-statistics.mean(row) for row in given])


def test_consistency_is_tau_c_with_the_order_of_all_items() -> None:
    given = scores()
    overall = given.mean(axis=0)
    expected = [kendalltau(row, overall, variant="c").statistic for row in given]
    np.testing.assert_allclose(metric_consistency(given), expected)
    np.testing.assert_allclose(metric_consistency(np.stack([np.arange(5.0), 2 * np.arange(5.0)])), [1, 1])


def test_an_item_that_all_systems_solve_alike_has_no_consistency_and_no_variance() -> None:
    given = np.vstack([scores(), np.ones(6)])
    assert metric_consistency(given)[-1] == 0
    assert metric_variance(given)[-1] == 0
    # Where the systems tie over all items there is no order to agree with.
    assert metric_consistency(np.array([[0.0, 1.0], [1.0, 0.0]])).tolist() == [0, 0]


def test_identical_outputs_are_the_least_diverse() -> None:
    outputs = [["a b c"] * 3, ["a b c", "a b d", "a b e"], ["a b", "c d", "e f"]]
    found = unigram_diversity(outputs)
    assert found.tolist() == pytest.approx([-1, -2 / 3, 0])
    vectors = np.array(
        [[[1, 0], [2, 0], [9, 0]], [[1, 0], [0, 3], [1, 1]], [[1, 0], [-1, 0], [0, 2]]], dtype=float
    )
    cosines = embedding_diversity(vectors)
    assert cosines.tolist() == pytest.approx([-1, -math.sqrt(2) / 3, 1 / 3])


def test_words_count_as_often_as_they_stand_there_and_a_pair_with_an_empty_text_as_alike() -> None:
    assert unigram_diversity([["a a b", "a b b"]])[0] == pytest.approx(-2 * 2 / 6)
    assert unigram_diversity([["", "a"], ["", ""], ["a", "b"]]).tolist() == [-1, -1, 0]


def test_a_long_vector_makes_no_item_look_uniform() -> None:
    x = np.random.default_rng(0).normal(size=(7, 4, 5))
    long = x * np.random.default_rng(1).gamma(1, 10, size=(7, 4, 1))
    np.testing.assert_allclose(embedding_diversity(long), embedding_diversity(x))
    unit = x / np.linalg.norm(x, axis=2, keepdims=True)
    for item, found in zip(unit, embedding_diversity(x), strict=True):
        pairs = [item[i] @ item[j] for i in range(4) for j in range(i)]
        assert found == pytest.approx(-np.mean(pairs))


def test_the_probability_of_an_answer_rises_with_ability_and_falls_with_difficulty() -> None:
    p = response_probability(np.array([-1.0, 0.0, 2.0]), np.array([0.0, 1.0]), np.array([1.0, 2.0]))
    assert p.shape == (2, 3)
    for i, (b, a) in enumerate(((0, 1), (1, 2))):
        assert p[i].tolist() == pytest.approx([1 / (1 + math.exp(-a * (t - b))) for t in (-1, 0, 2)])
    assert (np.diff(p, axis=1) > 0).all()
    harder = response_probability(np.array([0.0]), np.array([0.0, 1.0, 2.0]), np.ones(3))
    assert (np.diff(harder[:, 0]) < 0).all()
    guessed = response_probability(np.array([-500.0, 0.0, 500.0]), np.zeros(1), np.full(1, 9.0), 0.25)
    assert guessed[0].tolist() == pytest.approx([0.25, 0.625, 1.0])


def test_information_is_a_squared_p_times_1_minus_p_summed_over_systems() -> None:
    theta, b, a = np.array([-1.0, 0.5, 2.0]), np.array([0.0, 1.5, -3.0]), np.array([1.0, 2.0, 0.5])
    p = response_probability(theta, b, a)
    np.testing.assert_allclose(
        fisher_information(theta, b, a), [(a[i] ** 2 * p[i] * (1 - p[i])).sum() for i in range(3)]
    )
    # It is the expected curvature of the log-likelihood of one answer.
    h, one = 1e-4, np.array([0.3])

    def log_likelihood(shift: float, answer: int) -> float:
        q = response_probability(one + shift, b[:1], a[:1])[0, 0]
        return math.log(q if answer else 1 - q)

    q = response_probability(one, b[:1], a[:1])[0, 0]
    curved = [
        (log_likelihood(h, y) - 2 * log_likelihood(0, y) + log_likelihood(-h, y)) / h**2 for y in (0, 1)
    ]
    assert fisher_information(one, b[:1], a[:1])[0] == pytest.approx(
        -(1 - q) * curved[0] - q * curved[1], rel=1e-4
    )
    # An item tells most about a system that is as able as it is difficult.
    spread = fisher_information(np.zeros(1), np.array([-2.0, 0.0, 2.0]), np.ones(3))
    assert spread.argmax() == 1
    assert spread[1] == 0.25


def test_difficult_items_that_tell_systems_apart_come_first() -> None:
    assert difficult_and_discriminating(np.array([1.0, 2.0, -1.0]), np.array([0.5, 2.0, 3.0])).tolist() == [
        0.5,
        4,
        -3,
    ]


def test_the_budget_is_met_from_the_highest_utility_down_and_ties_go_by_id() -> None:
    utility, ids = np.array([1.0, 3.0, 1.0, 1.0, -2.0]), ["d", "a", "b", "c", "e"]
    for budget, kept in ((0, ""), (1, "a"), (2, "ab"), (3, "abc"), (4, "abcd"), (5, "abcde")):
        keep = top_items(utility, ids, budget)
        assert sorted(name for name, kept_too in zip(ids, keep, strict=True) if kept_too) == list(kept)


def test_what_has_no_meaning_is_refused() -> None:
    for function in (metric_variance, metric_difficulty, metric_consistency):
        with pytest.raises(
            InputError, match=r"scores must be numbers \(items, systems\), each there, got \(1, 2\)"
        ):
            function(np.array([[1.0, np.nan]]))
    with pytest.raises(InputError, match="consistency needs at least 2 systems"):
        metric_consistency(np.ones((3, 1)))
    with pytest.raises(InputError, match="diversity needs at least 2 outputs an item, got 1"):
        unigram_diversity([["a", "b"], ["a"]])
    with pytest.raises(InputError, match=r"embeddings must be \(items, systems, d\).*got \(3, 1, 2\)"):
        embedding_diversity(np.ones((3, 1, 2)))
    with pytest.raises(InputError, match="vector is zero or not finite"):
        embedding_diversity(np.zeros((3, 2, 2)))
    with pytest.raises(InputError, match=r"guess must lie in 0\.\.1"):
        response_probability(np.zeros(1), np.zeros(1), np.ones(1), 1.5)
    with pytest.raises(
        InputError, match=r"ability must be \(m,\), the others \(n,\), got \(1,\), \(2,\) and \(3,\)"
    ):
        response_probability(np.zeros(1), np.zeros(2), np.ones(3))
    with pytest.raises(InputError, match=r"budget must lie in 0\.\.2 \(the number of items\), got 3"):
        top_items(np.ones(2), ["a", "b"], 3)
    with pytest.raises(InputError, match="ids must each come once, got 2 with 1 different"):
        top_items(np.ones(2), ["a", "a"], 1)
    with pytest.raises(InputError, match="utility must be 2 numbers without NaN"):
        top_items(np.array([1.0, np.nan]), ["a", "b"], 1)
