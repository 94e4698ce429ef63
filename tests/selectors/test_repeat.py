"""D4's intelligent repetition (Tirumala et al. 2023)."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.checks import strings
from workbench.errors import InputError
from workbench.selectors.base import DESIGN_WEIGHT, Selection
from workbench.selectors.repeat import SPEC, RepeatParams


def run(
    tokens: Any, budget: float | None = None, weight: Any = None, seed: int = 0, **params: float
) -> Selection:
    columns = {
        "doc_id": strings(f"d{i:03d}" for i in range(len(tokens))),
        "n_tokens": np.array(tokens, dtype=np.float32),
        DESIGN_WEIGHT: np.ones(len(tokens)) if weight is None else np.array(weight, dtype=float),
    }
    return SPEC.run(columns, RepeatParams(token_budget=budget, **params), {}, seed)


def weights(selection: Selection) -> np.ndarray:
    assert selection.weight is not None
    return selection.weight


def test_whole_epochs_go_over_every_document_as_often() -> None:
    tokens = [5, 20, 1, 14]
    for n in (1, 2, 7):
        assert weights(run(tokens, 40.0 * n)).tolist() == [n] * 4
        # what a sample's documents stand for sums to no whole number
        total = float((np.array(tokens) * 12.57).sum())
        assert weights(run(tokens, n * total, [12.57] * 4)).tolist() == [n] * 4


@given(
    st.lists(st.integers(1, 50), min_size=1, max_size=30),
    st.floats(0.05, 6),
    st.sampled_from([1.0, 12.5]),
)
def test_the_tokens_are_never_more_than_the_budget_and_end_at_the_first_that_does_not_fit(
    tokens: list[int], epochs: float, stands_for: float
) -> None:
    total = sum(tokens) * stands_for
    found = run(tokens, epochs * total, [stands_for] * len(tokens))
    times, rank = weights(found), -found.score if found.score is not None else None
    spent = float((times * tokens).sum() * stands_for)
    assert spent <= epochs * total * (1 + 1e-6)
    assert times.max() - times.min() <= 1
    np.testing.assert_array_equal(found.keep, times > 0)
    if times.max() > times.min():
        assert rank is not None
        order = np.argsort(rank)
        assert (np.diff(times[order]) <= 0).all()
        following = int(order[np.flatnonzero(times[order] == times.min())[0]])
        assert spent + tokens[following] * stands_for > epochs * total * (1 - 1e-6)


def test_a_budget_below_what_is_there_keeps_a_random_part() -> None:
    tokens = np.ones(1000)
    found = run(tokens, 300)
    assert found.keep.sum() == 300
    assert set(weights(found).tolist()) == {0, 1}
    assert (found.keep <= run(tokens, 500).keep).all()
    assert (found.keep != run(tokens, 300, seed=1).keep).any()
    i = int(np.flatnonzero(~found.keep)[0])
    assert found.explain(i).startswith("the budget of 300 tokens is less than the 1,000 that are there")


def test_documents_without_tokens_are_gone_over_once() -> None:
    assert weights(run([0, 0], 10)).tolist() == [1, 1]
    assert run([], 10).keep.shape == (0,)


def test_epochs_are_the_budget_over_what_is_there() -> None:
    tokens = [5.0, 20, 1, 14]
    assert weights(run(tokens)).tolist() == [1] * 4
    for epochs in (0.6, 2.0, 3.3):
        assert weights(run(tokens, epochs=epochs)).tolist() == weights(run(tokens, 40 * epochs)).tolist()


@pytest.mark.parametrize("name", ["epochs", "token_budget"])
@pytest.mark.parametrize("value", [0.0, -5.0, float("nan"), float("inf")])
def test_what_is_no_number_of_tokens_is_refused(name: str, value: float) -> None:
    with pytest.raises(InputError, match=rf"{name} must be above 0, got .*; 1 epoch trains on each"):
        SPEC.select({}, RepeatParams(**{name: value}), {}, 0)
