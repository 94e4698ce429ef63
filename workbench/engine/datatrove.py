"""A manifest as a step of a datatrove pipeline."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import polars as pl
from datatrove.pipeline.filters.base_filter import BaseFilter

from workbench.checks import FloatArray
from workbench.engine.batch import UNSCORED, decide_batch
from workbench.engine.plan import Plan, load_plan
from workbench.engine.select import KEPT
from workbench.engine.vectors import batch_vectors, vector_column
from workbench.recipe.compile.datatrove import refuse_wide_steps
from workbench.scores import SCORES


@lru_cache(maxsize=2)
def _load(manifest: str, embedder: str | None, lm: str | None, ngram: str | None) -> Plan:
    """One plan a process. No attribute of the step: datatrove pickles those for its workers and logs them as JSON."""
    return load_plan(manifest, embedder=embedder, lm=lm, ngram=ngram)


class ManifestFilter(BaseFilter):  # type: ignore[misc]
    """Keeps what a manifest keeps, and gives each kept document its scores and its `weight` as metadata.

    Parameters
    ----------
    manifest
        The manifest folder; every step must decide about one document at a time.
    source_key
        The metadata that holds the source; a document without has "default".
    embedder, lm, ngram
        Where the manifest's models lie, if not under the names that it gives.
    exclusion_writer
        datatrove's writer for dropped documents; each has `filter_reason` (the step) and `selection_reason` (the
        sentence) as metadata.
    batch_size
        Documents that are scored together.

    Raises
    ------
    InputError
        If a step sees more than one document.
    ManifestError, ModelError
        As `workbench.engine.plan.load_plan`.
    """

    name = "selection manifest"

    def __init__(
        self,
        manifest: Path | str,
        source_key: str = "source",
        *,
        embedder: str | None = None,
        lm: str | None = None,
        ngram: str | None = None,
        exclusion_writer: Any = None,
        batch_size: int = 512,
    ) -> None:
        super().__init__(exclusion_writer, batch_size)
        self._manifest, self._source_key = str(Path(manifest).absolute()), source_key
        self._models = {"embedder": embedder, "lm": lm, "ngram": ngram}
        refuse_wide_steps(self._plan.manifest)

    @property
    def _plan(self) -> Plan:
        return _load(self._manifest, **self._models)

    def filter(self, doc: Any) -> bool | tuple[bool, str]:
        """Decide about one document."""
        return self.filter_batch([doc])[0]

    def filter_batch(self, batch: list[Any]) -> list[bool | tuple[bool, str]]:
        """Decide about documents; what no step can decide about is dropped as "unscored"."""
        plan = self._plan
        sources = [str(doc.metadata.get(self._source_key, "default")) for doc in batch]
        ids, texts = [doc.id for doc in batch], [doc.text for doc in batch]
        decided = decide_batch(plan, ids, sources, texts, vectors=self._vectors(batch))
        results: list[bool | tuple[bool, str]] = []
        for i, doc in enumerate(batch):
            step = int(decided.step[i])
            if step == KEPT:
                doc.metadata |= {name: _plain(name, decided.columns[name][i]) for name in plan.written_scores}
                doc.metadata["weight"] = float(decided.weight[i])
                results.append(True)
                continue
            doc.metadata["selection_reason"] = decided.reasons[i]
            results.append((False, "unscored" if step == UNSCORED else plan.steps[step].select))
        return results

    def _vectors(self, batch: list[Any]) -> FloatArray | None:
        column = vector_column(self._plan.models) if "embedder" in self._plan.manifest.models else None
        if column is None:
            return None
        values = [doc.metadata.get(column) for doc in batch]
        return batch_vectors(self._plan, pl.DataFrame({column: pl.Series(values, dtype=pl.List(pl.Float64))}))


def _plain(name: str, value: Any) -> Any:
    """A score as JSON has it: a number, a label, or None."""
    if value != value:
        return None
    labels = SCORES[name].labels
    return labels[int(value)] if labels else value.item()
