"""Training a reference model on a corpus of any size: prepared beside the model's folder, trained, and recorded."""

from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path
from typing import Any

from workbench.corpus import Corpus
from workbench.engine.prepare import prepare
from workbench.errors import InputError, StoreError
from workbench.files import locked
from workbench.models.training.params import Hardware, TrainLMParams
from workbench.models.training.pretrain import PREPARED, TRAINING, read_prepared, train_prepared
from workbench.models.training.schedule import OnStep
from workbench.progress import Progress, Silent

WORK = ".work"
_LOCK = Path("checkpoints") / "lock"


def train_lm(
    corpus: Corpus,
    out: str | Path,
    params: TrainLMParams | None = None,
    *,
    hardware: Hardware | None = None,
    progress: Progress | None = None,
    on_step: OnStep | None = None,
) -> dict[str, Any]:
    """Train a reference model on a random split of a corpus and write it as a transformers folder.

    The corpus is streamed twice: for the vocabulary, and into token files in the folder `out` + ".work". Stopped at
    any moment, the same call goes on from the last checkpoint there and ends with the same losses and weights
    (workbench.models.training.pretrain.train_prepared says where that holds to the bit). The folder goes away
    at the end.

    Parameters
    ----------
    corpus
        Where the split is drawn from, by a keyed hash of the document ids.
    out
        The model's folder; a finished model there is never overwritten.
    params, hardware
        What is trained, and where.
    progress
        Told of bytes read and of steps; its `advance` may raise `Cancelled`.
    on_step
        Called with a `StepRecord` after each step; it may raise `Cancelled` too.

    Returns
    -------
    dict
        What is in the folder's training.json, and `is_new`: False where it was finished before.

    Raises
    ------
    InputError
        If a param is out of range, the split has too little text, or `out` holds something else.
    ModelError
        If the tokenizer can't be used, or the loss is no number.
    StoreError
        If the disk is full or can't be written, or a file of the work folder was changed.

    Notes
    -----
    Ankner et al. 2024 (arXiv 2405.20541), sections 2 and 3; they train an MPT with Lion and the GPT-4 tokenizer, here
    it is a Llama with AdamW. The score `unseen_perplexity` is of the other split only, and `lm_trained_on` marks
    what the model was trained on.
    """
    params, out, progress = params or TrainLMParams(), Path(out), progress or Silent()
    out = out if out.name not in ("", "..") else out.resolve()  # "." has no name to put anything beside
    params.check()
    hardware = (hardware or Hardware()).resolved()
    identity = {"params": json.loads(json.dumps(dataclasses.asdict(params))), "corpus": corpus.fingerprint()}
    if (finished := _finished(out, identity)) is not None:
        return finished | {"is_new": False}
    work = out.with_name(out.name + WORK)
    _claim(work)
    record = None
    with locked(work / _LOCK):
        try:
            prepared = read_prepared(work)
            if prepared is None:
                prepare(corpus, work, params, identity, progress)
            else:
                _require_same(f"{work} holds an unfinished training", prepared, identity)
            record = train_prepared(work, out, hardware, progress, on_step)
        finally:
            # What isn't prepared to the end is of no use to the next run, and may be what was wrong.
            if record is not None or not (work / PREPARED).is_file():
                shutil.rmtree(work, ignore_errors=True)
    return record | {"is_new": True}


def _claim(work: Path) -> None:
    """Make the work folder, which is deleted in the end: one that somebody else made is left alone."""
    if work.is_dir() and not _is_ours(work):
        raise InputError(
            f"{work} is there and was not made by train-lm, which would work there; give another folder"
        )
    try:
        (work / _LOCK).parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(
            f"{work} can't be made ({error.strerror}); choose a folder that can be written to"
        ) from error


def _is_ours(work: Path) -> bool:
    return (work / _LOCK).is_file() or {path.name for path in work.iterdir()} <= {_LOCK.parent.name}


def _finished(out: Path, identity: dict[str, Any]) -> dict[str, Any] | None:
    """The record of a finished training with this identity; None where `out` is free."""
    if not out.exists():
        return None
    path = out / TRAINING
    if path.is_file():
        try:
            record: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            _require_same(f"{out} holds a finished model", record, identity)
        except (ValueError, KeyError, TypeError, AttributeError):
            raise InputError(f"{path} isn't a record of train-lm; give another folder") from None
        work = out.with_name(out.name + WORK)
        if work.is_dir() and _is_ours(work):  # killed between the two
            shutil.rmtree(work, ignore_errors=True)
        return record
    if not out.is_dir() or any(out.iterdir()):
        raise InputError(f"{out} is there and is no model of train-lm; give a new folder")
    return None


def _require_same(what: str, there: dict[str, Any], here: dict[str, Any]) -> None:
    remedy = "give the same options, or another folder"
    for name, value in here["params"].items():
        other = there["params"].get(name)
        if other != value:
            other, value = (v["name"] if isinstance(v, dict) else v for v in (other, value))
            raise InputError(f"{what} with {name}={other}, and here it is {name}={value}; {remedy}")
    if there["corpus"] != here["corpus"]:
        raise InputError(f"{what} on another corpus, or its files have changed since; {remedy}")
