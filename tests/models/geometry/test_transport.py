"""Entropic transport, against plain scaling, linear programming, finite differences and POT."""

from __future__ import annotations

import numpy as np
import pytest

from workbench.errors import InputError
from workbench.models.geometry.rows import unit_rows
from workbench.models.geometry.transport import (
    calibrated_gradient,
    cosine_cost,
    potentials,
    self_potential,
    soft_minimum,
)


def vectors(n: int, m: int, d: int = 5, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return unit_rows(rng.normal(size=(n, d))), unit_rows(rng.normal(size=(m, d)) + 0.5)


def centred(f: np.ndarray) -> np.ndarray:
    return f - f.mean()


def scaled(a: np.ndarray, b: np.ndarray, cost: np.ndarray, reg: float) -> np.ndarray:
    """The plan by plain scaling of exp(-cost / reg)."""
    kernel = np.exp(-cost / reg) * a[:, None] * b
    v = np.ones(len(b))
    for _ in range(20_000):
        u = a / (kernel @ v)
        v = b / (kernel.T @ u)
    return u[:, None] * kernel * v


def value(a: np.ndarray, b: np.ndarray, cost: np.ndarray, reg: float) -> float:
    plan = scaled(a, b, cost, reg)
    return float((plan * cost).sum() + reg * (plan * np.log(plan / np.outer(a, b))).sum())


def test_the_cost_is_half_the_squared_distance() -> None:
    x, y = vectors(300, 7)
    half = ((x[:, None].astype(np.float64) - y) ** 2).sum(-1) / 2
    np.testing.assert_allclose(cosine_cost(x, y), half, atol=1e-6)
    assert cosine_cost(x[123:124], y).tobytes() == cosine_cost(x, y)[123:124].tobytes()


@pytest.mark.parametrize("reg", [0.02, 0.1, 1.0])
def test_the_plan_has_the_masses_and_is_that_of_plain_scaling(reg: float) -> None:
    x, y = vectors(20, 13)
    cost = cosine_cost(x, y)
    f, g = potentials(cost, reg, 20_000, 1e-10)
    plan = np.exp((f[:, None] + g - cost) / reg) / plan_size(cost)
    np.testing.assert_allclose(plan.sum(axis=1), 1 / 20, rtol=1e-6)
    np.testing.assert_allclose(plan.sum(axis=0), 1 / 13, rtol=1e-6)
    np.testing.assert_allclose(
        plan, scaled(np.full(20, 1 / 20), np.full(13, 1 / 13), cost, reg), rtol=1e-5, atol=1e-12
    )
    np.testing.assert_allclose(f, soft_minimum(cost, g, reg))


def plan_size(cost: np.ndarray) -> int:
    return cost.shape[0] * cost.shape[1]


@pytest.mark.parametrize("reg", [0.05, 0.5])
def test_the_potentials_are_those_of_pot(reg: float) -> None:
    import ot

    x, y = vectors(20, 13, seed=1)
    cost = cosine_cost(x, y)
    f, g = potentials(cost, reg, 20_000, 1e-10)
    _, log = ot.sinkhorn(
        np.full(20, 1 / 20), np.full(13, 1 / 13), cost, reg, "sinkhorn_log", 20_000, 1e-12, log=True
    )
    np.testing.assert_allclose(centred(f), reg * centred(np.asarray(log["log_u"])), atol=1e-7)
    np.testing.assert_allclose(centred(g), reg * centred(np.asarray(log["log_v"])), atol=1e-7)


def test_a_small_regularisation_comes_near_to_linear_programming_and_does_not_overflow() -> None:
    from scipy.optimize import linprog

    x, y = vectors(8, 8, seed=2)
    cost = cosine_cost(x, y)
    rows, columns = np.kron(np.eye(8), np.ones(8)), np.kron(np.ones(8), np.eye(8))
    exact = linprog(cost.ravel(), A_eq=np.vstack([rows, columns]), b_eq=np.full(16, 1 / 8)).fun
    f, g = potentials(cost, 2e-3, 200_000, 1e-4)
    assert f.mean() + g.mean() == pytest.approx(exact, abs=0.01)
    far, _ = potentials(1000 * cost, 0.9, 200_000, 1e-2)
    assert np.isfinite(far).all()


def test_the_gradient_is_the_change_of_the_cost_as_one_gains_what_the_others_lose() -> None:
    x, y = vectors(6, 9, seed=3)
    cost, own, reg, b = cosine_cost(x, y), cosine_cost(x, x), 0.3, np.full(9, 1 / 9)
    f, _ = potentials(cost, reg, 20_000, 1e-12)
    plain, debiased = calibrated_gradient(f), calibrated_gradient(f - self_potential(own, reg, 20_000, 1e-12))
    step = 1e-4
    for i in range(6):
        direction = np.full(6, -1 / 5)
        direction[i] = 1.0
        up, down = (np.full(6, 1 / 6) + sign * step * direction for sign in (1, -1))
        slope = (value(up, b, cost, reg) - value(down, b, cost, reg)) / (2 * step)
        to_itself = (value(up, up, own, reg) - value(down, down, own, reg)) / (2 * step)
        assert plain[i] == pytest.approx(slope, abs=1e-5)
        assert debiased[i] == pytest.approx(slope - to_itself / 2, abs=1e-5)


def test_the_published_gradient_sums_to_0_and_knows_no_constant() -> None:
    f = np.array([1.0, 2.0, 6.0])
    assert calibrated_gradient(f).tolist() == [-3.0, -1.5, 4.5]
    many = np.random.default_rng(0).normal(size=50)
    np.testing.assert_allclose(calibrated_gradient(many + 7), calibrated_gradient(many), atol=1e-12)
    assert calibrated_gradient(many).sum() == pytest.approx(0, abs=1e-10)
    others = np.array([np.delete(many, i).mean() for i in range(50)])
    np.testing.assert_allclose(calibrated_gradient(many), many - others)


def test_what_does_not_converge_is_told_and_bad_params_are_refused() -> None:
    cost = cosine_cost(*vectors(20, 13))
    with pytest.raises(InputError, match="optimal transport didn't converge in 2 iterations"):
        potentials(cost, 0.01, 2)
    with pytest.raises(InputError, match="optimal transport didn't converge in 1 iterations"):
        self_potential(cosine_cost(*vectors(9, 9)), 0.01, 1)
    with pytest.raises(InputError, match="regularisation must be at least"):
        potentials(cost, 0.0)
    with pytest.raises(InputError, match="n_iterations must be at least 1"):
        potentials(cost, 0.1, 0)
