"""Reading a corpus of any size and format, and drawing the sample that stands for it."""

from workbench.corpus.design import Design, Stratum
from workbench.corpus.quarantine import quarantine_writer, write_quarantine
from workbench.corpus.read import Corpus, read
from workbench.corpus.sample import Sample, read_sample
from workbench.corpus.shards import Shard
from workbench.corpus.types import Batch, Quarantined

__all__ = [
    "Batch",
    "Corpus",
    "Design",
    "Quarantined",
    "Sample",
    "Shard",
    "Stratum",
    "quarantine_writer",
    "read",
    "read_sample",
    "write_quarantine",
]
