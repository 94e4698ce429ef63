"""Constants that a share comes to on the sample: found anew at each move of a slider, from a scan that is kept."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.engine.conftest import recipe_of, scored
from tests.engine.fakes import FakeModels
from workbench.corpus import Corpus
from workbench.engine.fitting import FitCache
from workbench.engine.select import fit, select
from workbench.selectors import SELECTORS

D4 = {"select": "d4", "n_clusters": 3}


def test_a_moved_share_fits_and_scans_nothing_anew(
    corpus: Corpus, fakes: type[FakeModels], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []
    spec = SELECTORS["d4"]
    assert spec.fit is not None
    assert spec.scan is not None

    def counted(name: str, function: Any) -> Any:
        def call(*args: Any) -> Any:
            calls.append(name)
            return function(*args)

        return call

    changed = replace(spec, fit=counted("fit", spec.fit), scan=counted("scan", spec.scan))
    monkeypatch.setitem(SELECTORS, "d4", changed)
    table, cache = scored(corpus, recipe_of(D4), tmp_path / "store"), FitCache()
    n_kept = [
        int(select(recipe_of({**D4, "prototype_fraction": f}), table, cache=cache).keep.sum())
        for f in (0.2, 0.5, 0.9)
    ]
    assert n_kept == sorted(set(n_kept))
    assert calls == ["fit", "scan"]
    select(recipe_of({**D4, "dedup_fraction": 0.6}), table, cache=cache)
    assert calls == ["fit", "scan", "fit", "scan"]


def test_what_is_solved_is_of_the_whole_sample_whatever_the_steps_before_dropped(
    corpus: Corpus, fakes: type[FakeModels], tmp_path: Path
) -> None:
    alone, behind = recipe_of(D4), recipe_of({"select": "random", "fraction": 0.3}, D4)
    table = scored(corpus, alone, tmp_path / "store")
    first, second = fit(alone, table).states[0], fit(behind, table).states[1]
    assert set(first) == {"centroids", "dedup_cut", "second_centroids", "prototype_cut"}
    assert all(np.array_equal(first[name], second[name]) for name in first)
