"""A corpus made ready for training: split by id, tokenised into files, some of the rest held out."""

from __future__ import annotations

import heapq
import re
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np

from workbench.checks import Array, file_digest, json_digest, keyed_uniform
from workbench.corpus import Batch, Corpus, quarantine_writer
from workbench.errors import InputError
from workbench.files import write_json, written_aside
from workbench.models.training.params import TrainLMParams
from workbench.models.training.pretrain import PREPARED, PREPARED_FILES, check_size
from workbench.models.training.reference import SplitFile, in_reference, train_tokenizer
from workbench.models.training.separator import find_tokenizer, separator, vocabulary_size
from workbench.models.training.shapes import check_vocabulary
from workbench.models.training.tokenfile import encode, pack, token_dtype
from workbench.progress import Progress, shown

# A vocabulary of 4,096 to 65,536 tokens is settled by far less text than this; all of it would be in memory at once as
# words with counts.
_VOCABULARY_BYTES = 256 * 2**20
# Merging takes the square of a "word"'s length (31 s for one of 100,000 characters), so a text with one of so many is
# cut into pieces of as many.
_WORD_CHARS = 1000
_LONG = re.compile(rf"\S{{{_WORD_CHARS}}}|\s{{{_WORD_CHARS}}}")
_N_HELDOUT = 64
_HELDOUT_CHARS = 16  # a token; few tokens are longer


def prepare(
    corpus: Corpus, work: Path, params: TrainLMParams, identity: dict[str, Any], progress: Progress
) -> None:
    """Fill a work folder with what workbench.models.training.pretrain reads; prepared.json is written last.

    Parameters
    ----------
    corpus
        Streamed twice: for the vocabulary (unless a tokenizer is given), and into token files.
    work
        The folder.
    identity
        What prepared.json says besides: it must be the same for a training to go on.
    progress
        Told of bytes read.

    Raises
    ------
    InputError
        If the corpus has no document, the split too few tokens, or the vocabulary too many.
    ModelError
        If the given tokenizer isn't found or has no separator.
    StoreError
        If the disk is full or can't be written.
    """
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
    prepared = {
        **identity,
        **counts,
        "n_vocabulary": n_vocabulary,
        "separator": token,
        "separator_id": token_id,
        "files": {name: file_digest(work / name) for name in PREPARED_FILES},
    }
    write_json(work / PREPARED, {**prepared, "digest": json_digest(prepared)})


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


def quarantine_file(out: Path) -> Path:
    """Where the rows of the corpus go that are no documents."""
    return out.with_name(out.name + ".quarantine") / "quarantine.jsonl"
