"""A recipe: the ordered selectors with their parameters. What the sliders edit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from workbench.errors import RecipeError
from workbench.scores import SCORES
from workbench.selectors import SELECTORS, SelectorSpec
from workbench.selectors.base import GIVEN

RECIPE_FORMAT = "selection-recipe/1"


def readable_scores(spec: SelectorSpec) -> tuple[str, ...]:
    """The scores that a selector's `score_params` may name: numbers, or categories (the source is one)."""
    categories = "category" in spec.reads
    scores = (n for n, s in SCORES.items() if bool(s.labels) == categories and not s.vector)
    return (*scores, "source") if categories else tuple(scores)


@dataclass(frozen=True)
class Step:
    """One selector with its parameters; `select` is its name. A step that is off keeps everything and reads nothing."""

    select: str
    params: Any
    off: bool = False

    @property
    def spec(self) -> SelectorSpec:
        """The selector's definition."""
        return SELECTORS[self.select]

    @property
    def needs(self) -> tuple[str, ...]:
        """The columns that the step reads."""
        return () if self.off else self.spec.needs(self.params)

    def check_score(self, where: str) -> None:
        """Hold the scores that the params name to those that the selector can read.

        Raises
        ------
        RecipeError
            If there is no such score, it is of another kind, or a category isn't one of its values.
        """
        for param in self.spec.score_params:
            named = getattr(self.params, param, None)
            for name in named if isinstance(named, tuple) else (named,):
                if name is not None:
                    self._check_name(name, where)

    def _check_name(self, name: str, where: str) -> None:
        if name in readable_scores(self.spec):
            labels = SCORES[name].labels if name in SCORES else ()
            unknown = [value for value in getattr(self.params, "values", ()) if value not in labels]
            if labels and unknown:
                raise RecipeError(f"{where}: {name} has no value {unknown[0]!r}; it has {', '.join(labels)}")
            return
        if name not in SCORES:
            raise RecipeError(f"{where}: there is no score {name!r}; `workbench methods` lists them all")
        vector = SCORES[name].vector
        kind = "a vector" if vector else "categories" if SCORES[name].labels else "numbers"
        remedy = "take another score" if vector else "take category for categories, band for numbers"
        raise RecipeError(f"{where}: {self.select} can't read {name}, which holds {kind}; {remedy}")

    def to_json(self) -> dict[str, Any]:
        """As in a recipe file; what is None is left out, since None means off."""
        given = {name: value for name, value in asdict(self.params).items() if value is not None}
        off = {"off": True} if self.off else {}
        return {"select": self.select, **off, **{name: _without_none(value) for name, value in given.items()}}


def _without_none(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: inner for name, inner in value.items() if inner is not None}
    return list(value) if isinstance(value, tuple) else value


@dataclass(frozen=True)
class Recipe:
    """Ordered steps; a document is kept if every step keeps it.

    Attributes
    ----------
    steps
        In order: each sees only what the ones before it kept.
    seed
        For every random choice, and what is fitted.
    scores
        Settings of scores by name where they differ from the defaults.
    """

    steps: tuple[Step, ...] = ()
    seed: int = 0
    scores: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def active(self) -> Recipe:
        """The recipe without the steps that are off: what a manifest holds."""
        return replace(self, steps=tuple(step for step in self.steps if not step.off))

    @property
    def needs(self) -> tuple[str, ...]:
        """All columns that the steps read, each once, in order."""
        return tuple(dict.fromkeys(need for step in self.steps for need in step.needs))

    @property
    def score_needs(self) -> tuple[str, ...]:
        """The scores among `needs`."""
        return tuple(need for need in self.needs if need not in GIVEN)

    def to_json(self) -> dict[str, Any]:
        """As in a recipe file."""
        out: dict[str, Any] = {
            "format": RECIPE_FORMAT,
            "seed": self.seed,
            "steps": [s.to_json() for s in self.steps],
        }
        if self.scores:
            out["scores"] = {name: dict(settings) for name, settings in self.scores.items()}
        return out
