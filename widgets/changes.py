"""What changed between two recipes, in a few words. Pure: two recipes in, a sentence out."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import SequenceMatcher
from typing import Any

from workbench.checks import canonical_json
from workbench.recipe.model import Recipe, Step

_MAX_CHARS = 60
_MAX_PARTS = 3
_THRESHOLDS = ("low", "high")


def describe(before: Recipe, after: Recipe) -> str:
    """What was done to the first recipe to get the second, e.g. "n_tokens: low from 50 to 120"."""
    parts = _changed_steps(before.steps, after.steps)
    if before.seed != after.seed:
        parts.append(f"seed from {before.seed} to {after.seed}")
    if before.scores != after.scores:
        parts.append("settings of scores")
    if not parts:
        return "nothing changed"
    if len(parts) > _MAX_PARTS:
        n = len(after.steps)
        return f"another recipe of {n} step{'s' if n != 1 else ''}"
    return "; ".join(parts)


def step_words(step: Step) -> str:
    """A step by its score, or by its selector's name where it reads none or several."""
    score = getattr(step.params, "score", None)
    return str(score) if step.select in ("band", "category") and score else step.select


def value_words(value: object) -> str:
    """A parameter's value as it is shown."""
    if value is None:
        return "open"
    if isinstance(value, Mapping) and "quantile" in value:
        return f"quantile {value['quantile']:g}"
    if isinstance(value, float):
        return f"{value:.6g}"
    words = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    return words if len(words) <= _MAX_CHARS else words[: _MAX_CHARS - 1] + "…"


def _changed_steps(before: tuple[Step, ...], after: tuple[Step, ...]) -> list[str]:
    old, new = ([canonical_json(step.to_json()) for step in steps] for steps in (before, after))
    if old == new:
        return []
    if sorted(old) == sorted(new):
        return [_moved(old, new, after)]
    parts: list[str] = []
    for kind, i, j, k, m in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind == "equal":
            continue
        gone, come = list(before[i:j]), list(after[k:m])
        for step in list(come):
            twin = next((other for other in gone if _is_same_step(other, step)), None)
            if twin is not None:
                gone.remove(twin)
                come.remove(step)
                parts += _changed_params(twin, step)
        parts += [f"{step_words(step)} removed" for step in gone]
        parts += [_added(step) for step in come]
    return parts


def _is_same_step(one: Step, other: Step) -> bool:
    return one.select == other.select and step_words(one) == step_words(other)


def _moved(old: list[str], new: list[str], after: tuple[Step, ...]) -> str:
    """The step that went farthest; where two change places either has."""
    farthest = max(range(len(new)), key=lambda i: abs(i - old.index(new[i])))
    way = "up" if farthest < old.index(new[farthest]) else "down"
    return f"{step_words(after[farthest])} moved {way}"


def _added(step: Step) -> str:
    given = step.to_json()
    bounds = [f"{side} {value_words(given[side])}" for side in _THRESHOLDS if given.get(side) is not None]
    return f"{step_words(step)} added" + (f" ({', '.join(bounds)})" if bounds else "")


def _changed_params(before: Step, after: Step) -> list[str]:
    old, new = before.to_json(), after.to_json()
    parts = []
    if before.off != after.off:
        parts.append(f"{step_words(after)} switched {'off' if after.off else 'on'}")
    names = [
        name for name in {**old, **new} if name not in ("select", "off") and old.get(name) != new.get(name)
    ]
    return [*parts, *(f"{step_words(after)}: {name} {_from_to(old, new, name)}" for name in names)]


def _from_to(old: Mapping[str, Any], new: Mapping[str, Any], name: str) -> str:
    return f"from {value_words(old.get(name))} to {value_words(new.get(name))}"
