"""CCS (Zheng et al. 2023)."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.stats import chisquare

from workbench.checks import keyed_uniform, strings
from workbench.errors import InputError, RecipeError
from workbench.recipe.schema import parse_step
from workbench.selectors.base import DESIGN_WEIGHT
from workbench.selectors.ccs import SPEC, CcsParams, strata_of, strata_quotas


def run(score: Any, margin: Any = None, seed: int = 0, weight: Any = None, **params: Any):
    n = len(score)
    columns = {
        "doc_id": strings(f"d{i:04d}" for i in range(n)),
        "importance": np.array(score, dtype=np.float32),
        DESIGN_WEIGHT: np.ones(n) if weight is None else np.array(weight),
    }
    if margin is not None:
        columns["margin"] = np.array(margin, dtype=np.float32)
        params["hard_score"] = "margin"
    return SPEC.run(columns, CcsParams("importance", **params), {}, seed)


@pytest.mark.parametrize(
    ("m", "drawn"), [(10, [1, 0, 4, 5]), (11, [1, 0, 5, 5]), (30, [1, 0, 5, 20]), (0, [0] * 4)]
)
def test_small_strata_pass_on_what_they_cannot_fill(m: int, drawn: list[int]) -> None:
    assert strata_quotas(np.array([1.0, 0, 5, 20]), m).tolist() == drawn


def allocation_of_the_released_code(sizes: list[int], m: int) -> list[int]:
    """Coreset.py's loop."""
    budgets = [0] * len(sizes)
    order = sorted(range(len(sizes)), key=lambda i: sizes[i])
    rest, left = m, len(sizes)
    for i in order:
        budgets[i] = min(sizes[i], rest // left)
        rest -= budgets[i]
        left -= 1
    return budgets


@pytest.mark.parametrize("seed", range(8))
def test_quotas_are_those_of_the_released_loop(seed: int) -> None:
    rng = np.random.default_rng(seed)
    sizes = rng.integers(0, 30, 3 + 6 * seed)
    m = int(rng.integers(0, sizes.sum() + 5))
    quotas = strata_quotas(sizes.astype(float), m)
    assert quotas.tolist() == allocation_of_the_released_code(sizes.tolist(), m)
    assert quotas.sum() == min(m, sizes.sum())


def test_strata_have_equal_width_and_the_last_holds_the_largest_score() -> None:
    score = np.array([0.0, 0.9, 1.0, 2.5, 9.9, 10.0])
    assert strata_of(score, 10, "paper").tolist() == [0, 0, 1, 2, 9, 9]


def test_the_released_upper_edge_loses_the_largest_score_where_it_is_not_positive() -> None:
    assert strata_of(np.array([-3.0, -2, -1]), 50, "repo").tolist()[2] == -1
    assert strata_of(np.array([-3.0, -2, -1]), 50, "paper").tolist() == [0, 25, 49]
    assert strata_of(np.zeros(3), 50, "repo").tolist() == [-1, -1, -1]
    assert strata_of(np.zeros(3), 50, "paper").tolist() == [0, 0, 0]
    assert strata_of(np.array([1.0, 2, 3]), 50, "repo").tolist() == [0, 24, 49]
    assert run([-3, -2, -1], keep_fraction=1.0).keep.all()
    lost = run([-3, -2, -1], keep_fraction=1.0, variant="repo")
    assert lost.keep.tolist() == [True, True, False]
    assert lost.explain(2) == "importance -1 lies in no stratum"


@pytest.mark.parametrize("hard", ["lowest", "highest"])
def test_the_hardest_go_first_and_both_shares_are_of_all_documents(hard: str) -> None:
    rng = np.random.default_rng(0)
    score, margin = rng.random(100), rng.permutation(100)
    selection = run(score, margin, keep_fraction=0.5, hard_fraction=0.29, hard=hard, n_strata=1)
    assert selection.keep.sum() == 50
    hardest = margin < 29 if hard == "lowest" else margin >= 71
    assert not selection.keep[hardest].any()
    # No more than are left.
    assert run(score, margin, keep_fraction=0.9, hard_fraction=0.29, hard=hard).keep.sum() == 71


def test_strata_are_cut_over_what_the_hard_cut_left() -> None:
    # Without the outlier, which is the hardest, the others spread over both strata.
    score, margin = [0.0, 1, 2, 3, 100], [5, 4, 3, 2, 1]
    selection = run(score, margin, keep_fraction=0.4, hard_fraction=0.2, n_strata=2)
    assert selection.keep[:2].sum() == 1
    assert selection.keep[2:4].sum() == 1
    assert not selection.keep[4]


def test_one_stratum_and_no_hard_cut_is_a_plain_random_draw() -> None:
    ids = [f"d{i:04d}" for i in range(90)]
    luck = keyed_uniform(4, ids, "ccs")
    keep = run(np.random.default_rng(0).random(90), seed=4, keep_fraction=0.4, n_strata=1).keep
    assert set(np.flatnonzero(keep)) == set(np.argsort(luck)[:36].tolist())


def test_each_document_of_a_stratum_is_drawn_as_often() -> None:
    score = np.r_[np.zeros(8), np.ones(24)]
    counts = sum(
        run(score, seed=seed, keep_fraction=0.25, n_strata=2).keep.astype(int) for seed in range(400)
    )
    assert counts[:8].sum() == 4 * 400
    assert chisquare(counts[:8]).pvalue > 0.001
    assert chisquare(counts[8:]).pvalue > 0.001


def test_strata_count_what_documents_stand_for() -> None:
    weight = np.r_[np.full(4, 10.0), np.ones(40)]
    keep = run(np.r_[np.zeros(4), np.ones(40)], weight=weight, keep_fraction=0.5, n_strata=2).keep
    assert (int(keep[:4].sum()), int(keep[4:].sum())) == (2, 20)


def test_reasons_name_stratum_or_hardness() -> None:
    selection = run([0.0, 0.1, 0.9, 1.0], [9, 1, 8, 7], keep_fraction=0.25, hard_fraction=0.25, n_strata=2)
    assert selection.explain(1) == "among the hardest: margin 1 has rank 1 from the hard end"
    dropped = [i for i in (2, 3) if not selection.keep[i]]
    assert selection.explain(dropped[0]).endswith(
        "lies in stratum 2 of 2, where 1 of 2 documents are drawn"
    ), selection.explain(dropped[0])


def test_params_out_of_range_are_refused() -> None:
    for name in ("keep_fraction", "hard_fraction"):
        with pytest.raises(InputError, match=rf"{name} must lie in 0\.\.1, got 2"):
            run([1.0], [1.0], **{name: 2.0})
    with pytest.raises(InputError, match="n_strata must be at least 1, got 0"):
        run([1.0], n_strata=0)
    with pytest.raises(InputError, match="n_strata must be at most 100,000, got 1,000,000,000"):
        run([1.0], n_strata=10**9)
    with pytest.raises(
        InputError, match=r"hard_fraction 0\.1 needs a hard_score; name one or set hard_fraction to 0"
    ):
        run([1.0], hard_fraction=0.1)


@pytest.mark.parametrize(
    ("name", "what"),
    [("language", "holds categories"), ("embedding", "holds a vector"), ("aum", "no score 'aum'")],
)
def test_a_hard_score_that_holds_no_numbers_is_refused_by_the_recipe(name: str, what: str) -> None:
    step = {"select": "ccs", "score": "n_tokens", "hard_score": name, "hard_fraction": 0.1}
    with pytest.raises(RecipeError, match=what):
        parse_step(step)
    assert parse_step({**step, "hard_score": "perplexity"}).needs == ("n_tokens", "perplexity", DESIGN_WEIGHT)
