from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from workbench.errors import InputError, ModelError
from workbench.models.embedding.embedders import EmbedderName, named_in, parse_embedder
from workbench.models.embedding.pooled import PooledLM
from workbench.models.embedding.sentence import SentenceEmbedder
from workbench.models.embedding.tfidf import TfidfSvd
from workbench.models.load import Models
from workbench.progress import Silent

ROOT = Path(__file__).resolve().parents[3]
NAMES = {
    "all-MiniLM-L6-v2": ("sentence", "all-MiniLM-L6-v2"),
    "org/model": ("sentence", "org/model"),
    "./rds:odd": ("sentence", "./rds:odd"),
    "mean": ("sentence", "mean"),
    "last-token:reference-lm": ("last-token", "reference-lm"),
    "mean:/a/b": ("mean", "/a/b"),
    "rds:a:b": ("rds", "a:b"),
    "static:wordllama": ("static", "wordllama"),
    "tfidf-svd": ("tfidf-svd", "words"),
    "tfidf-svd:chars": ("tfidf-svd", "chars"),
    "column:clip vector": ("column", "clip vector"),
}


@pytest.mark.parametrize("name", NAMES)
def test_a_name_says_the_kind_of_embedder(name):
    parsed = parse_embedder(name)
    assert parsed == EmbedderName(*NAMES[name])
    assert parse_embedder(str(parsed)) == parsed


@pytest.mark.parametrize("name", ["rds:", "column:", "static:"])
def test_a_prefix_alone_is_one_sentence(name):
    with pytest.raises(ModelError, match=r"names nothing after its colon; give MODEL .* or column:NAME"):
        parse_embedder(name)


def test_an_unknown_analyzer_is_one_sentence():
    with pytest.raises(ModelError, match=r"takes n-grams of words or chars, got 'tfidf-svd:bytes'"):
        parse_embedder("tfidf-svd:bytes")


def test_each_kind_has_a_definition_of_its_own():
    names = ("all-MiniLM-L6-v2", "last-token:reference-lm", "mean:reference-lm", "rds:reference-lm",
             "tfidf-svd", "tfidf-svd:chars", "column:v")  # fmt: skip
    definitions = [Models(embedder=name).definition("embedder") for name in names]
    assert len({json.dumps(d, sort_keys=True) for d in definitions}) == len(names)
    assert "method" not in definitions[0], "a sentence-transformers model is defined as it always was"
    assert isinstance(Models(embedder=names[1]).embedder, PooledLM)
    assert isinstance(Models(embedder="tfidf-svd").embedder, TfidfSvd)


def test_a_manifests_embedder_is_found_at_another_place_with_or_without_its_prefix(tiny_llama, tmp_path):
    moved = shutil.copytree(tiny_llama.folder, tmp_path / "elsewhere")
    definition = dict(Models(embedder=f"rds:{tiny_llama.folder}").definition("embedder"))
    vectors = []
    for given in (str(moved), f"rds:{moved}"):
        models = Models.from_definitions({"embedder": definition}, embedder=given)
        assert models.definition("embedder") == definition
        vectors.append(models.embedder.encode(["a text"], Silent()))
    assert vectors[0].tobytes() == vectors[1].tobytes()
    with pytest.raises(
        ModelError, match=r"are those of '\w+' \(rds\), got 'mean:.*name an embedder of that kind"
    ):
        Models.from_definitions({"embedder": definition}, embedder=f"mean:{moved}")
    raw = bytearray((moved / "model.safetensors").read_bytes())
    raw[-1] ^= 1
    (moved / "model.safetensors").write_bytes(raw)
    with pytest.raises(ModelError, match=r"model.safetensors of model '\w+' has SHA-256"):
        Models.from_definitions({"embedder": definition}, embedder=str(moved))


@pytest.mark.parametrize("name", ["tfidf-svd:chars", "column:v"])
def test_a_manifest_names_an_embedder_without_files(name):
    definition = Models(embedder=name).definition("embedder")
    models = Models.from_definitions({"embedder": definition})
    assert models.definition("embedder") == definition
    assert named_in(definition, name) == parse_embedder(name)
    for other in ("tfidf-svd", "column:w", "all-MiniLM-L6-v2"):
        with pytest.raises(ModelError, match="name an embedder of that kind"):
            named_in(definition, other)


def test_a_sentence_model_of_a_manifest_takes_no_other_kind():
    definition = Models().definition("embedder")
    assert isinstance(Models.from_definitions({"embedder": definition}).embedder, SentenceEmbedder)
    with pytest.raises(ModelError, match=r"are those of 'all-MiniLM-L6-v2' \(sentence\), got 'tfidf-svd'"):
        named_in(definition, "tfidf-svd")


def test_a_column_embeds_no_text():
    embedder = Models(embedder="column:v").embedder
    with pytest.raises(InputError, match="column:v takes vectors from a column; it can't embed a text"):
        embedder.encode(["x"], Silent())
    with pytest.raises(InputError, match="it can't cut a text into chunks"):
        embedder.count_chunks(["x"])


def test_models_need_no_table_library():
    """They run on a bare GPU machine: numpy, torch, transformers and sentence-transformers are all there is."""
    absent = (
        "polars",
        "pyarrow",
        "orjson",
        "pydantic",
        "typer",
        "rich",
        "faiss",
        "sklearn",
        "scipy",
        "zstandard",
    )
    code = f"import sys; sys.modules.update(dict.fromkeys({absent}))\nimport workbench.models.embedding.embedders"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)


def test_vectors_of_all_kinds_that_read_texts_are_unit_rows(tiny_llama):
    for name in (f"mean:{tiny_llama.folder}", f"last-token:{tiny_llama.folder}"):
        rows = Models(embedder=name).embedder.encode(["one text", "", "another"], Silent())
        np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-6)
