"""SemDeDup: the published rule, on the cases where other rules would answer otherwise."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from workbench.checks import keyed_uniform, strings
from workbench.errors import InputError
from workbench.models.geometry.kmeans import assign
from workbench.models.geometry.near_copies import cluster_order
from workbench.selectors.base import DESIGN_WEIGHT
from workbench.selectors.semdedup import (
    SPEC,
    SemdedupParams,
    fit_semdedup,
    group_semdedup,
)


def at_degrees(*degrees: float) -> np.ndarray:
    """Unit vectors in the plane."""
    angle = np.deg2rad(degrees)
    return np.column_stack([np.cos(angle), np.sin(angle)]).astype(np.float32)


def unit(rows: np.ndarray) -> np.ndarray:
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def select(
    embedding: np.ndarray, centroids: np.ndarray, ids: list[str] | None = None, seed: int = 0, **params: Any
):
    columns = {"doc_id": strings(ids or [f"d{i:04d}" for i in range(len(embedding))]), "embedding": embedding}
    return SPEC.run(columns, SemdedupParams(**params), {"centroids": centroids}, seed)


def clustered(n: int = 300, k: int = 6, d: int = 10, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Unit rows around k centroids, near-copies among them."""
    rng = np.random.default_rng(seed)
    centroids = unit(rng.normal(size=(k, d)))
    rows = centroids[rng.integers(0, k, n)] + rng.normal(0, 0.12, (n, d))
    rows[1::4] = rows[0::4][: len(rows[1::4])] + rng.normal(0, 0.01, (len(rows[1::4]), d))
    return unit(rows), centroids


# a, b and c lie 17 degrees apart: cos 17 = .956 links a-b and b-c, cos 34 = .829 doesn't link a-c.
CHAIN = {"a": 0.0, "b": 17.0, "c": 34.0}


@pytest.mark.parametrize(
    ("case", "keep", "centroid", "dropped"),
    [
        # Farthest from the centroid first: a, b, c. c falls to b though b is gone already; greedy would keep
        # c.
        ("chain", "hard", 60.0, "bc"),
        # a, c, b: the hub comes last and alone falls; connected components would drop two.
        ("hub last", "hard", 17.5, "b"),
        # b, c, a: the hub comes first and takes both.
        ("hub first", "easy", 17.5, "ac"),
    ],
)
def test_neither_greedy_nor_connected_components(case: str, keep: str, centroid: float, dropped: str) -> None:
    got = select(at_degrees(*CHAIN.values()), at_degrees(centroid), list(CHAIN), epsilon=0.05, keep=keep)
    assert [name for name, kept in zip(CHAIN, got.keep, strict=True) if not kept] == list(dropped)


def test_opposite_directions_are_no_copies_even_at_epsilon_one() -> None:
    assert select(at_degrees(0, 180), at_degrees(90), epsilon=1.0).keep.all()


def test_exact_copies_leave_one_the_smallest_id() -> None:
    embedding = np.tile(at_degrees(20), (50, 1))
    ids = [f"x{i:02d}" for i in np.random.default_rng(0).permutation(50)]
    for keep in ("hard", "easy"):
        got = select(embedding, at_degrees(0), ids, epsilon=0.01, keep=keep)
        assert [ids[i] for i in np.flatnonzero(got.keep)] == ["x00"]


def test_epsilon_zero_drops_nothing_not_even_exact_copies() -> None:
    # Rows whose product with themselves rounds to 1.0000001 in float32.
    embedding = np.repeat(unit(np.random.default_rng(1).normal(size=(40, 33))), 3, axis=0)
    assert (embedding @ embedding.T).max() > 1.0
    assert select(embedding, embedding[:2], epsilon=0.0).keep.all()


def test_kept_sets_nest_as_epsilon_grows() -> None:
    embedding, centroids = clustered()
    kept = [select(embedding, centroids, epsilon=e).keep for e in (0.0, 0.0005, 0.003, 0.01, 0.05, 0.2, 1.0)]
    for smaller, larger in zip(kept[1:], kept, strict=False):
        assert not (smaller & ~larger).any()
    assert len({int(k.sum()) for k in kept}) == 7


def brute_force(
    embedding: np.ndarray, centroids: np.ndarray, ids: list[str], epsilon: float, keep: str, seed: int
) -> list[bool]:
    """The published steps, one document at a time."""
    labels, similarity = assign(embedding, centroids)
    luck = keyed_uniform(seed, ids, "semdedup")
    out = [True] * len(ids)
    for label in set(labels.tolist()):
        members = [i for i in range(len(ids)) if labels[i] == label]
        rank = {"hard": similarity, "easy": -similarity, "random": luck}[keep]
        members.sort(key=lambda i: (rank[i], ids[i]))
        for place, i in enumerate(members):
            nearest = max((float(embedding[i] @ embedding[j]) for j in members[:place]), default=0.0)
            assert abs(nearest - (1 - epsilon)) > 1e-6, "the test's data must not lie on the threshold"
            out[i] = nearest <= 1 - epsilon
    return out


@pytest.mark.parametrize("keep", ["hard", "easy", "random"])
@pytest.mark.parametrize("epsilon", [0.004, 0.07])
def test_it_equals_brute_force(keep: str, epsilon: float) -> None:
    embedding, centroids = clustered(n=260, k=5, d=9, seed=11)
    # Exact copies, so that distances to the centroid tie and ids decide.
    embedding[200:260] = embedding[:60]
    ids = [f"id{i:03d}" for i in np.random.default_rng(2).permutation(260)]
    got = select(embedding, centroids, ids, seed=5, epsilon=epsilon, keep=keep)
    assert got.keep.tolist() == brute_force(embedding, centroids, ids, epsilon, keep, seed=5)
    assert 20 < (~got.keep).sum() < 255


@pytest.mark.parametrize("keep", ["hard", "easy", "random"])
def test_the_order_of_rows_does_not_matter(keep: str) -> None:
    embedding, centroids = clustered()
    ids = [f"d{i:03d}" for i in range(len(embedding))]
    order = np.random.default_rng(4).permutation(len(ids))
    first = select(embedding, centroids, ids, epsilon=0.02, keep=keep)
    other = select(embedding[order], centroids, [ids[i] for i in order], epsilon=0.02, keep=keep)
    assert np.array_equal(other.keep, first.keep[order])
    dropped = np.flatnonzero(~other.keep)
    assert [other.explain(i) for i in dropped] == [first.explain(order[i]) for i in dropped]


def test_clusters_decide_apart_so_any_whole_groups_give_the_same() -> None:
    embedding, centroids = clustered()
    ids = [f"d{i:03d}" for i in range(len(embedding))]
    whole = select(embedding, centroids, ids, epsilon=0.02).keep
    group = group_semdedup({"embedding": embedding}, SemdedupParams(), {"centroids": centroids})
    assert np.array_equal(group, assign(embedding, centroids)[0])
    for some in ({0, 3}, {1}, {2, 4, 5}):
        rows = np.flatnonzero(np.isin(group, list(some)))
        part = select(embedding[rows], centroids, [ids[i] for i in rows], epsilon=0.02).keep
        assert np.array_equal(part, whole[rows])


def test_copies_in_different_clusters_stay() -> None:
    # 44 and 46 degrees are near copies, but on the two sides of the border between the centroids.
    assert select(at_degrees(44, 46), at_degrees(0, 90), epsilon=0.1).keep.all()
    assert select(at_degrees(44, 46), at_degrees(0), epsilon=0.1).keep.sum() == 1


def test_a_singleton_and_no_documents_at_all() -> None:
    assert select(at_degrees(3), at_degrees(0, 90)).keep.tolist() == [True]
    assert select(np.zeros((0, 2), dtype=np.float32), at_degrees(0, 90)).keep.shape == (0,)


def test_the_reason_names_an_earlier_document_above_the_limit() -> None:
    got = select(at_degrees(*CHAIN.values()), at_degrees(60), list(CHAIN), epsilon=0.05)
    assert got.explain(1) == "similarity 0.9563 to a is above 0.95"
    assert got.explain(2) == "similarity 0.9563 to b is above 0.95"


def test_random_order_depends_on_the_seed_and_ids_alone() -> None:
    ids = strings([f"d{i}" for i in range(30)])
    same = np.zeros(30, dtype=np.float32)
    first = [ids[i] for i in cluster_order(ids, same, "random", 1)]
    assert first == [ids[::-1][i] for i in cluster_order(ids[::-1], same, "random", 1)]
    assert first != [ids[i] for i in cluster_order(ids, same, "random", 2)]


@pytest.mark.parametrize("epsilon", [-0.1, 1.5, float("nan"), 5.0])
def test_an_epsilon_outside_its_range_is_refused(epsilon: float) -> None:
    with pytest.raises(
        InputError, match=r"epsilon must lie in 0\.\.1, got .*; the paper's range is 0\.001 to 0\.26"
    ):
        select(at_degrees(0, 1), at_degrees(0), epsilon=epsilon)


def test_fit_gives_fewer_clusters_to_a_small_sample() -> None:
    embedding, _ = clustered(n=95)
    assert fit_semdedup({"embedding": embedding}, SemdedupParams(), 0)["centroids"].shape == (9, 10)
    assert fit_semdedup({"embedding": embedding}, SemdedupParams(n_clusters=4), 0)["centroids"].shape == (
        4,
        10,
    )
    assert fit_semdedup({"embedding": embedding[:3]}, SemdedupParams(), 0)["centroids"].shape == (1, 10)


def test_fit_repeats_and_depends_on_the_seed() -> None:
    columns = {"embedding": clustered()[0]}
    params = SemdedupParams(n_clusters=12, n_iterations=3)
    first = fit_semdedup(columns, params, 0)["centroids"]
    assert np.array_equal(first, fit_semdedup(columns, params, 0)["centroids"])
    assert not np.array_equal(first, fit_semdedup(columns, params, 1)["centroids"])


def test_fit_refuses_no_clusters() -> None:
    with pytest.raises(InputError, match="n_clusters must be at least 1, got 0"):
        fit_semdedup({"embedding": clustered()[0]}, SemdedupParams(n_clusters=0), 0)


def test_only_the_params_of_the_clustering_refit_it() -> None:
    assert SPEC.fit_params == ("n_clusters", "n_iterations")
    assert SPEC.scope == "group"
    assert SPEC.tracks_corpus


def with_share(embedding: np.ndarray, seed: int = 0, weight: np.ndarray | None = None, **params: Any):
    columns = {
        "doc_id": strings(f"d{i:04d}" for i in range(len(embedding))),
        "embedding": embedding,
        DESIGN_WEIGHT: np.ones(len(embedding)) if weight is None else weight,
    }
    given = SemdedupParams(n_clusters=6, **params)
    return columns, given, SPEC.prepare(columns, given, seed)


@pytest.mark.parametrize("fraction", [0.0, 0.31, 0.77, 1.0])
def test_a_share_of_the_sample_is_met_by_the_epsilon_that_gives_it(fraction: float) -> None:
    columns, params, state = with_share(clustered()[0], keep_fraction=fraction)
    keep = SPEC.run(columns, params, state, 0).keep
    assert keep.sum() == round(300 * fraction)
    if 0 < fraction < 1:
        epsilon = 1 - float(state["cut"][0])
        by_epsilon = SPEC.run(columns, SemdedupParams(epsilon=epsilon, n_clusters=6), state, 0).keep
        assert (by_epsilon == keep).all()


def test_the_cut_of_the_sample_holds_on_other_documents() -> None:
    columns, params, state = with_share(clustered()[0], keep_fraction=0.6)
    other = {name: column[:200] for name, column in columns.items()}
    nearest = SPEC.scan(other, params, state, 0)["max_similarity"]  # type: ignore[misc]
    assert (SPEC.run(other, params, state, 0).keep == (nearest <= state["cut"][0])).all()


def test_epsilon_stands_and_nothing_is_solved_without_a_share() -> None:
    _, params, state = with_share(clustered()[0], epsilon=0.02)
    assert set(state) == {"centroids"}
    assert SPEC.needs(params) == ("embedding",)


def test_a_share_counts_what_a_document_stands_for() -> None:
    weight = np.where(np.arange(300) % 3 == 0, 10.0, 1.0)
    columns, params, state = with_share(clustered()[0], weight=weight, keep_fraction=0.5)
    keep = SPEC.run(columns, params, state, 0).keep
    assert abs((weight * keep).sum() - weight.sum() / 2) <= 5


def test_a_share_outside_0_to_1_is_refused() -> None:
    with pytest.raises(InputError, match=r"keep_fraction must lie in 0\.\.1, got -0\.5"):
        with_share(clustered()[0], keep_fraction=-0.5)


def test_the_reason_names_the_share() -> None:
    columns, params, state = with_share(clustered()[0], keep_fraction=0.6)
    selection = SPEC.run(columns, params, state, 0)
    reason = selection.explain(int(np.flatnonzero(~selection.keep)[0]))
    assert reason.endswith(f"is above {state['cut'][0]:.4g}, the cut that leaves 0.6 of the sample")
    # Three exact copies of each: two of three tie at 1, and half of all is kept.
    columns, params, state = with_share(np.repeat(clustered()[0][::3], 3, axis=0), keep_fraction=0.5)
    selection = SPEC.run(columns, params, state, 0)
    assert selection.keep.sum() == 150
    reason = selection.explain(int(np.flatnonzero(~selection.keep)[0]))
    assert reason.endswith("ties with others at 1, the cut that leaves 0.5 of the sample")
