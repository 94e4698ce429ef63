"""The probe is scikit-learn's logistic regression, and decides about a row by itself."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression

from workbench.errors import InputError
from workbench.models.geometry.probe import Probe, decide_probe, fit_probe
from workbench.models.geometry.rows import unit_rows


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([0.01, 1.0, 30.0]))
def test_a_probe_is_scikit_learns(seed: int, penalty: float) -> None:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(60, 7)) + 0.3
    inside = x[:, 0] + rng.normal(scale=0.5, size=60) > 0.2
    inside[:2] = True, False
    weight = rng.integers(1, 4, 60).astype(float)
    probe = fit_probe(x, inside, weight=weight, penalty=penalty)
    twin = LogisticRegression(C=1 / penalty, tol=1e-10, max_iter=10_000)
    twin.fit(unit_rows(x).astype(float), inside, sample_weight=weight)
    np.testing.assert_allclose(probe.weight, twin.coef_[0], rtol=1e-3, atol=1e-3)
    np.testing.assert_allclose(probe.bias, twin.intercept_[0], rtol=1e-3, atol=1e-3)


def test_classes_that_a_plane_parts_are_told_apart() -> None:
    rng = np.random.default_rng(1)
    x = np.r_[rng.normal(size=(50, 5)) + 3, rng.normal(size=(2_000, 5)) - 3]
    inside = np.arange(2_050) < 50
    odds = decide_probe(x, fit_probe(x, inside))
    np.testing.assert_array_equal(odds >= 0, inside)


def test_a_rows_number_does_not_depend_on_its_neighbours() -> None:
    rng = np.random.default_rng(2)
    x = rng.normal(size=(3_000, 33)).astype(np.float32)
    probe = Probe(rng.normal(size=33).astype(np.float32), 0.25)
    whole = decide_probe(x, probe)
    order = rng.permutation(3_000)
    assert decide_probe(x[order], probe).tobytes() == whole[order].tobytes()
    alone = np.concatenate([decide_probe(x[i : i + 1], probe) for i in range(0, 3_000, 97)])
    assert alone.tobytes() == whole[::97].tobytes()
    np.testing.assert_allclose(whole, unit_rows(x) @ probe.weight + 0.25, rtol=1e-4, atol=1e-5)
    assert decide_probe(x[:0], probe).shape == (0,)


def test_what_is_no_problem_for_a_probe_is_refused() -> None:
    x, both = np.ones((3, 2)), np.array([True, False, True])
    for inside in (np.ones(3, bool), np.zeros(3, bool)):
        with pytest.raises(InputError, match="needs rows of both classes"):
            fit_probe(x, inside)
    with pytest.raises(InputError, match=r"got \(3, 2\), 2, 2"):
        fit_probe(x, both[:2], weight=np.ones(2))
    with pytest.raises(InputError, match="penalty must be at least 1e-09"):
        fit_probe(x, both, penalty=0.0)
    with pytest.raises(InputError, match="is zero or not finite"):
        fit_probe(np.zeros((3, 2)), both)
    with pytest.raises(InputError, match="the probe is for rows of 4 numbers"):
        decide_probe(x, Probe(np.zeros(4, np.float32), 0.0))
