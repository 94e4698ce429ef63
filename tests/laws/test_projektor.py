"""Projektor's two stages (Kang et al. 2023)."""

from __future__ import annotations

import numpy as np
import pytest

from workbench.errors import InputError
from workbench.laws.projektor import StageOne, best_mixture, fit_stage_one, project, transport_slope
from workbench.models.geometry.transport import cosine_cost, potentials


def truth(seed: int = 0, m: int = 3) -> StageOne:
    rng = np.random.default_rng(seed)
    return StageOne(rng.normal(size=m), rng.normal(size=m), 0.7, rng.normal(size=m), rng.normal(size=m), -1.1)


def test_the_fit_predicts_what_has_the_form_on_mixtures_it_has_not_seen() -> None:
    rng, law = np.random.default_rng(1), truth()
    p, cost = rng.dirichlet([1, 1, 1], 60), rng.uniform(0.2, 2, 60)
    fitted = fit_stage_one(p[:40], cost[:40], law.predict(p[:40], cost[:40]))
    np.testing.assert_allclose(fitted.predict(p[40:], cost[40:]), law.predict(p[40:], cost[40:]), atol=1e-8)
    one = law.predict(p[0], cost[0])
    by_hand = sum(law.b2[i] * p[0, i] ** 2 + law.b1[i] * p[0, i] for i in range(3)) + 0.7
    rest = sum(law.c2[i] * p[0, i] ** 2 + law.c1[i] * p[0, i] for i in range(3)) - 1.1
    assert one == pytest.approx(by_hand * cost[0] + rest)


def test_the_gradient_is_the_change_with_each_share() -> None:
    law, p, step = truth(2), np.array([0.2, 0.5, 0.3]), 1e-6

    def cost(mixture: np.ndarray) -> float:
        return float(1 + mixture @ [0.3, -0.4, 0.1] + (mixture**2).sum())

    slope = np.array([0.3, -0.4, 0.1]) + 2 * p
    found = law.gradient(p, cost(p), slope)
    for i in range(3):
        up, down = p + step * np.eye(3)[i], p - step * np.eye(3)[i]
        expected = (law.predict(up, cost(up)) - law.predict(down, cost(down))) / (2 * step)
        assert found[i] == pytest.approx(expected, abs=1e-6)


def test_stage_two_gives_the_pilots_back_and_is_exact_in_log_n() -> None:
    assert project(0.41, 1000, 0.47, 1500, 1500) == pytest.approx(0.47)
    assert project(0.41, 1000, 0.47, 1500, 1000) == pytest.approx(0.41)
    sizes = np.array([1000, 1500, 10_000])
    values = 0.2 + 0.05 * np.log(sizes)
    assert project(values[0], 1000, values[1], 1500, 10_000) == pytest.approx(values[2])
    np.testing.assert_allclose(project(np.array([1.0, 2]), 10, np.array([2.0, 2]), 100, 1000), [3, 2])


def test_the_slope_of_the_transport_is_that_of_its_cost() -> None:
    rng = np.random.default_rng(3)
    x = rng.normal(size=(12, 4)) + np.repeat([[2, 0, 0, 0], [0, 2, 0, 0], [0, 0, 1, 0]], [6, 4, 2], axis=0)
    y = rng.normal(size=(9, 4)) + np.array([2, 0, 0, 0])
    x, y = (rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in (x, y))
    source = np.repeat([0, 1, 2], [6, 4, 2])
    f, _ = potentials(cosine_cost(x, y), 0.1)
    found = transport_slope(f, source, 4)
    expected = [f[source == i].mean() - f[source != i].mean() for i in range(3)]
    np.testing.assert_allclose(found, [*expected, 0])
    # The published form: (sum of own - n_i / (N - n_i) sum of others) / n_i.
    form = [(f[source == i].sum() - k / (12 - k) * f[source != i].sum()) / k for i, k in enumerate((6, 4, 2))]
    np.testing.assert_allclose(found[:3], form)
    np.testing.assert_allclose(transport_slope(f + 5, source, 4), found, atol=1e-12)
    assert found[0] < min(found[1:3])  # the target lies where the first source does
    assert transport_slope(f, np.zeros(12, dtype=int), 1).tolist() == [0]


def test_the_mixture_goes_to_the_best_one() -> None:
    # A performance of minus the squared distance to (.6, .3, .1), without transport.
    best, zero = np.array([0.6, 0.3, 0.1]), np.zeros(3)
    law = StageOne(zero, zero, 0.0, -np.ones(3), 2 * best, 0.0)

    def still(mixture: np.ndarray) -> tuple[float, np.ndarray]:
        return 1.0, zero

    given = ((law, still), (law, still), (1000.0, 1500.0, 10_000.0))
    found = best_mixture(*given, [1 / 3] * 3, learning_rate=0.1, n_iterations=500)
    np.testing.assert_allclose(found, best, atol=1e-6)
    assert best_mixture(*given, [0.2, 0.2, 0.6], n_iterations=0).tolist() == [0.2, 0.2, 0.6]
    near = best_mixture(*given, [0.2, 0.2, 0.6])
    assert near.sum() == pytest.approx(1)
    assert ((near - best) ** 2).sum() < ((np.array([0.2, 0.2, 0.6]) - best) ** 2).sum()


def test_a_source_that_nears_the_target_gains_by_its_transport_alone() -> None:
    zero = np.zeros(2)
    law = StageOne(zero, zero, -1.0, zero, zero, 0.0)  # minus the transport cost

    def cost(mixture: np.ndarray) -> tuple[float, np.ndarray]:
        return float(mixture @ [0.1, 0.9]), np.array([0.1, 0.9]) - 0.5

    found = best_mixture(
        (law, cost), (law, cost), (10, 20, 30), [0.5, 0.5], learning_rate=0.05, n_iterations=300
    )
    assert found.tolist() == [1.0, 0.0]


def test_what_is_no_mixture_or_out_of_range_is_refused() -> None:
    with pytest.raises(InputError, match="each mixture must be shares of 0 or more that sum to 1"):
        fit_stage_one(np.array([[0.5, 0.6]]), np.ones(1), np.ones(1))
    with pytest.raises(InputError, match=r"for each of 2 mixtures, got \(3,\) and \(2,\)"):
        fit_stage_one(np.array([[0.5, 0.5], [1, 0]]), np.ones(3), np.ones(2))
    with pytest.raises(InputError, match="n_low must be below n_high, got n_low=20, n_high=10; swap"):
        project(0.1, 20, 0.2, 10, 30)
    with pytest.raises(InputError, match="n must be at least 1"):
        project(0.1, 10, 0.2, 20, 0)
    law = StageOne(np.zeros(2), np.zeros(2), 0.0, np.zeros(2), np.array([-1.0, -1.0]), 0.0)
    still = (law, lambda mixture: (0.0, np.zeros(2)))
    with pytest.raises(InputError, match="a smaller learning_rate"):
        best_mixture(still, still, (10, 20, 30), [0.5, 0.5], learning_rate=10)
