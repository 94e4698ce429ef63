"""Epoch plans of RS2."""

from __future__ import annotations

import itertools
from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.errors import InputError
from workbench.mixtures.rs2 import rs2_plan

IDS = [f"doc-{i}" for i in range(40)]


def test_four_epochs_of_a_quarter_show_every_document_once() -> None:
    plan = rs2_plan(IDS, 0.25, 4)
    assert [len(epoch) for epoch in plan] == [10] * 4
    assert sorted(np.concatenate(plan).tolist()) == list(range(40))


@given(st.integers(1, 30), st.floats(0.01, 1), st.integers(1, 12), st.booleans())
def test_no_document_is_twice_in_an_epoch_and_all_are_shown_before_any_again(
    n: int, fraction: float, n_epochs: int, replacement: bool
) -> None:
    plan = rs2_plan(IDS[:n], fraction, n_epochs, replacement=replacement)
    size = max(1, int(fraction * n + 0.5))
    assert len(plan) == n_epochs
    assert all(len(set(epoch.tolist())) == len(epoch) == size for epoch in plan)
    if not replacement:
        shown = np.concatenate(plan).tolist()
        for start in range(0, len(shown) - n + 1, n):
            assert sorted(shown[start : start + n]) == list(range(n))


def test_the_shuffles_differ() -> None:
    plan = rs2_plan(IDS, 1.0, 3)
    assert all((a != b).any() for a, b in itertools.combinations(plan, 2))


def test_with_replacement_each_epoch_is_drawn_from_all() -> None:
    plan = rs2_plan(IDS, 0.25, 400, replacement=True)
    counts = np.bincount(np.concatenate(plan), minlength=40)
    # each count has variance 400 * 0.25 * 0.75; the statistic has about 39 degrees of freedom, 73 is beyond 1 in 1,000
    assert (((counts - 100) ** 2) / 75).sum() < 73
    assert Counter(np.concatenate(plan[:4]).tolist()).most_common(1)[0][1] > 1


def test_the_plan_depends_on_ids_and_seed_and_not_on_the_order_of_rows() -> None:
    ids = np.array(IDS)
    for replacement in (False, True):
        plan = rs2_plan(IDS, 0.3, 5, 7, replacement=replacement)
        again = rs2_plan(IDS[::-1], 0.3, 5, 7, replacement=replacement)
        other = rs2_plan(IDS, 0.3, 5, 8, replacement=replacement)
        assert [ids[e].tolist() for e in plan] == [ids[::-1][e].tolist() for e in again]
        assert [e.tolist() for e in plan] != [e.tolist() for e in other]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ((IDS, 25.0, 4), r"fraction must lie in 0\.\.1"),
        ((IDS, 0.0, 4), "fraction must be at least"),
        ((IDS, 0.5, 0), "n_epochs must be at least 1"),
        (([], 0.5, 1), "no documents"),
        ((["a", "b", "a"], 0.5, 1), "there twice"),
    ],
)
def test_what_makes_no_plan_is_refused(given: tuple[Any, ...], message: str) -> None:
    with pytest.raises(InputError, match=message):
        rs2_plan(*given)
