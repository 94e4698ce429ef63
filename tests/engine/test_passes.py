from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from workbench.checks import Array
from workbench.engine.passes import Pass, params_json, plan_passes
from workbench.errors import InputError
from workbench.scores import SCORES
from workbench.scores.base import Inputs, ScoreSpec


@dataclass(frozen=True)
class Settings:
    power: int = 2
    words: tuple[str, ...] = ("a", "b")


def powers(inputs: Inputs, params: Settings, state: Mapping[str, Array]) -> Mapping[str, Array]:
    lengths = np.array([len(text) for text in inputs.texts])
    return {"length": lengths, "power": lengths**params.power}


def spec(name: str, *needs: str, **more: Any) -> ScoreSpec:
    given = {"version": 1, "title": name, "unit": "x", "better": "neither", "compute": powers} | more
    return ScoreSpec(name=name, needs=needs, params=Settings, **given)


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two scores of one pass, and two that read each other's results."""
    scores = [
        spec("late", "power", "early", compute=lambda *_: {}),
        spec("early", "text", compute=lambda *_: {}),
        spec("length", "text"),
        spec("power", "text", dtype="float64"),
    ]
    for score in scores:
        monkeypatch.setitem(SCORES, score.name, score)


@pytest.mark.usefixtures("registry")
def test_what_a_score_reads_comes_before_it_and_each_pass_once() -> None:
    passes = plan_passes(["late", "early", "late"])
    assert [[s.name for s in p.specs] for p in passes] == [["length", "power"], ["early"], ["late"]]


def test_every_score_can_be_planned_after_what_it_reads() -> None:
    for name in SCORES:
        done: set[str] = set()
        for p in plan_passes([name]):
            assert set(p.score_needs) <= done
            done |= {s.name for s in p.specs}
        assert name in done


@pytest.mark.usefixtures("registry")
def test_scores_of_one_pass_share_their_params() -> None:
    (p,) = plan_passes(["power"], {"length": {"power": 3}})
    columns = p.run(Inputs(doc_ids=["d"] * 2, sources=["s"] * 2, texts=["ab", "abc"]), {})
    assert {name: column.tolist() for name, column in columns.items()} == {"length": [2, 3], "power": [8, 27]}
    assert [column.dtype for column in columns.values()] == [np.float32, np.float64]


def test_a_column_of_the_wrong_length_is_a_sentence() -> None:
    p = Pass((spec("length"),), Settings())
    short = Pass((spec("length", compute=lambda *_: {"length": np.zeros(2)}),), Settings())
    inputs = Inputs(doc_ids=["d"] * 3, sources=["s"] * 3, texts=["a"] * 3)
    assert len(p.run(inputs, {})["length"]) == 3
    with pytest.raises(InputError, match="length gave 2 values for 3 documents"):
        short.run(inputs, {})


def test_an_unknown_score_is_a_sentence() -> None:
    with pytest.raises(InputError, match="there is no score 'beauty'; `workbench methods` lists them all"):
        plan_passes(["beauty"])
    with pytest.raises(InputError, match="there is no score 'beauty'"):
        plan_passes(["n_chars"], {"beauty": {}})


def test_an_unknown_param_is_a_sentence_that_lists_the_known_ones() -> None:
    with pytest.raises(InputError, match="language has no parameter 'speed'; it has max_chars"):
        plan_passes(["language"], {"language": {"speed": 1}})


def test_params_are_the_same_after_a_way_through_json() -> None:
    assert params_json(Settings()) == {"power": 2, "words": ["a", "b"]}


@pytest.mark.usefixtures("registry")
def test_the_name_of_a_pass_says_how_many_scores_it_gives() -> None:
    assert [p.name for p in plan_passes(["power", "early"])] == ["length and 1 more", "early"]
