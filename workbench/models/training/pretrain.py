"""Trains a reference model from token files: what a machine with a GPU needs, and no corpus.

A prepared folder (workbench.engine.prepare fills it) holds tokens.bin, heldout.bin, tokenizer.json, split.json and,
last, prepared.json with their digests. The training adds its checkpoints there and ends with a transformers folder.
"""

from __future__ import annotations

import dataclasses
import json
import math
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from workbench.checks import file_digest, json_digest
from workbench.errors import InputError, StoreError
from workbench.models.training.checkpoints import Checkpoints
from workbench.models.training.fit import Fit
from workbench.models.training.folder import folder_aside, versions, write_canonical, write_model
from workbench.models.training.params import Hardware, TrainLMParams, params_from
from workbench.models.training.schedule import Curve, FitParams, OnStep
from workbench.models.training.shapes import make_llama
from workbench.models.training.tokenfile import Rows, all_rows, n_rows, open_tokens
from workbench.progress import Progress

PREPARED = "prepared.json"
TRAINING = "training.json"
PREPARED_FILES = ("tokens.bin", "heldout.bin", "tokenizer.json", "split.json")
MAX_EPOCHS = 4
# How often the held-out text is looked at: so often, but for at most this share of the time (a step takes about three
# forward passes).
_N_EVALUATIONS = 20
_EVALUATION_SHARE = 0.1
# Tokens and logits of one forward pass: the reference model's batch on a CPU; 2 GB of float32 logits on a GPU.
_MICRO_TOKENS = {"cpu": 4096, "cuda": 1 << 16}
_MICRO_LOGITS = 1 << 29


def read_prepared(work: Path) -> dict[str, Any] | None:
    """What was prepared in a folder, None if nothing or not all was.

    Raises
    ------
    StoreError
        If a file differs from its digest.
    """
    path = work / PREPARED
    if not path.is_file():
        return None
    try:
        prepared: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        is_whole = json_digest({k: v for k, v in prepared.items() if k != "digest"}) == prepared["digest"]
    except (ValueError, KeyError, TypeError, AttributeError):
        is_whole = False
    if not is_whole:
        raise StoreError(f"{PREPARED} in {work} was changed; remove {work} and run again")
    for name in PREPARED_FILES:
        if not (work / name).is_file() or file_digest(work / name) != prepared["files"][name]:
            raise StoreError(f"{name} in {work} differs from its digest; remove {work} and run again")
    return prepared


def train_prepared(
    work: Path, out: Path, hardware: Hardware, progress: Progress, on_step: OnStep | None = None
) -> dict[str, Any]:
    """Train a model from a prepared folder and write it to `out`; stopped, the next call goes on.

    On a CPU the same tokens, params and number of threads give the same losses and weights to the bit, however often
    the training was stopped; on a GPU kernels may add in another order.

    Parameters
    ----------
    work
        The prepared folder; checkpoints are written there.
    out
        The model's folder; it mustn't hold anything yet.
    progress, on_step
        Told of each step; either may stop the training, after a checkpoint.

    Returns
    -------
    dict
        What is in training.json.

    Raises
    ------
    InputError
        If the split has too few tokens for one batch or one row.
    ModelError
        If the loss is no number, or the training began under other circumstances.
    StoreError
        If the disk is full, or a file was changed.
    """
    import tokenizers
    import torch

    prepared = read_prepared(work)
    if prepared is None:
        raise InputError(f"{work} holds no prepared corpus; run `workbench train-lm` on the corpus first")
    params, hardware = params_from(prepared["params"]), hardware.resolved()
    n_vocabulary, context = int(prepared["n_vocabulary"]), params.context_tokens
    rows = Rows(open_tokens(work / "tokens.bin", n_vocabulary), context, params.batch_rows, params.seed)
    check_size(int(prepared["n_tokens"]), params)
    heldout = all_rows(open_tokens(work / "heldout.bin", n_vocabulary), context)
    n_heldout = heldout[:, 1:].size
    fit_params = plan_fit(params, hardware, rows.n_rows, n_vocabulary, n_heldout)
    with torch.random.fork_rng(devices=[0] if hardware.device == "cuda" else []):
        torch.manual_seed(params.seed)
        model = make_llama(params.shape, n_vocabulary, context, int(prepared["separator_id"]))
        setting: dict[str, Any] = {
            "device": hardware.device,
            "dtype": hardware.dtype,
            "compile": hardware.compiles,
        }
        fit = Fit(model, fit_params, rows, heldout, Checkpoints(work / "checkpoints"), setting)
        curve = fit.run(progress, on_step)
    setting |= {"is_compiled": fit.is_compiled, "n_threads": torch.get_num_threads()}
    record = _record(prepared, fit_params, curve, rows.n_rows) | {
        "setting": setting,
        "n_parameters": params.shape.n_parameters(n_vocabulary),
        "n_heldout_tokens": n_heldout,
    }
    with folder_aside(out, replaces=False) as aside:
        backend = tokenizers.Tokenizer.from_file(str(work / "tokenizer.json"))
        write_model(model, backend, aside, str(prepared["separator"]))
        shutil.copyfile(work / "split.json", aside / "split.json")
        write_canonical(aside / TRAINING, record)
    return record


def plan_fit(
    params: TrainLMParams, hardware: Hardware, rows: int, n_vocabulary: int, n_heldout: int
) -> FitParams:
    """How many steps, the parts of a batch that fit into memory, and how often the held-out loss is affordable."""
    batch, context = params.batch_rows, params.context_tokens
    n_steps = params.n_steps or math.ceil((params.n_tokens or rows * context) / (batch * context))
    affordable = math.ceil(n_heldout / (3 * _EVALUATION_SHARE * batch * context))
    tokens = _MICRO_TOKENS[hardware.device]
    if hardware.device == "cuda":
        tokens = min(tokens, _MICRO_LOGITS // n_vocabulary)
    most = max(1, min(batch, tokens // context))
    return FitParams(
        n_steps=n_steps,
        learning_rate=params.learning_rate or params.shape.learning_rate,
        warmup_fraction=params.warmup_fraction,
        weight_decay=params.weight_decay,
        schedule=params.schedule,
        # parts of one size, so that a compiled model sees one shape
        micro_rows=max(n for n in range(1, most + 1) if batch % n == 0),
        dtype=hardware.dtype,
        device=hardware.device,
        is_compiled=bool(hardware.compiles),
        evaluate_every=max(1, n_steps // _N_EVALUATIONS, affordable),
        checkpoint_every=hardware.checkpoint_every,
    )


def check_size(n_tokens: int, params: TrainLMParams) -> None:
    """Raise InputError unless the tokens fill one row, and one batch of rows."""
    found = n_rows(n_tokens, params.context_tokens)
    if found == 0:
        raise InputError(
            f"the reference split has {n_tokens} tokens, fewer than one row of {params.context_tokens}; give more "
            "documents or a smaller context"
        )
    if found < params.batch_rows:
        raise InputError(
            f"the reference split has {n_tokens} tokens, fewer than one batch of {params.batch_rows} rows of "
            f"{params.context_tokens}; give more documents or a smaller batch"
        )


def _record(prepared: Mapping[str, Any], fit: FitParams, curve: Curve, rows: int) -> dict[str, Any]:
    params = params_from(prepared["params"])
    epochs = fit.n_steps * params.batch_rows / rows
    warnings = []
    if epochs > MAX_EPOCHS:
        warnings.append(
            f"the model saw its split {epochs:.1f} times; beyond {MAX_EPOCHS} times text teaches little more "
            "(Muennighoff et al. 2023, arXiv:2305.16264): give a larger corpus or fewer tokens"
        )
    known = {k: v for k, v in prepared.items() if k not in ("digest", "files", "separator", "separator_id")}
    return known | {
        "params": dataclasses.asdict(params),
        "fit": dataclasses.asdict(fit),
        "losses": curve.losses,
        "heldout": [list(pair) for pair in curve.heldout],
        "n_tokens_seen": fit.n_steps * params.batch_rows * params.context_tokens,
        "epochs": round(epochs, 4),
        "seconds": round(curve.seconds, 3),
        "versions": versions(),
        "warnings": warnings,
    }
