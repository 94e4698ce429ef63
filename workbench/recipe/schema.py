"""The JSON forms of recipe and manifest, and their schemas: the only file that knows pydantic."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import fields
from functools import cache
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from workbench.errors import ManifestError, RecipeError
from workbench.files import parse_json
from workbench.recipe.model import RECIPE_FORMAT, Recipe, Step, readable_scores
from workbench.recipe.words import fault
from workbench.scores import SCORES
from workbench.selectors import SELECTORS

MANIFEST_FORMAT = "selection-manifest/1"
MAX_SEED = 2**31 - 1  # what every library that takes a seed can hold
_DRAFT = "https://json-schema.org/draft/2020-12/schema"

Digest = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Artefact(_Entry):
    """A fitted artefact beside manifest.json. The name is a plain file name, never a path."""

    file: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]+\.safetensors$")]
    sha256: Digest


class FittedEntry(_Entry):
    """What may have a fitted artefact."""

    artefact: Artefact | None


class ScoreEntry(FittedEntry):
    """The definition of one score, in the order of computing. `models` names entries of the manifest's
    `models`.
    """

    name: str
    version: int
    unit: str
    dtype: str
    params: dict[str, Any]
    models: list[Literal["tokenizer", "lm", "embedder", "ngram"]]
    needs: dict[str, Digest]
    state: Digest | None


class StepEntry(FittedEntry):
    """One step with its params; a quantile holds the constant it was resolved to."""

    select: str
    version: int
    scope: Literal["row", "column", "group", "pieces"]
    params: dict[str, Any]


class EstimateEntry(_Entry):
    """A number and its 95 % interval."""

    value: float
    low: float
    high: float


Amount = Literal["n_documents", "n_tokens", "n_bytes"]
Amounts = dict[Amount, EstimateEntry]


class StepCount(_Entry):
    """What a step drops of the sample, not extrapolated."""

    select: str
    n_documents: int
    n_tokens: int


class Expected(_Entry):
    """What `apply` should keep of the corpus that the sample was drawn from.

    basis: "exact" (the sample is the corpus), "estimate" (extrapolated by the sample's design), or
    "upper_bound" (a step looks for copies, of which a corpus has more than its sample, so less than `high`
    will be kept).
    """

    basis: Literal["exact", "estimate", "upper_bound"]
    all: Amounts
    by_source: dict[str, Amounts]
    by_step: list[StepCount]


class InputEntry(_Entry):
    """The sample that the recipe was made on."""

    fingerprint: Digest
    n_documents: int
    design: dict[str, Any]


class Manifest(_Entry):
    """manifest.json."""

    format: Literal["selection-manifest/1"]
    created_with: dict[str, str]
    input: InputEntry
    models: dict[Literal["tokenizer", "lm", "embedder", "ngram"], dict[str, Any]]
    scores: list[ScoreEntry]
    seed: int
    score_params: dict[str, dict[str, Any]]
    steps: list[StepEntry]
    repeats: dict[str, float]
    expected: Expected
    evidence: list[dict[str, Any]]
    digest: Digest


def parse_recipe(value: object) -> Recipe:
    """A recipe from its JSON: text, bytes or the parsed object.

    Raises
    ------
    RecipeError
        If it isn't JSON, has another format, an unknown selector or param, or a value of the wrong type.
    """
    if isinstance(value, str | bytes):
        try:
            value = parse_json(value)
        except ValueError as error:
            raise RecipeError(f"the recipe is not JSON ({error}); mend it there") from None
    if not isinstance(value, Mapping):
        raise RecipeError(
            f"a recipe is a JSON object, got {type(value).__name__}; see `workbench schema recipe`"
        )
    unknown = sorted(set(value) - {"format", "seed", "steps", "scores"})
    if unknown:
        raise RecipeError(f"a recipe has no {unknown[0]!r}; it has format, seed, steps and scores")
    if value.get("format") != RECIPE_FORMAT:
        raise RecipeError(
            f"the recipe's format is {value.get('format')!r}, this workbench reads {RECIPE_FORMAT!r}"
        )
    seed, steps, scores = value.get("seed", 0), value.get("steps", []), value.get("scores", {})
    if not isinstance(seed, int) or isinstance(seed, bool) or not 0 <= seed <= MAX_SEED:
        raise RecipeError(f"seed must be a whole number from 0 to {MAX_SEED}, got {str(seed)[:40]}")
    if not isinstance(steps, list):
        raise RecipeError(f"steps must be a list, got {type(steps).__name__}")
    if not isinstance(scores, Mapping) or not all(isinstance(s, Mapping) for s in scores.values()):
        raise RecipeError("scores must map names of scores to their settings; see `workbench schema recipe`")
    for score, settings in scores.items():
        if score not in SCORES:
            raise RecipeError(f"scores: there is no score {score!r}; `workbench methods` lists them all")
        _validated(SCORES[score].params, settings, f"scores: {score}")
    return Recipe(tuple(parse_step(step, i) for i, step in enumerate(steps)), seed, dict(scores))


def parse_step(value: object, index: int = 0) -> Step:
    """One step of a recipe; `index` is named in errors (counted from 1 there).

    Raises
    ------
    RecipeError
        If the selector or a param isn't known, one is missing, or a value is of the wrong type.
    """
    where = f"step {index + 1}"
    if not isinstance(value, Mapping) or "select" not in value:
        raise RecipeError(f'{where} must be an object with "select"; `workbench methods` lists the selectors')
    name, off = value["select"], value.get("off", False)
    if not isinstance(name, str) or name not in SELECTORS:
        raise RecipeError(f"{where}: there is no selector {name!r:.80}; `workbench methods` lists all")
    if not isinstance(off, bool):
        raise RecipeError(f"{where}: off must be true or false, got {str(off)[:40]!r}")
    given = {key: inner for key, inner in value.items() if key not in ("select", "off")}
    step = Step(name, _validated(SELECTORS[name].params, given, f"{where}: {name}"), off)
    step.check_score(where)
    return step


def _validated(kind: type[Any], given: Mapping[str, Any], where: str) -> Any:
    """A params dataclass from JSON values, strictly: no unknown name, no value turned into another type."""
    _check_names(kind, given, where, "parameter")
    try:
        params = _adapter(kind).validate_json(json.dumps(given), strict=True)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        if not first["loc"]:
            raise RecipeError(f"{where} holds a text that isn't Unicode; write it anew") from None
        if first["loc"][0] not in given:
            raise RecipeError(f"{where} needs {first['loc'][0]!r}") from None
        raise RecipeError(f"{where} {fault(kind, given, first['loc'], first['input'])}") from None
    for key, inner in given.items():
        if isinstance(inner, Mapping):
            _check_names(type(getattr(params, key)), inner, f"{where} {key}", "entry")
    return params


def _check_names(kind: type[Any], given: Mapping[str, Any], where: str, what: str) -> None:
    known = [field.name for field in fields(kind)]
    for name in given:
        if name not in known:
            raise RecipeError(f"{where} has no {what} {name!r}; it has {', '.join(known) or 'none'}")


# A class can be hashed, which mypy denies.
_adapter: Callable[[type[Any]], TypeAdapter[Any]] = cache(TypeAdapter)  # type: ignore[assignment]


def recipe_schema() -> dict[str, Any]:
    """JSON schema of a recipe, made from the params of selectors and scores."""
    definitions: dict[str, Any] = {}
    steps = []
    for name, spec in SELECTORS.items():
        schema = _params_schema(spec.params, definitions)
        properties = schema["properties"]
        for key, text in spec.help.items():
            properties.get(key, {})["description"] = text
        for key in spec.score_params:
            _name_scores(properties.get(key, {}), list(readable_scores(spec)))
        steps.append(
            {
                "title": spec.title,
                "type": "object",
                "properties": {"select": {"const": name}, "off": {"type": "boolean"}, **properties},
                "required": ["select", *schema.get("required", [])],
                "additionalProperties": False,
            }
        )
    return {
        "$schema": _DRAFT,
        "title": "selection recipe",
        "type": "object",
        "properties": {
            "format": {"const": RECIPE_FORMAT},
            "seed": {"type": "integer", "minimum": 0, "maximum": MAX_SEED},
            "steps": {"type": "array", "items": {"oneOf": steps}},
            "scores": {
                "type": "object",
                "properties": {n: _params_schema(s.params, definitions) for n, s in SCORES.items()},
                "additionalProperties": False,
            },
        },
        "required": ["format"],
        "additionalProperties": False,
        "$defs": definitions,
    }


def _name_scores(param: dict[str, Any], names: list[str]) -> None:
    """Let a param be one of the names, wherever in it a string stands (alone, or None, or several)."""
    if param.get("type") == "string":
        param["enum"] = names
    for inner in (*param.get("anyOf", ()), *([param["items"]] if "items" in param else ())):
        _name_scores(inner, names)


def _params_schema(kind: type[Any], definitions: dict[str, Any]) -> dict[str, Any]:
    """An object with the params of one dataclass; what it refers to goes into `definitions`."""
    schema = _adapter(kind).json_schema(ref_template="#/$defs/{model}")
    for name, definition in schema.pop("$defs", {}).items():
        definitions[name] = {**definition, "additionalProperties": False}
    required = {"required": schema["required"]} if schema.get("required") else {}
    return {
        "type": "object",
        "properties": schema.get("properties", {}),
        **required,
        "additionalProperties": False,
    }


def manifest_schema() -> dict[str, Any]:
    """JSON schema of manifest.json."""
    return {"$schema": _DRAFT, **Manifest.model_json_schema()}


def parse_manifest(value: object) -> Manifest:
    """manifest.json's content as a `Manifest`.

    Raises
    ------
    ManifestError
        If the format is newer or unknown, or a field is missing or of the wrong type.
    """
    found = value.get("format") if isinstance(value, dict) else None
    if found != MANIFEST_FORMAT:
        newer = isinstance(found, str) and found.startswith("selection-manifest/")
        remedy = "install a newer selection-workbench" if newer else "give a folder of `workbench export`"
        raise ManifestError(
            f"manifest.json has format {found!r}, this workbench reads {MANIFEST_FORMAT!r}; {remedy}"
        )
    try:
        return Manifest.model_validate(value)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise ManifestError(
            f"manifest.json: {place}: {first['msg'].lower()}; export the manifest again"
        ) from None
