"""Scores that a sample has already are taken over by `apply`, and only where they would come out again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.engine.conftest import scored
from tests.engine.corpora import Row, write_corpus
from tests.engine.fakes import FakeModels
from tests.engine.outputs import digests
from workbench.corpus import Corpus, read
from workbench.engine.apply import apply
from workbench.engine.known import known_scores
from workbench.engine.table import Table
from workbench.errors import ModelError
from workbench.recipe.manifest import read_manifest
from workbench.recipe.model import Recipe


def test_a_known_document_is_not_scored_again_and_nothing_else_changes(
    table: Table, manifest: Path, corpus: Corpus, tmp_path: Path, fakes: type[FakeModels]
) -> None:
    anew = apply(manifest, corpus, tmp_path / "anew")
    fakes.calls.clear()
    known = apply(manifest, corpus, tmp_path / "known", known=table)
    assert not fakes.calls
    assert digests(known.out) == digests(anew.out)


def test_what_the_sample_lacks_is_scored(
    table: Table,
    manifest: Path,
    tmp_path: Path,
    documents: list[Row],
    recipe: Recipe,
    fakes: type[FakeModels],
) -> None:
    few = scored(read(write_corpus(tmp_path / "few", documents[:30])), recipe, tmp_path / "store")
    # one of them has another text by now, and its old numbers must not be taken for it
    changed = [{**documents[0], "text": "another text " * 9}, *documents[1:]]
    corpus = read(write_corpus(tmp_path / "changed", changed, 3))
    anew = apply(manifest, corpus, tmp_path / "anew")
    fakes.calls.clear()
    known = apply(manifest, corpus, tmp_path / "known", known=few)
    assert digests(known.out) == digests(anew.out)
    assert fakes.n_texts("tokenizer") == 90 - 29


@pytest.mark.parametrize("what", ["version", "params", "models", "state", "dtype"])
def test_numbers_of_another_definition_are_not_taken_over(
    what: str, table: Table, manifest: Path, corpus: Corpus, tmp_path: Path
) -> None:
    held = read_manifest(manifest)
    name = "perplexity"
    assert name in known_scores(table, held).columns
    other: dict[str, dict[str, Any]] = {**table.definitions, name: {**table.definitions[name], what: "other"}}
    wrong = {**table.scores, name: table.scores[name] * 0 + 1e9}
    elsewhere = replace(table, definitions=other, scores=wrong)
    assert name not in known_scores(elsewhere, held).columns
    run = apply(manifest, corpus, tmp_path / "known", known=elsewhere)
    assert digests(run.out) == digests(apply(manifest, corpus, tmp_path / "anew").out)


def test_a_model_that_changes_between_two_runs_of_one_process_is_refused(
    manifest: Path, corpus: Corpus, tmp_path: Path, fakes: type[FakeModels], monkeypatch: pytest.MonkeyPatch
) -> None:
    apply(manifest, corpus, tmp_path / "first")
    changed = {**fakes.definitions, "lm": {"id": "other", "files": {"weights": "1" * 64}}}
    monkeypatch.setattr(fakes, "definitions", changed)
    with pytest.raises(ModelError, match="weights of model 'lm' differ"):
        apply(manifest, corpus, tmp_path / "second")
