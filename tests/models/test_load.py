from __future__ import annotations

import json
import shutil
import time

import numpy as np
import pytest

from tests.models.ngram.ngrams import IDS, write_tiny_ngram
from workbench.errors import ModelError
from workbench.models.load import Models
from workbench.progress import Silent


@pytest.fixture
def models(tiny_llama) -> Models:
    return Models(lm=str(tiny_llama.folder))


def test_definitions_need_no_weights_and_are_quick_once_digested(models, monkeypatch):
    from workbench.models.embedding import sentence as embed
    from workbench.models.lm import causal

    monkeypatch.setattr(causal, "load_transformer", None)
    monkeypatch.setattr(embed, "_load", None)
    names = {role: models.definition(role)["id"] for role in ("tokenizer", "lm", "embedder")}
    assert names["embedder"] == "all-MiniLM-L6-v2"
    start = time.perf_counter()
    again = Models(lm=models._names["lm"])
    assert all(again.definition(role) == models.definition(role) for role in names)
    assert time.perf_counter() - start < 0.5


def test_models_are_loaded_once_and_carry_their_definitions(models, texts):
    assert models.lm is models.lm
    assert models.tokenizer is models.tokenizer
    assert models.lm.definition() == models.definition("lm")
    assert models.tokenizer.definition() == models.definition("tokenizer")
    counts = models.tokenizer.count(texts)
    record = models.lm.record(texts, models.progress)
    np.testing.assert_array_equal(record["n_scored"] + record["n_truncated_tokens"], counts)


def test_the_default_models_are_there():
    models = Models()
    assert models.embedder.dimension == 384
    assert models.embedder.definition() == models.definition("embedder")
    assert models.definition("lm")["id"] == "reference-lm"
    assert models.definition("lm")["context_token_id"] == 0
    record = models.lm.record(["The quick brown fox jumps over the lazy dog.", "dog lazy fox The."], Silent())
    assert (record["nll_sum"] / record["n_scored"] < np.log(4096)).all()


def test_a_manifests_models_are_found_at_another_place_with_its_settings(models, tiny_llama, texts, tmp_path):
    definitions = json.loads(json.dumps({r: models.definition(r) for r in ("lm", "tokenizer")}))
    definitions["lm"]["window"] = definitions["lm"]["stride"] = 32
    moved = shutil.copytree(tiny_llama.folder, tmp_path / "elsewhere")
    found = Models.from_definitions(definitions, lm=str(moved))
    assert {r: found.definition(r) for r in definitions} == definitions
    assert found.lm.definition() == definitions["lm"]
    narrow, wide = (m.lm.record(texts, Silent()) for m in (found, models))
    assert (narrow["n_scored"] == wide["n_scored"]).all()
    assert (narrow["nll_sum"] != wide["nll_sum"]).any()


def test_a_model_with_another_digest_is_refused_before_any_work(models, tiny_llama, tmp_path):
    definitions = {role: models.definition(role) for role in ("lm", "tokenizer")}
    moved = shutil.copytree(tiny_llama.folder, tmp_path / "elsewhere")
    raw = bytearray((moved / "model.safetensors").read_bytes())
    raw[-1] ^= 1
    (moved / "model.safetensors").write_bytes(raw)
    found, expected = (r"has SHA-256 \w{64}", definitions["lm"]["files"]["model.safetensors"])
    with pytest.raises(
        ModelError, match=rf"model.safetensors of model '\w+' {found}, expected {expected}; get"
    ):
        Models.from_definitions(definitions, lm=str(moved))
    # The tokenizer alone is untouched.
    Models.from_definitions({"tokenizer": definitions["tokenizer"]}, lm=str(moved))


def test_a_manifest_that_names_only_a_tokenizer_finds_its_model():
    definitions = {"tokenizer": Models().definition("tokenizer")}
    assert Models.from_definitions(definitions).tokenizer.count(["a b"]).tolist() == [2]


def test_a_file_that_the_manifest_names_and_the_model_lacks_is_refused(models):
    definition = {**models.definition("lm"), "files": {"extra.json": "0"}}
    with pytest.raises(ModelError, match=r"lacks the file extra.json"):
        Models.from_definitions({"lm": definition}, lm=models._names["lm"])


def test_a_definition_without_files_is_refused(models):
    with pytest.raises(ModelError, match="the expected definition of the lm names no files"):
        Models.from_definitions({"lm": {"id": "x"}}, lm=models._names["lm"])


def test_dtype_is_part_of_the_definition(tiny_llama):
    folder = str(tiny_llama.folder)
    assert Models(lm=folder, dtype="bfloat16").definition("lm")["dtype"] == "bfloat16"
    assert Models(lm=folder, dtype="float32").definition("embedder")["dtype"] == "float32"


@pytest.fixture(scope="module")
def ngram_folder(tmp_path_factory: pytest.TempPathFactory):
    return write_tiny_ngram(tmp_path_factory.mktemp("models") / "tiny")


def test_an_n_gram_model_is_loaded_once_and_carries_its_definition(ngram_folder):
    models = Models(ngram=str(ngram_folder))
    assert models.ngram is models.ngram
    assert models.ngram.definition() == models.definition("ngram")
    assert models.trained_on("ngram") == set(IDS)


def test_there_is_no_default_n_gram_model():
    with pytest.raises(
        ModelError, match="of which there is no default; train one with `workbench train-ngram"
    ):
        Models().definition("ngram")


def test_a_manifests_n_gram_model_is_found_at_another_place_and_held_to_its_digests(ngram_folder, tmp_path):
    definitions = json.loads(json.dumps({"ngram": Models(ngram=str(ngram_folder)).definition("ngram")}))
    moved = shutil.copytree(ngram_folder, tmp_path / "elsewhere")
    assert Models.from_definitions(definitions, ngram=str(moved)).definition("ngram") == definitions["ngram"]
    with pytest.raises(ModelError, match="tiny is no n-gram model"):
        Models.from_definitions(definitions)
    (moved / "lm.arpa").write_text((moved / "lm.arpa").read_text().replace("-", "-1", 1))
    with pytest.raises(ModelError, match=r"lm.arpa of model 'tiny' has SHA-256"):
        Models.from_definitions(definitions, ngram=str(moved))
