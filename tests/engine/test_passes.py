from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from workbench.checks import Array
from workbench.engine import passes
from workbench.engine.passes import Pass, params_json, plan_passes
from workbench.errors import InputError
from workbench.scores import SCORES, views
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


SIGNALS = ("c4_n_lines", "gopher_n_words", "gopher_top_2_gram_ratio", "fineweb_newlines_per_word")


def test_all_text_signals_go_over_the_documents_in_one_pass() -> None:
    passes = plan_passes(["n_chars", *SIGNALS, "language"])
    assert [p.first.name for p in passes] == ["n_chars", "c4_n_lines", "language"]
    assert {"c4_n_sentences", *SIGNALS} <= {s.name for s in passes[1].specs}
    assert {s.name.split("_")[0] for s in plan_passes(["c4_n_lines"])[0].specs} == {"c4"}


def test_each_function_of_a_pass_keeps_its_own_params() -> None:
    settings = {"c4_n_lines": {"min_line_words": 9}, "gopher_n_words": {"words": "datatrove"}}
    (p,) = plan_passes(SIGNALS, settings)
    found = {s.name: params_json(p.params_of(s)) for s in p.specs if s.name in SIGNALS}
    assert found["c4_n_lines"]["min_line_words"] == 9
    assert {name: params["words"] for name, params in found.items()} == {
        "c4_n_lines": "fast",
        "gopher_n_words": "datatrove",
        "gopher_top_2_gram_ratio": "fast",
        "fineweb_newlines_per_word": "fast",
    }
    inputs = Inputs(doc_ids=["d"], sources=["s"], texts=["Seven words, and one can't be missed."])
    assert p.run(inputs, {})["c4_n_short_lines"].tolist() == [1]


def test_a_pass_over_many_documents_splits_each_once_and_gives_what_its_families_give_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    texts = [f"Line {i} of words.\n\nAnother (line) of {i % 7} words.\n" * (i % 5) for i in range(150)]
    inputs = Inputs(doc_ids=["d"] * 150, sources=["s"] * 150, texts=texts)
    alone = {k: v for name in SIGNALS for k, v in plan_passes([name])[0].run(inputs, {}).items()}
    calls: list[str] = []
    split = views.split_fast
    monkeypatch.setattr(views, "split_fast", lambda text: calls.append(text) or split(text))
    (p,) = plan_passes(SIGNALS)
    together = p.run(inputs, {})
    assert calls == texts
    assert together.keys() == alone.keys()
    for name, column in together.items():
        assert column.tobytes() == alone[name].tobytes()


def test_few_documents_or_characters_are_computed_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passes, "_FEW_DOCUMENTS", 3)
    monkeypatch.setattr(passes, "_FEW_CHARS", 5)
    texts = ["a", "a", "a", "a", "aaaa", "a" * 9, "", ""]
    portions = [texts[rows] for rows in passes._few_at_a_time(texts)]
    assert portions == [["a", "a", "a"], ["a", "aaaa"], ["a" * 9], ["", ""]]
    assert list(passes._few_at_a_time([])) == [slice(0, 0)]


def test_a_pass_without_what_is_known_keeps_whole_functions() -> None:
    (p,) = plan_passes(SIGNALS)
    c4 = {s.name for s in p.specs if s.name.startswith("c4_")}
    rest = p.without(c4)
    assert rest is not None
    assert [s.name for s in rest.specs] == [s.name for s in p.specs if s.name not in c4]
    assert p.without(c4 - {"c4_n_lines"}) == p
    assert p.without({s.name for s in p.specs}) is None


HOSTILE = [
    "x",
    "\n",
    "word ",
    "(",
    "a!",
    ". ",
    "A. ",
    "-(",
    "['1]",
    "\U0001f389",
    "a b c d e f g h i j k.\n",
    "{ ",
]


@pytest.mark.slow
@pytest.mark.parametrize("piece", HOSTILE)
def test_ten_times_the_text_takes_about_ten_times_as_long(piece: str) -> None:
    (p,) = plan_passes(name for name, spec in SCORES.items() if spec.shares_views)

    def seconds(n_chars: int) -> float:
        text = piece * (n_chars // len(piece)) + "x"
        begin = time.process_time()
        p.run(Inputs(doc_ids=["d"], sources=["s"], texts=[text]), {})
        return time.process_time() - begin

    seconds(10_000)
    assert seconds(500_000) < 40 * max(seconds(50_000), 0.02)
