"""From what `apply` kept to rows of token ids for training: tokenised shard by shard, packed over all, resumable."""

from __future__ import annotations

import contextlib
import hashlib
import shutil
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from workbench.checks import check_at_least, file_digest, json_digest
from workbench.engine.pack_rows import n_copies, read_stream, write_rows
from workbench.engine.packing import Packing, Variant, n_cut_by_concatenation, pack_rounds
from workbench.engine.work import RUN_FILE, read_json
from workbench.errors import InputError, StoreError
from workbench.files import locked, write_array, write_json, written_aside
from workbench.models.locate import DEFAULT_LM
from workbench.progress import Progress, Silent, shown

PACK_FILE = "pack.json"
PACK_FORMAT = "selection-pack/2"
_BATCH_DOCUMENTS = 1024


@dataclass(frozen=True)
class PackParams:
    """How documents are packed.

    Attributes
    ----------
    context
        Tokens of a row, 2 or more.
    tokenizer
        A tokenizer.json, a folder with one, or a model's name.
    end
        The token that ends each document, counted in its length; it also fills a row up. None: the tokenizer's own
        separator of documents.
    variant
        What becomes of documents longer than a row: see `bfd_pack`.
    seed
        Of the order of the rows, which best-fit packing leaves with the longest first, and of the draw that decides of
        the fraction of a weight.
    """

    context: int = 2048
    tokenizer: str = DEFAULT_LM
    end: str | None = None
    variant: Variant = "paper"
    seed: int = 0


@dataclass(frozen=True)
class _Job:
    kept: Path
    files: Mapping[str, str]
    out: Path
    params: PackParams
    backend: Any
    end_id: int
    identity: Mapping[str, Any]

    def tokens_file(self, k: int) -> Path:
        return self.out / "work" / "tokens" / f"{k:05d}.bin"

    def lengths_file(self, k: int) -> Path:
        return self.out / "work" / "tokens" / f"{k:05d}.npy"


def pack(
    kept: Path | str, out: Path | str, params: PackParams = PackParams(), progress: Progress | None = None
) -> dict[str, Any]:
    """Pack the documents that `apply` kept into rows of `context` token ids, by best-fit decreasing over all of them.

    A document is packed as often as its weight says (2.3: two or three times, by a keyed draw), and never twice into
    one row: see `pack_rounds`. Killed and called again with the same arguments it goes on from the last finished shard
    and file, and ends with the same rows, whatever the order of the corpus's shards was. Memory: some 100 bytes of each
    copy of a document, its id, and one file's rows.

    Parameters
    ----------
    kept
        The folder of a complete run of `apply`.
    out
        An empty or new folder, or the one of an interrupted run with the same arguments. Gets `rows/*.parquet` with, a
        row, `input_ids` (int32, always `context` of them: filled up with the end token), `n_tokens` (those that are no
        filling) and `spans` (doc_id, start, end: the document's tokens, its end token among them, in the order in which
        they stand in the row); and last `pack.json`. Concatenation is counted round after round in the order of ids.
    params
        See `PackParams`.
    progress
        Shown progress, in bytes of the kept files, then in rows.

    Returns
    -------
    The content of pack.json: settings, counts, and how many documents are cut, here and by concatenation. Tokens and
    cut documents are those of all copies; `n_left_out_documents` have a weight below 1 and were not drawn.

    Raises
    ------
    InputError
        If `kept` holds no complete run or a file of it was changed, a weight lies outside 0..10,000, the tokenizer
        lacks the end token, the context is below 2, or `out` holds something else.
    ModelError
        If there is no such tokenizer, or it has no token to end a document with.
    StoreError
        If the disk is full; what is finished is kept.
    """
    started = time.monotonic()
    progress = progress or Silent()
    check_at_least("context", params.context, 2)
    job = _job(Path(kept), Path(out), params)
    record_file = job.out / PACK_FILE
    if record_file.is_file():
        record: dict[str, Any] = read_json(record_file)
        if record.get("identity") == json_digest(job.identity):
            shutil.rmtree(job.out / "work", ignore_errors=True)
            return record
        raise InputError(f"{job.out} holds the rows of other documents or settings; give a new folder")
    with _claimed(job):
        with shown(progress, "tokenise", sum((job.kept / name).stat().st_size for name in job.files)):
            for k, name in enumerate(job.files):
                _tokenise(job, k, name)
                progress.advance((job.kept / name).stat().st_size)
        record = _write(job, progress)
        write_json(record_file, {**record, "seconds": round(time.monotonic() - started, 3)})
        shutil.rmtree(job.out / "work", ignore_errors=True)
    result: dict[str, Any] = read_json(record_file)
    return result


def _job(kept: Path, out: Path, params: PackParams) -> _Job:
    from workbench.models.training.separator import find_tokenizer, separator

    files = _kept_files(kept)
    backend = find_tokenizer(params.tokenizer)
    if params.end is None:
        end, end_id = separator(backend)
    else:
        end, end_id = params.end, backend.token_to_id(params.end)
    if end_id is None:
        raise InputError(
            f"the tokenizer has no token {end[:80]!r}; name one that ends a document, or leave it out"
        )
    # Not where the tokenizer lies, but what it is.
    made_by = {"tokenizer": hashlib.sha256(backend.to_str().encode()).hexdigest(), "end": end}
    identity = {"format": PACK_FORMAT, "files": files, **asdict(params), **made_by}
    return _Job(kept, files, out, params, backend, int(end_id), identity)


def _kept_files(kept: Path) -> dict[str, str]:
    """The digest of each file of kept documents that a run wrote, by name."""
    if not (kept / RUN_FILE).is_file():
        raise InputError(
            f"{kept} holds no complete run ({RUN_FILE} is missing); give a folder of `workbench apply`"
        )
    try:
        run = read_json(kept / RUN_FILE)
        if run.get("form") == "sidecar":
            raise InputError(
                f"{kept} is a sidecar, which holds no text; give a folder of `workbench apply --as data`"
            )
        files = run["files"]
        return {name: str(digest) for name, digest in sorted(files.items()) if name.startswith("kept/")}
    except (KeyError, TypeError, AttributeError, ValueError):
        raise InputError(f"{kept / RUN_FILE} was damaged; run `workbench apply` again") from None


@contextlib.contextmanager
def _claimed(job: _Job) -> Iterator[None]:
    """Mark the folder as this job's, or see that it is, and keep other processes out of it."""
    work = job.out / "work"
    mark = work / "claim.json"
    if not work.is_dir() and job.out.is_dir() and any(job.out.iterdir()):
        raise InputError(f"{job.out} is not empty; give a new folder")
    try:
        work.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"{job.out} can't be made ({error.strerror}); choose another folder") from error
    with locked(work / "lock"):
        if not mark.is_file():
            write_json(mark, job.identity)
        elif read_json(mark) != job.identity:
            raise InputError(
                f"{job.out} holds unfinished work of other documents or settings; give a new folder, or delete it"
            )
        yield


def _tokenise(job: _Job, k: int, name: str) -> None:
    """Write the ids of a kept file's documents, one behind the other, and last their numbers."""
    from workbench.models.tokens import encodable
    from workbench.models.training.tokenfile import encode

    if job.lengths_file(k).is_file():
        return
    path = job.kept / name
    if not path.is_file() or file_digest(path) != job.files[name]:
        raise InputError(f"{path} is missing or was changed since `workbench apply` wrote it; apply again")
    lengths: list[int] = []
    with written_aside(job.tokens_file(k)) as aside, aside.open("wb") as file:
        for batch in pq.ParquetFile(path).iter_batches(_BATCH_DOCUMENTS, columns=["text"]):
            texts = [encodable(text) for text in batch.column(0).to_pylist()]
            for ids in encode(job.backend, texts):
                file.write(ids.astype("<u4").tobytes())
                lengths.append(len(ids))
    write_array(job.lengths_file(k), np.array(lengths, dtype=np.int64))


def _write(job: _Job, progress: Progress) -> dict[str, Any]:
    """Pack all documents and write their rows; what pack.json says of them."""
    context, variant = job.params.context, job.params.variant
    n_tokens = [np.load(job.lengths_file(k), allow_pickle=False) for k in range(len(job.files))]
    tokens = [job.tokens_file(k) for k in range(len(job.files))]
    stream = read_stream([job.kept / name for name in job.files], tokens, n_tokens, job.end_id)
    # An end token each; a document of no tokens is in no row. By id, so that nothing depends on the order of files.
    order = np.argsort(stream.doc_ids, kind="stable")
    lengths = np.where(stream.n_tokens > 0, stream.n_tokens + 1, 0)
    copies = n_copies(stream.weight, stream.doc_ids, job.params.seed)
    packed, rounds = pack_rounds(lengths[order], copies[order], context, variant)
    packed = Packing(packed.row, order[packed.doc], packed.start, packed.end, packed.n_rows)
    files = write_rows(job.out, stream, packed, rounds, context, job.params.seed, progress)
    n_packed = int((packed.end - packed.start).sum())
    n_tokens_asked = int((lengths * copies).sum())
    by_round = [lengths[order][copies[order] > k] for k in range(int(copies.max(initial=0)))]
    joined = np.concatenate([lengths[:0], *by_round])
    return {
        "format": PACK_FORMAT,
        "identity": json_digest(job.identity),
        "settings": _settings(job),
        "n_documents": int(((lengths > 0) & (copies > 0)).sum()),
        "n_empty_documents": int((lengths == 0).sum()),
        "n_left_out_documents": int(((lengths > 0) & (copies == 0)).sum()),
        "n_weighted_documents": int((stream.weight != 1).sum()),
        "n_copies": int(copies[lengths > 0].sum()),
        "n_tokens": n_packed,
        "n_lost_tokens": n_tokens_asked - n_packed,
        "n_rows": packed.n_rows,
        "filled_fraction": n_packed / (packed.n_rows * context) if packed.n_rows else None,
        "n_cut_documents": int((joined > context).sum()),
        "concatenation": {
            "n_rows": -(-n_tokens_asked // context),
            "n_cut_documents": n_cut_by_concatenation(joined, context),
        },
        "files": files,
    }


def _settings(job: _Job) -> dict[str, Any]:
    """The params as they were used; of a tokenizer its name and digest, since a path says nothing elsewhere."""
    path = Path(job.params.tokenizer).expanduser()
    known_by = {
        "tokenizer": path.resolve().name if path.exists() else job.params.tokenizer,
        "tokenizer_sha256": job.identity["tokenizer"],
    }
    return {**asdict(job.params), **known_by, "end": job.identity["end"], "end_id": job.end_id}
