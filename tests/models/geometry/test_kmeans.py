"""k-means against scikit-learn, a brute-force twin and data whose clusters are known."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.errors import Cancelled, InputError
from workbench.models.geometry import lloyd, rows, starts
from workbench.models.geometry.kmeans import KMeansFit, KMeansParams, assign, kmeans
from workbench.models.geometry.rows import unit_rows
from workbench.progress import Silent


@pytest.fixture
def x() -> np.ndarray:
    return np.random.default_rng(0).standard_normal((700, 24)).astype(np.float32)


def fit(x: np.ndarray, k: int, seed: int = 0, start: np.ndarray | None = None, **params: Any) -> KMeansFit:
    return kmeans(x, KMeansParams(n_clusters=k, **params), seed=seed, start=start)


def planted(
    sizes: tuple[int, ...] = (30, 90, 60, 120), d: int = 20, spread: float = 0.05
) -> tuple[np.ndarray, np.ndarray]:
    """Tight clusters of unequal size around axes, shuffled, and the cluster of each row."""
    rng = np.random.default_rng(1)
    own = rng.permutation(np.repeat(np.arange(len(sizes)), sizes))
    return np.eye(d)[own] + spread * rng.standard_normal((len(own), d)), own


def same_partition(a: np.ndarray, b: np.ndarray) -> bool:
    pairs = {(i, j) for i, j in zip(a.tolist(), b.tolist(), strict=True)}
    return len(pairs) == len(set(a.tolist())) == len(set(b.tolist()))


BACKENDS = ["torch", "faiss"]
KINDS = [True, False]


# ---------------------------------------------------------------------------------------------- what it finds


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("spherical", KINDS)
def test_planted_clusters_are_found(backend: str, spherical: bool) -> None:
    x, own = planted()
    if spherical:
        x = x * np.random.default_rng(2).uniform(0.1, 9, size=(len(x), 1))
    got = fit(x, 4, spherical=spherical, backend=backend)
    assert same_partition(got.labels, own)
    assert sorted(got.sizes) == [30, 60, 90, 120]
    assert got.backend == (
        "faiss" if backend == "faiss" else f"torch on {rows.Rows(x, spherical=True).device}"
    )


@pytest.mark.parametrize(
    "params",
    [
        {"init": "random", "n_restarts": 8},
        {"n_candidates": 1, "n_restarts": 4},
        {"mini_batch_rows": 64},
        {"fit_rows": 150},
        {"fit_rows": 150, "mini_batch_rows": 50, "n_restarts": 2},
        {"dtype": "bfloat16"},
    ],
    ids=str,
)
@pytest.mark.parametrize("spherical", KINDS)
def test_planted_clusters_are_found_in_every_way(params: dict[str, Any], spherical: bool) -> None:
    x, own = planted()
    assert same_partition(fit(x, 4, spherical=spherical, **params).labels, own)


@pytest.mark.parametrize("n_iterations", [1, 4, 200])
def test_from_the_same_centres_it_is_scikit_learns_lloyd(x: np.ndarray, n_iterations: int) -> None:
    from sklearn.cluster import KMeans

    start = x[::50].copy()
    peer = KMeans(len(start), init=start, n_init=1, max_iter=n_iterations, tol=0, algorithm="lloyd").fit(x)
    got = fit(x, len(start), start=start, spherical=False, n_iterations=n_iterations)
    np.testing.assert_array_equal(got.labels, peer.labels_)
    assert got.inertia == pytest.approx(peer.inertia_, rel=1e-4)
    np.testing.assert_allclose(got.centroids, peer.cluster_centers_, atol=1e-5)


def test_an_empty_cluster_is_refilled_as_scikit_learn_does() -> None:
    from sklearn.cluster import KMeans

    x, _ = planted()
    # Two centres that are nobody's nearest.
    start = np.vstack([x[[0, 5]], np.full((1, 20), 50.0), np.full((1, 20), -60.0)])
    peer = KMeans(4, init=start, n_init=1, max_iter=300, tol=0, algorithm="lloyd").fit(x)
    got = fit(x, 4, start=start, spherical=False, n_iterations=300)
    np.testing.assert_array_equal(got.labels, peer.labels_)
    assert (got.sizes > 0).all()


def twin(
    x: np.ndarray, start: np.ndarray, n_iterations: int, spherical: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Lloyd's algorithm, plainly, in float64, for starts that leave no cluster empty."""
    x, centroids = x.astype(np.float64), start.astype(np.float64)
    if spherical:
        x = x / np.linalg.norm(x, axis=1, keepdims=True)
        centroids = centroids / np.linalg.norm(centroids, axis=1, keepdims=True)
    for _ in range(n_iterations):
        labels = ((x[:, None] - centroids) ** 2).sum(2).argmin(1)
        assert len(set(labels.tolist())) == len(start), "the twin doesn't refill"
        centroids = np.stack([x[labels == k].mean(0) for k in range(len(start))])
        if spherical:
            centroids /= np.linalg.norm(centroids, axis=1, keepdims=True)
    return centroids, ((x[:, None] - centroids) ** 2).sum(2)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("spherical", KINDS)
def test_it_equals_a_plain_twin(backend: str, spherical: bool) -> None:
    x = np.random.default_rng(4).standard_normal((210, 7)) + 0.3
    start = x[:9]
    got = fit(x, 9, start=start, n_iterations=6, spherical=spherical, backend=backend)
    centroids, squares = twin(x, start, 6, spherical)
    np.testing.assert_allclose(got.centroids, centroids, atol=2e-6)
    np.testing.assert_array_equal(got.labels, squares.argmin(1))
    assert got.inertia == pytest.approx(squares.min(1).sum(), rel=1e-5)
    np.testing.assert_array_equal(got.sizes, np.bincount(got.labels, minlength=9))


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**40), st.integers(2, 60), st.integers(1, 5), st.booleans(), st.data())
def test_inertia_never_rises(seed: int, n: int, d: int, spherical: bool, data: st.DataObject) -> None:
    # Whole numbers make copies and ties; none is zero.
    x = np.random.default_rng(seed).integers(-3, 4, size=(n, d)).astype(np.float32)
    x[(x == 0).all(1)] = 1
    k = data.draw(st.integers(1, n))
    inertia = [fit(x, k, seed, spherical=spherical, n_iterations=i).inertia for i in (1, 2, 4, 9)]
    assert all(b <= a + 1e-5 * n * d for a, b in itertools.pairwise(inertia))


@pytest.mark.parametrize("spherical", KINDS)
@pytest.mark.parametrize("init", ["k-means++", "random"])
def test_as_many_clusters_as_rows_leave_no_inertia(x: np.ndarray, spherical: bool, init: str) -> None:
    got = fit(x[:90], 90, spherical=spherical, init=init)
    assert got.inertia < 1e-9
    assert (got.sizes == 1).all()


def test_kmeans_plus_plus_starts_in_every_far_cluster() -> None:
    # An even draw would nearly always miss the clusters of 5 and 7 of 912.
    x, own = planted((5, 400, 300, 7, 200), d=12, spread=0.001)
    for seed in range(8):
        start = starts.choose_start(
            rows.Rows(x, spherical=False), 5, "k-means++", 1, np.random.default_rng(seed)
        )
        got = fit(x, 5, start=start + x.mean(axis=0), spherical=False, n_iterations=1)
        assert same_partition(got.labels, own)


def test_kmeans_plus_plus_draws_by_the_squared_distance() -> None:
    # From 0, the rows at 1, 2 and 3 have 1, 4 and 9 of 14 parts.
    draws = np.bincount(starts._draw(np.array([0.0, 1, 4, 9]), 7000, np.random.default_rng(0)), minlength=4)
    np.testing.assert_allclose(draws / 500, [0, 1, 4, 9], atol=0.35)


def test_more_candidates_and_restarts_give_no_worse_a_start(x: np.ndarray) -> None:
    def mean_inertia(**params: Any) -> float:
        return float(np.mean([fit(x, 40, seed, n_iterations=1, **params).inertia for seed in range(10)]))

    plain = mean_inertia(n_candidates=1)
    assert mean_inertia(n_candidates=5) < plain
    assert mean_inertia(n_candidates=1, n_restarts=4) < plain
    for seed in range(3):
        assert fit(x, 40, seed, n_restarts=4).inertia <= fit(x, 40, seed).inertia


def test_it_stops_when_nothing_moves() -> None:
    x, _ = planted()
    got = fit(x, 4, n_iterations=500)
    assert got.n_iterations < 20
    np.testing.assert_array_equal(got.centroids, fit(x, 4, n_iterations=got.n_iterations - 1).centroids)


def test_bfloat16_products_cost_little_inertia(x: np.ndarray) -> None:
    assert fit(x, 13, dtype="bfloat16").inertia == pytest.approx(fit(x, 13).inertia, rel=0.02)


# ---------------------------------------------------------------------------------------- bits, scales, memory


@pytest.mark.parametrize(
    "params", [{}, {"mini_batch_rows": 100}, {"backend": "faiss"}, {"spherical": False}], ids=str
)
def test_the_same_input_and_seed_give_the_same_bits_and_another_seed_others(
    x: np.ndarray, params: dict[str, Any]
) -> None:
    a, b = (fit(x, 13, seed=3, n_iterations=10, **params) for _ in range(2))
    assert a.centroids.dtype == np.float32
    assert a.centroids.shape == (13, 24)
    assert a.centroids.tobytes() == b.centroids.tobytes()
    assert a.labels.tobytes() == b.labels.tobytes()
    assert a.inertia == b.inertia
    assert a.centroids.tobytes() != fit(x, 13, seed=4, n_iterations=10, **params).centroids.tobytes()


@pytest.mark.parametrize(
    "params", [{}, {"spherical": False, "dtype": "bfloat16"}, {"mini_batch_rows": 3000}], ids=str
)
def test_the_number_of_threads_does_not_change_a_bit(params: dict[str, Any]) -> None:
    import torch

    x = np.random.default_rng(0).standard_normal((7000, 24)).astype(np.float32)
    before = torch.get_num_threads()
    found = []
    try:
        for threads in (1, 2, 3):
            torch.set_num_threads(threads)
            found.append(fit(x, 13, n_iterations=10, **params))
            assert torch.get_num_threads() == threads
    finally:
        torch.set_num_threads(before)
    for other in found[1:]:
        assert other.centroids.tobytes() == found[0].centroids.tobytes()
        assert other.labels.tobytes() == found[0].labels.tobytes()


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
@pytest.mark.parametrize("spherical", KINDS)
def test_a_memory_map_read_in_pieces_gives_what_an_array_gives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dtype: type, spherical: bool
) -> None:
    x = np.random.default_rng(0).standard_normal((9000, 24)).astype(dtype)
    mapped = np.memmap(tmp_path / "x.bin", dtype=dtype, mode="w+", shape=x.shape)
    mapped[:] = x
    mapped.flush()
    mapped = np.memmap(tmp_path / "x.bin", dtype=dtype, mode="r", shape=x.shape)
    monkeypatch.setattr(rows, "_PIECE_BYTES", 2**12)  # pieces of 4,096 rows
    held = fit(x, 11, spherical=spherical, n_iterations=5)
    monkeypatch.setattr(rows, "HELD_BYTES", 0)
    for params in ({}, {"mini_batch_rows": 500}, {"fit_rows": 3000}):
        got = fit(mapped, 11, spherical=spherical, n_iterations=5, **params)
        assert got.labels.shape == (9000,)
        if not params:
            assert got.centroids.tobytes() == held.centroids.tobytes()
            assert got.labels.tobytes() == held.labels.tobytes()


def test_a_small_product_gives_what_a_large_one_gives(x: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = fit(x, 13)
    monkeypatch.setattr(lloyd, "_TILE", {"cpu": 1, "cuda": 1})
    np.testing.assert_array_equal(fit(x, 13).labels, expected.labels)


@pytest.mark.parametrize("scale", [2.0**-120, 2.0**-30, 2.0**40, 2.0**120])
@pytest.mark.parametrize("spherical", KINDS)
def test_scale_changes_nothing(x: np.ndarray, scale: float, spherical: bool) -> None:
    expected, got = fit(x, 5, spherical=spherical), fit(x * np.float32(scale), 5, spherical=spherical)
    np.testing.assert_array_equal(got.labels, expected.labels)
    factor = 1 if spherical else scale
    np.testing.assert_allclose(got.centroids / factor, expected.centroids, atol=1e-6)
    assert got.inertia / factor**2 == pytest.approx(expected.inertia)


def test_far_from_the_origin_plain_clusters_are_still_found() -> None:
    x, own = planted()
    assert same_partition(fit((x + 3000).astype(np.float32), 4, spherical=False).labels, own)


@pytest.mark.parametrize("spherical", KINDS)
def test_one_cluster_is_the_mean(x: np.ndarray, spherical: bool) -> None:
    x = x + 0.4
    got = fit(x, 1, spherical=spherical)
    mean = unit_rows(x).mean(axis=0) if spherical else x.mean(axis=0)
    expected = mean / np.linalg.norm(mean) if spherical else mean
    np.testing.assert_allclose(got.centroids[0], expected, atol=1e-6)
    assert got.sizes.tolist() == [700]


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("spherical", KINDS)
def test_nothing_but_copies(backend: str, spherical: bool) -> None:
    x = np.tile(np.random.default_rng(5).standard_normal(9).astype(np.float32), (40, 1))
    got = fit(x, 3, spherical=spherical, backend=backend)
    assert np.isfinite(got.centroids).all()
    assert got.inertia == pytest.approx(0, abs=1e-9)
    assert got.sizes.sum() == 40


@pytest.mark.parametrize("spherical", KINDS)
def test_one_row_and_one_dimension(spherical: bool) -> None:
    one = fit(np.array([[3.0, 4.0]]), 1, spherical=spherical)
    np.testing.assert_allclose(one.centroids, [[0.6, 0.8]] if spherical else [[3, 4]], atol=1e-6)
    line = fit(np.array([[-4.0], [-5], [7], [8], [9]]), 2, spherical=spherical)
    assert same_partition(line.labels, np.array([0, 0, 1, 1, 1]))
    np.testing.assert_allclose(sorted(line.centroids[:, 0]), [-1, 1] if spherical else [-4.5, 8], atol=1e-6)


def test_rows_that_cancel_out_leave_no_nan() -> None:
    x = np.array([[1.0, 0.0], [-1.0, 0.0]])
    assert np.isfinite(fit(x, 1).centroids).all()


def test_progress_is_shown_and_may_stop_it(x: np.ndarray) -> None:
    class Counting(Silent):
        n = 0

        def advance(self, n: int) -> None:
            self.n += n
            if self.n == 3:
                raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        kmeans(x, KMeansParams(n_clusters=9, n_iterations=50), seed=0, progress=Counting())


# -------------------------------------------------------------------------------------------------- bad input


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"n_clusters": 0}, r"n_clusters must lie in 1\.\.700 \(the number of documents\), got 0"),
        ({"n_clusters": 701}, r"n_clusters must lie in 1\.\.700 \(the number of documents\), got 701"),
        ({"n_clusters": 30, "fit_rows": 20}, r"n_clusters must lie in 1\.\.20 \(fit_rows\), got 30"),
        ({"n_iterations": 0}, "n_iterations must be at least 1, got 0"),
        ({"n_candidates": 0}, "n_candidates must be at least 1, got 0"),
        ({"n_restarts": 0}, "n_restarts must be at least 1, got 0"),
        ({"mini_batch_rows": 0}, "mini_batch_rows must be at least 1, got 0"),
        ({"fit_rows": 0, "n_clusters": 0}, "n_clusters must lie in"),
        ({"init": "best"}, r"init must be one of k-means\+\+, random, got 'best'"),
        ({"backend": "gpu"}, "backend must be one of auto, torch, faiss, got 'gpu'"),
        ({"dtype": "float64"}, "dtype must be one of float32, bfloat16, got 'float64'"),
        ({"backend": "faiss", "mini_batch_rows": 9}, "faiss has neither mini-batches nor bfloat16; take backend torch"),
        ({"backend": "faiss", "dtype": "bfloat16"}, "faiss has neither mini-batches nor bfloat16; take backend torch"),
    ],
    ids=str,
)  # fmt: skip
def test_params_out_of_range_are_refused(x: np.ndarray, params: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        kmeans(x, KMeansParams(**{"n_clusters": 3, **params}), seed=0)


def test_a_start_of_another_shape_a_negative_seed_and_no_rows_are_refused(x: np.ndarray) -> None:
    with pytest.raises(InputError, match=r"start must be \(3, 24\), a centroid a cluster, got \(2, 24\)"):
        fit(x, 3, start=x[:2])
    with pytest.raises(InputError, match="seed must be at least 0, got -1"):
        fit(x, 3, seed=-1)
    for shape in ((0, 5), (5, 0), (5,)):
        with pytest.raises(InputError, match="k-means needs rows of numbers"):
            fit(np.zeros(shape), 1)


@pytest.mark.parametrize("value", [0.0, np.nan, np.inf])
def test_a_row_without_direction_is_refused(x: np.ndarray, value: float) -> None:
    x[17] = value
    for call in (lambda: fit(x, 3), lambda: assign(x, np.eye(3, 24, dtype=np.float32)), lambda: unit_rows(x)):
        with pytest.raises(InputError, match="row 17 of the embeddings is zero or not finite"):
            call()
    with pytest.raises(InputError, match="row 1 of the start is zero or not finite"):
        fit(x[:17], 3, start=x[16:19])


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e39])
def test_a_plain_row_that_is_not_finite_is_refused(x: np.ndarray, value: float) -> None:
    wide = x.astype(np.float64)
    wide[17, 3] = value
    with pytest.raises(InputError, match="row 17 of the embeddings is not finite in float32; leave it out"):
        fit(wide, 3, spherical=False)
    wide[17] = 0
    assert np.isfinite(fit(wide, 3, spherical=False).centroids).all()


# ----------------------------------------------------------------------------------------------------- assign


@pytest.mark.parametrize("k", [1, 3, 50])
def test_a_rows_assignment_does_not_depend_on_its_neighbours_to_the_bit(k: int) -> None:
    x = np.random.default_rng(2).standard_normal((2500, 384)).astype(np.float32)
    centroids = fit(x[:500], k, n_iterations=5).centroids
    labels, similarity = assign(x, centroids)
    order = np.random.default_rng(3).permutation(len(x))
    moved_labels, moved = assign(x[order], centroids)
    np.testing.assert_array_equal(moved_labels, labels[order])
    assert moved.tobytes() == similarity[order].tobytes()
    for i in (0, 1023, 1024, 2499):
        one_label, one = assign(x[i : i + 1], centroids)
        assert one_label[0] == labels[i]
        assert one.tobytes() == similarity[i : i + 1].tobytes()


def test_assign_equals_the_plain_product(x: np.ndarray) -> None:
    centroids = fit(x, 7).centroids
    cosines = (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float64) @ centroids.T
    labels, similarity = assign(x, centroids)
    assert labels.dtype == np.int64
    np.testing.assert_array_equal(labels, cosines.argmax(axis=1))
    np.testing.assert_allclose(similarity, cosines.max(axis=1), atol=1e-6)


def test_assign_gives_the_labels_of_the_fit(x: np.ndarray) -> None:
    got = fit(x, 7)
    np.testing.assert_array_equal(assign(4 * x, got.centroids)[0], got.labels)


@pytest.mark.parametrize("scale", [1e-30, 1e30, 2e38])
def test_very_long_and_very_short_rows_have_a_direction(x: np.ndarray, scale: float) -> None:
    np.testing.assert_allclose(unit_rows(x[:20] / 5 * np.float32(scale)), unit_rows(x[:20]), atol=1e-6)


def test_the_quick_way_to_unit_rows_leaves_odd_ones_to_the_careful_one(x: np.ndarray) -> None:
    x.setflags(write=False)
    for wide in (x, x.astype(np.float16), x.astype(np.float64)):
        quick = rows.unit_rows_on(wide, "cpu")
        assert quick is not None
        np.testing.assert_allclose(quick.numpy(), unit_rows(wide), atol=1e-6)
    for value in (0.0, np.nan, 1e30, 1e-30):
        odd = x.copy()
        odd[5] = value
        assert rows.unit_rows_on(odd, "cpu") is None


def test_other_dimensions_are_refused(x: np.ndarray) -> None:
    with pytest.raises(InputError, match=r"same dimension, got \(700, 24\) and \(3, 20\)"):
        assign(x, np.eye(3, 20, dtype=np.float32))
