"""The map and the clusters on it, on data where the answer is known."""

from __future__ import annotations

import subprocess
import sys
import types

import numpy as np
import pytest

from workbench.errors import InputError
from workbench.scores import cluster, nearest_cluster, sample_map
from workbench.scores.base import Inputs
from workbench.scores.cluster import ClusterParams, compute_cluster
from workbench.scores.sample_map import MapParams, compute_map

SEED_0 = {"seed": np.array([0])}
SIZES = (30, 60, 40)


def unit(rows: np.ndarray) -> np.ndarray:
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def blobs(sizes: tuple[int, ...] = SIZES, d: int = 24) -> tuple[np.ndarray, np.ndarray]:
    """Unit rows in tight groups of unequal size, shuffled, and the group of each."""
    rng = np.random.default_rng(7)
    group = rng.permutation(np.repeat(np.arange(len(sizes)), sizes))
    return unit(np.eye(d)[group] + rng.normal(0, 0.05, (len(group), d))), group


def inputs(**columns: np.ndarray) -> Inputs:
    ids = [str(i) for i in range(len(next(iter(columns.values()))))]
    return Inputs(ids, ids, ids, columns)


def make_map(embedding: np.ndarray, params: MapParams = MapParams(), seed: int = 0) -> np.ndarray:  # noqa: B008
    columns = compute_map(inputs(embedding=embedding), params, {"seed": np.array([seed])})
    return np.column_stack([columns["map_x"], columns["map_y"]])


def find_clusters(place: np.ndarray, params: ClusterParams = ClusterParams()) -> np.ndarray:  # noqa: B008
    return compute_cluster(inputs(map_x=place[:, 0], map_y=place[:, 1]), params, {})["cluster"]


@pytest.fixture(scope="module")
def mapped() -> tuple[np.ndarray, np.ndarray]:
    embedding, group = blobs()
    return make_map(embedding), group


def test_map_and_clusters_find_three_groups(mapped: tuple[np.ndarray, np.ndarray]) -> None:
    place, group = mapped
    assert place.dtype == np.float32
    assert place.shape == (130, 2)
    codes = find_clusters(place)
    assert codes.dtype == np.float32
    # The group of 60 is the largest, then that of 40, then that of 30.
    assert codes.tolist() == np.array([2, 0, 1])[group].tolist()


def test_the_same_seed_gives_the_same_map_and_another_seed_another(
    mapped: tuple[np.ndarray, np.ndarray],
) -> None:
    place, _ = mapped
    embedding, _ = blobs()
    assert np.array_equal(make_map(embedding), place)
    assert not np.array_equal(make_map(embedding, seed=1), place)


def test_a_seed_beyond_32_bits_is_taken() -> None:
    assert np.isfinite(make_map(blobs()[0], MapParams(n_epochs=2), seed=2**40 + 1)).all()


def test_exact_copies_among_others_have_a_place() -> None:
    embedding, _ = blobs()
    place = make_map(np.concatenate([embedding, np.tile(embedding[:1], (200, 1))]), MapParams(n_epochs=20))
    assert np.isfinite(place).all()


@pytest.mark.parametrize("n", [1, 2, 3, 9, 29])
def test_a_tiny_sample_is_mapped_by_principal_components(n: int) -> None:
    embedding = blobs()[0][:n]
    place = make_map(embedding)
    assert np.isfinite(place).all()
    if n < 10:
        assert set(find_clusters(place)) == {-1}
    # Principal components keep distances in the plane they span; two rows span a line.
    if n == 2:
        assert np.linalg.norm(place[0] - place[1]) == pytest.approx(
            np.linalg.norm(embedding[0] - embedding[1]), rel=1e-4
        )


@pytest.mark.parametrize("n", [2, 7, 300])
def test_identical_embeddings_lie_on_one_point_and_are_one_cluster(n: int) -> None:
    place = make_map(np.tile(blobs()[0][:1], (n, 1)))
    assert (place == 0).all()
    assert (find_clusters(place) == 0).all()


@pytest.mark.parametrize("missing", [np.nan, 0.0])
def test_a_document_without_embedding_has_no_place_and_no_cluster(missing: float) -> None:
    embedding = blobs()[0][:20].copy()
    embedding[4] = missing
    place = make_map(embedding)
    assert np.isnan(place[4]).all()
    assert np.isfinite(np.delete(place, 4, axis=0)).all()
    codes = find_clusters(place)
    assert np.isnan(codes[4])
    assert np.isfinite(np.delete(codes, 4)).all()


def test_no_documents_give_empty_columns() -> None:
    assert make_map(np.zeros((0, 5), dtype=np.float32)).shape == (0, 2)
    assert find_clusters(np.zeros((0, 2), dtype=np.float32)).shape == (0,)


def test_a_larger_smallest_cluster_leaves_fewer_clusters(mapped: tuple[np.ndarray, np.ndarray]) -> None:
    place, _ = mapped
    codes = find_clusters(place, ClusterParams(min_cluster_fraction=35 / 130))
    assert codes.max() == 1
    assert set(find_clusters(place, ClusterParams(min_cluster_fraction=0.9))) == {-1}


def test_params_out_of_range_are_refused() -> None:
    embedding = blobs()[0]
    with pytest.raises(InputError, match="n_neighbors must be at least 2, got 1"):
        make_map(embedding, MapParams(n_neighbors=1))
    with pytest.raises(InputError, match="n_epochs must be at least 1, got 0"):
        make_map(embedding, MapParams(n_epochs=0))
    with pytest.raises(InputError, match=r"min_distance must lie in 0\.\.1, got 3"):
        make_map(embedding, MapParams(min_distance=3))
    with pytest.raises(InputError, match=r"min_cluster_fraction must lie in 0\.\.1, got 5"):
        find_clusters(embedding[:, :2], ClusterParams(min_cluster_fraction=5))
    with pytest.raises(InputError, match="n_core_neighbors must be at least 1, got 0"):
        find_clusters(embedding[:, :2], ClusterParams(n_core_neighbors=0))


def test_a_missing_library_is_named_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    remedy = r"which is not installed; run `pip install \"selection-workbench\[lab\]\"`"
    monkeypatch.setitem(sys.modules, "umap", None)
    monkeypatch.setitem(sys.modules, "hdbscan", None)
    with pytest.raises(InputError, match=f"the map needs umap-learn, {remedy}"):
        make_map(blobs()[0])
    with pytest.raises(InputError, match=f"clusters need hdbscan, {remedy}"):
        find_clusters(blobs()[0][:, :2])


def test_the_specs_say_that_these_columns_are_of_the_sample_only() -> None:
    specs = (*sample_map.SPECS, *cluster.SPECS)
    assert [spec.name for spec in specs] == ["map_x", "map_y", "cluster"]
    assert {spec.scope for spec in specs} == {"sample"}
    assert specs[0].compute is specs[1].compute
    assert {spec.scope for spec in nearest_cluster.SPECS} == {"row"}


def test_importing_it_imports_no_heavy_library() -> None:
    heavy = ("umap", "hdbscan", "fast_hdbscan", "cuml", "sklearn", "numba", "torch")
    code = f"import sys, workbench.scores; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_cuml_is_called_as_umap_learn_is_where_it_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: dict[str, object] = {}

    class Layout:
        def __init__(self, **params: object) -> None:
            asked.update(params)

        def fit_transform(self, rows: np.ndarray) -> np.ndarray:
            return rows[:, :2]

    monkeypatch.setitem(sys.modules, "cuml", types.ModuleType("cuml"))
    module = types.ModuleType("cuml.manifold")
    module.UMAP = Layout  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "cuml.manifold", module)
    embedding, _ = blobs()
    assert np.array_equal(make_map(embedding, MapParams(backend="cuml")), embedding[:, :2])
    assert asked == {
        "n_neighbors": 15, "min_dist": 0.1, "n_epochs": 200, "metric": "cosine", "random_state": 0,
        "output_type": "numpy",
    }  # fmt: skip
    monkeypatch.setitem(sys.modules, "cuml.manifold", None)
    with pytest.raises(InputError, match=r"backend cuml needs RAPIDS cuML and a GPU; .* umap-learn"):
        make_map(embedding, MapParams(backend="cuml"))
    with pytest.raises(InputError, match="backend must be one of umap-learn, cuml, got 'tsne'"):
        make_map(embedding, MapParams(backend="tsne"))  # type: ignore[arg-type]


def test_noise_goes_to_the_cluster_of_its_nearest_document_if_asked() -> None:
    rng = np.random.default_rng(3)
    middles = np.array([[0.0, 0], [6, 0], [0, 6]])
    dense = np.concatenate([middles[i] + rng.normal(0, 0.2, (n, 2)) for i, n in enumerate((50, 40, 30))])
    place = np.concatenate([dense, rng.uniform(-3, 9, (25, 2))])
    plain = find_clusters(place)
    codes = find_clusters(place, ClusterParams(assign_noise=True))
    noise = plain == -1
    assert 5 < noise.sum() < 26
    assert np.array_equal(codes[~noise], plain[~noise])
    apart = ((place[noise][:, None] - place[~noise]) ** 2).sum(2)
    assert codes[noise].tolist() == plain[~noise][apart.argmin(1)].tolist()
    # Where nothing but noise is found, noise it stays.
    assert set(find_clusters(place[:8], ClusterParams(assign_noise=True))) == {-1}
