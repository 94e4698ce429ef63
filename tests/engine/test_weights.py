"""Repeat weights of row, group and column steps reach the kept files, multiplied."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.engine.conftest import recipe_of, scored
from tests.engine.fakes import FakeModels
from tests.engine.outputs import rows_of
from workbench.checks import FloatArray
from workbench.corpus import Corpus
from workbench.engine import groups
from workbench.engine.apply import apply
from workbench.engine.export import export
from workbench.engine.select import select
from workbench.selectors import SELECTORS, SelectorSpec
from workbench.selectors.base import Columns, Selection, State

STEPS = (
    {"select": "random", "fraction": 0.8},
    {"select": "exact"},
    {"select": "rank", "score": "n_bytes", "keep_fraction": 0.7},
    {"select": "random", "fraction": 0.9},
)


def weighing(spec: SelectorSpec, factor: float) -> SelectorSpec:
    """The selector, giving documents whose id ends in an even digit a weight."""

    def run(columns: Columns, params: object, state: State, seed: int) -> Selection:
        even = np.array([int(doc_id[1:]) % 2 == 0 for doc_id in columns["doc_id"]])
        weight: FloatArray = np.where(even, factor, 1.0)
        return replace(spec.select(columns, params, state, seed), weight=weight)

    return replace(spec, select=run)


def test_weights_of_all_steps_multiply_and_are_written(
    corpus: Corpus, fakes: type[FakeModels], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, factor in (("random", 2.0), ("exact", 3.0), ("rank", 0.5)):
        monkeypatch.setitem(SELECTORS, name, weighing(SELECTORS[name], factor))
    monkeypatch.setattr(groups, "_GROUP_ROWS", 4)
    recipe = recipe_of(*STEPS)
    table = scored(corpus, recipe, tmp_path / "store")
    outcome = select(recipe, table)
    run = apply(export(table, recipe, tmp_path / "one.manifest"), corpus, tmp_path / "out")
    kept = {row["doc_id"]: row["weight"] for row in rows_of(run.out, "kept")}
    ids = np.array(table.sample.doc_ids)[outcome.keep].tolist()
    assert kept == {doc_id: 6.0 if int(doc_id[1:]) % 2 == 0 else 1.0 for doc_id in ids}
    assert kept == dict(zip(ids, outcome.weight[outcome.keep].tolist(), strict=True))
    assert set(kept.values()) == {1.0, 6.0}
