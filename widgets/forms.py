"""A form for a selector, made from its params dataclass, so that a new method needs no code here."""

from __future__ import annotations

import math
import types
from dataclasses import MISSING, Field, fields
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import numpy as np

from workbench.engine.table import Table
from workbench.errors import InputError
from workbench.recipe.model import Step
from workbench.recipe.schema import parse_step
from workbench.scores import SCORES
from workbench.selectors import SELECTORS, SelectorSpec
from workbench.selectors.base import Quantile

FormField = dict[str, Any]

OPEN = "open"
"""What stands in a list of numbers for an open side."""


def kind_of(hint: Any) -> str:
    """Which control a field gets by its type: threshold, choice, names, flag, integer, number or text."""
    if get_origin(hint) is Literal:
        return "choice"
    if get_origin(hint) is tuple:
        return "names"
    options = get_args(hint) if get_origin(hint) in (Union, types.UnionType) else (hint,)
    if Quantile in options:
        return "threshold"
    for kind, name in ((bool, "flag"), (int, "integer"), (float, "number")):
        if kind in options:
            return name
    return "text"


def score_options(select: str, table: Table | None) -> list[str]:
    """The computed scores that a selector's `score` may be: those with labels for one that keeps labels."""
    wants_labels = "values" in {field.name for field in fields(SELECTORS[select].params)}
    known = (
        [] if table is None else [name for name in SCORES if name in table.scores and not SCORES[name].vector]
    )
    return [name for name in known if bool(SCORES[name].labels) == wants_labels]


def present_labels(score: str, table: Table) -> list[str]:
    """The labels of a categorical score that some document has."""
    codes = table.scores[score]
    return [SCORES[score].labels[int(code)] for code in np.unique(codes[np.isfinite(codes)])]


def step_form(step: Step, table: Table | None) -> list[FormField]:
    """The controls for one step, with the values that they show; a share has one of its own, "fraction"."""
    spec, given = step.spec, step.to_json()
    hints = get_type_hints(spec.params)
    return [
        _control(spec, field, hints[field.name], given.get(field.name), table)
        for field in fields(spec.params)
    ]


def _control(spec: SelectorSpec, field: Field[Any], hint: Any, value: Any, table: Table | None) -> FormField:
    kind = kind_of(hint)
    if kind == "number" and field.name.endswith("fraction") and value is not None:
        kind = "fraction"
    options: list[str] = [str(option) for option in get_args(hint)] if kind == "choice" else []
    if field.name in spec.score_params and kind != "names":
        kind, options = "choice", score_options(spec.name, table)
        if field.default is None:
            value, options = value or "", ["", *options]
        if value not in options:
            options = [value, *options]
    if kind == "names" and value is not None:
        value = [OPEN if entry is None else entry for entry in value]
    return {
        "name": field.name,
        "kind": kind,
        "value": value,
        "options": options,
        "help": spec.help.get(field.name, ""),
    }


def with_param(step: Step, name: str, value: object, index: int) -> Step:
    """The step with one parameter changed; the recipe's own schema checks name and value.

    Raises
    ------
    RecipeError
        If the selector has no such parameter, or the value is of the wrong type.
    """
    changed = {**step.to_json(), name: _numbers(step, name, value)}
    if value is None or (value == "" and name in step.spec.score_params):
        del changed[name]
    return parse_step(changed, index)


def _numbers(step: Step, name: str, value: object) -> object:
    """A list of numbers comes from the page as texts; what is no number stays one, and is refused by the schema."""
    kinds = _entry_kinds(get_type_hints(step.spec.params).get(name))
    if not isinstance(value, list) or float not in kinds:
        return value
    return [None if text == OPEN and type(None) in kinds else _number(text) for text in value]


def _entry_kinds(hint: Any) -> tuple[Any, ...]:
    """What the entries of a list may be; nothing of what is no list."""
    if get_origin(hint) is not tuple:
        return ()
    entry = get_args(hint)[0]
    return get_args(entry) or (entry,)


def _number(text: object) -> object:
    try:
        number = float(str(text))
    except ValueError:
        return text
    return number if math.isfinite(number) else text


def new_step(select: str, table: Table | None) -> Step:
    """A step to begin with: the defaults, and for what has none a value that drops little or is easy to change.

    Raises
    ------
    InputError
        If it reads a score and none is computed.
    """
    spec = SELECTORS[select]
    hints = get_type_hints(spec.params)
    value: dict[str, Any] = {"select": select}
    for field in fields(spec.params):
        if field.default is not MISSING or field.default_factory is not MISSING:
            continue
        value[field.name] = _first_value(spec, field.name, kind_of(hints[field.name]), value, table)
    if any(field.name == "unscored" for field in fields(spec.params)):
        # The recipe must say what becomes of unscored documents; a form would else begin with an error.
        value["unscored"] = "drop"
    return parse_step(value)


def _first_value(
    spec: SelectorSpec, name: str, kind: str, so_far: dict[str, Any], table: Table | None
) -> Any:
    if name in spec.score_params:
        options = score_options(spec.name, table)
        if not options:
            raise InputError(
                f"{spec.name} needs a score and none that fits is computed; tick one on the Load tab"
            )
        return options[:2] if kind == "names" else options[0]
    if kind == "names":
        return present_labels(so_far["score"], table) if table is not None and "score" in so_far else []
    return {"integer": 1, "number": 0.5, "flag": False, "choice": None}.get(kind, "")
