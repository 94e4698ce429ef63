"""Scores that compare with target texts: the target goes into what is fitted, and nowhere else."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from tests.engine.conftest import recipe_of
from tests.engine.fakes import FakeModels
from workbench.checks import Array
from workbench.corpus import Corpus, Sample, read, read_sample
from workbench.engine import score as score_module
from workbench.engine.apply import apply
from workbench.engine.export import export
from workbench.engine.score import score
from workbench.engine.several import score_with_models
from workbench.engine.table import Table
from workbench.errors import InputError
from workbench.models.load import Models
from workbench.scores import SCORES
from workbench.scores.base import Inputs, NoParams, ScoreSpec, State

TARGET = ["river and stone", "a copper engine", "the harbour in winter"]


def fit_words(inputs: Inputs, params: NoParams, seed: int) -> State:
    assert inputs.target is not None
    return {"n_words": np.array([len({w for text in inputs.target.texts for w in text.split()})])}


def words(inputs: Inputs, params: NoParams, state: State) -> Mapping[str, Array]:
    """How many words more than the target has."""
    assert inputs.target is None
    return {"more_words": np.array([len(t.split()) - state["n_words"][0] for t in inputs.texts], np.float32)}


def fit_mean(inputs: Inputs, params: NoParams, seed: int) -> State:
    assert inputs.target is not None
    return {"mean": inputs.target.columns["embedding"].mean(axis=0), "n": np.array([len(inputs.target)])}


def near(inputs: Inputs, params: NoParams, state: State) -> Mapping[str, Array]:
    """The product with the target's mean."""
    return {"nearness": (inputs.columns["embedding"] * state["mean"]).sum(axis=1)}


def spec(name: str, *needs: str, **more: Any) -> ScoreSpec:
    return ScoreSpec(name, 1, name, "x", "neither", (*needs, "target"), **more)


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch, fakes: type[FakeModels]) -> None:
    """Two scores that read a target: one its texts, one its vectors."""
    monkeypatch.setitem(SCORES, "more_words", spec("more_words", "text", compute=words, fit=fit_words))
    monkeypatch.setitem(SCORES, "nearness", spec("nearness", "embedding", compute=near, fit=fit_mean))


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return write_target(tmp_path / "target.jsonl", TARGET)


def write_target(path: Path, texts: list[str]) -> Path:
    path.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))
    return path


def ran(corpus: Corpus, target: Any, store: Path, *names: str) -> Table:
    return score(corpus.whole(), names, store=store, target=target)


@pytest.mark.usefixtures("registry")
def test_another_target_is_another_column_and_the_same_one_is_in_the_store(
    corpus: Corpus, target: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = tmp_path / "store"
    first = ran(corpus, target, store, "more_words")
    assert first.states["more_words"]["n_words"] == 10
    other = ran(corpus, write_target(tmp_path / "other.jsonl", ["one two"]), store, "more_words")
    assert (other.scores["more_words"] - first.scores["more_words"] == 8).all()
    assert first.definitions["more_words"] != other.definitions["more_words"]
    assert first.sample.fingerprint == other.sample.fingerprint
    monkeypatch.setitem(
        SCORES, "more_words", replace(SCORES["more_words"], fit=pytest.fail, compute=pytest.fail)
    )
    again = ran(corpus, target, store, "more_words")
    assert again.scores["more_words"].tobytes() == first.scores["more_words"].tobytes()


@pytest.mark.usefixtures("registry")
def test_a_path_a_corpus_and_a_sample_are_the_same_target(
    corpus: Corpus, target: Path, tmp_path: Path
) -> None:
    given: list[str | Path | Corpus | Sample] = [target, str(target), read(target), read_sample(target)]
    tables = [ran(corpus, one, tmp_path / "store", "more_words") for one in given]
    assert all(t.definitions == tables[0].definitions for t in tables)
    (several,) = score_with_models(
        corpus.whole(), ["more_words"], [tables[0].models], store=tmp_path / "store", target=target
    )
    assert several.definitions == tables[0].definitions


@pytest.mark.usefixtures("registry")
def test_what_a_fit_reads_of_the_sample_is_made_of_the_target_too_once(
    corpus: Corpus, target: Path, tmp_path: Path, fakes: type[FakeModels]
) -> None:
    table = ran(corpus, target, tmp_path / "store", "nearness")
    assert table.target is not None
    expected = table.models.embedder.encode(table.target.sample.texts, table.models.progress)
    np.testing.assert_allclose(table.states["nearness"]["mean"], expected.mean(axis=0), rtol=1e-6)
    counted = fakes.n_texts("embedder")
    ran(corpus, target, tmp_path / "store", "nearness", "more_words")
    assert fakes.n_texts("embedder") == counted


@pytest.mark.usefixtures("registry")
def test_the_target_is_embedded_with_what_was_fitted_on_the_sample(
    corpus: Corpus, target: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fitted_on = []

    def fit(inputs: Inputs, params: Any, seed: int) -> State:
        fitted_on.append(len(inputs))
        return {"scale": np.array([3.0])}

    def embed(inputs: Inputs, params: Any, state: State) -> Mapping[str, Array]:
        return {"embedding": np.full((len(inputs), 2), state["scale"][0], dtype=np.float32)}

    monkeypatch.setitem(SCORES, "embedding", replace(SCORES["embedding"], fit=fit, compute=embed))
    table = ran(corpus, target, tmp_path / "store", "nearness")
    assert fitted_on == [len(table)]
    assert table.states["nearness"]["mean"].tolist() == [3.0, 3.0]


@pytest.mark.usefixtures("registry")
def test_a_target_text_without_a_vector_is_left_out(
    corpus: Corpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def embed(inputs: Inputs, params: Any, state: State) -> Mapping[str, Array]:
        rows = [[1.0, 2.0] if "o" in text else [np.nan, np.nan] for text in inputs.texts]
        return {"embedding": np.array(rows, dtype=np.float32)}

    monkeypatch.setitem(SCORES, "embedding", replace(SCORES["embedding"], compute=embed))
    table = ran(
        corpus, write_target(tmp_path / "t.jsonl", ["no", "one", "day"]), tmp_path / "store", "nearness"
    )
    assert table.states["nearness"]["n"] == 2


@pytest.mark.usefixtures("registry")
def test_no_target_is_a_sentence_that_names_the_option(corpus: Corpus, tmp_path: Path) -> None:
    with pytest.raises(
        InputError, match=r"more_words compares documents with target texts and none were .* --target"
    ):
        ran(corpus, None, tmp_path / "store", "more_words")
    assert not (tmp_path / "store" / "fitted").exists()


@pytest.mark.usefixtures("registry")
def test_an_empty_target_is_a_sentence(corpus: Corpus, tmp_path: Path) -> None:
    empty = read_sample(write_target(tmp_path / "t.jsonl", ["x"]))
    empty = Sample(pl.DataFrame(empty.frame[:0]), empty.design)
    with pytest.raises(InputError, match="the target holds no document that can be used"):
        ran(corpus, empty, tmp_path / "store", "more_words")


@pytest.mark.usefixtures("registry")
def test_a_manifest_is_applied_without_the_target(
    corpus: Corpus, target: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = recipe_of(
        {"select": "band", "score": "more_words", "low": 0},
        {"select": "band", "score": "nearness", "low": 0.01},
    )
    names = ["more_words", "nearness", "n_tokens", "n_bytes"]
    table = score(corpus.whole(), names, store=tmp_path / "store", target=target, seed=recipe.seed)
    manifest = export(table, recipe, tmp_path / "m.manifest")
    target.unlink()
    monkeypatch.setattr(score_module, "target_table", pytest.fail)
    run = apply(manifest, corpus, tmp_path / "out")
    kept = ((table.scores["more_words"] >= 0) & (table.scores["nearness"] >= 0.01)).sum()
    assert run.record["counts"]["kept"] == kept
    assert 0 < kept < len(table)


def write_vectors(path: Path, vectors: list[list[float]], name: str = "v") -> Path:
    rows = [{"text": f"{path.stem} {i}", name: vector} for i, vector in enumerate(vectors)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_vectors_that_a_corpus_brings_are_compared_with_those_that_the_target_brings(tmp_path: Path) -> None:
    sample = read_sample(write_vectors(tmp_path / "corpus.jsonl", [[1, 0], [0, 2], [3, 3]]))

    def similarity(target: Path) -> Table:
        models = Models(embedder="column:v")
        return score(sample, ["target_similarity"], store=tmp_path / "store", models=models, target=target)

    table = similarity(write_vectors(tmp_path / "one.jsonl", [[0, 5], [-1, 0]]))
    found = dict(zip(table.sample.texts, table.scores["target_similarity"].tolist(), strict=True))
    assert found == pytest.approx({"corpus 0": 0.0, "corpus 1": 1.0, "corpus 2": 0.5**0.5}, abs=1e-6)
    # The same texts with other vectors are another target.
    other = similarity(write_vectors(tmp_path / "one.jsonl", [[1, 0], [-1, 0]]))
    assert other.target is not None
    assert table.target is not None
    assert other.target.sample.fingerprint == table.target.sample.fingerprint
    assert other.scores["target_similarity"].tolist() != table.scores["target_similarity"].tolist()
    with pytest.raises(InputError, match="of the target: there is no column 'v' to take vectors from"):
        similarity(write_vectors(tmp_path / "two.jsonl", [[1, 0]], "w"))
    with pytest.raises(InputError, match="the target's vectors have 3 numbers, the documents' 2"):
        similarity(write_vectors(tmp_path / "three.jsonl", [[1, 0, 0]]))
