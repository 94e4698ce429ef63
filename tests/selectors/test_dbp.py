"""Density-based pruning (Abbas et al. 2024)."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.optimize import lsq_linear

from workbench.checks import strings
from workbench.errors import InputError
from workbench.models.geometry.kmeans import assign
from workbench.models.geometry.rows import unit_rows
from workbench.selectors.base import DESIGN_WEIGHT
from workbench.selectors.dbp import (
    SPEC,
    DbpParams,
    distance_to_others,
    fit_dbp,
    kept_shares,
    quota_shares,
    quotas,
)

Columns = dict[str, np.ndarray]
SIZES = (90, 50, 45, 35)
WIDTHS = (0.05, 0.3, 0.6, 0.1)


def clustered(seed: int = 0) -> Columns:
    """Four clusters of unequal size and width, 220 documents."""
    rng = np.random.default_rng(seed)
    centres = np.repeat(np.eye(4, 14), SIZES, axis=0)
    rows = centres + rng.normal(0, 1, (220, 14)) * np.repeat(WIDTHS, SIZES)[:, None] / np.sqrt(14)
    return {
        "doc_id": strings(f"d{i:03d}" for i in rng.permutation(220)),
        "embedding": unit_rows(rows.astype(np.float32)),
        DESIGN_WEIGHT: np.ones(220),
    }


def run(columns: Columns, **params: Any):
    given = DbpParams(**{"n_clusters": 4, **params})
    return SPEC.run(columns, given, SPEC.prepare(columns, given, 0), 0)


# ---- quotas ------------------------------------------------------------------------------------------------------


def test_a_full_cluster_gives_what_it_lacks_room_for_to_the_others_in_equal_parts() -> None:
    x = quotas(np.array([0.5, 0.3, 0.2]), np.ones(3), np.array([20.0, 100, 100]), 60)
    np.testing.assert_allclose(x, [20, 23, 17], atol=1e-9)


@pytest.mark.parametrize(("tau", "shares"), [(0.1, (0.550, 0.202, 0.247)), (0.5, (0.374, 0.307, 0.319))])
def test_the_temperature_decides_how_unequal_quotas_are(tau: float, shares: tuple[float, ...]) -> None:
    complexity = np.array([0.12, 0.02, 0.04])
    np.testing.assert_allclose(quota_shares(complexity, np.ones(3), tau), shares, atol=6e-4)
    # No overflow, however cold.
    assert quota_shares(complexity * 1e4, np.ones(3), 1e-3).tolist() == [1, 0, 0]


def test_shares_inside_the_limits_are_taken_as_they_are() -> None:
    shares = np.array([0.2, 0.5, 0.3])
    x = quotas(shares, np.ones(3), np.full(3, 80.0), 70)
    np.testing.assert_allclose(x, 70 * shares, atol=1e-9)


@pytest.mark.parametrize("seed", range(6))
def test_quotas_are_those_of_a_solver_of_quadratic_programs(seed: int) -> None:
    rng = np.random.default_rng(seed)
    k = 4 + 2 * seed
    size = rng.integers(2, 60, k).astype(float)
    total = float(int(rng.uniform(0.2, 0.9) * size.sum()))
    shares = rng.dirichlet(np.full(k, 0.7))
    low = np.minimum(rng.integers(1, 4), size - 1)
    # The sum as a row of the least squares, so heavy that it holds to 1e-6.
    heavy = 1e4
    rows = np.vstack([np.eye(k), np.full((1, k), heavy)])
    found = lsq_linear(rows, np.r_[total * shares, heavy * total], (low, size), method="bvls", tol=1e-14)
    assert found.success
    assert found.x.sum() == pytest.approx(total, abs=1e-4)
    x = quotas(shares, low, size, total)
    np.testing.assert_allclose(x, found.x, atol=1e-3)
    assert ((x == low) | (x == size)).any(), "a limit is met"


@pytest.mark.parametrize("seed", range(6))
def test_quotas_are_those_of_the_solver_that_the_released_code_calls(seed: int) -> None:
    import osqp
    from scipy import sparse

    rng = np.random.default_rng(100 + seed)
    k = 5 + 4 * seed
    size = rng.integers(2, 60, k).astype(float)
    total = float(int(rng.uniform(0.1, 0.9) * size.sum()))
    shares = rng.dirichlet(np.full(k, 0.7))
    low = np.minimum(rng.integers(1, 4), size - 1)
    low *= min(1.0, total / low.sum())
    # min 1/2 |x|^2 - total p.x with sum x = total and low <= x <= size, as in prune.py.
    solver = osqp.OSQP()
    solver.setup(
        P=sparse.identity(k, format="csc"),
        q=-total * shares,
        A=sparse.csc_matrix(np.vstack([np.ones((1, k)), np.eye(k)])),
        l=np.r_[total, low],
        u=np.r_[total, size],
        eps_abs=1e-9,
        eps_rel=1e-9,
        max_iter=100_000,
        polishing=True,
        verbose=False,
    )
    found = solver.solve(raise_error=True)
    assert found.info.status == "solved"
    np.testing.assert_allclose(quotas(shares, low, size, total), found.x, atol=1e-3)


def test_limits_that_no_numbers_meet_are_refused() -> None:
    with pytest.raises(InputError, match="the clusters can't keep 9 documents: at least 2, at most 8"):
        quotas(np.array([0.5, 0.5]), np.ones(2), np.full(2, 4.0), 9)
    with pytest.raises(
        InputError, match=r"can't keep 2 documents: at least 4, .*; raise keep_fraction or take fewer"
    ):
        run(clustered(), keep_fraction=0.01)


@pytest.mark.parametrize("tau", [0.0, -1.0, float("nan"), float("inf")])
def test_a_temperature_that_is_not_above_0_is_refused(tau: float) -> None:
    with pytest.raises(InputError, match=r"tau must be above 0, got .*; the paper has 0\.1, its code 0\.5"):
        run(clustered(), tau=tau)


# ---- clusters ----------------------------------------------------------------------------------------------------


def test_distance_to_others_leaves_out_the_centroid_itself_among_equal_ones() -> None:
    centroids = np.array([[1.0, 0], [1.0, 0], [0, 1.0]])
    np.testing.assert_allclose(distance_to_others(centroids), [0.5, 0.5, 1.0])
    assert distance_to_others(centroids[:1]).tolist() == [0]


def test_distance_to_others_is_of_the_20_nearest() -> None:
    rng = np.random.default_rng(0)
    centroids = unit_rows(rng.normal(size=(33, 6)))
    for j, got in enumerate(distance_to_others(centroids)):
        others = [1 - float(centroids[j] @ c) for i, c in enumerate(centroids) if i != j]
        assert got == pytest.approx(np.mean(sorted(others)[:20]), abs=1e-6)


def test_the_fit_says_how_large_and_wide_clusters_are() -> None:
    columns = clustered()
    columns[DESIGN_WEIGHT] = np.where(np.arange(220) < 90, 3.0, 1.0)
    state = fit_dbp(columns, DbpParams(n_clusters=4), 0)
    labels, similarity = assign(columns["embedding"], state["centroids"])
    assert sorted(state["n"].tolist()) == [35, 45, 50, 270]
    for j in range(4):
        mine = labels == j
        expected = np.average(1 - similarity[mine], weights=columns[DESIGN_WEIGHT][mine])
        assert state["d_intra"][j] == pytest.approx(expected, abs=1e-6)


# ---- selection ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("variant", ["paper", "repo"])
@pytest.mark.parametrize("fraction", [0.1, 0.37, 0.5, 0.9, 1.0])
def test_the_sample_keeps_its_share_to_the_nearest_document(fraction: float, variant: str) -> None:
    keep = run(clustered(), keep_fraction=fraction, variant=variant).keep
    assert keep.sum() == int(220 * fraction + 0.5)


def test_all_of_a_sample_whose_weights_sum_to_no_whole_number_is_kept() -> None:
    columns = {**clustered(), DESIGN_WEIGHT: np.full(220, 12.57)}
    assert run(columns, keep_fraction=1.0).keep.mean() > 0.98


def test_each_cluster_keeps_those_farthest_from_its_centre() -> None:
    columns, params = clustered(), DbpParams(n_clusters=4)
    state = SPEC.prepare(columns, params, 0)
    keep = SPEC.run(columns, params, state, 0).keep
    labels, similarity = assign(columns["embedding"], state["centroids"])
    total = 110
    shares = quota_shares(state["d_intra"], state["d_inter"], 0.1)
    by_hand = np.round(quotas(shares, np.ones(4), state["n"], total))
    for j in range(4):
        mine = np.flatnonzero(labels == j)
        n_kept = int(keep[mine].sum())
        assert abs(n_kept - by_hand[j]) <= 1
        assert set(mine[keep[mine]]) == set(mine[np.argsort(similarity[mine])][:n_kept])


def test_wide_clusters_keep_a_larger_share_than_dense_ones() -> None:
    columns = clustered()
    params = DbpParams(n_clusters=4, keep_fraction=0.4)
    state = SPEC.prepare(columns, params, 0)
    share = kept_shares(params, state)
    by_width = np.argsort(state["d_intra"] * state["d_inter"])
    assert share[by_width[-1]] > share[by_width[0]] * 1.5


def test_the_floor_of_the_released_code_is_half_of_an_equal_part() -> None:
    state = {"n": np.array([200.0, 200.0, 4.0]), "d_intra": np.array([9.0, 0.0, 0.0]), "d_inter": np.ones(3)}
    n = state["n"]
    paper = kept_shares(DbpParams(0.3, tau=0.1), state) * n
    np.testing.assert_allclose(paper, [119, 1, 1], atol=1e-9)
    # M = 121, an equal part 40.3, half of it 20; the third has 4, of which not all may be asked.
    repo = kept_shares(DbpParams(0.3, tau=0.1, variant="repo"), state) * n
    np.testing.assert_allclose(repo, [98, 20, 3], atol=1e-9)


def test_the_variant_gives_the_temperature_that_the_manifest_holds() -> None:
    assert SPEC.resolve is not None
    for variant, tau, expected in (("paper", None, 0.1), ("repo", None, 0.5), ("repo", 0.2, 0.2)):
        params = DbpParams(tau=tau, variant=variant)  # type: ignore[arg-type]
        assert SPEC.resolve({}, params, np.ones(3)).tau == expected


def test_a_cluster_without_documents_of_the_sample_takes_no_quota() -> None:
    state = {
        "n": np.array([60.0, 0.0, 40.0]),
        "d_intra": np.array([0.1, 0.0, 0.2]),
        "d_inter": np.full(3, 0.5),
    }
    share = kept_shares(DbpParams(0.5, tau=0.5), state)
    assert share[1] == 0.5
    assert share[0] * 60 + share[2] * 40 == pytest.approx(50)


def test_on_a_corpus_each_cluster_keeps_the_share_that_it_keeps_on_the_sample() -> None:
    columns, params = clustered(), DbpParams(n_clusters=4, keep_fraction=0.4)
    state = SPEC.prepare(columns, params, 0)
    corpus = {name: np.concatenate([column] * 3) for name, column in columns.items()}
    corpus["doc_id"] = strings(f"c{i:04d}" for i in range(660))
    keep = SPEC.run(corpus, params, state, 0).keep
    labels = assign(corpus["embedding"], state["centroids"])[0]
    share = kept_shares(params, state)
    for j in range(4):
        assert abs(keep[labels == j].sum() - share[j] * (labels == j).sum()) <= 0.5 + 1e-6


def test_one_cluster_keeps_the_farthest_from_the_mean_direction() -> None:
    columns = clustered()
    state = SPEC.prepare(columns, DbpParams(n_clusters=1), 0)
    keep = SPEC.run(columns, DbpParams(n_clusters=1), state, 0).keep
    similarity = assign(columns["embedding"], state["centroids"])[1]
    assert set(np.flatnonzero(keep)) == set(np.argsort(similarity)[:110].tolist())


def test_moving_share_and_temperature_fits_and_scans_nothing_anew() -> None:
    assert SPEC.fit_params == ("n_clusters", "n_iterations")
    assert SPEC.scan_params == ()


def test_the_reason_names_rank_and_quota() -> None:
    selection = run(clustered())
    reason = selection.explain(int(np.flatnonzero(~selection.keep)[0]))
    assert reason.startswith("distance 0.")
    assert "to its cluster's centre has rank " in reason
    assert "in the cluster, which keeps the farthest 0." in reason


def test_params_out_of_range_are_refused() -> None:
    with pytest.raises(InputError, match=r"keep_fraction must lie in 0\.\.1, got 30"):
        run(clustered(), keep_fraction=30.0)
    for name in ("n_clusters", "n_iterations"):
        with pytest.raises(InputError, match=f"{name} must be at least 1, got 0"):
            run(clustered(), **{name: 0})
