"""The two-parameter model of item responses."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.optimize import approx_fprime
from scipy.stats import norm, spearmanr

from workbench.errors import InputError
from workbench.stats.item_response import ItemResponse, fit_item_response
from workbench.stats.item_utility import (
    difficult_and_discriminating,
    fisher_information,
    response_probability,
)


def simulated(n: int = 250, m: int = 120, seed: int = 0) -> tuple[ItemResponse, np.ndarray]:
    rng = np.random.default_rng(seed)
    truth = ItemResponse(rng.normal(size=m), rng.normal(0, 1.2, n), np.exp(rng.normal(0, 0.5, n)))
    p = response_probability(truth.ability, truth.difficulty, truth.discrimination)
    return truth, (rng.random(p.shape) < p).astype(float)


def test_parameters_that_made_the_answers_are_found_again() -> None:
    truth, answers = simulated()
    found = fit_item_response(answers)
    assert np.corrcoef(found.ability, truth.ability)[0, 1] > 0.98
    assert np.corrcoef(found.difficulty, truth.difficulty)[0, 1] > 0.95
    assert np.corrcoef(np.log(found.discrimination), np.log(truth.discrimination))[0, 1] > 0.8
    assert np.abs(found.ability - truth.ability).mean() < 0.25
    # systems and items are fitted together, which makes discriminations a sixth too large here
    assert 0 < np.log(found.discrimination / truth.discrimination).mean() < 0.25
    made = difficult_and_discriminating(truth.difficulty, truth.discrimination)
    told = difficult_and_discriminating(found.difficulty, found.discrimination)
    assert spearmanr(told, made).statistic > 0.9
    information = fisher_information(truth.ability, truth.difficulty, truth.discrimination)
    again = fisher_information(found.ability, found.difficulty, found.discrimination)
    assert spearmanr(information, again).statistic > 0.8


def test_the_posterior_has_no_slope_there() -> None:
    _, answers = simulated(12, 9, seed=3)
    found = fit_item_response(answers, difficulty_scale=1.5, log_discrimination_scale=0.4)

    def log_posterior(x: np.ndarray) -> float:
        theta, b, log_a = x[:9], x[9:21], x[21:]
        p = response_probability(theta, b, np.exp(log_a))
        likelihood = (answers * np.log(p) + (1 - answers) * np.log(1 - p)).sum()
        prior = norm.logpdf(theta).sum() + norm(0, 1.5).logpdf(b).sum() + norm(0, 0.4).logpdf(log_a).sum()
        return float(likelihood + prior)

    x = np.r_[found.ability, found.difficulty, np.log(found.discrimination)]
    assert np.abs(approx_fprime(x, log_posterior, 1e-6)).max() < 1e-3
    rng = np.random.default_rng(0)
    assert all(log_posterior(x + rng.normal(0, 0.05, 33)) < log_posterior(x) for _ in range(50))


def test_an_item_that_all_have_right_is_the_easiest_and_stays_finite() -> None:
    answers = np.array([[1.0] * 6, [0] * 6, [0, 0, 0, 1, 1, 1]])
    found = fit_item_response(answers)
    assert np.isfinite(np.r_[found.ability, found.difficulty, found.discrimination]).all()
    assert found.difficulty.argsort().tolist() == [0, 2, 1]
    assert found.discrimination.argmax() == 2


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
