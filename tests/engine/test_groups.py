from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.engine.outputs import digests
from workbench.corpus import Corpus
from workbench.engine import groups, parts
from workbench.engine.apply import apply
from workbench.engine.groups import _buckets


@pytest.mark.parametrize("n_bytes", [1, 700, 5000])
def test_many_buckets_give_the_bytes_that_one_gives(
    n_bytes: int, manifest: Path, corpus: Corpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = digests(apply(manifest, corpus, tmp_path / "one").out)
    monkeypatch.setattr(groups, "BUCKET_BYTES", n_bytes)
    monkeypatch.setattr(groups, "_GROUP_ROWS", 3)
    many = digests(apply(manifest, corpus, tmp_path / "many").out)
    assert many == one


def test_parts_of_any_size_give_the_same_decisions(
    manifest: Path, corpus: Corpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = apply(manifest, corpus, tmp_path / "whole").record
    monkeypatch.setattr(parts, "MAX_ROWS", 5)
    cut = apply(manifest, corpus, tmp_path / "cut").record
    assert [cut[n] for n in ("counts", "kept", "by_source", "by_step")] == [
        whole[n] for n in ("counts", "kept", "by_source", "by_step")
    ]


def test_a_bucket_holds_whole_groups_and_only_a_larger_group_goes_beyond_its_size(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(groups, "BUCKET_BYTES", 700)
    rng = np.random.default_rng(0)
    keys = np.concatenate([rng.integers(0, 40, 200), np.full(30, 17)])
    buckets = _buckets(keys, row_bytes=70)
    assert set(buckets) == set(range(int(buckets.max()) + 1))
    for key in np.unique(keys):
        assert len(np.unique(buckets[keys == key])) == 1, "a group in two buckets"
    assert len(np.unique(buckets)) > 5
    for bucket in np.unique(buckets):
        inside = keys[buckets == bucket]
        largest = np.unique(inside, return_counts=True)[1].max()
        assert len(inside) <= 10 + largest
