"""The engine against its twin: a corpus cut anyhow must come out as the same documents in one piece do."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from tests.engine.conftest import recipe_of, scored
from tests.engine.corpora import FORMATS, make_documents, write_corpus
from tests.engine.fakes import FakeModels
from tests.engine.outputs import kept_ids, rows_of
from workbench.corpus import read
from workbench.engine import groups, parts
from workbench.engine.apply import apply
from workbench.engine.export import export
from workbench.engine.select import KEPT, select
from workbench.engine.verify import verify
from workbench.engine.work import MAX_ROWS

N_TWINS = 24


def random_step(rng: random.Random) -> dict[str, Any]:
    """Any step, with params that drop something but not always."""
    kind = rng.choice(["band", "band", "category", "source", "random", "exact", "semdedup"])
    if kind == "band":
        score = rng.choice(["n_tokens", "n_chars", "compression_ratio", "perplexity", "gopher_n_words"])
        low = rng.choice([None, 1.5, {"quantile": round(rng.uniform(0, 0.3), 3)}])
        high = rng.choice([None, {"quantile": round(rng.uniform(0.6, 1), 3)}])
        step = {"select": "band", "score": score, "unscored": rng.choice(["keep", "drop"])}
        return step | {n: v for n, v in (("low", low), ("high", high)) if v is not None}
    if kind == "category":
        return {"select": "category", "score": "language", "values": rng.choice([["en"], ["de", "en"]])}
    if kind == "source":
        return {"select": "category", "score": "source", "values": ["letters", "manuals"]}
    if kind == "random":
        return {"select": "random", "fraction": round(rng.uniform(0.5, 1), 2)}
    if kind == "semdedup":
        keep = rng.choice(["hard", "easy", "random"])
        epsilon = round(rng.uniform(0, 0.4), 3)
        return {"select": "semdedup", "epsilon": epsilon, "n_clusters": rng.randint(1, 6), "keep": keep}
    return {"select": "exact"}


@pytest.mark.parametrize("seed", range(N_TWINS))
def test_any_recipe_keeps_of_any_cut_of_a_corpus_what_it_keeps_of_the_whole(
    seed: int, tmp_path: Path, fakes: type[FakeModels], monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = random.Random(seed)
    recipe = recipe_of(*(random_step(rng) for _ in range(rng.randint(0, 5))), seed=rng.randint(0, 99))
    documents = make_documents(rng.randint(12, 120), seed)
    if rng.random() < 0.4:  # ids from content, so copies are numbered by shard and row: one order for both
        documents = [{k: v for k, v in row.items() if k != "doc_id"} for row in documents]
        whole = cut = write_corpus(tmp_path / "one", documents, rng.randint(1, 7), FORMATS[:4], seed)
    else:
        documents = [row for row in documents if row["text"]] if (csv := rng.random() < 0.4) else documents
        whole = write_corpus(tmp_path / "one", documents, 1, ("jsonl",))
        formats = rng.sample(FORMATS if csv else FORMATS[:4], 3)
        cut = write_corpus(tmp_path / "cut", documents, rng.randint(1, 7), formats, seed)
    table = scored(read(whole), recipe, tmp_path / "store")
    outcome = select(recipe, table)
    manifest = export(table, recipe, tmp_path / "twin.manifest")

    monkeypatch.setattr(parts, "MAX_ROWS", rng.choice([3, 7, MAX_ROWS]))
    monkeypatch.setattr("workbench.engine.identify.MAX_ROWS", parts.MAX_ROWS)
    monkeypatch.setattr(groups, "BUCKET_BYTES", rng.choice([1, 3000, groups.BUCKET_BYTES]))
    run = apply(manifest, read(cut), tmp_path / "out", known=rng.choice([None, table]))

    assert kept_ids(run.out) == {i for i, k in zip(table.sample.doc_ids, outcome.keep, strict=True) if k}
    dropped = {row["doc_id"]: (row["step"], row["reason"]) for row in rows_of(run.out, "dropped")}
    said = {
        i: (int(outcome.step[row]), outcome.reason(row))
        for row, i in enumerate(table.sample.doc_ids)
        if outcome.step[row] != KEPT
    }
    assert dropped == said
    assert run.record["counts"]["read"] == len(documents)
    checked = verify(manifest, run.out)
    assert checked.holds, checked.failed
