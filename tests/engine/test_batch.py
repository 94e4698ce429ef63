"""The funnel: cheap steps in front save the costly scores behind."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tests.engine.conftest import recipe_of, scored
from tests.engine.corpora import make_documents, write_corpus
from tests.engine.fakes import FakeModels
from workbench.corpus import read
from workbench.engine.batch import UNSCORED, decide_batch
from workbench.engine.export import export
from workbench.engine.plan import Plan, load_plan
from workbench.engine.select import KEPT

LOW = {"select": "band", "score": "n_tokens", "low": 12}
PERPLEXITY = {"select": "band", "score": "perplexity", "low": 20.0}
DEDUP = {"select": "semdedup", "epsilon": 0.1, "n_clusters": 3}
DOCUMENTS = [row for row in make_documents(60) if row["text"]]


def plan_of(tmp_path: Path, *steps: dict[str, object]) -> Plan:
    recipe = recipe_of(*steps)
    table = scored(read(write_corpus(tmp_path / "corpus", DOCUMENTS)), recipe, tmp_path / "store")
    plan = load_plan(export(table, recipe, tmp_path / "x.manifest"))
    FakeModels.calls.clear()
    return plan


def decide(plan: Plan, texts: list[str]):
    ids = [f"d{i}" for i in range(len(texts))]
    return decide_batch(plan, ids, ["web"] * len(texts), texts)


def test_a_dropped_document_gets_no_later_score(tmp_path: Path, fakes: type[FakeModels]) -> None:
    plan = plan_of(tmp_path, LOW, PERPLEXITY, DEDUP)
    texts = [row["text"] for row in DOCUMENTS]
    decided = decide(plan, texts)
    long = [text for text in texts if len(text.split()) >= 12]
    unusual = [text for text, step in zip(texts, decided.step, strict=True) if step == KEPT]
    assert 0 < len(unusual) < len(long) < len(texts)
    given = {
        kind: [t for called, ts in fakes.calls for t in ts if called == kind] for kind in ("lm", "embedder")
    }
    assert given == {"lm": long, "embedder": unusual}


def test_each_score_is_computed_once_a_document_however_many_steps_read_it(
    tmp_path: Path, fakes: type[FakeModels]
) -> None:
    decide(plan_of(tmp_path, LOW, PERPLEXITY, {**PERPLEXITY, "high": 1e4}, DEDUP), ["a " * 20, "b " * 30])
    assert fakes.n_texts("lm") == 2
    assert fakes.n_texts("tokenizer") == 2


def test_what_was_not_computed_is_nan_and_never_zero(tmp_path: Path, fakes: type[FakeModels]) -> None:
    plan = plan_of(tmp_path, LOW, {"select": "exact"}, PERPLEXITY)
    decided = decide(plan, ["short", "word " * 20])
    assert np.isnan(decided.columns["perplexity"][0])
    assert not np.isnan(decided.columns["perplexity"][1])
    nothing = decide(plan, ["short", "shorter"])
    assert np.isnan(nothing.columns["perplexity"]).all()
    assert nothing.columns["n_tokens"].tolist() == [1.0, 1.0]


def test_an_undecided_document_is_neither_kept_nor_dropped(tmp_path: Path, fakes: type[FakeModels]) -> None:
    plan = plan_of(tmp_path, {"select": "band", "score": "compression_ratio", "low": 0.1})
    decided = decide(plan, ["", "a text"])
    assert decided.step.tolist() == [UNSCORED, KEPT]
    assert decided.reasons == ["compression_ratio is not defined for this document", None]


def test_a_batch_of_no_documents_has_columns_of_no_rows(tmp_path: Path, fakes: type[FakeModels]) -> None:
    decided = decide(plan_of(tmp_path, LOW, DEDUP), [])
    assert len(decided.step) == 0
    assert {len(column) for column in decided.columns.values()} == {0}
    assert not any(texts for _, texts in fakes.calls)
