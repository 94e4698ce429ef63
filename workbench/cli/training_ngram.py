"""Training an n-gram model on a part of a corpus."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from workbench.cli.app import app
from workbench.cli.console import end, print_json, print_table, progress_shown
from workbench.cli.options import Json, Reading, takes_groups
from workbench.errors import Cancelled, InputError

if TYPE_CHECKING:
    from workbench.corpus import Corpus, Quarantined
    from workbench.progress import Progress

_MAX_QUARANTINED = 100_000


class Split(StrEnum):
    """Which documents a model is trained on."""

    reference = "reference"
    all = "all"


class NewlineMode(StrEnum):
    """What a line break is to the model."""

    ccnet = "ccnet"
    per_line = "per_line"


class Reader:
    """Reads a corpus from its start each time it is called, as (ids, texts), and holds the rows put aside.

    Ids are those that a sample of the corpus has: copies of one content are numbered ("x", "x#2") by shard and row.
    """

    def __init__(self, corpus: Corpus, progress: Progress) -> None:
        self._corpus = corpus
        self._progress = progress
        self.quarantined: list[Quarantined] = []
        self.n_quarantined = 0

    def __call__(self) -> Iterator[tuple[list[str], list[str]]]:
        from workbench.progress import shown

        self.quarantined, self.n_quarantined = [], 0
        seen = Counter[str]()
        with shown(self._progress, "reading the corpus", self._corpus.n_bytes):
            for shard in self._corpus.shards:
                for batch in self._corpus.scan_batches(shard, further=False):
                    self.n_quarantined += len(batch.quarantined)
                    self.quarantined += batch.quarantined[: _MAX_QUARANTINED - len(self.quarantined)]
                    ids = batch.frame["doc_id"].to_list()
                    yield self._numbered(ids, seen), batch.frame["text"].to_list()
                    self._progress.advance(batch.n_bytes_read)

    def _numbered(self, ids: list[str], seen: Counter[str]) -> list[str]:
        from workbench.corpus.tally import numbered

        if not self._corpus.has_content_ids:
            return ids
        out = []
        for doc_id in ids:
            seen[doc_id] += 1
            out.append(numbered(doc_id, seen[doc_id]))
        return out


@app.command("train-ngram")
@takes_groups
def train_ngram(
    corpus: Annotated[str, typer.Argument(help="A file, a folder or a glob; local or a URL.")],
    out: Annotated[Path, typer.Option(help="Folder to write; an n-gram model that is there is replaced.")],
    reading: Reading,
    order: Annotated[int, typer.Option(help="Words of the longest n-gram, 1 to 5.")] = 5,
    vocabulary: Annotated[
        str,
        typer.Option(
            help='Number of pieces of a tokenizer trained on the text, or "words" (by white space).'
        ),
    ] = "4096",
    tokenizer: Annotated[
        Path | None, typer.Option(help="A tokenizer.json or SentencePiece .model, instead of training one.")
    ] = None,
    newline_mode: Annotated[
        NewlineMode,
        typer.Option(help="ccnet: line breaks are deleted, as CCNet does; per_line: a line is a sentence."),
    ] = NewlineMode.ccnet,
    prune: Annotated[
        str,
        typer.Option(
            help="By order, leave out n-grams that stand so often or less; 0,0,1 drops single trigrams."
        ),
    ] = "0",
    split: Annotated[
        Split,
        typer.Option(
            help="reference: train on a random part, to score the rest; all: train on every document."
        ),
    ] = Split.reference,
    fraction: Annotated[
        float, typer.Option(help="Share of the documents in the reference split, 0 to 1.")
    ] = 0.5,
    max_words: Annotated[
        int, typer.Option(help="More words than this are an error; one takes 150 bytes.")
    ] = 20_000_000,
    seed: Annotated[int, typer.Option(help="Of the split.")] = 0,
    as_json: Json = False,
) -> None:
    """Train an n-gram model (modified Kneser-Ney) for the scores ccnet_perplexity and ccnet_bucket.

    Example: workbench train-ngram corpus/ --out ngram --order 5 --vocabulary 4096 --split reference
    """
    from workbench.models.ngram.train import NgramParams
    from workbench.models.ngram.train import train_ngram as train

    params = NgramParams(
        order=order,
        prune=_numbers(prune),
        n_vocabulary=_vocabulary(vocabulary),
        newline_mode=newline_mode.value,
        reference_fraction=fraction if split is Split.reference else 1.0,
        max_words=max_words,
        seed=seed,
    )
    progress = progress_shown(as_json=as_json)
    reader = Reader(reading.corpus([corpus]), progress)
    try:
        training = train(reader, out, params, progress, tokenizer=tokenizer)
    except KeyboardInterrupt:
        raise Cancelled("stopped; nothing was written, run the same command to begin again") from None
    place = _write_quarantined(reader, out)
    if as_json:
        found = {"out": str(out), "n_quarantined": reader.n_quarantined, "quarantine": place and str(place)}
        print_json({**training, **found})
    else:
        amounts = zip(training["n_ngrams"], training["discounts"], strict=False)
        rows = {str(n): (count, *discounts) for n, (count, discounts) in enumerate(amounts, 1)}
        print_table(("order", "n-grams", "D1", "D2", "D3+"), rows)
        typer.echo(
            f"trained on {training['n_reference']:,} of {training['n_documents']:,} documents, "
            f"{training['n_words']:,} words; written to {out}"
        )
    end(reader.n_quarantined, place)


def _write_quarantined(reader: Reader, out: Path) -> Path | None:
    from workbench.corpus import write_quarantine

    if not reader.quarantined:
        return None
    place = out.with_name(f"{out.name}.quarantine") / "quarantine.jsonl"
    write_quarantine(place, reader.quarantined)
    return place


def _numbers(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError:
        raise InputError(
            f"--prune must be whole numbers with commas between, got {text[:40]!r}; say 0,0,1"
        ) from None


def _vocabulary(text: str) -> int | None:
    if text == "words":
        return None
    if not text.isdecimal():
        raise InputError(f'--vocabulary must be a number of pieces or "words", got {text[:40]!r}; say 4096')
    return int(text)
