"""Scores that a sample has already: taken over by `apply` instead of being computed a second time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from workbench.checks import Array, IntArray
from workbench.engine.passes import reads_embedding
from workbench.engine.table import Table
from workbench.recipe.schema import Manifest


@dataclass(frozen=True)
class Known:
    """Columns of some documents, each found by its id and its text's digest.

    Attributes
    ----------
    columns
        Only those whose definition is the manifest's: the same numbers would come out again.
    """

    rows: Mapping[tuple[str, int, int], int]
    columns: Mapping[str, Array]

    def find(self, doc_ids: Sequence[str], digests: Array) -> IntArray:
        """The row of each document, int64 (n,), -1 where it isn't known."""
        keys = zip(doc_ids, digests[:, 0].tolist(), digests[:, 1].tolist(), strict=True)
        return np.fromiter((self.rows.get(key, -1) for key in keys), dtype=np.int64, count=len(doc_ids))


def known_scores(table: Table, manifest: Manifest) -> Known:
    """What a scored sample knows of the scores that a manifest defines."""
    columns = {}
    # Equal ids and texts don't say that the vectors a corpus brings are equal.
    brought = manifest.models.get("embedder", {}).get("method") == "column"
    for entry in manifest.scores:
        if brought and reads_embedding(entry.name):
            continue
        definition = {
            "version": entry.version,
            "dtype": entry.dtype,
            "params": entry.params,
            "models": {role: manifest.models[role] for role in entry.models},
            "needs": entry.needs,
            "state": entry.state,
        }
        if table.definitions.get(entry.name) == definition:
            columns[entry.name] = table.scores[entry.name]
    digests = table.text_digest.tolist()
    rows = {(doc_id, *pair): i for i, (doc_id, pair) in enumerate(zip(table.doc_id, digests, strict=True))}
    return Known(rows, columns)
