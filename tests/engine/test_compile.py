"""A manifest compiled to an expression keeps the documents that applying it keeps."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest

from tests.engine.commands import Commands
from tests.engine.conftest import recipe_of
from tests.engine.outputs import kept_ids
from workbench.corpus import Corpus
from workbench.engine.apply import apply
from workbench.engine.export import export
from workbench.engine.table import Table
from workbench.scores import SCORES

STEPS = (
    {"select": "band", "score": "n_tokens", "low": {"quantile": 0.1}, "high": {"quantile": 0.97}},
    {"select": "category", "score": "language", "values": ["en", "de"]},
    {"select": "vote", "scores": ["compression_ratio", "perplexity"], "highs": [1.2, 40], "at_least": 1},
)


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Commands:
    return Commands(monkeypatch, capfd)


def test_a_compiled_manifest_keeps_what_apply_keeps(
    table: Table, corpus: Corpus, tmp_path: Path, commands: Commands
) -> None:
    folder = export(table, recipe_of(*STEPS), tmp_path / "rows.manifest")
    apply(folder, corpus, tmp_path / "out")
    kept = sorted(kept_ids(tmp_path / "out"))
    assert 0 < len(kept) < len(table)
    names = ["n_tokens", "language", "compression_ratio", "perplexity"]
    columns = {
        n: pl.Series(n, c, pl.String if SCORES[n].labels else None)
        for n, c in table.columns(names).items()
        if n in names
    }
    scores = pl.DataFrame({"doc_id": table.sample.doc_ids, **columns})

    assert commands("compile", folder, "--to", "polars", "--out", tmp_path / "keep.py").code == 0
    module: dict[str, Any] = {}
    exec(compile((tmp_path / "keep.py").read_text(), "keep.py", "exec"), module)
    assert sorted(scores.filter(module["keep"])["doc_id"]) == kept
    query = commands("compile", folder, "--to", "sql").out
    with duckdb.connect() as connection:
        connection.register("scores", scores.to_arrow())
        assert sorted(row[0] for row in connection.sql(query).fetchall()) == kept


def test_a_manifest_with_more_than_limits_is_refused_by_name(manifest: Path, commands: Commands) -> None:
    told = commands.fails("compile", manifest, "--to", "sql")
    assert told.startswith("steps 3 (random), 4 (exact) and 6 (semdedup) look beyond the stored scores")
