"""The documents that a command works on, and their scores."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.cli.options import ModelChoice, Reading
from workbench.errors import InputError, WorkbenchWarning

if TYPE_CHECKING:
    from workbench.corpus import Sample
    from workbench.engine.table import Table
    from workbench.progress import Progress
    from workbench.recipe.model import Recipe


def write_quarantined(sample: Sample, folder: Path) -> Path | None:
    """Write the rows that this reading put aside."""
    from workbench.corpus import write_quarantine

    if not sample.quarantined:
        return None
    path = folder / "quarantine.jsonl"
    write_quarantine(path, sample.quarantined)
    return path


def read_documents(reading: Reading, path: str, store: Path) -> tuple[Sample, Path | None]:
    """A sample, or a small corpus whole, and the file of its rows that are no documents."""
    sample = reading.sample(path)
    quarantine = write_quarantined(sample, store)
    if not len(sample):
        why = f"its {len(sample.quarantined):,} rows are in {quarantine}" if quarantine else "it has no rows"
        raise InputError(f"{path} holds no document that can be used, {why}; give another corpus")
    return sample, quarantine


def read_target(reading: Reading, path: str | None, store: Path) -> Sample | None:
    """The target texts, None if none are named; its rows that are no documents are written and told of."""
    if path is None:
        return None
    target = reading.sample(path)
    quarantine = write_quarantined(target, store / "target")
    if quarantine is not None:
        warnings.warn(
            f"{len(target.quarantined):,} rows of the target {path} are no documents and are left out; they are in "
            f"{quarantine}",
            WorkbenchWarning,
            stacklevel=2,
        )
    return target


def scored(
    recipe: Recipe,
    sample: Sample,
    store: Path,
    choice: ModelChoice,
    progress: Progress,
    target: Sample | None = None,
) -> Table:
    """The sample with the scores that a recipe uses."""
    from workbench.engine.export import used_scores
    from workbench.engine.score import score

    return score(
        sample,
        used_scores(recipe),
        store=store,
        models=choice.models(),
        params=recipe.scores,
        seed=recipe.seed,
        progress=progress,
        target=target,
    )
