"""The sample's clusters on documents that the sample lacks: as numbers, and through a manifest."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.engine.conftest import recipe_of
from tests.engine.corpora import write_corpus
from tests.engine.fakes import FakeModels, install
from tests.engine.outputs import kept_ids, rows_of
from workbench.corpus import read
from workbench.engine.apply import apply
from workbench.engine.export import export
from workbench.engine.score import score
from workbench.errors import InputError
from workbench.models.geometry.rows import unit_rows
from workbench.scores.base import Inputs
from workbench.scores.cluster import ClusterParams, compute_cluster
from workbench.scores.nearest_cluster import NearestClusterParams, compute, fit
from workbench.scores.sample_map import MapParams, compute_map

SIZES = (30, 60, 40)


def blobs(n_extra: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Unit rows in tight groups of unequal size, and the group of each."""
    rng = np.random.default_rng(7)
    group = rng.permutation(np.repeat(np.arange(3), SIZES))
    group = np.concatenate([group, rng.integers(0, 3, n_extra)])
    return unit_rows(np.eye(24)[group] + rng.normal(0, 0.05, (len(group), 24))), group


def inputs(**columns: np.ndarray) -> Inputs:
    ids = [str(i) for i in range(len(next(iter(columns.values()))))]
    return Inputs(ids, ids, ids, columns)


def near(embedding: np.ndarray, state: Any) -> tuple[np.ndarray, np.ndarray]:
    columns = compute(inputs(embedding=embedding), NearestClusterParams(), state)
    return columns["nearest_cluster"], columns["nearest_cluster_distance"]


@pytest.fixture(scope="module")
def fitted() -> Any:
    return fit(inputs(embedding=blobs()[0]), NearestClusterParams(), 5)


def test_the_codes_are_those_of_the_map_under_the_same_seed(fitted: Any) -> None:
    embedding, _ = blobs()
    place = compute_map(inputs(embedding=embedding), MapParams(), {"seed": np.array([5])})
    codes = compute_cluster(inputs(**place), ClusterParams(), {})["cluster"]
    assert set(codes) == {0, 1, 2}
    assert np.array_equal(near(embedding, fitted)[0], codes)


def test_documents_that_the_sample_lacks_go_to_their_group(fitted: Any) -> None:
    embedding, group = blobs(n_extra=50)
    codes, distance = near(embedding[-50:] * 3, fitted)
    # 60, 40 and 30 documents: the groups by size are 1, 2, 0.
    assert codes.tolist() == np.array([2, 0, 1])[group[-50:]].tolist()
    assert codes.dtype == distance.dtype == np.float32
    assert distance.max() < 0.2
    middle = unit_rows(np.stack([blobs()[0][blobs()[1] == g].mean(0) for g in (1, 2, 0)]))
    np.testing.assert_allclose(fitted["centroids"], middle, atol=1e-6)
    expected = 1 - (embedding[-50:] @ middle.T).max(axis=1)
    np.testing.assert_allclose(distance, expected, atol=1e-6)


def test_what_belongs_to_no_group_lies_far(fitted: Any) -> None:
    odd = unit_rows(np.eye(24)[10:11])
    assert near(odd, fitted)[1][0] > 0.8


def test_clusters_may_be_looked_for_among_the_embeddings() -> None:
    embedding, group = blobs()
    state = fit(inputs(embedding=embedding), NearestClusterParams(space="embedding"), 5)
    assert near(embedding, state)[0].tolist() == np.array([2, 0, 1])[group].tolist()


def test_rows_without_direction_have_no_cluster_and_spoil_none(fitted: Any) -> None:
    embedding = blobs()[0].copy()
    embedding[3], embedding[8] = 0, np.nan
    for space in ("map", "embedding"):
        state = fit(inputs(embedding=embedding), NearestClusterParams(space=space), 5)  # type: ignore[arg-type]
        assert np.isfinite(state["centroids"]).all()
        codes, distance = near(embedding, state)
        bad = np.isin(np.arange(len(codes)), [3, 8])
        assert np.array_equal(np.isnan(codes), bad)
        assert np.array_equal(np.isnan(distance), bad)


@pytest.mark.parametrize("n", [0, 1, 8])
def test_a_sample_without_clusters_gives_no_numbers(n: int) -> None:
    state = fit(inputs(embedding=blobs()[0][:n]), NearestClusterParams(), 0)
    assert state["centroids"].shape == (0, 24)
    codes, distance = near(blobs()[0], state)
    assert np.isnan(codes).all()
    assert np.isnan(distance).all()


def test_an_unknown_space_and_another_dimension_are_refused(fitted: Any) -> None:
    with pytest.raises(InputError, match="space must be map or embedding, got 'moon'"):
        fit(inputs(embedding=blobs()[0]), NearestClusterParams(space="moon"), 0)  # type: ignore[arg-type]
    with pytest.raises(InputError, match=r"same dimension, got \(130, 20\) and \(3, 24\)"):
        near(blobs()[0][:, :20], fitted)


def topics(n: int) -> list[dict[str, str]]:
    """Documents of three vocabularies, and one in ten of a fourth kind, all words mixed."""
    words = [
        "river boat sail harbour anchor",
        "kettle basket needle candle ladder",
        "engine clock copper thunder window",
    ]
    rng = np.random.default_rng(2)
    rows = []
    for i in range(n):
        topic = " ".join(words) if i % 10 == 9 else words[i % 3]
        text = " ".join(rng.choice(topic.split(), 25))
        rows.append({"doc_id": f"d{i:03d}", "text": text, "source": "web"})
    return rows


@pytest.mark.parametrize("found", [True, False], ids=["clusters", "no clusters"])
def test_a_manifest_carries_the_clusters_to_a_sharded_corpus(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, found: bool
) -> None:
    install(monkeypatch)
    assert FakeModels.n_texts("embedder") == 0
    documents = topics(150)
    sample = read(write_corpus(tmp_path / "sample", documents[:90] if found else documents[:8])).whole()
    step = {"select": "band", "score": "nearest_cluster_distance", "high": 0.3, "unscored": "keep"}
    recipe = recipe_of(
        step, {"select": "band", "score": "nearest_cluster", "low": 0, "high": 1, "unscored": "keep"}
    )
    names = ["nearest_cluster", "nearest_cluster_distance", "n_tokens", "n_bytes", "embedding"]
    table = score(sample, names, store=tmp_path / "store", seed=recipe.seed)
    manifest = export(table, recipe, tmp_path / "one.manifest")
    corpus = read(write_corpus(tmp_path / "corpus", documents, 3, ("parquet", "jsonl")))
    run = apply(manifest, corpus, tmp_path / "out")
    expected = score(corpus.whole(), ["embedding"], store=tmp_path / "other")
    state = table.states["nearest_cluster"]
    codes, distance = near(expected.scores["embedding"], state)
    if found:
        assert len(state["centroids"]) == 3
        keep = (distance <= 0.3) & (codes <= 1)
        assert 20 < keep.sum() < 130
    else:
        keep = np.ones(150, dtype=bool)
    assert set(kept_ids(run.out)) == {i for i, k in zip(expected.sample.doc_ids, keep, strict=True) if k}
    place = {doc_id: i for i, doc_id in enumerate(expected.sample.doc_ids)}
    if found:
        for row in rows_of(run.out, "kept"):
            assert np.float32(row["nearest_cluster"]) == codes[place[row["doc_id"]]]
