from __future__ import annotations

from pathlib import Path

import pytest

from tests.engine.conftest import recipe_of
from tests.engine.corpora import make_documents
from tests.engine.outputs import digests
from tests.engine.tiny_models import write_tiny_lm
from workbench.corpus import Corpus, read
from workbench.engine.apply import apply
from workbench.engine.export import export, used_scores
from workbench.engine.score import score
from workbench.errors import InputError, WorkbenchError
from workbench.models.load import Models

# Steps that hold the pieces of all documents against each other, each as the only one of its recipe.
PIECES = {
    "substring": {"select": "substring", "min_tokens": 5, "max_duplicate_fraction": 0.3},
    "spans": {"select": "spans", "unit": "sentence", "max_duplicate_fraction": 0.3},
}


@pytest.mark.slow
def test_ray_writes_the_bytes_that_the_local_engine_writes_and_says_the_same_sentences(
    corpus: Corpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ray = pytest.importorskip("ray", reason="Ray is an extra, of which the pip index may have no wheel")
    from workbench.engine.ray import RayRunner

    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    lm = str(write_tiny_lm(tmp_path / "tiny-lm", (row["text"] for row in make_documents(60))))
    recipe = recipe_of(
        {"select": "band", "score": "n_tokens", "low": 4},
        {"select": "exact"},
        {"select": "substring", "min_tokens": 6},
    )
    needs = (*used_scores(recipe), *used_scores(recipe_of(*PIECES.values())))
    table = score(corpus.whole(), dict.fromkeys(needs), store=tmp_path / "store", models=Models(lm=lm))
    manifest = export(table, recipe, tmp_path / "small.manifest")
    local = apply(manifest, corpus, tmp_path / "local", lm=lm)
    try:
        runner = RayRunner(2)
        monkeypatch.chdir(tmp_path)  # paths are given as on a command line
        there = apply("small.manifest", corpus, "there", lm=lm, runner=runner)
        assert digests(tmp_path / "there") == digests(local.out)
        assert there.record["counts"] == local.record["counts"]
        for name, step in PIECES.items():
            manifest = export(table, recipe_of(step), tmp_path / f"{name}.manifest")
            alone = apply(manifest, corpus, tmp_path / f"{name}-local", lm=lm)
            by_ray = apply(manifest, corpus, tmp_path / f"{name}-ray", lm=lm, runner=runner)
            assert digests(by_ray.out) == digests(alone.out)
            dropped = alone.record["counts"]["dropped"]
            assert 0 < dropped < len(corpus.whole()), "the step decides something"
        shard = tmp_path / "corpus" / "shard-3.jsonl.zst"
        shard.write_bytes(shard.read_bytes()[:-9])
        with pytest.raises(InputError, match=r"shard-3.jsonl.zst is truncated or damaged"):
            apply(manifest, read(tmp_path / "corpus"), tmp_path / "broken", lm=lm, runner=runner)
    finally:
        ray.shutdown()


def test_without_ray_the_sentence_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    from workbench.engine.ray import RayRunner

    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(InputError, match=r"engine ray needs Ray; install selection-workbench\[ray\]"):
        RayRunner(1)


def test_ray_that_does_not_start_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys
    from types import SimpleNamespace

    from workbench.engine.ray import RayRunner

    tried = []

    def init(**_: object) -> None:
        tried.append(1)
        raise RuntimeError("The current node timed out\nand more")

    fake = SimpleNamespace(is_initialized=lambda: False, init=init, shutdown=lambda: None)
    monkeypatch.setitem(sys.modules, "ray", fake)
    with pytest.raises(
        WorkbenchError, match=r"can't be started \(RuntimeError: The current node timed out\); look at"
    ):
        RayRunner(1)
    assert len(tried) == 2
