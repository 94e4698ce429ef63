"""kMQ's rounds (Yu et al. 2024)."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chisquare

from workbench.errors import InputError
from workbench.mixtures.kmq import cluster_weights, first_round, next_round

CLUSTER = np.repeat([3, 8, 9], [60, 50, 10])
IDS = [f"doc-{i:03d}" for i in range(120)]


def counts(rows: np.ndarray) -> list[int]:
    return [int((CLUSTER[rows] == c).sum()) for c in (3, 8, 9)]


def test_the_first_round_takes_the_same_of_each_cluster() -> None:
    found = first_round(IDS, CLUSTER, 100, 3)
    assert counts(found.rows) == [11, 11, 10], "floor(100 / 9), and what a cluster lacks goes to no other"
    assert found.clusters.tolist() == [3, 8, 9]
    assert found.weights.tolist() == [1 / 3] * 3
    assert found.n_asked == 33
    assert not first_round(IDS, CLUSTER, 8, 3).rows.size


def test_the_papers_weights_are_the_gaps_times_the_weights_before() -> None:
    weights = np.array([0.5, 0.3, 0.2])
    for s in (np.array([1.0, 2, 3]), np.array([0.0, 5, 1])):
        expected = s / s.sum() * weights
        np.testing.assert_allclose(cluster_weights(s, weights), expected / expected.sum(), rtol=1e-12)
        weights = cluster_weights(s, weights)
    assert weights[0] == 0, "what was left behind once stays behind"


def test_the_released_codes_weights_are_a_softmax_of_rewards_or_the_share_of_a_perplexity() -> None:
    s, before = np.array([0.5, -1.0, 2.0]), np.array([0.9, 0.05, 0.05])
    np.testing.assert_allclose(cluster_weights(s, before, variant="repo"), np.exp(s) / np.exp(s).sum())
    with np.errstate(over="raise"):
        assert cluster_weights(1e4 * s, before, variant="repo").tolist() == [0, 0, 1]
    ppl = np.array([4.9, 4.0, 20.0])
    found = cluster_weights(ppl, before, "perplexity", "repo")
    np.testing.assert_allclose(found, ppl / 28.9)


def plan(seed: int = 0, **params: Any):
    """Three rounds, with a gap that only the second cluster has."""
    rounds = [first_round(IDS, CLUSTER, 45, 3, seed)]
    for _ in range(2):
        chosen = np.concatenate([r.rows for r in rounds])
        gap = np.where(CLUSTER[chosen] == 8, 3.0, 1.0)
        rounds.append(next_round(IDS, CLUSTER, chosen, gap, rounds[-1].weights, 45, 3, seed, **params))
    return rounds


def test_no_document_comes_twice_and_the_lagging_cluster_gains() -> None:
    rounds = plan()
    rows = np.concatenate([r.rows for r in rounds])
    assert len(set(rows.tolist())) == len(rows) == 45
    assert [r.n_asked for r in rounds] == [15, 15, 15]
    np.testing.assert_allclose(rounds[1].weights, [0.2, 0.6, 0.2])
    np.testing.assert_allclose(rounds[2].weights, [1 / 11, 9 / 11, 1 / 11])


def test_the_released_code_asks_for_a_clusters_part_of_a_round_alone() -> None:
    rounds = plan(variant="repo")
    assert [r.n_asked for r in rounds] == [15, 5, 5]
    np.testing.assert_allclose(rounds[2].weights, rounds[1].weights)


def test_clusters_are_drawn_by_their_weights() -> None:
    total = np.zeros(3)
    first = first_round(IDS, CLUSTER, 9, 3)
    gap = np.where(CLUSTER[first.rows] == 9, 0.5, 1.0)
    for seed in range(400):
        found = next_round(IDS, CLUSTER, first.rows, gap, first.weights, 15, 3, seed)
        total += counts(found.rows)
    assert total.sum() == 2000
    assert chisquare(total, 2000 * np.array([0.4, 0.4, 0.2])).pvalue > 0.001


def test_a_cluster_that_runs_out_leaves_the_round_short() -> None:
    first = first_round(IDS, CLUSTER, 9, 1)
    gap = (CLUSTER[first.rows] == 9).astype(float)
    found = next_round(IDS, CLUSTER, first.rows, gap, first.weights, 90, 3)
    assert (found.n_asked, counts(found.rows)) == (30, [0, 0, 7])


def test_a_cluster_without_a_gap_has_the_mean_of_the_others() -> None:
    chosen = np.array([0, 1, 70])
    found = next_round(IDS, CLUSTER, chosen, np.array([1.0, 3.0, 6.0]), np.full(3, 1 / 3), 30, 3)
    np.testing.assert_allclose(found.weights, np.array([2, 6, 4]) / 12)
    partly = next_round(IDS, CLUSTER, chosen, np.array([1.0, np.nan, np.nan]), np.full(3, 1 / 3), 30, 3)
    np.testing.assert_allclose(partly.weights, 1 / 3)


@given(st.integers(0, 40), st.integers(1, 4), st.integers(0, 5))
def test_a_plan_is_of_ids_and_seed_and_not_of_the_order_of_rows(n: int, n_rounds: int, seed: int) -> None:
    order = np.random.default_rng(seed).permutation(len(IDS))
    ids, cluster = [IDS[i] for i in order], CLUSTER[order]
    one, other = first_round(IDS, CLUSTER, n, n_rounds, seed), first_round(ids, cluster, n, n_rounds, seed)
    assert one.rows.tolist() == order[other.rows].tolist()
    assert max(Counter(CLUSTER[one.rows].tolist()).values(), default=0) <= n // (3 * n_rounds)
    gap = np.ones(len(one.rows))
    if n >= 3 * n_rounds:
        second = next_round(IDS, CLUSTER, one.rows, gap, one.weights, n, n_rounds, seed)
        again = next_round(ids, cluster, other.rows, gap, other.weights, n, n_rounds, seed)
        assert second.rows.tolist() == order[again.rows].tolist()


ROUND: dict[str, Any] = {
    "doc_ids": IDS,
    "cluster": CLUSTER,
    "chosen": np.array([0, 100]),
    "gap": np.ones(2),
    "previous": np.full(3, 1 / 3),
    "n_documents": 30,
}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"n_documents": -1}, "n_documents must be at least 0"),
        ({"n_rounds": 0}, "n_rounds must be at least 1"),
        ({"doc_ids": ["a"] * 120}, "no id twice, got 120 clusters for 120 ids of which 1 differ"),
        ({"cluster": CLUSTER[1:]}, "a cluster for each doc_id"),
        ({"chosen": np.array([5, 5])}, "rows 0 to 119, each once"),
        ({"chosen": np.array([5, 120])}, "rows 0 to 119, each once"),
        ({"gap": np.ones(3)}, r"one number a chosen document \(2\)"),
        ({"previous": np.ones(2)}, r"one a cluster \(3\)"),
        ({"gap": np.full(2, np.nan)}, "no chosen document has a gap"),
        ({"gap": np.array([1.0, -2.0])}, "mean gap is -2, .*take variant repo"),
        ({"gap": np.zeros(2)}, "no cluster has a gap above 0"),
        ({"variant": "mine"}, "variant must be paper or repo"),
        ({"signal": "loss"}, "signal reward or perplexity"),
    ],
)
def test_what_makes_no_plan_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        next_round(**{**ROUND, **change})
