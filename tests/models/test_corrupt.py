"""Damage done to code on purpose (SCIP's study)."""

from __future__ import annotations

import ast
import random as plain

import numpy as np
import pytest

from workbench.errors import InputError
from workbench.models.corrupt import (
    CONTENT,
    SYNTAX,
    break_names,
    delete_conditionals,
    drop_brackets,
    shift_indices,
    swap_names,
)

CODE = '''"""A module (with a bracket in its text)."""
import os


def head(rows, n=2):
    # é and a bracket ) in a comment
    if not rows:
        return []
    elif n > 5:
        return rows[0]
    for row in rows[1:-1]:
        if row[0] == "]":
            print(row[-2], "é", row[3])
    return {"first": rows[0], "rest": [r for r in rows[:n]]}


class Box:
    def __init__(self, size):
        if size:
            self.size = size
'''

EVERY = {**SYNTAX, **CONTENT}


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def brackets(code: str) -> tuple[int, int]:
    return sum(code.count(c) for c in "([{"), sum(code.count(c) for c in ")]}")


def parses(code: str) -> bool:
    try:
        ast.parse(code)
    except SyntaxError:
        return False
    return True


@pytest.mark.parametrize("fraction", [0.0, 0.3, 1.0])
def test_without_closing_brackets_more_opens_than_closes(fraction: float) -> None:
    damaged = drop_brackets(CODE, rng(), fraction)
    assert damaged is not None
    opened, closed = brackets(CODE)
    n_text = 3  # in the docstring, the comment and a string
    expected = max(round(fraction * (closed - n_text)), 1)
    assert brackets(damaged) == (opened, closed - expected)
    assert "(with a bracket in its text)" in damaged
    assert "a bracket ) in a comment" in damaged
    assert '== "]"' in damaged
    assert not parses(damaged)


def test_broken_names_are_none_wherever_they_stand() -> None:
    damaged = break_names(CODE, rng(), 1.0)
    assert damaged is not None
    assert not parses(damaged)
    assert "def 9head(9rows, 9n=2):" in damaged
    assert "return [" in damaged, "keywords stay"
    assert "a bracket ) in a comment" in damaged
    assert "9self.size = 9size" in damaged, "what stands behind a dot stays"
    one = break_names(CODE, rng(), 0.0)
    assert one is not None
    assert not parses(one)


@pytest.mark.filterwarnings("ignore:invalid decimal literal")
@pytest.mark.parametrize("name", ["e5", "j", "_000", "E1", "x1f", "b", "l", "if_"])
def test_a_broken_name_is_never_a_number(name: str) -> None:
    damaged = break_names(f"print({name})\n{name} = 3\n", rng(), 1.0)
    assert damaged is not None
    assert not parses(damaged)
    assert not parses(damaged.splitlines()[1])


def test_deleted_conditionals_leave_the_rest_and_a_pass_where_nothing_is_left() -> None:
    damaged = delete_conditionals(CODE, rng(), 1.0)
    assert damaged is not None
    assert not any(isinstance(node, ast.If) for node in ast.walk(ast.parse(damaged)))
    assert "elif" not in damaged
    assert "    for row in rows[1:-1]:\n        pass\n" in damaged
    assert "        pass\n" in damaged.split("def __init__")[1]
    assert damaged.count("pass") == 2
    assert "# é and a bracket ) in a comment\n    for row" in damaged
    one = delete_conditionals(CODE, rng(), 0.0)
    assert one is not None
    assert sum(isinstance(node, ast.If) for node in ast.walk(ast.parse(one))) in (2, 3)


def test_an_if_within_an_if_is_not_counted_by_itself() -> None:
    code = "if a:\n    if b:\n        x = 1\n    y = 2\nz = 3\n"
    assert delete_conditionals(code, rng(), 1.0) == "z = 3\n"
    assert delete_conditionals("try:\n    if a: b\nfinally:\n    if c:\n        d\n", rng(), 1.0) == (
        "try:\n    pass\nfinally:\n    pass\n"
    )


def test_indices_and_ends_of_slices_are_one_more() -> None:
    damaged = shift_indices(CODE, rng())
    assert damaged is not None
    assert "return rows[1]" in damaged
    assert "rows[2:0]" in damaged
    assert 'print(row[-1], "é", row[4])' in damaged, "columns are counted in bytes"
    assert "n=2" in damaged, "other numbers stay"
    assert "rows[:n]" in damaged
    assert shift_indices("d[True] = d[1.5]\n", rng()) is None
    assert shift_indices("x[ - 3 ]\n", rng()) == "x[ -2 ]\n"


def test_swapped_names_are_the_same_names_elsewhere() -> None:
    damaged = swap_names(CODE, rng())
    assert damaged is not None
    assert damaged != CODE

    def names(code: str) -> list[str]:
        return sorted(
            node.arg if isinstance(node, ast.arg) else node.id
            for node in ast.walk(ast.parse(code))
            if isinstance(node, ast.arg | ast.Name)
        )

    assert set(names(damaged)) == set(names(CODE))
    before, after = ast.parse(CODE), ast.parse(damaged)
    assert len(list(ast.walk(before))) == len(list(ast.walk(after)))
    own = {"rows", "n", "row", "r", "self", "size"}
    header = damaged.split("def head(")[1].split(")")[0]
    assert header.split("=")[0] != "rows, n"
    assert set(header.replace("=2", "").split(", ")) < own
    assert "print(" in damaged, "what isn't a variable of the code stays"
    assert "import os" in damaged
    assert ".size = " in damaged


def test_every_place_of_a_variable_is_renamed_but_in_strings() -> None:
    code = "def f(a, b, c):\n    t = a - b\n    label = f'{t}{c}' + a\n    return label, t\n"
    damaged = swap_names(code, rng(3))
    assert damaged is not None
    function = ast.parse(damaged).body[0]
    assert isinstance(function, ast.FunctionDef)
    a, b, c = (arg.arg for arg in function.args.args)
    t, label = (
        node.id
        for node in ast.walk(function)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    )
    assert {a, b, c, t, label} == {"a", "b", "c", "t", "label"}
    assert all(
        new != old for new, old in zip((a, b, c, t, label), ("a", "b", "c", "t", "label"), strict=True)
    )
    expected = f"def f({a}, {b}, {c}):\n    {t} = {a} - {b}\n    {label} = f'{{t}}{{c}}' + {a}\n"
    assert damaged == expected + f"    return {label}, {t}\n"


@pytest.mark.parametrize("name", CONTENT)
@pytest.mark.parametrize("seed", range(5))
def test_after_damage_to_the_content_python_still_parses(name: str, seed: int) -> None:
    damaged = CONTENT[name](CODE, rng(seed), 0.5)
    assert damaged is not None
    assert damaged != CODE
    assert parses(damaged)


@pytest.mark.parametrize("name", EVERY)
def test_the_generator_alone_decides(name: str) -> None:
    first = EVERY[name](CODE, rng(1), 0.4)
    plain.seed(5)
    np.random.seed(5)  # noqa: NPY002
    assert EVERY[name](CODE, rng(1), 0.4) == first
    assert len({EVERY[name](CODE, rng(seed), 0.4) for seed in range(8)}) > 1


HOSTILE = [
    "",
    "\n",
    "x",
    "\0",
    "'''",
    "(" * 300,
    "def f(:\n  pass",
    "if",
    "é = [1)",
    "\x0cif x:\r\n  y\r  z",
    "a\r\nb[0]",
]


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize("code", HOSTILE)
def test_whatever_the_text_is_there_is_damage_or_none(name: str, code: str) -> None:
    damaged = EVERY[name](code, rng(), 1.0)
    assert damaged != code
    if damaged is not None and name in CONTENT:
        assert parses(damaged)


def test_brackets_and_names_are_found_in_other_languages_too() -> None:
    code = "int main() { char c = '\\''; return f(x[0]); }"
    damaged = drop_brackets(code, rng(), 1.0)
    assert damaged is not None
    assert brackets(damaged) == (4, 0)
    assert "9main(" in (break_names(code, rng(), 1.0) or "")
    assert all(function(code, rng(), 1.0) is None for function in CONTENT.values())


def test_a_file_with_windows_line_ends_is_damaged_in_the_right_place() -> None:
    assert shift_indices("a = 1\r\nb = c[7]\r\n", rng()) == "a = 1\r\nb = c[8]\r\n"
    assert delete_conditionals("if a:\r\n    b\r\nc\r\n", rng(), 1.0) == "c\r\n"
    assert drop_brackets("a\r\nb(c)\r\n", rng(), 1.0) == "a\r\nb(c\r\n"


@pytest.mark.parametrize("name", EVERY)
def test_a_fraction_outside_0_to_1_is_refused(name: str) -> None:
    with pytest.raises(InputError, match=r"fraction must lie in 0\.\.1, got 50"):
        EVERY[name](CODE, rng(), 50.0)
