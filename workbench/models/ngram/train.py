"""Trains an n-gram model on a random part of a corpus: text is read twice, and only word ids stay in memory."""

from __future__ import annotations

import dataclasses
import importlib.metadata
import shutil
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from workbench.checks import check_at_least, check_fraction
from workbench.errors import InputError
from workbench.files import write_json
from workbench.models.ngram.arpa import write_arpa
from workbench.models.ngram.backoff import END_ID, RESERVED, START_ID
from workbench.models.ngram.ccnet_text import NewlineMode, check_newline_mode, lines_of
from workbench.models.ngram.kneser_ney import Estimate, KneserNeyParams, estimate
from workbench.models.ngram.model import (
    NGRAM_FILE,
    NGRAM_FORMAT,
    SPLIT_FILE,
    line_batches,
    load_words,
    tokenizer_words,
)
from workbench.models.training.folder import folder_aside
from workbench.models.training.reference import in_reference, train_tokenizer
from workbench.progress import Progress, Silent

Documents = Callable[[], Iterable[tuple[Sequence[str], Sequence[str]]]]
"""Reads the corpus from its start: batches of (doc_ids, texts)."""

_ARPA = "lm.arpa"
# As of the reference model, so that both are trained on the same documents where seed and fraction are the same.
_RULE = "keyed_uniform(seed, doc_ids, 'reference-split') < reference_fraction"
_CUT_CHARS = 10_000


@dataclass(frozen=True)
class NgramParams:
    """What is trained, on what.

    Attributes
    ----------
    order, prune
        As in KneserNeyParams.
    n_vocabulary
        Pieces of a byte-level BPE that is trained on the same text, at least 257; None: words between white space.
        CCNet has a SentencePiece unigram of 65,536: give it, or any other, as `tokenizer` of `train`.
    newline_mode
        As in `workbench.models.ngram.ccnet_text.lines_of`; the model then scores in the same mode.
    reference_fraction
        Share of the documents that it is trained on, chosen by a hash of their ids, above 0, at most 1.
    max_words
        Words (or pieces) at most: more is an error, since all their ids are held in memory, about 150 bytes each.
    seed
        Of the split.
    """

    order: int = 5
    prune: tuple[int, ...] = (0,)
    n_vocabulary: int | None = 4096
    newline_mode: NewlineMode = "ccnet"
    reference_fraction: float = 0.5
    max_words: int = 20_000_000
    seed: int = 0


@dataclass
class _Stream:
    """Word ids as they are met: 0..2 are RESERVED."""

    words: dict[str, int]
    ids: array[int]
    doc_ids: list[str]
    n_seen: int = 0


def train_ngram(
    documents: Documents, out: Path, params: NgramParams, progress: Progress, *, tokenizer: Path | None = None
) -> dict[str, Any]:
    """Train a model and write its folder.

    Parameters
    ----------
    documents
        The corpus; called once for words, twice where pieces are trained.
    out
        The folder, replaced as a whole once everything is written, if it is an n-gram model.
    params
        What to train.
    progress
        May stop the training (nothing is written then).
    tokenizer
        A tokenizer.json or SentencePiece .model to cut words with, instead of a trained one.

    Returns
    -------
    dict
        What ngram.json holds under "training".

    Raises
    ------
    InputError
        If a param is out of range, `out` exists and is no n-gram model, there is no text to train on, or more than
        `max_words`.
    ModelError
        If the tokenizer can't be read.
    StoreError
        If the folder can't be written.

    Notes
    -----
    The same documents in the same order and the same params give the same ARPA file.
    """
    _check(params, out)
    backend = None
    if tokenizer is not None or params.n_vocabulary is None:
        words = load_words(tokenizer)
    else:
        sample: Any = _training_lines(documents, params)
        backend = train_tokenizer(sample, params.n_vocabulary)
        words = tokenizer_words(backend)
    stream = _Stream({word: i for i, word in enumerate(RESERVED)}, array("i"), [])
    for doc_ids, texts in _split(documents, params, stream):
        stream.doc_ids += doc_ids
        for _, lines in line_batches(texts, params.newline_mode, Silent()):
            _add(stream, words(lines), params.max_words)
    if not stream.ids:
        raise InputError(
            f"the corpus has {stream.n_seen:,} documents, of which the split has {len(stream.doc_ids):,} and these "
            "no text; give more documents, or train on all (--split all)"
        )
    found = estimate(
        np.array(stream.ids, dtype=np.int64),
        tuple(stream.words),
        KneserNeyParams(params.order, params.prune),
        progress,
    )
    training = _training(params, stream, found)
    _write(out, params, stream, found, training, backend, tokenizer, progress)
    return training


def _check(params: NgramParams, out: Path) -> None:
    KneserNeyParams(params.order, params.prune).thresholds()
    check_newline_mode(params.newline_mode)
    check_fraction("reference_fraction", params.reference_fraction)
    check_at_least("max_words", params.max_words, 1)
    if params.n_vocabulary is not None:
        check_at_least("n_vocabulary", params.n_vocabulary, 257)
    if out.exists() and not (out / NGRAM_FILE).is_file():
        raise InputError(f"{out} exists and is no n-gram model; choose another folder")


def _split(
    documents: Documents, params: NgramParams, stream: _Stream | None = None
) -> Iterator[tuple[list[str], list[str]]]:
    """The documents to train on."""
    for doc_ids, texts in documents():
        chosen = np.flatnonzero(in_reference(doc_ids, params.seed, params.reference_fraction)).tolist()
        if stream is not None:
            stream.n_seen += len(doc_ids)
        yield [doc_ids[i] for i in chosen], [texts[i] for i in chosen]


def _training_lines(documents: Documents, params: NgramParams) -> Iterator[str]:
    """The text that the pieces are trained on. A long line is cut: the library holds objects for all its words at once,
    and takes minutes for a word of a million characters.
    """
    for _, texts in _split(documents, params):
        for text in texts:
            for line in lines_of(text, params.newline_mode):
                yield from (line[i : i + _CUT_CHARS] for i in range(0, len(line), _CUT_CHARS))


def _add(stream: _Stream, lines: list[list[str]], max_words: int) -> None:
    known = stream.words
    for line in lines:
        stream.ids.append(START_ID)
        stream.ids.extend([known.setdefault(word, len(known)) for word in line])
        stream.ids.append(END_ID)
    if len(stream.ids) > max_words:
        raise InputError(
            f"the documents to train on have more than {max_words:,} words (max_words); train on a smaller share "
            "(--fraction), or allow more, at about 150 bytes of memory a word"
        )


def _training(params: NgramParams, stream: _Stream, found: Estimate) -> dict[str, Any]:
    versions = {name: importlib.metadata.version(name) for name in ("tokenizers", "numpy")}
    return {
        "params": dataclasses.asdict(params),
        "n_documents": stream.n_seen,
        "n_reference": len(stream.doc_ids),
        "n_words": len(stream.ids),
        "n_vocabulary": len(stream.words),
        "n_ngrams": [len(grams) for grams in found.model.orders],
        "discounts": [list(d.amounts) for d in found.discounts],
        "discounts_are_fallback": [d.is_fallback for d in found.discounts],
        "versions": versions,
    }


def _write(
    out: Path,
    params: NgramParams,
    stream: _Stream,
    found: Estimate,
    training: dict[str, Any],
    backend: Any,
    tokenizer: Path | None,
    progress: Progress,
) -> None:
    """Everything into a folder beside `out`, which is then renamed."""
    with folder_aside(out, replaces=True) as aside:
        name = None
        if backend is not None:
            name = "tokenizer.json"
            # Not by its own `save`, whose exceptions don't say that a disk is full.
            (aside / name).write_text(backend.to_str(pretty=True), encoding="utf-8")
        elif tokenizer is not None:
            name = f"tokenizer{tokenizer.suffix}"
            shutil.copyfile(tokenizer, aside / name)
        write_arpa(found.model, aside / _ARPA, progress)
        split = {"rule": _RULE, "seed": params.seed, "reference_fraction": params.reference_fraction}
        write_json(aside / SPLIT_FILE, split | {"doc_ids": stream.doc_ids})
        settings = {
            "format": NGRAM_FORMAT,
            "arpa": _ARPA,
            "tokenizer": name,
            "newline_mode": params.newline_mode,
        }
        write_json(aside / NGRAM_FILE, settings | {"order": params.order, "training": training})
