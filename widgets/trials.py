"""What rules did on held-out documents, kept for as long as the recipe has them: evidence for the manifest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from widgets import messages
from workbench.checks import json_digest
from workbench.engine.region import HeldOut
from workbench.errors import InputError
from workbench.recipe.model import Recipe
from workbench.selectors.region import RegionParams
from workbench.stats.wilson import Share

MAX_TRIALS = 200
_COUNT = 10**9
_SHARE = ("value", "low", "high", "n_found", "n")
_KEYS = ("rule", "sample", "n_fitted", "n_held_out", "precision", "recall")


class Trials:
    """Trials of rules, by what the rule is; a `Saveable`."""

    def __init__(self) -> None:
        self._known: dict[str, dict[str, Any]] = {}

    def remember(self, rule: RegionParams, held_out: HeldOut, sample: str) -> None:
        """Take down how a rule did on documents held out of the sample with this fingerprint."""
        digest = _digest(rule)
        self._known.pop(digest, None)
        self._known[digest] = {
            "rule": digest,
            "sample": sample,
            "n_fitted": held_out.n_fitted,
            "n_held_out": held_out.n,
            "precision": _share_json(held_out.precision),
            "recall": _share_json(held_out.recall),
        }
        while len(self._known) > MAX_TRIALS:
            del self._known[next(iter(self._known))]

    def evidence(self, recipe: Recipe) -> list[dict[str, Any]]:
        """An item for each region of the recipe that was tried; steps that are off don't count, as in a manifest."""
        found = []
        for number, step in enumerate(recipe.active.steps, 1):
            if not isinstance(step.params, RegionParams):
                continue
            trial = self._known.get(_digest(step.params))
            if trial is not None:
                about = {"kind": "held_out_region", "step": number, "name": step.params.name}
                found.append({**about, "variant": step.params.variant, **trial})
        return found

    def to_json(self) -> Any:
        """As saved."""
        return {"trials": list(self._known.values())}

    def load_json(self, value: Any) -> None:
        """Take saved trials in place of these.

        Raises
        ------
        InputError
            If they aren't what `to_json` gives.
        """
        given = messages.record(value, "trials of rules", ("trials",))
        found = [_trial(item) for item in messages.entries(given, "trials", MAX_TRIALS)]
        self._known = {trial["rule"]: trial for trial in found}


def _digest(rule: RegionParams) -> str:
    """Of what the rule decides by: which side is kept and what it is called change nothing of how well it does."""
    return json_digest([rule.variant, rule.n_inside, rule.numbers, rule.embedding])


def _share_json(share: Share) -> dict[str, float | int | None]:
    return {name: getattr(share, name) for name in _SHARE}


def _trial(value: object) -> dict[str, Any]:
    given = messages.record(value, "a trial of a rule", _KEYS)
    return {
        "rule": messages.text(given, "rule", at_most=64),
        "sample": messages.text(given, "sample", at_most=64),
        "n_fitted": messages.integer(given, "n_fitted", 0, _COUNT),
        "n_held_out": messages.integer(given, "n_held_out", 0, _COUNT),
        **{name: _share(given[name]) for name in ("precision", "recall")},
    }


def _share(value: object) -> dict[str, float | int | None]:
    given = messages.record(value, "a share", _SHARE)
    low, high, share = messages.number(given, "low"), messages.number(given, "high"), given["value"]
    told = None if share is None else messages.number(given, "value")
    n = messages.integer(given, "n", 0, _COUNT)
    if not 0 <= low <= (low if told is None else told) <= high <= 1:
        raise InputError("a share must lie in 0..1, within its interval; open another file")
    return {
        "value": told,
        "low": low,
        "high": high,
        "n_found": messages.integer(given, "n_found", 0, n),
        "n": n,
    }


def trials_of(saved_parts: Mapping[str, object], recipe: Recipe) -> Sequence[dict[str, Any]]:
    """The evidence of the trials that joined the saved parts of a bench, if any did."""
    trials = saved_parts.get("trials")
    return trials.evidence(recipe) if isinstance(trials, Trials) else []
