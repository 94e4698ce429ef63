"""What a param may be and what to do about one that is wrong, in the words of a recipe's author."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from workbench.selectors.base import Quantile

_NAMES: dict[object, tuple[str, str]] = {
    int: ("a whole number", "whole numbers"),
    float: ("a number", "numbers"),
    str: ("a text", "texts"),
    bool: ("true or false", "true or false"),
    Quantile: ('{"quantile": 0.5}', 'quantiles such as {"quantile": 0.5}'),
    NoneType: ("null", "null"),
}
_SHOWN = 80  # characters of what came


def allowed(hint: Any, *, plural: bool = False) -> str:
    """What a param of a type may be, in words.

    Examples
    --------
    >>> allowed(int | None), allowed(tuple[float, ...]), allowed(Literal["hard", "easy"])
    ('a whole number or null', 'a list of numbers', 'one of "hard", "easy"')
    """
    origin = get_origin(hint)
    if origin is Literal:
        return f"one of {', '.join(json.dumps(value) for value in get_args(hint))}"
    if origin in (Union, UnionType):
        names = [allowed(one, plural=plural) for one in get_args(hint)]
        return f"{', '.join(names[:-1])} or {names[-1]}"
    if origin is tuple:
        return f"a list of {allowed(get_args(hint)[0], plural=True)}"
    return _NAMES[hint][plural]


def fault(kind: type[Any], given: Mapping[str, Any], place: Sequence[str | int], value: object) -> str:
    """What is wrong with a param: what it may be, what came, and what to do.

    Parameters
    ----------
    kind
        The dataclass of the params.
    given
        The params as they came.
    place
        Where the fault is: the param's name, and within a list the entry's number.
    value
        What stands there.

    Examples
    --------
    >>> fault(Quantile, {"quantile": "0.5"}, ("quantile",), "0.5")
    'quantile must be a number, got "0.5"; write it without quotes'
    """
    name = str(place[0])
    hint = get_type_hints(kind)[name]
    entry = f" as entry {place[1] + 1}" if len(place) > 1 and isinstance(place[1], int) else ""
    got = value if entry else given[name]
    shown = json.dumps(got, ensure_ascii=False, default=str)
    shown = shown if len(shown) <= _SHOWN else f"{shown[:_SHOWN]}..."
    return f"{name} must be {allowed(hint)}, got {shown}{entry}; {_remedy(hint, got, is_entry=bool(entry))}"


def _remedy(hint: Any, got: object, *, is_entry: bool) -> str:
    kinds = set(get_args(hint)) if get_origin(hint) in (Union, UnionType) else {hint}
    if get_origin(hint) is tuple:
        if not is_entry:
            return "write it in square brackets, with commas between"
        inner = get_args(hint)[0]
        kinds = set(get_args(inner)) if get_origin(inner) in (Union, UnionType) else {inner}
    if get_origin(hint) is Literal:
        return "take one of these"
    if bool in kinds:
        return "write true or false without quotes"
    if kinds & {int, float} and isinstance(got, str) and _is_number(got):
        return "write it without quotes"
    if int in kinds and isinstance(got, float) and math.isfinite(got):
        return f"write {round(got)}"
    if str in kinds and isinstance(got, int | float) and not isinstance(got, bool):
        return "write it in quotes"
    return "`workbench schema recipe` shows its form"


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
