"""Trains a small causal language model on a random half of a corpus, to score the other half with.

Ankner et al. 2024 (arXiv 2405.20541) prune with the perplexity of a model that was trained on a random split
of the corpus itself. This is that model at the size of a laptop: its own byte-level BPE, a Llama of about 2.5
M parameters, rows packed with a separator before each document, AdamW, a cosine. The documents it was trained
on are written down beside it (split.json), since a model's perplexity on what it has seen says something
else.
"""

from __future__ import annotations

import dataclasses
import importlib.metadata
import json
import math
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from workbench.checks import (
    BoolArray,
    IntArray,
    canonical_json,
    check_at_least,
    check_fraction,
    keyed_uniform,
)
from workbench.errors import InputError
from workbench.models.runtime import quiet
from workbench.progress import Progress

SEPARATOR = "<|endoftext|>"
_SEPARATOR_ID = 0
_PURPOSE = "reference-split"
_SPLIT = "split.json"


@dataclass(frozen=True)
class ReferenceParams:
    """Size and training of the reference model. The defaults take about ten minutes on two cores.

    Attributes
    ----------
    reference_fraction
        Share of the documents that it is trained on, 0..1.
    n_vocabulary
        Tokens of its vocabulary, at least 257 (the bytes and the separator).
    hidden_size, n_layers, n_heads, intermediate_size
        Of the transformer.
    context_tokens
        Of a row.
    batch_rows, n_steps, learning_rate, warmup_fraction, weight_decay
        Of the training; the rate rises over `warmup_fraction` of the steps and falls in a cosine to a tenth.
    seed
        Of the split, the initial weights and the order of the rows.
    """

    reference_fraction: float = 0.5
    n_vocabulary: int = 4096
    hidden_size: int = 192
    n_layers: int = 4
    n_heads: int = 3
    intermediate_size: int = 512
    context_tokens: int = 512
    batch_rows: int = 8
    n_steps: int = 600
    learning_rate: float = 3e-3
    warmup_fraction: float = 0.06
    weight_decay: float = 0.1
    seed: int = 0


def in_reference(doc_ids: Sequence[str], seed: int, fraction: float = 0.5) -> BoolArray:
    """Which documents belong to the split that the reference model is trained on, bool (n,)."""
    return keyed_uniform(seed, doc_ids, _PURPOSE) < check_fraction("reference_fraction", fraction)


def train(
    texts: Sequence[str], doc_ids: Sequence[str], out: Path, params: ReferenceParams, progress: Progress
) -> None:
    """Train a reference model and write it to the folder `out`, in transformers' format.

    Parameters
    ----------
    texts, doc_ids
        The corpus, (n,) each; the split is drawn from the ids.
    out
        The folder, replaced as a whole once everything is written.
    params
        Size and training.
    progress
        Advances by steps, and may stop the training (nothing is written then).

    Raises
    ------
    InputError
        If the texts of the split don't fill one batch.

    Notes
    -----
    On one machine with one number of threads, the same texts and params give the same files.
    """
    import torch

    check_at_least("n_vocabulary", params.n_vocabulary, 257)
    chosen = in_reference(doc_ids, params.seed, params.reference_fraction)
    split = [texts[i] for i in np.flatnonzero(chosen).tolist()]
    tokenizer = train_tokenizer(split, params.n_vocabulary)
    stream = [np.array([_SEPARATOR_ID, *e.ids]) for e in tokenizer.encode_batch(split)]
    n_tokens = sum(map(len, stream))
    if n_tokens <= params.batch_rows * params.context_tokens:
        raise InputError(
            f"the reference split has {n_tokens} tokens, fewer than one batch of {params.batch_rows} rows of "
            f"{params.context_tokens}; give more documents or a smaller batch"
        )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(params.seed)
        model = make_model(params)
        losses = _fit(model, _rows(stream, params), params, progress)
    reference_ids = [doc_ids[i] for i in np.flatnonzero(chosen).tolist()]
    _save(model, tokenizer, out, params, {"n_tokens": n_tokens, "losses": losses}, reference_ids)


def train_tokenizer(texts: Sequence[str], n_vocabulary: int) -> Any:
    """A byte-level BPE: any text can be written in it, and its tokens decode to the text's exact bytes."""
    import tokenizers

    tokenizer = tokenizers.Tokenizer(tokenizers.models.BPE())
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = tokenizers.decoders.ByteLevel()
    trainer = tokenizers.trainers.BpeTrainer(
        vocab_size=n_vocabulary,
        special_tokens=[SEPARATOR],
        initial_alphabet=sorted(tokenizers.pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.encode_special_tokens = True
    return tokenizer


def make_model(params: ReferenceParams) -> Any:
    """A Llama of the given size with random weights; input and output embeddings are one matrix."""
    from transformers import LlamaConfig, LlamaForCausalLM

    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=params.n_vocabulary,
            hidden_size=params.hidden_size,
            intermediate_size=params.intermediate_size,
            num_hidden_layers=params.n_layers,
            num_attention_heads=params.n_heads,
            num_key_value_heads=params.n_heads,
            max_position_embeddings=params.context_tokens,
            tie_word_embeddings=True,
            bos_token_id=_SEPARATOR_ID,
            eos_token_id=_SEPARATOR_ID,
        )
    )


def _rows(documents: list[IntArray], params: ReferenceParams) -> Iterator[IntArray]:
    """Batches of rows (batch_rows, context_tokens + 1), epoch after epoch, documents in a new order in
    each.
    """
    rng = np.random.default_rng(params.seed)
    waiting: list[IntArray] = []
    while True:
        stream = np.concatenate([documents[i] for i in rng.permutation(len(documents))])
        # A row's last token is the next row's first: it is a target here and an input there.
        starts = np.arange((len(stream) - 1) // params.context_tokens) * params.context_tokens
        for start in rng.permutation(starts):
            waiting.append(stream[start : start + params.context_tokens + 1])
            if len(waiting) == params.batch_rows:
                yield np.stack(waiting)
                waiting = []


def _learning_rate(step: int, params: ReferenceParams) -> float:
    warmup = max(1, round(params.warmup_fraction * params.n_steps))
    if step < warmup:
        return params.learning_rate * (step + 1) / warmup
    done = (step - warmup) / max(1, params.n_steps - warmup)
    return params.learning_rate * (0.1 + 0.9 * 0.5 * (1 + math.cos(math.pi * done)))


def _fit(model: Any, batches: Iterator[IntArray], params: ReferenceParams, progress: Progress) -> list[float]:
    """Train in place; the loss of each step in nats a token."""
    import torch

    matrices = [p for p in model.parameters() if p.ndim >= 2]
    vectors = [p for p in model.parameters() if p.ndim < 2]
    groups = [
        {"params": matrices, "weight_decay": params.weight_decay},
        {"params": vectors, "weight_decay": 0.0},
    ]
    optimizer = torch.optim.AdamW(groups, lr=params.learning_rate, betas=(0.9, 0.95))
    model.train()
    losses: list[float] = []
    progress.start("training the reference model", params.n_steps)
    for step in range(params.n_steps):
        rows = torch.from_numpy(next(batches))
        logits = model(input_ids=rows[:, :-1], use_cache=False).logits
        loss: Any = torch.nn.functional.cross_entropy(logits.flatten(0, 1), rows[:, 1:].flatten())
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for group in optimizer.param_groups:
            group["lr"] = _learning_rate(step, params)
        optimizer.step()
        optimizer.zero_grad()
        losses.append(round(loss.item(), 4))
        progress.advance(1)
    progress.finish()
    return losses


def _save(
    model: Any,
    tokenizer: Any,
    out: Path,
    params: ReferenceParams,
    curve: dict[str, Any],
    reference: list[str],
) -> None:
    """Everything into a folder beside `out`, which is then renamed. Weights are kept in bfloat16."""
    import torch

    aside = out.with_name(out.name + ".partial")
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir(parents=True)
    with quiet():
        model.to(torch.bfloat16).save_pretrained(aside)
    (aside / "model.safetensors").chmod(0o644)
    (aside / "generation_config.json").unlink(missing_ok=True)
    tokenizer.save(str(aside / "tokenizer.json"))
    special = {"tokenizer_class": "PreTrainedTokenizerFast", "bos_token": SEPARATOR, "eos_token": SEPARATOR}
    _write(aside / "tokenizer_config.json", special | {"model_max_length": params.context_tokens})
    versions = {
        name: importlib.metadata.version(name) for name in ("torch", "transformers", "tokenizers", "numpy")
    }
    _write(aside / "training.json", {"params": dataclasses.asdict(params), "versions": versions, **curve})
    rule = f"keyed_uniform(seed, doc_ids, {_PURPOSE!r}) < reference_fraction"
    split = {"rule": rule, "seed": params.seed, "reference_fraction": params.reference_fraction}
    _write(aside / _SPLIT, split | {"doc_ids": reference})
    shutil.rmtree(out, ignore_errors=True)
    aside.rename(out)


def _write(path: Path, value: dict[str, Any]) -> None:
    path.write_text(canonical_json(value) + "\n", encoding="utf-8")


def trained_on(folder: Path) -> frozenset[str] | None:
    """The ids of the documents that the model in `folder` was trained on, by its split.json; None without one."""
    path = folder / _SPLIT
    return frozenset(json.loads(path.read_text(encoding="utf-8"))["doc_ids"]) if path.is_file() else None
