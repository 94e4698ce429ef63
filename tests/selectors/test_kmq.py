"""kMQ, static (Yu et al. 2024)."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.stats import chisquare

from workbench.checks import strings
from workbench.errors import InputError
from workbench.selectors.base import DESIGN_WEIGHT
from workbench.selectors.kmq import SPEC, KmqParams


def run(cluster: Any, score: Any, seed: int = 0, weight: Any = None, **params: Any):
    n = len(cluster)
    columns = {
        "doc_id": strings(f"d{i:05d}" for i in range(n)),
        "quality": np.array(score, dtype=np.float32),
        "prototype_cluster": np.array(cluster, dtype=np.float32),
        DESIGN_WEIGHT: np.ones(n) if weight is None else np.array(weight),
    }
    return SPEC.run(columns, KmqParams("quality", **params), {}, seed)


CLUSTERS = [3] * 20 + [8] * 9 + [9] * 2


def counts(keep: np.ndarray) -> list[int]:
    return [int(keep[np.array(CLUSTERS) == c].sum()) for c in (3, 8, 9)]


@pytest.mark.parametrize("draw", ["gumbel", "uniform"])
def test_each_cluster_gives_the_same_quota_or_all_that_it_has(draw: str) -> None:
    # M = 16, of which a third is 5.33.
    keep = run(CLUSTERS, [1.0] * 31, keep_fraction=16 / 31, draw=draw).keep
    assert counts(keep) == [5, 5, 2], "what is missing from 16 isn't made up for"
    assert counts(run(CLUSTERS, [1.0] * 31, keep_fraction=1.0, draw=draw).keep) == [10, 9, 2]
    assert counts(run(CLUSTERS, [1.0] * 31, keep_fraction=0.05, draw=draw).keep) == [0, 0, 0]


def test_redistributed_quotas_keep_as_many_as_asked() -> None:
    for fraction, expected in (
        (16 / 31, [7, 7, 2]),
        (2 / 31, [1, 1, 0]),
        (0.0, [0, 0, 0]),
        (1.0, [20, 9, 2]),
    ):
        keep = run(CLUSTERS, [1.0] * 31, keep_fraction=fraction, redistribute=True).keep
        assert counts(keep) == expected


def test_a_document_is_drawn_in_proportion_to_the_exponential_of_its_score() -> None:
    # 4,000 clusters of two documents, scores 0 and ln 3, one of each: 1/4 and 3/4.
    n = 4000
    cluster = np.repeat(np.arange(n), 2)
    keep = run(cluster, np.tile([0.0, np.log(3)], n), keep_fraction=0.5).keep
    better = int(keep[1::2].sum())
    assert keep.sum() == n
    assert chisquare([n - better, better], [n / 4, 3 * n / 4]).pvalue > 0.001
    uniform = run(cluster, np.tile([0.0, np.log(3)], n), keep_fraction=0.5, draw="uniform").keep
    assert chisquare([n - uniform[1::2].sum(), uniform[1::2].sum()]).pvalue > 0.001


def test_scores_are_not_cut_to_whole_numbers() -> None:
    # 4.9 would be 4, and tie.
    n = 3000
    keep = run(np.repeat(np.arange(n), 2), np.tile([4.0, 4.9], n), keep_fraction=0.5).keep
    share = np.exp(0.9) / (1 + np.exp(0.9))
    assert chisquare([n - keep[1::2].sum(), keep[1::2].sum()], [n * (1 - share), n * share]).pvalue > 0.001


def test_huge_scores_do_not_overflow() -> None:
    with np.errstate(over="raise", invalid="raise"):
        keep = run([1, 1, 1, 1], [5000.0, -5000, 9000, 4000], keep_fraction=0.5).keep
    assert np.flatnonzero(keep).tolist() == [0, 2]


def test_another_seed_draws_others_and_a_larger_share_more_of_the_same() -> None:
    score = np.linspace(0, 1, 31)
    first, other = (run(CLUSTERS, score, seed, keep_fraction=0.5).keep for seed in (0, 1))
    assert (first != other).any()
    more = run(CLUSTERS, score, 0, keep_fraction=0.8).keep
    assert (more | ~first).all()


def test_quotas_count_what_documents_stand_for() -> None:
    weight = np.where(np.array(CLUSTERS) == 3, 3.0, 1.0)  # 60, 9 and 2 of 71
    keep = run(CLUSTERS, [1.0] * 31, weight=weight, keep_fraction=27 / 71).keep
    assert counts(keep) == [3, 9, 2]


def test_the_reason_names_score_place_and_quota() -> None:
    selection = run(CLUSTERS, [2.5] * 31, keep_fraction=16 / 31)
    i = int(np.flatnonzero(~selection.keep)[0])
    assert selection.explain(i).startswith("quality 2.5: drawn as number ")
    assert selection.explain(i).endswith(" of the 20 in its cluster, whose quota is 5")


def test_a_share_outside_0_to_1_is_refused() -> None:
    with pytest.raises(InputError, match=r"keep_fraction must lie in 0\.\.1, got 1024"):
        run([1], [1.0], keep_fraction=1024.0)
