"""Training a reference model on a corpus of any size: split, tokenised into files, trained, and marked."""

from __future__ import annotations

import dataclasses
import heapq
import json
import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np

from workbench.checks import Array, file_digest, keyed_uniform
from workbench.corpus import Batch, Corpus, quarantine_writer
from workbench.errors import InputError, StoreError
from workbench.files import locked, write_json, written_aside
from workbench.models.pretrain import (
    PREPARED,
    PREPARED_FILES,
    TRAINING,
    check_size,
    read_prepared,
    train_prepared,
)
from workbench.models.reference import SplitFile, in_reference, train_tokenizer
from workbench.models.schedule import OnStep
from workbench.models.separator import find_tokenizer, separator, vocabulary_size
from workbench.models.shapes import check_vocabulary
from workbench.models.tokenfile import encode, pack, token_dtype
from workbench.models.train_params import Hardware, TrainLMParams
from workbench.progress import Progress, Silent, shown

WORK = ".work"
# A vocabulary of 4,096 to 65,536 tokens is settled by far less text than this; all of it would be in memory at once as
# words with counts.
_VOCABULARY_BYTES = 256 * 2**20
# Merging takes the square of a "word"'s length (31 s for one of 100,000 characters), so a text with one of so many is
# cut into pieces of as many.
_WORD_CHARS = 1000
_LONG = re.compile(rf"\S{{{_WORD_CHARS}}}|\s{{{_WORD_CHARS}}}")
_N_HELDOUT = 64
_HELDOUT_CHARS = 16  # a token; few tokens are longer


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
    (workbench.models.pretrain.train_prepared says where that holds to the bit). The folder goes away at the end.

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
    try:
        (work / "checkpoints").mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(
            f"{work} can't be made ({error.strerror}); choose a folder that can be written to"
        ) from error
    record = None
    with locked(work / "checkpoints" / "lock"):
        try:
            prepared = read_prepared(work)
            if prepared is None:
                _prepare(corpus, work, params, identity, progress)
            else:
                _require_same(f"{work} holds an unfinished training", prepared, identity)
            record = train_prepared(work, out, hardware, progress, on_step)
        finally:
            # What isn't prepared to the end is of no use to the next run, and may be what was wrong.
            if record is not None or not (work / PREPARED).is_file():
                shutil.rmtree(work, ignore_errors=True)
    return record | {"is_new": True}


def quarantine_file(out: Path) -> Path:
    """Where the rows of the corpus go that are no documents."""
    return out.with_name(out.name + ".quarantine") / "quarantine.jsonl"


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
        shutil.rmtree(out.with_name(out.name + WORK), ignore_errors=True)
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


def _prepare(
    corpus: Corpus, work: Path, params: TrainLMParams, identity: dict[str, Any], progress: Progress
) -> None:
    """Fill the work folder; prepared.json is written last."""
    if params.tokenizer is None:
        backend = train_tokenizer(_vocabulary_texts(corpus, params, progress), params.n_vocabulary)
    else:
        backend = find_tokenizer(params.tokenizer)
    token, token_id = separator(backend)
    n_vocabulary = vocabulary_size(backend)
    check_vocabulary(params.shape, n_vocabulary)
    with written_aside(work / "tokenizer.json") as aside:
        aside.write_text(backend.to_str(pretty=True), encoding="utf-8")
    # As training will read it back: the file is what counts.
    backend = find_tokenizer(str(work))
    counts = _Preparation(corpus, work, params, backend, token_id, n_vocabulary).run(progress)
    check_size(counts["n_tokens"], params)
    write_json(
        work / PREPARED,
        {
            **identity,
            **counts,
            "n_vocabulary": n_vocabulary,
            "separator": token,
            "separator_id": token_id,
            "files": {name: file_digest(work / name) for name in PREPARED_FILES},
        },
    )


def _batches(corpus: Corpus, what: str, progress: Progress) -> Iterator[Batch]:
    with shown(progress, what, corpus.n_bytes):
        for shard in corpus.shards:
            for batch in corpus.scan_batches(shard, further=False):
                yield batch
                progress.advance(batch.n_bytes_read)


def _vocabulary_texts(corpus: Corpus, params: TrainLMParams, progress: Progress) -> Iterator[str]:
    """Texts of the split; of a large corpus a random part, since files are often sorted by source."""
    rate = min(1.0, _VOCABULARY_BYTES / max(1.0, corpus.n_bytes * params.reference_fraction))
    for batch in _batches(corpus, "reading for the vocabulary", progress):
        doc_ids = batch.frame["doc_id"].to_list()
        chosen = in_reference(doc_ids, params.seed, params.reference_fraction)
        chosen &= keyed_uniform(params.seed, doc_ids, "reference-vocabulary") < rate
        for text in batch.frame["text"].filter(chosen):
            if _LONG.search(text) is None:
                yield text
            else:
                yield from (text[i : i + _WORD_CHARS] for i in range(0, len(text), _WORD_CHARS))


class _Preparation:
    """One pass over the corpus that writes tokens.bin, heldout.bin and split.json."""

    def __init__(
        self,
        corpus: Corpus,
        work: Path,
        params: TrainLMParams,
        backend: Any,
        token_id: int,
        n_vocabulary: int,
    ) -> None:
        self._corpus, self._work, self._params, self._backend = corpus, work, params, backend
        self._token_id, self._n_vocabulary = token_id, n_vocabulary
        self._heldout: list[tuple[float, int, Array]] = []
        self._number = count()

    def run(self, progress: Progress) -> dict[str, int]:
        """Counts of documents, tokens and rows put aside."""
        params, work, n_bytes = self._params, self._work, 0
        counts = {"n_documents": 0, "n_reference_documents": 0, "n_quarantined": 0}
        aside = quarantine_file(self._work.with_suffix(""))
        with ExitStack() as stack:
            tokens = stack.enter_context(_opened(work / "tokens.bin", "wb"))
            split = SplitFile(
                stack.enter_context(_opened(work / "split.json", "w")),
                params.seed,
                params.reference_fraction,
                has_content_ids=self._corpus.has_content_ids,
            )
            quarantine = None
            for batch in _batches(self._corpus, "tokenising", progress):
                if batch.quarantined:
                    quarantine = quarantine or stack.enter_context(quarantine_writer(aside))
                    quarantine(batch.quarantined)
                doc_ids, texts = batch.frame["doc_id"].to_list(), batch.frame["text"].to_list()
                chosen = in_reference(doc_ids, params.seed, params.reference_fraction)
                inside = np.flatnonzero(chosen).tolist()
                split.add(doc_ids[i] for i in inside)
                for raw in self._packed(encode(self._backend, [texts[i] for i in inside])):
                    n_bytes += tokens.write(raw)
                self._hold_out(doc_ids, texts, np.flatnonzero(~chosen).tolist())
                counts["n_documents"] += len(doc_ids)
                counts["n_reference_documents"] += len(inside)
                counts["n_quarantined"] += len(batch.quarantined)
            split.end()
        self._write_heldout()
        if not counts["n_documents"]:
            raise InputError("the corpus has no document that can be used; give another one")
        n_tokens = n_bytes // token_dtype(self._n_vocabulary).itemsize
        return counts | {"n_tokens": n_tokens, "n_heldout_documents": len(self._heldout)}

    def _packed(self, documents: Iterator[Array]) -> Iterator[bytes]:
        return pack(documents, self._token_id, self._n_vocabulary)

    def _hold_out(self, doc_ids: Sequence[str], texts: Sequence[str], outside: Sequence[int]) -> None:
        """Keep the beginnings of the documents with the smallest keyed numbers, whatever order they come in."""
        context = self._params.context_tokens
        numbers = keyed_uniform(self._params.seed, [doc_ids[i] for i in outside], "reference-heldout")
        for i, number in zip(outside, numbers.tolist(), strict=True):
            is_full = len(self._heldout) == _N_HELDOUT
            if not texts[i] or (is_full and number >= -self._heldout[0][0]):
                continue
            (ids,) = encode(self._backend, [texts[i][: _HELDOUT_CHARS * context]])
            heapq.heappush(self._heldout, (-number, next(self._number), ids[:context]))
            if is_full:
                heapq.heappop(self._heldout)

    def _write_heldout(self) -> None:
        documents = (ids for _, _, ids in sorted(self._heldout, key=lambda held: held[:2], reverse=True))
        with _opened(self._work / "heldout.bin", "wb") as file:
            for raw in self._packed(documents):
                file.write(raw)


@contextmanager
def _opened(path: Path, mode: str) -> Iterator[Any]:
    with written_aside(path) as aside, aside.open(mode, encoding=None if "b" in mode else "utf-8") as file:
        yield file
