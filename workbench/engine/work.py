"""The folder that `apply` works in: which files stand where, and what a job is."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import orjson

from workbench.corpus import Corpus, Shard
from workbench.engine.known import Known

MAX_ROWS = 2048
"""Documents a part: the unit that is kept when a run is killed, and what is in memory at once."""

RUN_FILE = "run.json"

Form = Literal["data", "sidecar"]
"""What `apply` writes of the documents: the kept ones whole and the dropped ones with their reasons, or of each no more
than where it stands and what was decided."""

TABLES: dict[Form, tuple[str, ...]] = {"data": ("kept", "dropped"), "sidecar": ("sidecar",)}
"""The folders of tables that each form has, a file a shard."""


@dataclass(frozen=True)
class Job:
    """A manifest, a corpus and an output folder: all that a task on some worker needs.

    Attributes
    ----------
    manifest, digest
        The manifest folder, and the manifest's digest.
    embedder, lm, ngram
        Where the models lie, if not under the manifest's names.
    known
        Scores that need not be computed again.
    form
        What is written of the documents.
    """

    manifest: Path
    digest: str
    corpus: Corpus
    out: Path
    embedder: str | None = None
    lm: str | None = None
    known: Known | None = None
    ngram: str | None = None
    form: Form = "data"

    @property
    def outputs(self) -> tuple[str, ...]:
        """The folders that the run leaves."""
        return (*TABLES[self.form], "quarantine")

    @property
    def work(self) -> Path:
        """What is needed only until the run is complete."""
        return self.out / "work"

    def shard(self, k: int) -> Shard:
        """The k-th shard in the corpus's order."""
        return self.corpus.shards[k]

    def ids_file(self, k: int) -> Path:
        """64-bit hashes of a shard's document ids, in order."""
        return self.work / "ids" / f"{k:05d}.npy"

    def copies_file(self, k: int) -> Path:
        """Rows of a shard whose content-made id was seen before, and the number of the occurrence."""
        return self.work / "copies" / f"{k:05d}.npy"

    def part_file(self, k: int, j: int) -> Path:
        """The scored batch j of shard k."""
        return self.work / "scored" / f"{k:05d}-{j:06d}.parquet"

    def scored_file(self, k: int) -> Path:
        """Marks shard k as scored; holds the number of its parts."""
        return self.work / "scored" / f"{k:05d}.json"

    def step_file(self, index: int) -> Path:
        """What a step from the first group step on dropped, with its reason, and what it kept with another weight
        than 1 (its step is KEPT): (part, row, step, reason, weight).
        """
        return self.work / "steps" / f"{index:03d}.parquet"

    def pieces_folder(self, index: int) -> Path:
        """Where a step sorts the pieces of all documents; gone when it is decided."""
        return self.work / "pieces" / f"{index:03d}"

    def written_file(self, k: int) -> Path:
        """Marks shard k as written; holds its counts and the digests of its files."""
        return self.work / "written" / f"{k:05d}.json"

    def output_file(self, kind: str, k: int) -> Path:
        """The k-th file of one of `outputs`. Never named by the corpus: names are hostile too."""
        return self.out / kind / f"part-{k:05d}.{'jsonl' if kind == 'quarantine' else 'parquet'}"


def read_json(path: Path) -> Any:
    """The content of a JSON file of ours."""
    return orjson.loads(path.read_bytes())
