"""Scores are taken from the store under exactly what defines them, and none is computed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import workbench as wb
from workbench.engine.score import add_scores
from workbench.engine.stored import add_stored
from workbench.engine.table import Table
from workbench.errors import InputError
from workbench.models.load import Models
from workbench.store import Store

NAMES = ("n_bytes", "compression_ratio", "dsir_log_weight")


@pytest.fixture
def scored(tiny_corpus: Path, tmp_path: Path) -> Table:
    return wb.score(wb.read(tiny_corpus).whole(), ["n_bytes", "compression_ratio"], store=tmp_path / "store")


def test_what_the_store_has_is_taken_and_what_it_lacks_is_told(
    scored: Table, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Store, "writer", lambda *given: pytest.fail("a column was computed"))
    table = Table(scored.sample, Models())
    missing = add_stored(table, ["n_chars", *NAMES, "n_tokens"], store=tmp_path / "store")
    assert set(missing) == {"dsir_log_weight", "n_tokens"} | ({"n_chars"} - scored.scores.keys())
    for name in ("n_bytes", "compression_ratio"):
        assert np.array_equal(table.scores[name], scored.scores[name])
        assert table.definitions[name] == scored.definitions[name]


def test_other_documents_or_settings_are_missing(scored: Table, tmp_path: Path) -> None:
    store = tmp_path / "store"
    fewer = Table(wb.read_sample(_written(scored, tmp_path)), Models())
    assert add_stored(fewer, ["n_bytes"], store=store) == ("n_bytes",)
    assert fewer.scores == {}
    with pytest.raises(InputError, match="no_such"):
        add_stored(fewer, ["no_such"], store=store)


def _written(scored: Table, folder: Path) -> Path:
    path = folder / "half.parquet"
    scored.sample.frame.head(7).write_parquet(path)
    return path


def test_fitted_scores_come_with_their_state(tiny_corpus: Path, tmp_path: Path) -> None:
    sample, store = wb.read(tiny_corpus).whole(), tmp_path / "store"
    settings = {"token_prior": {}}
    table = wb.score(sample, ["token_prior"], store=store, params=settings)
    other = Table(sample, Models())
    assert add_stored(other, ["token_prior"], store=store, params=settings) == ()
    assert np.array_equal(other.scores["token_prior"], table.scores["token_prior"], equal_nan=True)
    assert other.states.keys() == table.states.keys()
    for name, state in table.states.items():
        assert all(np.array_equal(state[key], other.states[name][key]) for key in state)
    again = dict(other.scores)
    add_scores(other, ["token_prior"], store=store, params=settings)
    assert all(other.scores[name] is again[name] for name in again)
