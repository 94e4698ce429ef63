"""Checkpoints of a training: weights and optimiser as safetensors, the rest as JSON, each under its digest."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workbench.checks import canonical_json, file_digest, json_digest
from workbench.errors import StoreError
from workbench.files import parse_json, written_aside

_STATE = "state.json"
_TENSORS = ("model.safetensors", "optimizer.safetensors")
_KEPT = 2


@dataclass(frozen=True)
class Saved:
    """What a checkpoint holds.

    Attributes
    ----------
    step
        Steps done.
    model, optimizer
        Tensors by name.
    state
        JSON.
    """

    step: int
    model: Mapping[str, Any]
    optimizer: Mapping[str, Any]
    state: Mapping[str, Any]


class Checkpoints:
    """The checkpoints in a folder, one a subfolder; the last two are kept.

    A checkpoint's state.json is written last and holds the digests of the rest and of itself, so one that was cut
    short isn't seen and one that was changed is refused.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def save(self, saved: Saved) -> None:
        """Write a checkpoint, and remove all but the last two.

        Raises
        ------
        StoreError
            If the disk is full or can't be written; earlier checkpoints stay.
        """
        folder = self._folder / f"step-{saved.step:08d}"
        if (folder / _STATE).is_file():
            return
        digests = {}
        for name, tensors in zip(_TENSORS, (saved.model, saved.optimizer), strict=True):
            _write_tensors(folder / name, tensors)
            digests[name] = file_digest(folder / name)
        state = {"step": saved.step, "files": digests, **saved.state}
        with written_aside(folder / _STATE) as aside:
            text = canonical_json({"state": state, "digest": json_digest(state)})
            aside.write_text(text + "\n", encoding="utf-8")
        for old in self._all()[:-_KEPT]:
            # Its mark first: a removal that is cut short mustn't leave what looks whole.
            (old / _STATE).unlink()
            shutil.rmtree(old)

    def latest(self) -> Saved | None:
        """The last checkpoint, None where there is none; what was cut short is removed.

        Raises
        ------
        StoreError
            If a file of it was changed.
        """
        from safetensors.torch import load_file

        for folder in self._folder.glob("step-*"):
            if not (folder / _STATE).is_file():
                shutil.rmtree(folder)
        whole = self._all()
        if not whole:
            return None
        state = _read_state(whole[-1])
        for name in _TENSORS:
            path = whole[-1] / name
            if not path.is_file() or file_digest(path) != state["files"][name]:
                raise _changed(path)
        model, optimizer = (load_file(whole[-1] / name) for name in _TENSORS)
        return Saved(state["step"], model, optimizer, state)

    def _all(self) -> list[Path]:
        return sorted(folder for folder in self._folder.glob("step-*") if (folder / _STATE).is_file())


def _write_tensors(path: Path, tensors: Mapping[str, Any]) -> None:
    from safetensors import SafetensorError
    from safetensors.torch import save_file

    with written_aside(path) as aside:
        try:
            save_file(dict(tensors), aside)
        except SafetensorError as error:
            # The library's own class for what the system said; written_aside has the sentence for it.
            raise OSError(str(error)) from error
        os.chmod(aside, 0o644)  # noqa: PTH101 - the library makes files that only the owner reads


def _read_state(folder: Path) -> dict[str, Any]:
    path = folder / _STATE
    try:
        value = parse_json(path.read_bytes())
        state: dict[str, Any] = value["state"]
        is_whole = json_digest(state) == value["digest"]
    except (ValueError, KeyError, TypeError, json.JSONDecodeError):
        is_whole = False
    if not is_whole:
        raise _changed(path)
    return state


def _changed(path: Path) -> StoreError:
    return StoreError(
        f"the checkpoint {path.parent} was changed: {path.name} differs from its digest; remove that folder, and the "
        "next run goes on from the checkpoint before it"
    )
