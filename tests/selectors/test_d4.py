"""D4 (Tirumala et al. 2023)."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

from workbench.checks import strings
from workbench.errors import InputError
from workbench.models.geometry.kmeans import KMeansParams, assign, kmeans
from workbench.models.geometry.rows import unit_rows
from workbench.selectors.base import DESIGN_WEIGHT
from workbench.selectors.budget import is_within, share_cut
from workbench.selectors.d4 import SPEC, D4Params, fit_d4
from workbench.selectors.semdedup import SPEC as SEMDEDUP
from workbench.selectors.semdedup import SemdedupParams

Columns = dict[str, np.ndarray]


def clustered(n: int = 230, seed: int = 0) -> Columns:
    """Documents around eight directions, a third of them near-copies, in no order of their ids."""
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(8, 12))[rng.integers(0, 8, n)] + rng.normal(0, 0.3, (n, 12))
    copies = np.arange(n // 3)
    rows[copies] = rows[n - 1 - copies] + rng.normal(0, 0.002, (len(copies), 12))
    return {
        "doc_id": strings(f"d{i:03d}" for i in rng.permutation(n)),
        "embedding": unit_rows(rows.astype(np.float32)),
        DESIGN_WEIGHT: np.ones(n),
    }


def run(columns: Columns, seed: int = 0, **params: Any):
    given = D4Params(**{"n_clusters": 9, **params})
    return SPEC.run(columns, given, SPEC.prepare(columns, given, seed), seed)


@pytest.mark.parametrize(("dedup", "proto"), [(0.75, 0.5), (0.75, 0.3), (0.6, 0.9), (0.0, 0.5), (1.0, 1.0)])
def test_both_shares_are_met_to_the_nearest_document(dedup: float, proto: float) -> None:
    n_left = int(dedup * 230 + 0.5)
    assert run(clustered(), dedup_fraction=dedup, prototype_fraction=proto).keep.sum() == int(
        proto * n_left + 0.5
    )


def test_it_is_the_three_stages_one_after_the_other() -> None:
    columns = clustered()
    embedding = columns["embedding"]
    selection = run(columns, seed=3, dedup_fraction=0.7, prototype_fraction=0.4)
    # Stage 1 by the sorted similarities of SemDeDup at every epsilon, stage 2 and 3 anew by hand.
    params = SemdedupParams(n_clusters=9, n_iterations=20)
    scanned = SEMDEDUP.scan(columns, params, SEMDEDUP.fit(columns, params, 3), 3)  # type: ignore[misc]
    left = np.sort(np.argsort(scanned["max_similarity"], kind="stable")[:161])
    fit = kmeans(embedding[left], KMeansParams(n_clusters=9), seed=3)
    distance = 1 - (embedding[left] @ fit.centroids.T).max(axis=1)
    kept = left[np.argsort(-distance)[:64]]
    assert sorted(kept.tolist()) == np.flatnonzero(selection.keep).tolist()


def test_without_the_prototypes_it_is_semdedup() -> None:
    columns = clustered()
    params = SemdedupParams(n_clusters=9, n_iterations=20, keep_fraction=0.66)
    semdedup = SEMDEDUP.run(columns, params, SEMDEDUP.prepare(columns, params, 1), 1).keep
    assert (run(columns, 1, dedup_fraction=0.66, prototype_fraction=1.0).keep == semdedup).all()
    assert semdedup.sum() == round(0.66 * 230)


def test_without_semdedup_it_is_prototypes() -> None:
    columns = clustered()
    centroids = fit_d4(columns, D4Params(dedup_fraction=1.0, n_clusters=9), 0)["second_centroids"]
    assert np.array_equal(centroids, fit_d4(columns, D4Params(n_clusters=9), 0)["centroids"])
    farthest = np.argsort(assign(columns["embedding"], centroids)[1])[:115]
    assert set(np.flatnonzero(run(columns, dedup_fraction=1.0).keep)) == set(farthest.tolist())


def test_copies_that_made_centroids_their_own_have_lost_them_after_the_second_clustering() -> None:
    rng = np.random.default_rng(4)
    rows = rng.normal(size=(200, 6))
    rows[:120] = rows[0]  # 60 % are one blob of copies
    columns = clustered(200) | {"embedding": unit_rows(rows.astype(np.float32))}
    blob = columns["embedding"][0]
    # Nine tenths of the copies go with a share of 0.46: 120 - 108 = 12 stay, and the cut splits what ties.
    state = fit_d4(columns, D4Params(dedup_fraction=0.46, n_clusters=5), 0)
    assert not np.array_equal(state["centroids"], state["second_centroids"])
    mass = [(assign(columns["embedding"], state[name])[1][0]) for name in ("centroids", "second_centroids")]
    assert mass[0] > mass[1], "the first centroids are nearer to the blob"
    keep = run(columns, dedup_fraction=0.46, prototype_fraction=1.0, n_clusters=5).keep
    assert keep.sum() == 92
    assert keep[120:].all()
    assert (columns["embedding"][keep] @ blob > 0.999999).sum() == 12


def test_documents_that_tie_are_split_by_a_hash_of_their_ids_in_any_order_of_rows() -> None:
    columns = clustered(90)
    columns["embedding"] = np.repeat(columns["embedding"][:30], 3, axis=0)
    ids = columns["doc_id"]
    kept = set(ids[run(columns, dedup_fraction=0.5, prototype_fraction=0.8, n_clusters=3).keep])
    assert len(kept) == 36
    order = np.random.default_rng(2).permutation(90)
    state = SPEC.prepare(columns, D4Params(0.5, 0.8, n_clusters=3), 0)
    other = {name: column[order] for name, column in columns.items()}
    keep = SPEC.run(other, D4Params(0.5, 0.8, n_clusters=3), state, 0).keep
    assert set(ids[order][keep]) == kept


def test_shares_are_of_the_corpus_that_the_sample_stands_for() -> None:
    columns = clustered()
    weight = np.where(np.arange(230) < 60, 5.0, 1.0)
    keep = run(columns | {DESIGN_WEIGHT: weight}, dedup_fraction=0.5, prototype_fraction=1.0).keep
    assert abs((weight * keep).sum() / weight.sum() - 0.5) <= 2.5 / weight.sum()


def test_a_moved_prototype_share_fits_nothing_anew() -> None:
    assert set(SPEC.fit_params) == {"dedup_fraction", "n_clusters", "n_iterations", "keep"}
    assert SPEC.scan_params == ("keep",)
    assert SPEC.tracks_corpus


def test_kept_sets_nest_as_the_prototype_share_grows() -> None:
    kept = [run(clustered(), prototype_fraction=f).keep for f in (0.1, 0.4, 0.8, 1.0)]
    assert all((more | ~less).all() for less, more in itertools.pairwise(kept))


def test_reasons_name_the_stage_and_its_numbers() -> None:
    columns = clustered()
    selection = run(columns)
    reasons = {selection.explain(i).split(" ")[0] for i in np.flatnonzero(~selection.keep).tolist()}
    assert reasons == {"similarity", "typical:"}
    copy = next(i for i in np.flatnonzero(~selection.keep) if selection.explain(i).startswith("similarity"))
    assert selection.explain(copy).endswith("the cut that leaves 0.75 of the sample")
    assert selection.score is not None
    assert selection.score[copy] < selection.score[selection.keep].min()


@pytest.mark.parametrize("name", ["n_clusters", "n_iterations"])
def test_counts_below_1_are_refused(name: str) -> None:
    with pytest.raises(InputError, match=f"{name} must be at least 1, got 0"):
        run(clustered(), **{name: 0})


@pytest.mark.parametrize("name", ["dedup_fraction", "prototype_fraction"])
def test_shares_outside_0_to_1_are_refused(name: str) -> None:
    with pytest.raises(InputError, match=rf"{name} must lie in 0\.\.1, got 1\.2"):
        run(clustered(), **{name: 1.2})


# ---- the cut that both stages are made by -----------------------------------------------------------------------


def test_a_cut_lies_midway_between_the_last_kept_and_the_first_dropped() -> None:
    values, luck = np.array([0.4, 0.1, 0.2, 0.8]), np.zeros(4)
    assert share_cut(values, luck, np.ones(4), 0.5).tolist() == pytest.approx([0.3, 1.0])
    assert share_cut(values, luck, np.ones(4), 0.0).tolist() == [-np.inf, 0.0]
    assert share_cut(values, luck, np.ones(4), 1.0).tolist() == [np.inf, 1.0]
    assert share_cut(np.zeros(0), luck[:0], np.zeros(0), 0.5).tolist() == [np.inf, 1.0]


def test_what_rounding_leaves_between_copies_does_not_order_them() -> None:
    values, luck = np.array([1.0, 0.99999994, 1.0, 0.5]), np.array([0.1, 0.9, 0.4, 0.7])
    cut = share_cut(values, luck, np.ones(4), 0.75)
    assert is_within(values, luck, cut).tolist() == [True, False, True, True]
