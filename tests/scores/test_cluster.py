"""The map, the clusters and their keywords, on data where the answer is known."""

from __future__ import annotations

import subprocess
import sys
from math import log1p

import numpy as np
import pytest

from workbench.errors import InputError
from workbench.scores.base import Inputs
from workbench.scores.cluster import (
    SPECS,
    ClusterParams,
    MapParams,
    compute_cluster,
    compute_map,
    keyword_labels,
)

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
    cluster = find_clusters(place)
    assert cluster.dtype == np.float32
    # The group of 60 is the largest, then that of 40, then that of 30.
    assert cluster.tolist() == np.array([2, 0, 1])[group].tolist()


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


def test_a_document_without_embedding_has_no_place_and_no_cluster() -> None:
    embedding = blobs()[0][:20].copy()
    embedding[4] = np.nan
    place = make_map(embedding)
    assert np.isnan(place[4]).all()
    assert np.isfinite(np.delete(place, 4, axis=0)).all()
    cluster = find_clusters(place)
    assert np.isnan(cluster[4])
    assert np.isfinite(np.delete(cluster, 4)).all()


def test_no_documents_give_empty_columns() -> None:
    assert make_map(np.zeros((0, 5), dtype=np.float32)).shape == (0, 2)
    assert find_clusters(np.zeros((0, 2), dtype=np.float32)).shape == (0,)


def test_a_larger_smallest_cluster_leaves_fewer_clusters(mapped: tuple[np.ndarray, np.ndarray]) -> None:
    place, _ = mapped
    cluster = find_clusters(place, ClusterParams(min_cluster_fraction=35 / 130))
    assert cluster.max() == 1
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
    assert [spec.name for spec in SPECS] == ["map_x", "map_y", "cluster"]
    assert {spec.scope for spec in SPECS} == {"sample"}
    assert SPECS[0].compute is SPECS[1].compute


def test_importing_it_imports_no_heavy_library() -> None:
    heavy = ("umap", "hdbscan", "sklearn", "numba", "torch")
    code = f"import sys, workbench.scores.cluster; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


# ------------------------------------------------------------------------------------------------ keywords


def test_keywords_follow_the_published_formula() -> None:
    texts = ["alpha alpha beta gamma", "beta beta gamma delta", "delta delta delta gamma epsilon"]
    clusters = np.array([0, 1, 1], dtype=np.float32)
    frequency = {0: {"alpha": 2, "beta": 1, "gamma": 1}, 1: {"beta": 2, "gamma": 2, "delta": 4, "epsilon": 1}}
    total = {"alpha": 2, "beta": 3, "gamma": 3, "delta": 4, "epsilon": 1}
    mean_words = sum(total.values()) / 2
    for c, counts in frequency.items():
        score = {word: n * log1p(mean_words / total[word]) for word, n in counts.items()}
        expected = sorted(score, key=lambda word: (-score[word], word))
        assert keyword_labels(texts, clusters, n_words=9)[c] == ", ".join(expected)


def test_noise_is_called_noise_and_gives_no_words() -> None:
    labels = keyword_labels(["zebra zebra", "tiger", "lion"], np.array([-1, 0, np.nan], dtype=np.float32))
    assert labels == {-1: "noise", 0: "tiger"}


def test_noise_does_not_change_the_other_labels() -> None:
    texts = ["river boat river", "boat sail", "mountain snow", "snow ski"]
    clusters = np.array([0.0, 0, 1, 1])
    with_noise = keyword_labels([*texts, *["river"] * 50], np.array([0.0, 0, 1, 1, *[-1] * 50]))
    assert {c: label for c, label in with_noise.items() if c >= 0} == keyword_labels(texts, clusters)


def test_function_words_and_keywords_of_code_name_no_cluster() -> None:
    texts = ["the the the whale", "und und der Garten", "def def return self matrix", "и и не на море"]
    assert keyword_labels(texts, np.arange(4.0)) == {0: "whale", 1: "garten", 2: "matrix", 3: "море"}


def test_a_cluster_without_words_has_its_number() -> None:
    assert keyword_labels(["12 34 !!", "", "x"], np.array([0.0, 1, 2])) == {
        0: "cluster 0",
        1: "cluster 1",
        2: "cluster 2",
    }
    assert keyword_labels(["12 34 !!", "ship"], np.array([0.0, 1])) == {0: "cluster 0", 1: "ship"}
    assert keyword_labels([], np.zeros(0)) == {}


def test_words_of_scripts_with_vowel_signs_stay_whole() -> None:
    assert keyword_labels(["हिन्दी भाषा"], np.zeros(1)) == {0: "भाषा, हिन्दी"}


def test_hostile_text_gives_short_plain_words() -> None:
    text = (
        "<img src=x onerror=alert(1)> \x00\x1b[31mred\x07 \u202eevil\u202c \u200bzero A"
        + "b" * 5000
        + " "
        + "QUJD" * 20
    )
    label = keyword_labels([text * 3], np.zeros(1), n_words=50)[0]
    assert all(character.isalnum() or character in "_, " for character in label)
    assert max(len(word) for word in label.split(", ")) <= 24
    assert type(label) is str


def test_only_the_beginning_of_a_huge_text_counts() -> None:
    assert keyword_labels(["lion " * 4000 + "harpoon " * 90_000], np.zeros(1)) == {0: "lion"}


def test_bad_arguments_are_refused() -> None:
    with pytest.raises(InputError, match="there are 3 cluster codes for 2 texts; give one a text"):
        keyword_labels(["a", "b"], np.zeros(3))
    with pytest.raises(InputError, match="n_words must be at least 1, got 0"):
        keyword_labels(["a"], np.zeros(1), n_words=0)
