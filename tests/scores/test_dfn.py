"""The linear filter that stands for a data filtering network."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from workbench.errors import InputError
from workbench.models.geometry.rows import unit_rows
from workbench.scores.base import Inputs
from workbench.scores.dfn import DfnParams, compute, fit


def inputs(x: np.ndarray, target: np.ndarray | None = None) -> Inputs:
    n = len(x)
    aim = None if target is None else inputs(target)
    return Inputs([f"d{i}" for i in range(n)], ["s"] * n, ["text"] * n, columns={"embedding": x}, target=aim)


def blobs(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """120 documents, the first 30 of which are like the 25 target texts."""
    rng = np.random.default_rng(seed)
    aim, other = np.eye(2, 11)
    x = np.concatenate([np.tile(aim, (30, 1)), np.tile(other, (90, 1))]) + rng.normal(0, 0.3, (120, 11))
    return x, aim + rng.normal(0, 0.3, (25, 11))


@pytest.mark.parametrize("penalty", [0.3, 1.0, 20.0])
def test_the_coefficients_are_where_the_penalised_likelihood_has_no_slope(penalty: float) -> None:
    x, target = blobs()
    state = fit(inputs(x, target), DfnParams(penalty), 0)
    rows = unit_rows(np.concatenate([x, target])).astype(np.float64)
    y = np.repeat([0.0, 1.0], [120, 25])
    # each class counts half of all documents
    w = np.repeat([145 / 2 / 120, 145 / 2 / 25], [120, 25])
    p = 1 / (1 + np.exp(-(rows @ state["coefficients"] + state["intercept"])))
    slope = state["coefficients"] + penalty * rows.T @ (w * (p - y))
    assert np.abs(slope).max() < 1e-4
    assert abs((w * (p - y)).sum()) < 1e-4
    found = compute(inputs(x), DfnParams(), state)["dfn_logit"]
    np.testing.assert_allclose(found, np.log(p / (1 - p))[:120], atol=1e-4)


def test_documents_like_the_target_score_higher() -> None:
    x, target = blobs(1)
    state = fit(inputs(x, target), DfnParams(), 0)
    found = compute(inputs(x), DfnParams(), state)["dfn_logit"]
    assert np.median(found[:30]) > np.quantile(found[30:], 0.9)
    np.testing.assert_allclose(compute(inputs(7 * x), DfnParams(), state)["dfn_logit"], found, atol=1e-5)


@pytest.mark.parametrize("target", [np.zeros((0, 11)), np.ones((4, 5))])
def test_a_target_without_a_vector_of_the_documents_length_is_refused(target: np.ndarray) -> None:
    with pytest.raises(InputError, match="needs a text with a vector of 11 numbers"):
        fit(inputs(blobs()[0], target), DfnParams(), 0)


def test_a_penalty_that_is_no_number_above_0_is_refused() -> None:
    given: Any = replace(DfnParams(), inverse_penalty=0.0)
    with pytest.raises(InputError, match="inverse_penalty must be at least"):
        fit(inputs(*blobs()), given, 0)
