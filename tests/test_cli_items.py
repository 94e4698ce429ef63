"""`workbench items` on a small evaluation set."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from tests.engine.commands import Commands
from tests.engine.fakes import install
from workbench.stats.item_response import fit_item_response
from workbench.stats.item_utility import (
    difficult_and_discriminating,
    fisher_information,
    metric_consistency,
    metric_difficulty,
    metric_variance,
    top_items,
)

N = 30
SYSTEMS = ["small", "middle", "large"]
RNG = np.random.default_rng(0)
SCORES = np.clip(RNG.random((N, 1)) + np.array([-0.3, 0, 0.2]) + RNG.normal(0, 0.2, (N, 3)), 0, 1)
IDS = [f"q{i:02d}" for i in range(N)]
IS_EASY, IS_KNOWN = np.arange(N) < 6, np.arange(N) >= 25


def evaluation() -> pl.DataFrame:
    columns: dict[str, Any] = {
        "id": IDS,
        "text": [f"Question {i} of {'river stone bridge'.split()[i % 3]}?" for i in range(N)],
    }
    for j, name in enumerate(SYSTEMS):
        columns[name] = SCORES[:, j]
        columns[f"{name}_correct"] = IS_EASY | IS_KNOWN
        columns[f"{name}_probability"] = np.where(IS_EASY, 0.9, 0.5)
        columns[f"{name}_blind_correct"] = IS_KNOWN.astype(int)
        columns[f"{name}_blind_probability"] = np.where(IS_KNOWN, 0.95, 0.2)
    return pl.DataFrame(columns)


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], in_tmp_path: Path) -> Commands:
    install(monkeypatch)
    evaluation().write_parquet("set.parquet")
    return Commands(monkeypatch, capfd)


def utilities() -> dict[str, np.ndarray]:
    fitted = fit_item_response(SCORES)
    return {
        "variance": metric_variance(SCORES),
        "difficulty": metric_difficulty(SCORES),
        "consistency": metric_consistency(SCORES),
        "diffdisc": difficult_and_discriminating(fitted.difficulty, fitted.discrimination),
        "information": fisher_information(fitted.ability, fitted.difficulty, fitted.discrimination),
    }


def test_the_items_of_the_highest_utility_are_kept_and_all_are_written(run: Commands) -> None:
    for by, utility in utilities().items():
        given = ("--by", by, "--systems", "small, middle,large", "--n", 12, "--out", f"{by}.parquet")
        shown = run("items", "set.parquet", *given, "--json")
        assert shown.code == 0, shown.err
        assert shown.json == {"n_items": N, "n_kept": 12, "dropped": {}, "out": f"{by}.parquet"}
        frame = pl.read_parquet(f"{by}.parquet")
        assert frame["doc_id"].to_list() == IDS
        assert frame["keep"].to_list() == top_items(utility, IDS, 12).tolist()
        np.testing.assert_allclose(frame["utility"].to_numpy(), utility)
        reasons = frame.filter(~pl.col("keep"))["reason"].to_list()
        assert all(reason.endswith("of 30, the first 12 are kept") for reason in reasons)
        assert set(frame.filter("keep")["reason"]) == {""}
    assert "12 of 30 items kept; all of them written to variance.parquet" in run(
        "items", "set.parquet", *given
    ).out.replace("information", "variance")


def test_smart_drops_easy_and_contaminated_items_and_counts_them(run: Commands) -> None:
    given = ("--by", "smart", "--systems", "small,middle,large", "--out", "smart.parquet")
    told = run("items", "set.parquet", *given, "--json").json
    frame = pl.read_parquet("smart.parquet")
    reason = np.array(frame["reason"].to_list())
    assert set(np.flatnonzero(reason == "contaminated")) == set(range(25, 30))
    assert set(np.flatnonzero(reason == "easy")) <= set(range(6))
    assert told["dropped"] == {"contaminated": 5, "easy": int((reason == "easy").sum())}
    assert told["n_kept"] == N - sum(told["dropped"].values()) == int(frame["keep"].sum())
    assert frame["utility"].null_count() == N
    similar = run("items", "set.parquet", *given, "--similar", "--json").json
    assert similar["dropped"].get("similar", 0) > 0
    assert "dropped as" in run("items", "set.parquet", *given).out


def test_its_faults_are_one_sentence(run: Commands) -> None:
    def fails(*args: Any, by: str = "variance", systems: str = "small,large") -> str:
        return run.fails(
            "items", "set.parquet", "--by", by, "--systems", systems, "--out", "x.parquet", *args
        )

    assert "say by n_items how many to keep" in fails()
    assert "budget must lie in 0..30" in fails("--n", 31)
    assert "leave n_items out" in fails("--n", 3, by="smart")
    assert "no column 'huge'; they have doc_id, text, source" in fails("--n", 3, systems="small,huge")
    assert "column 'text' must hold a number for each item" in fails("--n", 3, systems="text")
    assert "no system is named" in fails("--n", 3, systems=" , ")
    assert "only smart looks for similar items" in fails("--n", 3, "--similar")
    frame = evaluation().with_columns(large_correct=pl.lit(2))
    frame.write_parquet("set.parquet")
    assert "right answers must hold true and false" in fails(by="smart")
    assert not Path("x.parquet").exists()
