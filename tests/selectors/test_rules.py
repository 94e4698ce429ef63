"""One score against one limit: what is on the limit, what is missing, and the reasons."""

from __future__ import annotations

import numpy as np
import pytest

from workbench.errors import InputError
from workbench.selectors.rules import Rule, apply_rules, rule_needs

COLUMNS = {
    "a": np.array([0.1, 0.2, np.nan, 0.3], dtype=np.float32),
    "b": np.array([5, 5, 5, 4], dtype=np.float32),
}


@pytest.mark.parametrize(
    ("keeps", "kept"),
    [
        ("<=", [True, True, False, False]),
        ("<", [True, False, False, False]),
        (">=", [False, True, False, True]),
        (">", [False, False, False, True]),
    ],
)
def test_the_limit_itself_passes_or_not_in_the_type_that_is_stored(keeps: str, kept: list[bool]) -> None:
    # 0.2 as float32 is above 0.2 as float64, and 0.1 too.
    assert apply_rules(COLUMNS, [Rule("a", keeps, 0.2)]).keep.tolist() == kept  # type: ignore[arg-type]


def test_a_document_without_the_score_fails_unless_the_rule_says_otherwise() -> None:
    assert not apply_rules(COLUMNS, [Rule("a", "<=", 1)]).keep[2]
    assert apply_rules(COLUMNS, [Rule("a", "<=", 0, "passes")]).keep.tolist() == [False, False, True, False]


def test_a_reason_names_every_rule_that_is_broken() -> None:
    selection = apply_rules(COLUMNS, [Rule("b", ">=", 5), Rule("a", "<", 0.3), Rule("a", ">", 0.2)])
    assert selection.keep.tolist() == [False, False, False, False]
    assert selection.explain(3) == "b 4 is below 5; a 0.3 is not below 0.3"
    assert selection.explain(1) == "a 0.2 is not above 0.2"
    assert selection.explain(2) == "a is not defined for this document; a is not defined for this document"


@pytest.mark.parametrize(
    ("rules", "is_possible"),
    [
        ([Rule("a", ">=", 2), Rule("a", "<=", 2)], True),
        ([Rule("a", ">", 2), Rule("a", "<=", 2)], False),
        ([Rule("a", ">=", 2), Rule("a", "<", 2)], False),
        ([Rule("a", ">", 2), Rule("b", "<", 2)], True),
        ([Rule("a", ">=", 3), Rule("b", "<", 2), Rule("a", "<=", 2, "passes")], False),
        ([Rule("b_fraction", ">=", 1)], True),
        ([Rule("b_fraction", ">", 1)], False),
        ([Rule("b_fraction", "<", 0)], False),
        ([Rule("b_fraction", "<=", 0)], True),
        ([Rule("b_fraction", "<=", 7)], True),
    ],
)
def test_limits_that_no_number_meets_are_refused(rules: list[Rule], is_possible: bool) -> None:
    columns = {**COLUMNS, "b_fraction": COLUMNS["a"]}
    if is_possible:
        assert len(apply_rules(columns, rules).keep) == 4
        return
    with pytest.raises(InputError, match=r"can't be (at least|at most|above|below) \d"):
        apply_rules(columns, rules)


def test_a_limit_that_is_no_number_is_refused() -> None:
    with pytest.raises(InputError, match="limit of a must be a number"):
        apply_rules(COLUMNS, [Rule("a", "<=", np.nan)])


def test_what_two_rules_read_is_needed_once() -> None:
    assert rule_needs([Rule("b", ">", 0), Rule("a", ">", 0), Rule("b", "<", 9)]) == ("b", "a")
