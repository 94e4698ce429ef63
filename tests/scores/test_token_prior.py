from __future__ import annotations

import math
from collections import Counter
from types import SimpleNamespace

import numpy as np
import pytest

from workbench.errors import InputError
from workbench.scores.base import Inputs
from workbench.scores.token_prior import TokenPriorParams, compute, fit, log_prior


class Letters:
    """A letter is a token, a is 0."""

    def keep(self, texts, max_tokens):
        return [
            SimpleNamespace(ids=np.array([ord(c) - 97 for c in t][:max_tokens], dtype=np.int64))
            for t in texts
        ]


def inputs(texts: list[str]) -> Inputs:
    return Inputs(texts, ["s"] * len(texts), texts, models=SimpleNamespace(tokenizer=Letters()))  # type: ignore[arg-type]


def test_the_mean_and_the_deviation_are_those_of_the_tokens_log_probabilities() -> None:
    sample = ["abba", "cab", ""] + ["aab"] * 300
    state = fit(inputs(sample), TokenPriorParams(0.5), 0)
    counts = Counter("".join(sample))
    total = sum(counts.values()) + 4 * 0.5
    logs = [math.log((counts[c] + 0.5) / total) for c in "cab"]
    found = compute(inputs(["cab", "a", ""]), TokenPriorParams(0.5), state)
    np.testing.assert_allclose(found["token_prior"], [np.mean(logs), logs[1], np.nan], rtol=1e-6)
    np.testing.assert_allclose(found["token_prior_std"], [np.std(logs), 0, np.nan], rtol=1e-6)


def test_a_token_that_the_sample_lacks_has_the_smoothing_alone() -> None:
    state = fit(inputs(["aaab"]), TokenPriorParams(), 0)
    found = compute(inputs(["z", "c"]), TokenPriorParams(), state)["token_prior"]
    np.testing.assert_allclose(found, math.log(1 / 7), rtol=1e-6)


@pytest.mark.parametrize("smoothing", [1e-9, 1.0, 50.0])
def test_the_probabilities_sum_to_1(smoothing: float) -> None:
    counts = np.random.default_rng(0).integers(0, 5, 30)
    assert np.exp(log_prior(counts, smoothing)).sum() == pytest.approx(1)


def test_a_sample_without_tokens_and_a_batch_without_documents_are_no_error() -> None:
    state = fit(inputs(["", ""]), TokenPriorParams(), 0)
    assert np.isnan(compute(inputs([""]), TokenPriorParams(), state)["token_prior"]).all()
    assert compute(inputs([]), TokenPriorParams(), state)["token_prior"].shape == (0,)


@pytest.mark.parametrize("smoothing", [0.0, -1.0, math.nan])
def test_no_smoothing_is_refused(smoothing: float) -> None:
    with pytest.raises(InputError, match="smoothing must be at least"):
        fit(inputs(["a"]), TokenPriorParams(smoothing), 0)


def test_no_models_are_an_error() -> None:
    with pytest.raises(
        InputError, match="needs a tokenizer and no models were given; name a model with --lm"
    ):
        fit(Inputs(["a"], ["s"], ["x"]), TokenPriorParams(), 0)
