"""Every selector decides a sharded corpus as it decides the sample: the same documents, reasons and weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.engine.conftest import recipe_of, scored
from tests.engine.corpora import make_documents
from tests.engine.fakes import FakeModels
from tests.engine.outputs import rows_of
from tests.selectors.steps import STEPS
from workbench.corpus import Corpus
from workbench.engine import groups, parts
from workbench.engine.apply import apply
from workbench.engine.export import export
from workbench.engine.select import select
from workbench.engine.verify import verify
from workbench.recipe.model import readable_scores
from workbench.selectors import SELECTORS
from workbench.summary import score_summary

# Behind a step that drops something and before one that does: it sees a part, and its answer is not the end.
BEFORE = {"select": "band", "score": "n_bytes", "low": 12}
SCORES = {"dsir_log_weight": {"min_tokens": 1}, "dsir_target_log_weights": {"min_tokens": 1}}
AFTER = {"select": "category", "score": "source", "values": ["letters", "manuals"]}


@pytest.fixture
def documents() -> list[dict[str, Any]]:
    """Small documents, and some with lines that a filter of web pages looks for."""
    menu = {"text": "HOME PAGE\n3 likes\nthe river and the bridge", "source": "manuals", "year": 1900}
    return [*make_documents(90), *({"doc_id": f"menu{i}", **menu} for i in range(3))]


@pytest.mark.parametrize(("name", "params"), [(name, steps[-1]) for name, steps in STEPS.items()])
def test_a_selector_keeps_of_the_corpus_what_it_keeps_of_the_whole_sample(
    name: str,
    params: dict[str, Any],
    corpus: Corpus,
    fakes: type[FakeModels],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(parts, "MAX_ROWS", 7)
    monkeypatch.setattr(groups, "BUCKET_BYTES", 900)
    recipe = recipe_of(BEFORE, {"select": name, **params}, AFTER, scores=SCORES)
    table = scored(corpus, recipe, tmp_path / "store")
    outcome = select(recipe, table)
    manifest = export(table, recipe, tmp_path / "one.manifest")
    run = apply(manifest, corpus, tmp_path / "out")
    ids = np.array(table.sample.doc_ids)
    kept = {row["doc_id"]: row["weight"] for row in rows_of(run.out, "kept")}
    assert kept == dict(zip(ids[outcome.keep].tolist(), outcome.weight[outcome.keep].tolist(), strict=True))
    dropped = {row["doc_id"]: (row["step"], row["reason"]) for row in rows_of(run.out, "dropped")}
    assert dropped == {
        ids[i]: (outcome.step[i], outcome.reason(i)) for i in np.flatnonzero(~outcome.keep).tolist()
    }
    assert (outcome.step == 1).any(), "the step drops nothing"
    assert outcome.keep.any()
    held = verify(manifest, run.out)
    assert held.holds, held.failed


def test_every_selector_is_applied_here() -> None:
    assert set(STEPS) == set(SELECTORS)


def test_a_vector_of_hashes_is_read_again_as_it_was_and_not_written(
    corpus: Corpus, fakes: type[FakeModels], tmp_path: Path
) -> None:
    recipe = recipe_of({"select": "minhash"})
    table = scored(corpus, recipe, tmp_path / "store")
    bands = table.scores["minhash_bands"]
    assert (bands.dtype, bands.ndim) == (np.dtype(np.uint64), 2)
    assert (bands > 2**63).any()  # a float on the way would round them
    no_signature = int((bands == 0).all(axis=1).sum())
    summary = score_summary(table)["minhash_bands"]
    assert summary == {
        "n_documents": len(table) - no_signature,
        "n_unscored": no_signature,
        "dimension": bands.shape[1],
    }
    run = apply(export(table, recipe, tmp_path / "one.manifest"), corpus, tmp_path / "out")
    assert all("minhash_bands" not in row for row in rows_of(run.out, "kept"))
    assert "minhash_bands" not in readable_scores(SELECTORS["band"])
