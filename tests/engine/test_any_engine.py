"""Whatever runs a manifest and however its corpus is cut: the same documents, weights and reasons."""

from __future__ import annotations

import itertools
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.engine.conftest import recipe_of
from tests.engine.corpora import Row, make_documents, write_corpus
from tests.engine.outputs import rows_of
from tests.engine.test_apply import Killed, killed_at
from workbench.corpus import read
from workbench.engine.apply import Run, apply
from workbench.engine.export import export, used_scores
from workbench.engine.score import score
from workbench.models.load import Models

# Vectors are lists, which csv has none of.
FORMATS = ("parquet", "jsonl", "jsonl.gz", "jsonl.zst")
NUMBERS = itertools.count()

share = st.sampled_from([0.0, 0.2, 0.5, 0.8, 1.0])
counts = st.sampled_from(["n_tokens", "n_bytes", "n_chars"])


def step(select: str, **params: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({"select": st.just(select), **params})


# Every scope: one document, columns, groups, and pieces of texts.
STEPS = {
    "band": step(
        "band",
        score=counts,
        low=st.sampled_from([None, 3, {"quantile": 0.1}]),
        high=st.sampled_from([None, 400]),
    ),
    "random": step("random", fraction=share),
    "exact": step("exact"),
    "minhash": step("minhash", survivor=st.sampled_from(["first_id", "longest"])),
    "semdedup": step("semdedup", epsilon=st.sampled_from([0.01, 0.1, 0.5]), n_clusters=st.integers(1, 6)),
    "prototypes": step("prototypes", keep_fraction=share, keep=st.sampled_from(["hard", "easy"])),
    "rank": step("rank", score=counts, keep_fraction=share, draw=st.sampled_from(["top", "gumbel"])),
    "rank_average": step("rank_average", scores=st.just(["n_tokens", "n_bytes"]), keep_fraction=share),
    "stratified": step("stratified", keep_fraction=share, quota=st.sampled_from(["proportional", "equal"])),
    "random_budget": step(
        "random_budget", keep_fraction=share, unit=st.sampled_from(["documents", "tokens"])
    ),
    "brevity": step("brevity", drop_fraction=share),
    "spans": step("spans", unit=st.sampled_from(["sentence", "line"])),
    "substring": step("substring", min_tokens=st.integers(4, 12)),
}
PLAIN: dict[str, dict[str, Any]] = {
    "band": {"score": "n_tokens", "low": 3},
    "random": {"fraction": 0.8},
    "semdedup": {"epsilon": 0.1, "n_clusters": 3},
    "rank": {"score": "n_bytes", "keep_fraction": 0.8},
    "rank_average": {"scores": ["n_tokens", "n_bytes"], "keep_fraction": 0.8},
    "brevity": {"drop_fraction": 0.1},
    "substring": {"min_tokens": 6},
}
"""One setting of each step; of the others the defaults."""


@pytest.fixture(scope="module")
def documents() -> list[Row]:
    """120 documents with copies and near-copies, each with a vector; near-copies lie close."""
    rng = np.random.default_rng(3)
    rows = make_documents(120, seed=4)
    for row in rows:
        # Texts that begin alike lie close.
        first = np.frombuffer(row["text"][:6].encode("latin-1", "replace").ljust(6), np.uint8) - 90.0
        row["vector"] = [float(v) for v in np.float32(first + rng.normal(scale=0.5, size=6))]
    return rows


class Bench:
    """Manifests and runs over the documents, cut in any way."""

    def __init__(self, folder: Path, rows: list[Row]) -> None:
        self.folder, self.rows, self.models = folder, rows, Models(embedder="column:vector")

    def corpus(self, n_shards: int, seed: int) -> Path:
        return write_corpus(self.folder / f"corpus-{next(NUMBERS)}", self.rows, n_shards, FORMATS, seed)

    def manifest(self, steps: list[dict[str, Any]]) -> Path:
        """Frozen on 80 of the documents."""
        recipe = recipe_of(*steps)
        sample = read(self.corpus(1, 0)).sample(80, seed=5)
        table = score(
            sample, used_scores(recipe), store=self.folder / "store", models=self.models, seed=recipe.seed
        )
        return export(table, recipe, self.folder / f"{next(NUMBERS)}.manifest")

    def run(self, manifest: Path, folder: Path, **more: Any) -> Run:
        return apply(manifest, read(folder), self.folder / f"out-{next(NUMBERS)}", **more)


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory, documents: list[Row]) -> Bench:
    return Bench(tmp_path_factory.mktemp("any"), documents)


def decided(run: Run) -> dict[str, tuple[Any, ...]]:
    """Of each document its weight, or the step that dropped it and why."""
    kept = {row["doc_id"]: (row["weight"],) for row in rows_of(run.out, "kept")}
    dropped = {row["doc_id"]: (row["step"], row["reason"]) for row in rows_of(run.out, "dropped")}
    assert not kept.keys() & dropped.keys()
    return kept | dropped


@pytest.mark.slow
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    steps=st.lists(st.sampled_from(sorted(STEPS)).flatmap(STEPS.__getitem__), min_size=1, max_size=4),
    n_shards=st.integers(1, 7),
    seed=st.integers(0, 99),
    moment=st.integers(0, 40),
    when=st.sampled_from(["before", "after"]),
)
def test_shards_order_and_interruption_change_nothing(
    bench: Bench,
    steps: list[dict[str, Any]],
    n_shards: int,
    seed: int,
    moment: int,
    when: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    manifest = bench.manifest(steps)
    plain = decided(bench.run(manifest, bench.corpus(1, 1)))
    assert len(plain) == len(bench.rows)
    folder = bench.corpus(n_shards, seed)
    out = bench.folder / f"out-{next(NUMBERS)}"
    if moment:
        with killed_at(moment, when, monkeypatch):
            try:
                apply(manifest, read(folder), out)
            except Killed:
                event = "ended"
            else:
                event = "too late"
        assert (out / "run.json").is_file() or event == "ended"
    assert decided(apply(manifest, read(folder), out)) == plain


@pytest.mark.slow
def test_engines_and_workers_change_nothing(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    ray = pytest.importorskip("ray", reason="Ray is an extra, of which the pip index may have no wheel")
    from workbench.engine.local import LocalRunner
    from workbench.engine.ray import RayRunner

    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    draw = random.Random(2)
    try:
        for runner in (LocalRunner(2), RayRunner(1), RayRunner(2)):
            names = draw.sample(sorted(STEPS), 4)
            manifest = bench.manifest([{"select": name, **PLAIN.get(name, {})} for name in names])
            plain = decided(bench.run(manifest, bench.corpus(1, 1)))
            folder = bench.corpus(draw.randint(2, 5), draw.randint(0, 99))
            assert decided(bench.run(manifest, folder, runner=runner)) == plain, names
    finally:
        ray.shutdown()
