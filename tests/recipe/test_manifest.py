from __future__ import annotations

import errno
import json
import os
import random
import shutil
from pathlib import Path

import numpy as np
import pytest

from workbench.errors import ManifestError, WorkbenchError
from workbench.files import json_bytes
from workbench.recipe.manifest import read_artefact, read_manifest, write_manifest

N_BYTES_CHANGED = 300


def test_one_changed_byte_anywhere_is_refused_with_a_sentence(manifest: Path) -> None:
    rng = random.Random(7)
    files = sorted(manifest.iterdir())
    assert len(files) == 2
    digest = read_manifest(manifest).digest
    for k in range(N_BYTES_CHANGED):
        path = files[k % 2]
        data = path.read_bytes()
        place, value = rng.randrange(len(data)), rng.randrange(1, 256)
        changed = data[:place] + bytes([data[place] ^ value]) + data[place + 1 :]
        path.write_bytes(changed)
        with pytest.raises(ManifestError, match=str(manifest.name) + "|manifest.json") as caught:
            read_manifest(manifest)
        assert (
            "again" in str(caught.value)
            or "install" in str(caught.value)
            or "give a folder" in str(caught.value)
        )
        path.write_bytes(data)
    assert read_manifest(manifest).digest == digest


@pytest.mark.parametrize("cut", [0, 1, 17, 200, -1])
def test_a_manifest_cut_short_is_refused(cut: int, manifest: Path) -> None:
    path = manifest / "manifest.json"
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(ManifestError, match=r"manifest\.json"):
        read_manifest(manifest)


def test_a_byte_more_or_less_that_means_nothing_is_refused_too(manifest: Path) -> None:
    path = manifest / "manifest.json"
    data = path.read_bytes()
    for other in (
        data + b" ",
        data.replace(b"  ", b"\t", 1),
        data.replace(b": ", b":", 1),
        b"\xef\xbb\xbf" + data,
    ):
        path.write_bytes(other)
        with pytest.raises(ManifestError, match="again"):
            read_manifest(manifest)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"NaN", "was damaged: it is not JSON"),
        (b"[" * 100_000, "nested too deep"),
        (b"[]", "has format None"),
        (b'{"format": 1}', "has format 1"),
        (b'{"format": "selection-manifest/1", "seed": NaN}', "was damaged"),
        (b'{"format": "selection-manifest/1"}', "created_with: field required; export the manifest again"),
    ],
)
def test_what_is_no_manifest_is_a_sentence(content: bytes, sentence: str, tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_bytes(content)
    with pytest.raises(ManifestError, match=sentence):
        read_manifest(tmp_path)


def test_a_folder_without_a_manifest_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(
        ManifestError, match=r"holds no manifest.json; give a folder written by `workbench export`"
    ):
        read_manifest(tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(ManifestError, match="can't be read"):
        read_manifest(tmp_path / "file")
    (tmp_path / "manifest.json").mkdir()
    with pytest.raises(ManifestError, match=r"can't be read \(Is a directory\)"):
        read_manifest(tmp_path)


def test_a_manifest_can_be_moved(manifest: Path, tmp_path: Path) -> None:
    shutil.move(manifest, tmp_path / "elsewhere")
    held = read_manifest(tmp_path / "elsewhere")
    assert read_artefact(tmp_path / "elsewhere", held.steps[5].artefact)["centroids"].shape == (4, 12)
    assert read_artefact(tmp_path / "elsewhere", None) == {}


def test_a_full_disk_while_writing_keeps_the_older_manifest(
    manifest: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = {path.name: path.read_bytes() for path in manifest.iterdir()}
    content = json.loads(before["manifest.json"])
    for entry in (*content["scores"], *content["steps"]):
        entry["artefact"] = None

    real = os.replace
    for full_at in range(
        1, 5
    ):  # the artefact, manifest.json, the older folder's way out, the new one's way in
        calls = []

        def replace(source: Path, target: Path, calls: list[int] = calls, full_at: int = full_at) -> None:
            calls.append(1)
            if len(calls) == full_at:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            real(source, target)

        with monkeypatch.context() as patch:
            patch.setattr(os, "replace", replace)
            with pytest.raises(WorkbenchError, match=r"can't be written.*No space left on device"):
                write_manifest(manifest, content, {"a.safetensors": {"a": np.zeros(3)}})
        assert {path.name: path.read_bytes() for path in manifest.iterdir()} == before
        assert not manifest.with_name(manifest.name + ".old").exists()


def test_the_digest_covers_everything_but_itself(manifest: Path) -> None:
    content = json.loads((manifest / "manifest.json").read_bytes())
    other = {**content, "digest": "0" * 64}
    (manifest / "manifest.json").write_bytes(json_bytes(other))
    with pytest.raises(
        ManifestError, match=r"was changed after its export: its digest is .* it says 000000000000"
    ):
        read_manifest(manifest)
