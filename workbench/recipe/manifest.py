"""Manifest folders: written whole, read with every digest checked."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from workbench.checks import Array, file_digest, json_digest
from workbench.errors import ManifestError
from workbench.files import PARTIAL, json_bytes, parse_json, write_json
from workbench.recipe.model import Recipe
from workbench.recipe.schema import Artefact, FittedEntry, Manifest, parse_manifest
from workbench.store.columns import read_state, write_state

MANIFEST_FILE = "manifest.json"


def manifest_digest(content: Mapping[str, Any]) -> str:
    """SHA-256 of a manifest's content without its own digest."""
    return json_digest({name: value for name, value in content.items() if name != "digest"})


def write_manifest(
    folder: Path, content: Mapping[str, Any], artefacts: Mapping[str, Mapping[str, Array]]
) -> Manifest:
    """Write a manifest folder aside and rename it.

    Parameters
    ----------
    folder
        Must not exist, or be a manifest, which is then replaced.
    content
        manifest.json without `digest`; where it names an artefact, `artefact_entry(name, ...)` made the
        entry.
    artefacts
        The named arrays of each artefact, by file name.

    Raises
    ------
    ManifestError
        If `folder` exists and isn't a manifest.
    ManifestError
        If it can't be written.
    """
    if folder.exists() and not (folder / MANIFEST_FILE).is_file():
        raise ManifestError(f"{folder} exists and is not a manifest; choose another name")
    aside = folder.with_name(folder.name + PARTIAL)
    try:
        shutil.rmtree(aside, ignore_errors=True)
        aside.mkdir(parents=True)
        for name, arrays in artefacts.items():
            write_state(aside / name, arrays)
        full = _with_artefact_digests(content, aside)
        full["digest"] = manifest_digest(full)
        write_json(aside / MANIFEST_FILE, full)
        if folder.exists():
            old = folder.with_name(folder.name + ".old")
            shutil.rmtree(old, ignore_errors=True)
            folder.replace(old)
            try:
                aside.replace(folder)
            except OSError:
                old.replace(folder)
                raise
            shutil.rmtree(old, ignore_errors=True)
        else:
            aside.replace(folder)
    except BaseException as error:
        shutil.rmtree(aside, ignore_errors=True)
        if not isinstance(error, OSError):
            raise
        raise ManifestError(
            f"{folder} can't be written ({error.strerror or error}); choose another folder"
        ) from error
    return read_manifest(folder)


def _with_artefact_digests(content: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """Replace each artefact's file name by an entry with the SHA-256 of the file."""

    def entry(item: Mapping[str, Any]) -> dict[str, Any]:
        name = item["artefact"]
        return {**item, "artefact": name and {"file": name, "sha256": file_digest(folder / name)}}

    return {
        **content,
        "scores": [entry(s) for s in content["scores"]],
        "steps": [entry(s) for s in content["steps"]],
    }


def read_manifest(folder: Path | str) -> Manifest:
    """Read and check a manifest folder.

    Raises
    ------
    ManifestError
        If it isn't a manifest folder, isn't JSON, is of another format, or any file in it was changed.
    """
    folder = Path(folder)
    path = folder / MANIFEST_FILE
    try:
        raw = path.read_bytes()
        content = parse_json(raw)
    except FileNotFoundError:
        raise ManifestError(
            f"{folder} holds no {MANIFEST_FILE}; give a folder written by `workbench export`"
        ) from None
    except OSError as error:
        raise ManifestError(
            f"{path} can't be read ({error.strerror or error}); check the path and its rights"
        ) from None
    except ValueError as error:
        raise ManifestError(
            f"{path} was damaged: it is not JSON ({error}); export the manifest again"
        ) from None
    manifest = parse_manifest(content)
    found = manifest_digest(content)
    # the bytes too: a change that leaves the values alone is a change all the same
    if found == manifest.digest and json_bytes(content) != raw:
        raise ManifestError(f"{path} was changed after its export, though not in its values; export it again")
    if found != manifest.digest:
        raise ManifestError(
            f"{path} was changed after its export: its digest is {found[:12]}…, "
            f"it says {manifest.digest[:12]}…; export it again"
        )
    fitted: list[FittedEntry] = [*manifest.scores, *manifest.steps]
    for artefact in {a.file: a for item in fitted if (a := item.artefact)}.values():
        _check_artefact(folder, artefact)
    return manifest


def _check_artefact(folder: Path, artefact: Artefact) -> None:
    path = folder / artefact.file
    if not path.is_file():
        raise ManifestError(f"{path} is missing; copy the manifest folder whole, or export it again")
    found = file_digest(path)
    if found != artefact.sha256:
        raise ManifestError(
            f"{path} was changed: its SHA-256 is {found[:12]}…, the manifest says {artefact.sha256[:12]}…; "
            "export the manifest again"
        )


def read_artefact(folder: Path | str, artefact: Artefact | None) -> dict[str, Array]:
    """The arrays of an artefact; empty where there is none."""
    return read_state(Path(folder) / artefact.file) if artefact else {}


def other_manifest(folder: Path, recipe: Recipe) -> str:
    """What writing a recipe's manifest to a folder would replace, in a sentence without its end.

    Parameters
    ----------
    recipe
        With its quantiles resolved.

    Returns
    -------
    str
        "" if there is no manifest, or one of the very same recipe.
    """
    if not (folder / MANIFEST_FILE).is_file():
        return ""  # not ours to replace: writing refuses
    try:
        held = read_manifest(folder)
    except ManifestError:
        return f"{folder.name} holds a manifest that can't be read"
    steps = [{"select": step.select, **step.params} for step in held.steps]
    same = held.seed == recipe.seed and held.score_params == recipe.scores
    if same and steps == [step.to_json() for step in recipe.active.steps]:
        return ""
    words = ", ".join(str(step["select"]) for step in steps) or "no step"
    kept = held.expected.all["n_documents"].value
    return f"{folder.name} holds the manifest of another recipe ({words}; about {kept:,.0f} documents kept)"


def refuse_other_manifest(folder: Path, recipe: Recipe, remedy: str) -> None:
    """Raise ManifestError where writing would replace what `other_manifest` tells of.

    Parameters
    ----------
    remedy
        How it is replaced all the same, to end the sentence.
    """
    stake = other_manifest(folder, recipe)
    if stake:
        raise ManifestError(f"{stake}; choose another name, or {remedy} to replace it")
