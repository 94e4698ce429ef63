"""The reference split, and the recipe of the committed reference-lm: a small model trained on texts in memory.

Ankner et al. 2024 (arXiv 2405.20541) prune with the perplexity of a model that was trained on a random split
of the corpus itself. This is that model at the size of a laptop: its own byte-level BPE, a Llama of about 2.5
M parameters, rows packed with a separator before each document, AdamW, a cosine. The documents it was trained
on are written down beside it (split.json), since a model's perplexity on what it has seen says something
else. `workbench train-lm` (workbench.engine.train) is for corpora of any size; both share one training loop.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, TextIO

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
from workbench.models.training.fit import Fit
from workbench.models.training.folder import folder_aside, versions, write_canonical, write_model
from workbench.models.training.schedule import FitParams
from workbench.models.training.shapes import Shape, make_llama
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
        model, batches = make_model(params), _rows(stream, params)
        losses = Fit(model, _fit_params(params), lambda step: next(batches)).run(progress).losses
    with folder_aside(out, replaces=True) as aside:
        write_model(model, tokenizer, aside, SEPARATOR)
        record = {"params": dataclasses.asdict(params), "versions": versions(), "n_tokens": n_tokens}
        write_canonical(aside / "training.json", record | {"losses": losses})
        with (aside / _SPLIT).open("w", encoding="utf-8") as file:
            split_file = SplitFile(file, params.seed, params.reference_fraction)
            split_file.add(doc_ids[i] for i in np.flatnonzero(chosen).tolist())
            split_file.end()


def train_tokenizer(texts: Iterable[str], n_vocabulary: int) -> Any:
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
    """A Llama of the given size with random weights."""
    shape = Shape(
        "reference",
        params.hidden_size,
        params.n_layers,
        params.n_heads,
        params.intermediate_size,
        params.batch_rows * params.context_tokens,
        params.learning_rate,
    )
    return make_llama(shape, params.n_vocabulary, params.context_tokens, _SEPARATOR_ID)


def _fit_params(params: ReferenceParams) -> FitParams:
    names = ("n_steps", "learning_rate", "warmup_fraction", "weight_decay")
    return FitParams(**{name: getattr(params, name) for name in names})


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


class SplitFile:
    """Writes a split.json as the documents come, so that the ids of a large corpus are never held in memory.

    Parameters
    ----------
    file
        Opened for text.
    seed, fraction
        Of `in_reference`.
    has_content_ids
        Whether the ids are made from content: then a copy "x#2" is trained on where "x" is.
    """

    def __init__(self, file: TextIO, seed: int, fraction: float, *, has_content_ids: bool = False) -> None:
        rule = f"keyed_uniform(seed, doc_ids, {_PURPOSE!r}) < reference_fraction"
        self._rest = {"reference_fraction": fraction, "rule": rule, "seed": seed}
        self._file, self._is_first = file, True
        # Keys in order: the file is canonical JSON, as if it were written in one piece.
        file.write("{" + ('"content_ids":true,' if has_content_ids else "") + '"doc_ids":[')

    def add(self, doc_ids: Iterable[str]) -> None:
        """Write further ids."""
        for doc_id in doc_ids:
            self._file.write(("" if self._is_first else ",") + canonical_json(doc_id))
            self._is_first = False

    def end(self) -> None:
        """Write what follows the ids."""
        self._file.write("]," + canonical_json(self._rest)[1:] + "\n")


class _ContentIds(frozenset[str]):
    """Ids made from content: a copy's number doesn't count, since its text was trained on all the same."""

    def __contains__(self, doc_id: object) -> bool:
        return super().__contains__(
            doc_id.rpartition("#")[0] or doc_id if isinstance(doc_id, str) else doc_id
        )


def trained_on(folder: Path) -> frozenset[str] | None:
    """The ids of the documents that the model in `folder` was trained on, by its split.json; None without one."""
    path = folder / _SPLIT
    if not path.is_file():
        return None
    state = path.stat()
    return _read_split(path, state.st_size, state.st_mtime_ns)


@lru_cache(maxsize=2)  # asked for again with each batch that is scored
def _read_split(path: Path, n_bytes: int, changed_ns: int) -> frozenset[str]:
    split = json.loads(path.read_text(encoding="utf-8"))
    return (_ContentIds if split.get("content_ids") else frozenset)(split["doc_ids"])
