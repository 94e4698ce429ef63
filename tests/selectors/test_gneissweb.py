"""The GneissWeb rule: its truth table, its limits, its categories."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

from workbench.checks import strings
from workbench.errors import InputError
from workbench.selectors.base import Selection
from workbench.selectors.gneissweb import SPEC, GneisswebParams


def run(params: dict[str, Any] | None = None, **given: Any) -> Selection:
    """One document a value; what isn't given passes its gate."""
    base = {"dclm": 0.01, "cosmo": 0.0, "eflaw": 99.0, "n_tokens": 9.0, "n_chars": 10.0, "topic": "cc"}
    n = max((len(v) for v in given.values() if isinstance(v, list)), default=1)
    columns = {}
    for name, value in {**base, **given}.items():
        values = value if isinstance(value, list) else [value] * n
        columns[name] = strings(values) if isinstance(values[0], str) else np.array(values, dtype=np.float32)
    named = {"score": "dclm", "other_score": "cosmo", "category": "topic", **(params or {})}
    return SPEC.run(columns, GneisswebParams(**named), {}, 0)


def test_the_truth_table_is_quality_and_either_of_the_others() -> None:
    gates = list(itertools.product([False, True], repeat=3))
    keep = run(
        dclm=[0.5 if quality else 0.001 for quality, _, _ in gates],
        eflaw=[20.0 if readable else 40.0 for _, readable, _ in gates],
        n_tokens=[25.0 if usual else 90.0 for _, _, usual in gates],
        n_chars=100.0,
    ).keep
    assert keep.tolist() == [quality and (readable or usual) for quality, readable, usual in gates]


def test_either_classifier_suffices_above_its_limit_and_not_on_it() -> None:
    keep = run(dclm=[0.002, 0.0021, 0, 0], cosmo=[0.03, 0, 0.031, 0], eflaw=1.0).keep
    assert keep.tolist() == [False, True, True, False]
    assert run({"other_score": None}, dclm=[0.002, 0.003], cosmo=1.0, eflaw=1.0).keep.tolist() == [
        False,
        True,
    ]


def test_tokens_per_character_are_usual_up_to_both_ends() -> None:
    tokens = [2799.0, 2800.0, 2801.0, 2200.0, 2199.0]
    assert run(n_tokens=tokens, n_chars=10_000.0).keep.tolist() == [True, True, False, True, False]
    wide = run(n_tokens=[1000.0, 999.0, 5000.0, 5001.0], n_chars=10_000.0, topic="science")
    assert wide.keep.tolist() == [True, False, True, False]


def test_a_category_is_held_to_wider_limits() -> None:
    topics = ["medical", "education", "technology", "science", "cc", ""]
    assert run(eflaw=69.9, topic=topics).keep.tolist() == [True] * 4 + [False] * 2
    assert not run(eflaw=70.0, topic=topics).keep.any()
    assert run(eflaw=[29.9, 30.0]).keep.tolist() == [True, False]
    assert run({"category": None}, eflaw=50.0, topic="science").keep.tolist() == [False]
    number = run({"category": "medical"}, medical=[0.5, 0.51], eflaw=50.0)
    assert number.keep.tolist() == [False, True]


def test_a_reason_names_the_gates_that_are_closed() -> None:
    reason = run(dclm=0.001, cosmo=0.01).explain(0)
    assert reason == (
        "dclm 0.001 is not above 0.002; cosmo 0.01 is not above 0.03; eflaw 99 is not below 30 and tokens per "
        "character 0.9 lie outside 0.22..0.28 (in no category)"
    )
    assert run(topic="science").explain(0).endswith("lie outside 0.1..0.5 (in a category)")


def test_what_is_read_is_what_the_params_name() -> None:
    assert SPEC.needs(GneisswebParams("dclm")) == ("dclm", "eflaw", "n_tokens", "n_chars")
    both = GneisswebParams("dclm", other_score="n_chars", category="language")
    assert SPEC.needs(both) == ("dclm", "n_chars", "language", "eflaw", "n_tokens")


def test_what_cannot_be_held_to_a_limit_is_refused() -> None:
    with pytest.raises(InputError, match="topic holds no numbers"):
        run({"other_score": "topic"})
    with pytest.raises(InputError, match=r"low must be below high, got low=0.3, high=0.28"):
        run({"min_tokens_per_char": 0.3})
