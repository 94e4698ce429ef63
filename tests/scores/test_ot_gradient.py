"""GOT-D's gradient of a sample of documents towards a target."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from workbench.errors import InputError
from workbench.models.geometry.rows import unit_rows
from workbench.models.geometry.transport import calibrated_gradient, cosine_cost, potentials, self_potential
from workbench.scores.base import Inputs, State
from workbench.scores.ot_gradient import OtGradientParams, compute, fit


def inputs_of(x: np.ndarray, target: np.ndarray | None = None, ids: list[str] | None = None) -> Inputs:
    ids = ids or [f"d{i}" for i in range(len(x))]
    aim = None if target is None else inputs_of(target)
    return Inputs(ids, ["s"] * len(x), ids, {"embedding": x.astype(np.float32)}, target=aim)


def state_of(x: np.ndarray, target: np.ndarray, **params: Any) -> State:
    return fit(inputs_of(x, target), OtGradientParams(**params), 0)


def gradient(x: np.ndarray, state: State, **params: Any) -> np.ndarray:
    return compute(inputs_of(x), OtGradientParams(**params), state)["ot_gradient"]


def spread(n: int, angle: float, seed: int) -> np.ndarray:
    """Directions around one at an angle in the plane of the first two of four axes."""
    centre = np.array([np.cos(angle), np.sin(angle), 0, 0])
    return centre + np.random.default_rng(seed).normal(scale=0.2, size=(n, 4))


@pytest.mark.parametrize("debiased", [False, True])
def test_it_is_the_gradient_of_the_fitted_sample_and_sums_to_0(debiased: bool) -> None:
    x, y = spread(40, 0.0, 1), spread(25, 0.9, 2)
    ux, uy = unit_rows(x.astype(np.float32)), unit_rows(y.astype(np.float32))
    f, _ = potentials(cosine_cost(ux, uy), 0.1)
    if debiased:
        f = f - self_potential(cosine_cost(ux, ux), 0.1)
    found = gradient(x, state_of(x, y, debiased=debiased), debiased=debiased)
    np.testing.assert_allclose(found, calibrated_gradient(f), atol=2e-5)
    assert found.sum() == pytest.approx(0, abs=1e-3)
    assert np.ptp(found) > 0.1


@pytest.mark.parametrize("debiased", [False, True])
@pytest.mark.parametrize("scale", [1.0, 3.0])
def test_far_outliers_rank_last_and_scale_does_not_matter(debiased: bool, scale: float) -> None:
    target, outliers = spread(30, 0.0, 3), spread(10, 2.8, 4)
    x = np.concatenate([target, outliers])
    found = gradient(scale * x, state_of(scale * x, target, debiased=debiased), debiased=debiased)
    assert found[:30].max() < found[30:].min()
    assert (found[30:] > 0).all()


def test_a_document_that_was_not_fitted_is_judged_by_the_targets_potentials() -> None:
    x, y = spread(60, 0.0, 5), spread(30, 1.2, 6)
    state = state_of(x, y)
    toward, away = gradient(spread(5, 1.2, 7), state), gradient(spread(5, -2.0, 8), state)
    assert toward.max() < away.min()
    both = gradient(np.concatenate([x[3:4], spread(5, 1.2, 7)]), state)
    assert both[0] == gradient(x, state)[3]
    assert both[1:].tobytes() == toward.tobytes()


def test_copies_share_a_gradient() -> None:
    x = np.repeat(spread(12, 0.0, 9), 3, axis=0)
    found = gradient(x, state_of(x, spread(8, 1.0, 10))).reshape(12, 3)
    assert (found == found[:, :1]).all()
    assert len(np.unique(found)) == 12


def test_a_part_of_the_sample_stands_for_it_whatever_its_order() -> None:
    x, y = spread(400, 0.0, 11), spread(50, 1.0, 12)
    ids = [f"d{i}" for i in range(400)]
    params = OtGradientParams(n_documents=200, n_targets=40)
    state = fit(inputs_of(x, y, ids), params, 5)
    assert (state["n"][0], state["target"].shape) == (200, (40, 4))
    order = np.random.default_rng(0).permutation(400)
    other = fit(inputs_of(x[order], y, [ids[i] for i in order]), params, 5)
    assert all(other[name].tobytes() == state[name].tobytes() for name in state)
    part, whole = gradient(x, state), gradient(x, state_of(x, y))
    assert np.corrcoef(part, whole)[0, 1] > 0.99


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"regularisation": 0.0}, "regularisation must be at least"),
        ({"n_documents": 1}, "n_documents must be at least 2"),
        ({"n_targets": 0}, "n_targets must be at least 1"),
        ({"regularisation": 0.001, "n_iterations": 2}, "didn't converge in 2 iterations"),
    ],
)
def test_bad_params_are_refused(params: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        state_of(spread(20, 0.0, 1), spread(10, 1.0, 2), **params)


def test_too_few_vectors_or_of_two_lengths_are_refused() -> None:
    for x, y in (
        (np.ones((1, 2)), np.ones((3, 2))),
        (np.ones((3, 2)), np.ones((0, 2))),
        (np.eye(3), np.eye(2)),
    ):
        with pytest.raises(
            InputError, match="needs two documents and a target text with vectors of one length"
        ):
            state_of(x, y)
