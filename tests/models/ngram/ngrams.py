"""A small n-gram model, trained in the test."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from workbench.models.ngram.train import NgramParams, train_ngram
from workbench.progress import Silent

TEXTS = [f"The {a} {b} sat on the {c}.\nNobody saw it." for a in ("old", "red") for b in ("cat", "dog", "hen")
         for c in ("mat", "roof", "wall", "chair")]  # fmt: skip
IDS = [f"doc-{i}" for i in range(len(TEXTS))]


def write_tiny_ngram(folder: Path, texts: Sequence[str] = TEXTS, **changed: Any) -> Path:
    """The folder of a trigram model of pieces, trained on all of some texts."""
    settings: dict[str, Any] = {"order": 3, "n_vocabulary": 300, "reference_fraction": 1.0, **changed}
    tokenizer = settings.pop("tokenizer", None)
    ids = [f"doc-{i}" for i in range(len(texts))]
    train_ngram(lambda: [(ids, texts)], folder, NgramParams(**settings), Silent(), tokenizer=tokenizer)
    return folder
