"""Reading what a view sends. In voila that is a visitor's input: type, range and name of every field are checked."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping

from workbench.errors import InputError

MAX_TEXT = 200
MAX_JSON = 1_000_000


def text(content: Mapping[str, object], name: str, *, at_most: int = MAX_TEXT) -> str:
    """A string of at most so many characters."""
    value = content.get(name)
    if not isinstance(value, str) or len(value) > at_most:
        raise InputError(f"{name} must be text of at most {at_most} characters, got {_shown(value)}")
    return value


def optional_text(content: Mapping[str, object], name: str) -> str | None:
    """A string, None where it is missing, null or blank."""
    if content.get(name) in (None, ""):
        return None
    return text(content, name).strip() or None


def known(content: Mapping[str, object], name: str, allowed: Collection[str]) -> str:
    """One of the allowed strings."""
    value = content.get(name)
    if not isinstance(value, str) or value not in allowed:
        raise InputError(f"{name} must be one of those shown, got {_shown(value)}")
    return value


def optional_known(content: Mapping[str, object], name: str, allowed: Collection[str]) -> str | None:
    """One of the allowed strings, or None."""
    return None if content.get(name) is None else known(content, name, allowed)


def number(content: Mapping[str, object], name: str) -> float:
    """A finite number."""
    value = content.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not _finite(value):
        raise InputError(f"{name} must be a number, got {_shown(value)}")
    return float(value)


def optional_number(content: Mapping[str, object], name: str) -> float | None:
    """A finite number, or None."""
    return None if content.get(name) is None else number(content, name)


def integer(content: Mapping[str, object], name: str, low: int, high: int) -> int:
    """A whole number in low..high."""
    value = content.get(name)
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise InputError(f"{name} must be a whole number in {low}..{high}, got {_shown(value)}")
    return value


def optional_integer(content: Mapping[str, object], name: str, low: int, high: int) -> int | None:
    """A whole number in low..high, or None."""
    return None if content.get(name) is None else integer(content, name, low, high)


def flag(content: Mapping[str, object], name: str) -> bool:
    """True or false."""
    value = content.get(name)
    if not isinstance(value, bool):
        raise InputError(f"{name} must be true or false, got {_shown(value)}")
    return value


def names(content: Mapping[str, object], name: str, allowed: Collection[str]) -> tuple[str, ...]:
    """A list of allowed strings, each once."""
    value = content.get(name)
    if not isinstance(value, list) or len(value) > len(allowed):
        raise InputError(f"{name} must be a list of names shown, got {_shown(value)}")
    return tuple(dict.fromkeys(known({name: item}, name, allowed) for item in value))


def entries(content: Mapping[str, object], name: str, at_most: int) -> list[object]:
    """A list of at most so many entries."""
    value = content.get(name)
    if not isinstance(value, list) or len(value) > at_most:
        raise InputError(f"{name} must be a list of at most {at_most:,} entries, got {_shown(value)}")
    return value


def record(value: object, what: str, keys: Collection[str]) -> Mapping[str, object]:
    """An object with just these keys, of a file that may be anyone's."""
    if not isinstance(value, Mapping) or set(value) != set(keys):
        raise InputError(f"{what} must be an object of {', '.join(sorted(keys))}, got {_shown(value)}")
    return value


def _finite(value: int | float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:  # an int too large for a float
        return False


def _shown(value: object) -> str:
    return repr(value)[:60]
