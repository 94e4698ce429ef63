from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from workbench.errors import InputError
from workbench.scores import ccnet as module
from workbench.scores.base import Inputs, NoParams
from workbench.scores.ccnet import BucketParams, ccnet_bucket, ccnet_perplexity, compute_bucket, fit_buckets

NAN = math.nan


class FakeNgram:
    """A tenth is the probability of each word; a character is a word, and one more is the end."""

    def record(self, texts, progress):
        n = np.array([len(t) + 1 if t else 0 for t in texts], dtype=np.int64)
        progress.advance(sum(map(len, texts)))
        return {"log10_prob": -1.0 * n, "n_words": n}


def inputs(n: int, **columns: Any) -> Inputs:
    held = {name: np.array(values, dtype=np.float64) for name, values in columns.items()}
    return Inputs([f"d{i}" for i in range(n)], ["s"] * n, ["x"] * n, columns=held)


def test_ten_times_a_tenth_in_five_words_is_a_perplexity_of_100() -> None:
    assert ccnet_perplexity(np.array([-10.0]), np.array([5]))[0] == 100.0


def test_a_words_probability_of_a_tenth_is_a_perplexity_of_10_and_no_words_have_none() -> None:
    models = SimpleNamespace(ngram=FakeNgram())
    columns = module.compute(Inputs(["a", "b"], ["s"] * 2, ["abcd", ""], models=models), NoParams(), {})
    np.testing.assert_allclose(columns["ccnet_perplexity"], [10, NAN])
    np.testing.assert_allclose(columns["ngram_log10_prob"], [-5, NAN])
    assert columns["ngram_n_words"].tolist() == [5, 0]
    none = module.compute(Inputs([], [], [], models=models), NoParams(), {})
    assert all(len(column) == 0 for column in none.values())


def test_no_models_are_an_error() -> None:
    with pytest.raises(
        InputError, match="needs an n-gram model and no models were given; name one with --ngram"
    ):
        module.compute(Inputs(["a"], ["s"], ["x"]), NoParams(), {})


@pytest.mark.parametrize(("seen", "marks"), [({"a", "c"}, [1, 0, 1]), (None, [NAN] * 3)])
def test_documents_that_the_model_was_trained_on_are_marked(
    seen: set[str] | None, marks: list[float]
) -> None:
    models = SimpleNamespace(trained_on=lambda role: seen if role == "ngram" else 1 / 0)
    found = module.compute_trained_on(
        Inputs(["a", "b", "c"], ["s"] * 3, ["x"] * 3, models=models), NoParams(), {}
    )
    np.testing.assert_array_equal(found["ngram_trained_on"], marks)


def bucketed(
    perplexity: Any, language: Any, params: BucketParams, corpus: tuple[Any, Any] | None = None
) -> list[float]:
    state = fit_buckets(inputs(len(perplexity), ccnet_perplexity=perplexity, language=language), params, 0)
    perplexity, language = corpus or (perplexity, language)
    found = compute_bucket(
        inputs(len(perplexity), ccnet_perplexity=perplexity, language=language), params, state
    )
    return list(found["ccnet_bucket"].tolist())


def test_30_percent_are_head_30_middle_and_40_tail() -> None:
    values = np.random.default_rng(0).permutation(1000).astype(float)
    found = bucketed(values, np.zeros(1000), BucketParams())
    assert np.bincount(np.array(found, dtype=int)).tolist() == [300, 300, 400]
    assert max(values[np.array(found) == 0]) < min(values[np.array(found) == 1])


def test_each_language_has_its_own_cutoffs() -> None:
    english, german = np.arange(30.0), 1000 + np.arange(20.0)
    perplexity, language = np.r_[english, german], np.r_[np.full(30, 12), np.full(20, 9)]
    found = np.array(bucketed(perplexity, language, BucketParams()))
    assert np.bincount(found[:30].astype(int)).tolist() == [9, 9, 12]
    assert np.bincount(found[30:].astype(int)).tolist() == [6, 6, 8]
    together = np.array(bucketed(perplexity, language, BucketParams(by_language=False)))
    assert np.bincount(together.astype(int)).tolist() == [15, 15, 20]
    assert set(together[30:]) == {2.0}


def test_a_corpus_is_bucketed_as_the_sample_was() -> None:
    corpus = ([5.0, 10, 39.5, 50, 80, NAN, 5, 5], [3.0, 3, 3, 3, 3, 3, NAN, 4])
    found = bucketed(np.arange(101.0), np.full(101, 3), BucketParams(), corpus)
    np.testing.assert_array_equal(found, [0, 0, 1, 1, 2, NAN, NAN, NAN])


def test_a_cutoff_itself_belongs_above() -> None:
    cutoffs = np.array([[30.0, 60.0]])
    found = ccnet_bucket(np.array([29.9, 30, 59.9, 60]), np.zeros(4), np.array([0]), cutoffs)
    assert found.tolist() == [0, 1, 1, 2]


def test_a_language_with_few_documents_has_no_bucket() -> None:
    perplexity, language = np.arange(25.0), np.r_[np.zeros(20), np.full(5, 1)]
    assert np.isnan(bucketed(perplexity, language, BucketParams())[20:]).all()
    assert not np.isnan(bucketed(perplexity, language, BucketParams(min_documents=5))).any()
    assert np.isnan(bucketed(perplexity, language, BucketParams(min_documents=21))).all()


@pytest.mark.parametrize(("low", "high"), [(-1, 60), (70, 60), (30, 101), (NAN, 60)])
def test_percentiles_out_of_range_are_refused(low: float, high: float) -> None:
    with pytest.raises(InputError, match=r"head_percentile and tail_percentile must lie in 0..100"):
        bucketed([1.0], [0.0], BucketParams(low, high))


def test_a_language_of_no_documents_is_refused() -> None:
    with pytest.raises(InputError, match="min_documents must be at least 1, got 0"):
        bucketed([1.0], [0.0], BucketParams(min_documents=0))
