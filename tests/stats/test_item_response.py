"""The two-parameter model of item responses."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.optimize import approx_fprime
from scipy.stats import chi2, norm, spearmanr, zscore

from workbench.errors import InputError
from workbench.stats.item_response import ItemResponse, fit_item_response
from workbench.stats.item_utility import (
    difficult_and_discriminating,
    fisher_information,
    response_probability,
)


def simulated(n: int, m: int, seed: int = 0) -> tuple[ItemResponse, np.ndarray]:
    """A model whose abilities have mean 0 and deviation 1, the scale that a fit gives them; and its answers."""
    rng = np.random.default_rng(seed)
    ability = zscore(rng.normal(size=m))
    truth = ItemResponse(ability, rng.normal(0, 1.2, n), np.exp(rng.normal(0, 0.5, n)))
    p = response_probability(truth.ability, truth.difficulty, truth.discrimination)
    return truth, (rng.random(p.shape) < p).astype(float)


def deviations(truth: ItemResponse) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Standard errors of ability, difficulty and log-discrimination by Fisher information, the prior's added."""
    p = response_probability(truth.ability, truth.difficulty, truth.discrimination)
    a, apart = truth.discrimination[:, None], truth.ability - truth.difficulty[:, None]
    of_logit = p * (1 - p)
    of_item = np.empty((len(p), 2, 2))
    of_item[:, 0, 0] = (of_logit * a**2).sum(axis=1) + 1 / 1.2**2
    of_item[:, 1, 1] = (of_logit * (a * apart) ** 2).sum(axis=1) + 1 / 0.5**2
    of_item[:, 0, 1] = of_item[:, 1, 0] = -(of_logit * a**2 * apart).sum(axis=1)
    covariance = np.linalg.inv(of_item)
    ability = 1 / np.sqrt((of_logit * a**2).sum(axis=0) + 1)
    return ability, np.sqrt(covariance[:, 0, 0]), np.sqrt(covariance[:, 1, 1])


@pytest.mark.parametrize("seed", range(2))
def test_parameters_that_made_the_answers_are_found_to_their_standard_errors(seed: int) -> None:
    truth, answers = simulated(60, 500, seed)
    found = fit_item_response(answers, difficulty_scale=1.2, log_discrimination_scale=0.5)
    errors = (
        found.ability - truth.ability,
        found.difficulty - truth.difficulty,
        np.log(found.discrimination / truth.discrimination),
    )
    for error, deviation in zip(errors, deviations(truth), strict=True):
        z = error / deviation
        # 560 numbers: one beyond five deviations has a chance of 1 in 3,000. Items are known but for the abilities and
        # these but for the items, which Fisher information of each alone leaves out: 60 items tell an ability to 0.3,
        # of a variance of 1, so that variances are larger by up to a tenth.
        assert np.abs(z).max() < 5
        low, high = chi2.ppf([1e-4, 1 - 1e-4], len(z)) / len(z)
        assert low < (z**2).mean() < 1.1 * high


def test_what_orders_items_is_that_of_the_parameters_that_made_the_answers() -> None:
    truth, answers = simulated(60, 500, 7)
    found = fit_item_response(answers)
    made = difficult_and_discriminating(truth.difficulty, truth.discrimination)
    told = difficult_and_discriminating(found.difficulty, found.discrimination)
    information = fisher_information(truth.ability, truth.difficulty, truth.discrimination)
    again = fisher_information(found.ability, found.difficulty, found.discrimination)
    # What 60 numbers that have nothing to do with each other reach once in 10^9 times.
    assert spearmanr(told, made).pvalue < 1e-9
    assert spearmanr(information, again).pvalue < 1e-9


def test_the_items_are_at_the_mode_and_abilities_are_means() -> None:
    _, answers = simulated(5, 9, seed=3)
    found = fit_item_response(answers, difficulty_scale=1.5, log_discrimination_scale=0.4)

    def of_system(theta: float, s: int, b: np.ndarray, a: np.ndarray) -> float:
        p = response_probability(np.array([theta]), b, a)[:, 0]
        return float(np.prod(np.where(answers[:, s] == 1, p, 1 - p)) * norm.pdf(theta))

    def log_posterior(x: np.ndarray) -> float:
        b, log_a = x[:5], x[5:]
        likelihood = [quad(of_system, -8, 8, (s, b, np.exp(log_a)))[0] for s in range(9)]
        prior = norm(0, 1.5).logpdf(b).sum() + norm(0, 0.4).logpdf(log_a).sum()
        return float(np.log(likelihood).sum() + prior)

    x = np.r_[found.difficulty, np.log(found.discrimination)]
    assert np.abs(approx_fprime(x, log_posterior, 1e-5)).max() < 1e-3
    rng = np.random.default_rng(0)
    assert all(log_posterior(x + rng.normal(0, 0.05, 10)) < log_posterior(x) for _ in range(4))
    for s, ability in enumerate(found.ability):
        given_items = s, found.difficulty, found.discrimination
        total = quad(of_system, -8, 8, given_items)[0]
        mean = quad(lambda t, *given: t * of_system(t, *given), -8, 8, given_items)[0] / total
        assert ability == pytest.approx(mean, abs=1e-4)


def test_an_item_that_all_have_right_is_the_easiest_and_stays_finite() -> None:
    alike = [0, 0, 0, 1, 1, 1]
    answers = np.array([[1.0] * 6, [0] * 6, alike, alike, alike, [1, 0, 1, 0, 1, 0]])
    found = fit_item_response(answers)
    assert np.isfinite(np.r_[found.ability, found.difficulty, found.discrimination]).all()
    assert found.difficulty.argmin() == 0
    assert found.difficulty.argmax() == 1
    assert found.discrimination[2:5].min() > found.discrimination[5]
    assert found.ability[:3].max() < found.ability[3:].min()


def test_a_metric_in_0_to_1_is_a_share_of_right_answers() -> None:
    found = fit_item_response(np.array([[0.2, 0.5, 0.9], [0.1, 0.4, 0.6]]))
    assert (np.diff(found.ability) > 0).all()
    assert found.difficulty[0] < found.difficulty[1]


@pytest.mark.parametrize(
    ("scores", "params", "message"),
    [
        ([[0.0, 1.5]], {}, r"scores must be numbers in 0\.\.1 \(items, systems\)"),
        ([[0.0, np.nan]], {}, "scores must be numbers"),
        ([0.0, 1.0], {}, "scores must be numbers"),
        (np.zeros((0, 3)), {}, "scores must be numbers"),
        ([[0.0, 1.0]], {"difficulty_scale": 0.0}, "difficulty_scale must be at least"),
        ([[0.0, 1.0]], {"log_discrimination_scale": -1.0}, "log_discrimination_scale must be at least"),
    ],
)
def test_what_makes_no_model_is_refused(scores: Any, params: dict[str, float], message: str) -> None:
    with pytest.raises(InputError, match=message):
        fit_item_response(np.array(scores), **params)
