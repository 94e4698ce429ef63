"""Which scores are computed in which order: scores of one function in one pass, what a score reads before
it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, get_args

import numpy as np

from workbench.checks import Array, canonical_json
from workbench.errors import InputError
from workbench.scores import SCORES
from workbench.scores.base import Compute, Fit, Inputs, ScoreSpec, State

Role = Literal["tokenizer", "lm", "embedder"]
MODEL_NEEDS: tuple[Role, ...] = get_args(Role)
_GIVEN = {"text", *MODEL_NEEDS}


@dataclass(frozen=True)
class Pass:
    """Scores that come out of one call.

    Attributes
    ----------
    specs
        All the scores that the call returns, whether asked for or not.
    params
        The params dataclass, shared.
    """

    specs: tuple[ScoreSpec, ...]
    params: Any

    @property
    def first(self) -> ScoreSpec:
        """The spec that stands for the shared fields."""
        return self.specs[0]

    @property
    def name(self) -> str:
        """What a progress bar calls it."""
        return (
            self.first.name if len(self.specs) == 1 else f"{self.first.name} and {len(self.specs) - 1} more"
        )

    @property
    def compute(self) -> Compute:
        """The shared function."""
        return self.first.compute

    @property
    def fit(self) -> Fit | None:
        """The shared fit, None where nothing is fitted."""
        return self.first.fit

    @property
    def model_needs(self) -> tuple[Role, ...]:
        """The models it reads."""
        return tuple(role for role in MODEL_NEEDS if role in self.first.needs)

    @property
    def score_needs(self) -> tuple[str, ...]:
        """The scores it reads."""
        return tuple(need for need in self.first.needs if need not in _GIVEN)

    def stored(self, spec: ScoreSpec) -> str:
        """The type that a column has on disk."""
        return spec.dtype if spec.stored is None else spec.stored(self.params)

    def run(self, inputs: Inputs, state: State) -> dict[str, Array]:
        """Compute, and hold every column to its dtype and the number of documents."""
        columns = self.compute(inputs, self.params, state)
        out = {}
        for spec in self.specs:
            column = np.ascontiguousarray(columns[spec.name], dtype=spec.dtype)
            if len(column) != len(inputs):
                raise InputError(
                    f"{spec.name} gave {len(column)} values for {len(inputs)} documents; mend the score"
                )
            out[spec.name] = column
        return out


def plan_passes(names: Iterable[str], params: Mapping[str, Mapping[str, object]] | None = None) -> list[Pass]:
    """The passes that compute the named scores and all that they read, each after what it reads.

    Parameters
    ----------
    names
        Names of scores.
    params
        Settings other than the defaults, by score name: {"prototype_distance": {"n_clusters": 100}}.

    Raises
    ------
    InputError
        If a name isn't a score, or a param isn't one of the score's.
    """
    settings = dict(params or {})
    for name in settings:
        _spec(name)
    passes: list[Pass] = []
    done: set[str] = set()

    def visit(name: str) -> None:
        if name in done:
            return
        spec = _spec(name)
        for need in spec.needs:
            if need not in _GIVEN:
                visit(need)
        specs = tuple(s for s in SCORES.values() if s.compute is spec.compute)
        done.update(s.name for s in specs)
        passes.append(Pass(specs, _params(specs, settings)))

    for name in names:
        visit(name)
    return passes


def reads_embedding(name: str) -> bool:
    """Whether a score is the embedding, or made from it."""
    return name == "embedding" or any(reads_embedding(n) for n in _spec(name).needs if n not in _GIVEN)


def _spec(name: str) -> ScoreSpec:
    if name not in SCORES:
        raise InputError(f"there is no score {name!r}; `workbench methods` lists them all")
    return SCORES[name]


def _params(specs: tuple[ScoreSpec, ...], settings: Mapping[str, Mapping[str, object]]) -> Any:
    kind = specs[0].params
    known = {field.name for field in fields(kind)}
    chosen: dict[str, Any] = {}
    for spec in specs:
        for name, value in settings.get(spec.name, {}).items():
            if name not in known:
                allowed = ", ".join(sorted(known)) or "none"
                raise InputError(f"{spec.name} has no parameter {name!r}; it has {allowed}")
            chosen[name] = value
    return kind(**chosen)


def params_json(params: Any) -> dict[str, Any]:
    """A params dataclass as the JSON that it comes back as: a tuple is a list there."""
    value: dict[str, Any] = json.loads(canonical_json(asdict(params)))
    return value
