"""Scores of one sample by several language models."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from workbench.corpus import Corpus, Sample
from workbench.engine.score import score
from workbench.engine.table import Table
from workbench.models.load import Models
from workbench.progress import Progress
from workbench.store import Store


def score_with_models(
    sample: Sample,
    names: Iterable[str],
    models: Sequence[Models],
    *,
    store: Store | Path | str,
    seed: int = 0,
    progress: Progress | None = None,
    target: Sample | Corpus | Path | str | None = None,
) -> list[Table]:
    """Compute scores of a sample with each of several models, as the loss-difference methods need them.

    Parameters
    ----------
    models
        One for each language model, at least one. Those with the same tokenizer share one tokenisation.
    target
        As `score` takes it.

    Returns
    -------
    A table for each, in the same order; each one's columns stand in the store by its own definition.

    Raises
    ------
    As `score` does.

    Examples
    --------
    >>> models = [Models(lm="reference-lm"), Models(lm="SmolLM2-135M")]
    >>> score_with_models(sample, ["nll_sum", "n_scored"], models, store="store")  # doctest: +SKIP
    """
    names = list(names)
    tables = []
    for one in models:
        one.tokens = models[0].tokens
        tables.append(
            score(sample, names, store=store, models=one, seed=seed, progress=progress, target=target)
        )
    return tables
