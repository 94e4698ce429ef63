"""Where the embedded sample corpus and its models lie: beside the package in a checkout, inside it when
installed.
"""

from __future__ import annotations

from pathlib import Path

from workbench.errors import InputError

_HERE = Path(__file__).resolve().parent


def data_folder() -> Path:
    """The folder with `corpus`, `models` and `store`.

    Raises
    ------
    InputError
        If neither place has it.
    """
    for folder in (_HERE.parent / "data_samples", _HERE / "_data"):
        if (folder / "corpus").is_dir():
            return folder
    raise InputError(
        "the embedded sample is missing from this installation; install selection-workbench again"
    )


def sample_corpus() -> Path:
    """The folder of the embedded sample corpus: 3,776 documents of 9 sources, see data_samples/SOURCES.md."""
    return data_folder() / "corpus"


def sample_store() -> Path:
    """A store with SmolLM2-135M's perplexities of the whole embedded sample, so that no one has to wait for them.

    `score(read(sample_corpus()).whole(), ["perplexity"], store=sample_store(), models=Models(lm="SmolLM2-135M",
    dtype="float32"))` takes them from there. Copy the folder before writing to it.
    """
    return data_folder() / "store"
