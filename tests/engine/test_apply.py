from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tests.engine.conftest import EVERY_KIND, recipe_of, scored
from tests.engine.corpora import FORMATS, Row, make_documents, write_corpus, write_shard
from tests.engine.fakes import FakeModels
from workbench.corpus import Corpus, read
from workbench.engine.apply import Run, apply
from workbench.engine.export import export
from workbench.engine.select import KEPT, select


def read_out(run: Run, kind: str) -> pl.DataFrame:
    """All rows of "kept" or "dropped"."""
    return pl.concat([pl.read_parquet(p) for p in sorted((run.out / kind).glob("*"))], how="diagonal_relaxed")


def test_apply_on_the_sample_keeps_what_select_keeps_and_drops_with_the_same_words(
    table, recipe, manifest, corpus, tmp_path
):
    outcome = select(recipe, table)
    run = apply(manifest, corpus, tmp_path / "out")
    kept = set(read_out(run, "kept")["doc_id"])
    assert kept == {i for i, keep in zip(table.sample.doc_ids, outcome.keep, strict=True) if keep}
    dropped = {row["doc_id"]: row for row in read_out(run, "dropped").iter_rows(named=True)}
    for i, doc_id in enumerate(table.sample.doc_ids):
        if outcome.step[i] != KEPT:
            row = dropped.pop(doc_id)
            assert row["step"] == outcome.step[i]
            assert row["select"] == recipe.steps[row["step"]].select
            assert row["reason"] == outcome.reason(i)
            assert row["source"] == table.sample.sources[i]
    assert not dropped
    assert {int(s) for s in outcome.step} == {KEPT, *range(len(EVERY_KIND))}, (
        "some step drops nothing: a weak test"
    )
