"""DPP selection (Wang et al. 2024) with the greedy order of Chen et al. 2018."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from workbench.checks import strings
from workbench.errors import InputError, RecipeError
from workbench.models.geometry import dpp as greedy
from workbench.models.geometry.dpp import greedy_order
from workbench.recipe.schema import parse_step
from workbench.selectors.base import DESIGN_WEIGHT, Columns, Selection
from workbench.selectors.dpp import SPEC, DppParams

FOUR = [[1.0, 0.0], [0.99, 0.141], [0.0, 1.0], [-1.0, 0.0]]


def columns(embedding: Any, **more: Any) -> dict[str, Any]:
    n = len(embedding)
    return {
        "doc_id": strings(f"d{i:03d}" for i in range(n)),
        "embedding": np.array(embedding, dtype=np.float32),
        DESIGN_WEIGHT: np.ones(n),
        **{name: np.array(column, dtype=np.float32) for name, column in more.items()},
    }


def run(given: Columns, **params: Any) -> Selection:
    return SPEC.run(given, DppParams(**{"order_fraction": 1.0, **params}), {}, 0)


def directions(n: int, d: int) -> np.ndarray:
    x = np.random.default_rng(0).normal(size=(n, d))
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def test_of_four_directions_the_three_farthest_apart_are_kept() -> None:
    assert run(columns(FOUR), keep_fraction=0.75).keep.tolist() == [True, False, True, True]
    assert run(columns(FOUR), keep_fraction=0.5).keep.tolist() == [True, False, False, True]


def test_without_quality_the_smallest_id_comes_first() -> None:
    given = columns(FOUR)
    given["doc_id"] = strings(["d", "c", "b", "a"])
    assert run(given, keep_fraction=0.25).keep.tolist() == [False, False, False, True]


def test_every_smaller_fraction_is_answered_by_one_scan_and_nests() -> None:
    given = columns(directions(80, 9))
    params = DppParams(order_fraction=0.5)
    scan = SPEC.scan(given, params, {}, 0)  # type: ignore[misc]
    before: set[int] = set()
    for fraction, n in ((0.0, 0), (0.1, 8), (0.25, 20), (0.5, 40)):
        given_fraction = DppParams(keep_fraction=fraction, order_fraction=0.5)
        kept = set(np.flatnonzero(SPEC.select({**given, **scan}, given_fraction, {}, 0).keep).tolist())
        assert len(kept) == n
        assert before <= kept
        assert kept == set(np.flatnonzero(run(given, keep_fraction=fraction).keep).tolist())
        before = kept


def test_a_copy_is_dropped_at_any_fraction_for_what_it_is() -> None:
    given = columns([*FOUR, FOUR[2]])
    selection = run(given, keep_fraction=1.0)
    assert selection.keep.tolist() == [True, True, True, True, False]
    assert selection.explain(4) == "adds nothing to the 4 documents before it: d^2 is below 1e-10"


def test_a_reason_says_what_was_added_and_where_the_cut_is() -> None:
    selection = run(columns(FOUR), keep_fraction=0.5, order_fraction=0.75)
    assert selection.explain(2) == "adds d^2 0.762 as number 3 of the order, the first 2 are kept"
    assert selection.explain(1) == "is not among the first 3 of the order, the first 2 are kept"


def test_quality_counts_in_the_direction_of_its_weight() -> None:
    given = columns(FOUR, perplexity=[1, 5, 2, 3])
    for weight, first in ((10.0, 1), (-10.0, 0), (0.0, 0)):
        kept = run(given, keep_fraction=0.25, quality="perplexity", quality_weight=weight).keep
        assert np.flatnonzero(kept).tolist() == [first]


def test_a_document_of_a_sample_takes_as_much_as_it_stands_for() -> None:
    given = {**columns(FOUR), DESIGN_WEIGHT: np.array([5.0, 1, 1, 3])}
    # In the order 0, 3, 2, 1 their shares are 0.5, 0.3, 0.1, 0.1.
    for fraction, kept in ((0.5, [0]), (0.8, [0, 3]), (0.9, [0, 2, 3])):
        assert np.flatnonzero(run(given, keep_fraction=fraction).keep).tolist() == kept
        exactly = run(given, keep_fraction=fraction, order_fraction=fraction)
        assert np.flatnonzero(exactly.keep).tolist() == kept


@pytest.mark.parametrize("unit", ["documents", "tokens"])
def test_an_order_up_to_the_fraction_is_long_enough_for_it(unit: str) -> None:
    x = directions(60, 7)
    given = columns(x, n_tokens=np.random.default_rng(2).integers(1, 50, 60))
    for fraction in (0.05, 0.31, 0.5):
        whole = run(given, keep_fraction=fraction, unit=unit)
        part = run(given, keep_fraction=fraction, order_fraction=fraction, unit=unit)
        np.testing.assert_array_equal(whole.keep, part.keep)


def test_the_selector_keeps_what_the_greedy_order_of_the_sorted_rows_begins_with() -> None:
    x = directions(50, 6).astype(np.float32)
    order = greedy_order(x, np.ones(50), 12, bandwidth=0.8).order
    kept = run(columns(x), keep_fraction=0.24, bandwidth=0.8).keep
    assert set(np.flatnonzero(kept).tolist()) == set(order.tolist())


def test_quality_must_be_a_score_of_numbers_or_none() -> None:
    assert parse_step({"select": "dpp", "quality": None}).params == DppParams()
    assert parse_step({"select": "dpp", "quality": "perplexity"}).needs[-1] == "perplexity"
    for name, sentence in (
        ("qualty", "there is no score 'qualty'"),
        ("language", "dpp can't read language, which holds categories"),
        ("embedding", "dpp can't read embedding, which holds a vector"),
    ):
        with pytest.raises(RecipeError, match=sentence):
            parse_step({"select": "dpp", "quality": name})


def test_bad_params_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    given = columns(FOUR)
    with pytest.raises(
        InputError, match=r"keep_fraction must not be above order_fraction, got 0\.5 and 0\.3"
    ):
        run(given, keep_fraction=0.5, order_fraction=0.3)
    for name in ("keep_fraction", "order_fraction"):
        with pytest.raises(InputError, match=rf"{name} must lie in 0\.\.1"):
            run(given, **{name: -0.1})
    with pytest.raises(InputError, match=r"bandwidth must lie in 1e-06\.\.1e\+06"):
        run(given, bandwidth=0.0)
    with pytest.raises(InputError, match=r"bandwidth must lie in 1e-06\.\.1e\+06, got 1e\+300"):
        run(given, bandwidth=1e300)
    rated = columns(FOUR, perplexity=[1.0, 2.0, 3.0, 4.0])
    with pytest.raises(InputError, match=r"perplexity spans 3e\+05, .* smaller quality_weight than 100000"):
        run(rated, quality="perplexity", quality_weight=1e5)
    with pytest.raises(InputError, match="quality_weight must be a number, got inf"):
        run(given, quality_weight=np.inf)
    monkeypatch.setattr(greedy, "MAX_BYTES", 64)
    with pytest.raises(InputError, match=r"at most a share of 0\.5 in order"):
        run(given, keep_fraction=0.5)
