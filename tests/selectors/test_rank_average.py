"""Several scores put together by the average of their ranks."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.stats import rankdata

from workbench.checks import strings
from workbench.errors import InputError, RecipeError
from workbench.recipe.schema import parse_step, recipe_schema
from workbench.selectors.average import rank_share
from workbench.selectors.base import DESIGN_WEIGHT, Selection
from workbench.selectors.rank_average import SPEC, RankAverageParams


def columns(n: int, **scores: Any) -> dict[str, Any]:
    return {
        "doc_id": strings(f"d{i:03d}" for i in range(n)),
        DESIGN_WEIGHT: np.ones(n),
        **{name: np.asarray(values, dtype=np.float32) for name, values in scores.items()},
    }


def run(given: dict[str, Any], scores: tuple[str, ...], **params: Any) -> Selection:
    return SPEC.run(given, RankAverageParams(scores, **params), {}, 0)


def order(selection: Selection) -> list[int]:
    assert selection.score is not None
    return np.argsort(-selection.score).tolist()


@pytest.mark.parametrize("values", [[3, 1, 2], [1, 1, 1, 1], [5, 2, 2, 9, 5, 5, -1]])
def test_ranks_are_those_of_scipy_with_ties_at_their_mean(values: list[float]) -> None:
    n = len(values)
    np.testing.assert_allclose(rank_share(np.array(values), np.ones(n)), (rankdata(values) - 0.5) / n)


def test_a_document_that_stands_for_three_ranks_as_three_do() -> None:
    values, amount = np.array([4.0, 7.0, 1.0, 7.0]), np.array([3, 1, 2, 2])
    alone = rank_share(np.repeat(values, amount), np.ones(8))
    np.testing.assert_allclose(np.repeat(rank_share(values, amount), amount), alone)


@pytest.mark.parametrize("weights", [(), (1.0, 1.0, 1.0), (2.0, -1.0, 0.5)])
def test_documents_go_in_the_order_of_their_weighted_mean_rank(weights: tuple[float, ...]) -> None:
    rng = np.random.default_rng(0)
    scores = {"a": rng.integers(0, 9, 50), "b": rng.gamma(2, 100, 50), "c": rng.normal(size=50).round(1)}
    mean = sum(
        w * rankdata(np.float32(v)) for w, v in zip(weights or (1.0,) * 3, scores.values(), strict=True)
    )
    expected = sorted(range(50), key=lambda i: (-round(mean[i], 9), i))
    given = columns(50, **scores)
    assert order(run(given, ("a", "b", "c"), weights=weights)) == expected
    # The order in which scores are named is of no account.
    other = dict(zip("abc", weights, strict=False)) or dict.fromkeys("abc", 1.0)
    assert order(run(given, ("c", "a", "b"), weights=tuple(other[name] for name in "cab"))) == expected


def test_one_score_alone_is_a_ranking_by_it_and_a_negative_weight_turns_it() -> None:
    given = columns(5, a=[3, 1, 4, 1, 5])
    assert order(run(given, ("a",))) == [4, 2, 0, 1, 3]
    for weight in (-1.0, -7.0):
        assert order(run(given, ("a",), weights=(weight,))) == [1, 3, 0, 2, 4]


def test_a_scores_unit_and_outliers_do_not_count() -> None:
    rng = np.random.default_rng(1)
    a, b = rng.random(30), rng.random(30)
    one = order(run(columns(30, a=a, b=b), ("a", "b")))
    assert order(run(columns(30, a=1e6 * np.exp(9 * a), b=b), ("a", "b"))) == one


def test_a_share_of_tokens_is_met_in_the_order_of_average_ranks() -> None:
    given = columns(4, a=[4, 3, 2, 1], n_tokens=[10, 40, 30, 20])
    for fraction, kept in ((0.1, [0]), (0.49, [0]), (0.5, [0, 1]), (1.0, [0, 1, 2, 3])):
        found = run(given, ("a",), keep_fraction=fraction, unit="tokens")
        assert np.flatnonzero(found.keep).tolist() == kept


def test_a_reason_names_the_scores_and_the_place() -> None:
    given = columns(4, a=[4, 3, 2, 1], b=[1, 2, 3, 9])
    assert run(given, ("a", "b"), weights=(3.0, 1.0)).explain(3) == (
        "the average rank 0.3125 of a and b (1 is best) has place 4 of 4, the first 2 are kept"
    )


def test_bad_params_are_refused() -> None:
    given = columns(3, a=[1, 2, 3], b=[1, 2, 3])
    with pytest.raises(InputError, match="scores is empty; name at least one"):
        run(given, ())
    with pytest.raises(InputError, match="scores names a twice"):
        run(given, ("a", "b", "a"))
    with pytest.raises(InputError, match="weights must be one a score, got 1 for 2"):
        run(given, ("a", "b"), weights=(1.0,))
    for weight in (0.0, np.nan, np.inf):
        with pytest.raises(InputError, match="the weight of b must be a number other than 0"):
            run(given, ("a", "b"), weights=(1.0, weight))
    with pytest.raises(InputError, match=r"keep_fraction must lie in 0\.\.1"):
        run(given, ("a",), keep_fraction=2.0)


def test_each_score_is_held_to_those_that_there_are() -> None:
    for scores, sentence in (
        (["n_tokens", "n_token"], "there is no score 'n_token'"),
        (["n_tokens", "language"], "rank_average can't read language, which holds categories"),
    ):
        with pytest.raises(RecipeError, match=sentence):
            parse_step({"select": "rank_average", "scores": scores})
    step = next(
        s
        for s in recipe_schema()["properties"]["steps"]["items"]["oneOf"]
        if s["properties"]["select"]["const"] == "rank_average"
    )
    allowed = step["properties"]["scores"]["items"]["enum"]
    assert "n_tokens" in allowed
    assert "language" not in allowed
