"""A Ray cluster of two nodes, one of which is lost in the middle of `apply`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.engine.conftest import recipe_of
from tests.engine.corpora import FORMATS, make_documents, write_corpus
from tests.engine.outputs import digests
from workbench.corpus import read
from workbench.engine.apply import apply
from workbench.engine.export import export, used_scores
from workbench.engine.score import score
from workbench.progress import Silent

ray = pytest.importorskip("ray", reason="Ray is an extra, of which the pip index may have no wheel")


@pytest.fixture
def two_nodes(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Any, Any]]:
    """A cluster whose head has no CPU for tasks, and its first node; a second one is there."""
    from ray.cluster_utils import Cluster

    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False})
    try:
        nodes = [cluster.add_node(num_cpus=1) for _ in range(2)]
        monkeypatch.setenv("RAY_ADDRESS", cluster.address)
        yield cluster, nodes[0]
    finally:
        ray.shutdown()
        cluster.shutdown()


class Losing(Silent):
    """Loses a node when the first shard of a stage is done, while others run."""

    def __init__(self, cluster: Any, node: Any, stage: str) -> None:
        self._cluster, self._node, self._stage = cluster, node, stage
        self._now = ""
        self.is_lost = False

    def start(self, what: str, total: int) -> None:
        self._now = what

    def advance(self, n: int) -> None:
        if self._now == self._stage and not self.is_lost:
            self.is_lost = True
            self._cluster.remove_node(self._node, allow_graceful=False)


@pytest.mark.slow
def test_a_node_lost_in_the_middle_leaves_the_same_bytes(two_nodes: tuple[Any, Any], tmp_path: Path) -> None:
    from workbench.engine.ray import RayRunner

    corpus = read(write_corpus(tmp_path / "corpus", make_documents(300), 8, FORMATS))
    recipe = recipe_of({"select": "band", "score": "n_tokens", "low": 4}, {"select": "exact"})
    table = score(corpus.whole(), used_scores(recipe), store=tmp_path / "store")
    manifest = export(table, recipe, tmp_path / "small.manifest")
    here = apply(manifest, corpus, tmp_path / "here")
    losing = Losing(*two_nodes, "score")
    there = apply(manifest, corpus, tmp_path / "there", runner=RayRunner(2), progress=losing)
    assert losing.is_lost
    # By its processes: the cluster's own list may lag behind by seconds.
    cluster, node = two_nodes
    assert not node.any_processes_alive()
    assert node not in cluster.list_all_nodes()
    assert digests(there.out) == digests(here.out)
