"""The published JSON schemas, and that they say what the parser does.

When a schema changes on purpose, write the golden files anew and look at the difference:

    python -m tests.recipe.test_schema && git diff tests/golden
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from workbench.errors import ManifestError, RecipeError
from workbench.files import json_bytes
from workbench.recipe.manifest import read_manifest
from workbench.recipe.schema import (
    MANIFEST_FORMAT,
    manifest_schema,
    parse_manifest,
    parse_recipe,
    recipe_schema,
)

GOLDEN = Path(__file__).resolve().parents[1] / "golden"
SCHEMAS: dict[str, Callable[[], dict[str, Any]]] = {"recipe": recipe_schema, "manifest": manifest_schema}
HEAD = {"format": "selection-recipe/1"}


def golden(kind: str) -> Path:
    return GOLDEN / f"{kind}.schema.json"


@pytest.mark.parametrize("kind", SCHEMAS)
def test_the_schema_is_the_published_one(kind: str) -> None:
    assert SCHEMAS[kind]() == json.loads(golden(kind).read_bytes()), (
        "python -m tests.recipe.test_schema renews it"
    )


@pytest.mark.parametrize("kind", SCHEMAS)
def test_the_schema_is_a_valid_schema(kind: str) -> None:
    Draft202012Validator.check_schema(SCHEMAS[kind]())


@cache
def validator(kind: str) -> Draft202012Validator:
    return Draft202012Validator(SCHEMAS[kind]())


def agrees(value: Any) -> bool:
    """Whether the schema allows a recipe, held to what the parser says."""
    valid = validator("recipe").is_valid(value)
    try:
        parse_recipe(json.dumps(value))
        parsed, sentence = True, ""
    except RecipeError as error:
        parsed, sentence = False, str(error)
    assert valid == parsed, f"schema: {valid}, parser: {parsed} ({sentence}) of {value}"
    return valid


def steps(*values: Any) -> dict[str, Any]:
    return {**HEAD, "steps": list(values)}


VALID = [
    HEAD,
    {**HEAD, "seed": 0},
    {**HEAD, "scores": {"language": {"max_chars": None}, "n_chars": {}}},
    steps({"select": "band", "score": "n_tokens", "low": 1, "high": 2.5}),
    steps({"select": "band", "score": "perplexity", "low": None, "high": {"quantile": 0.5, "value": None}}),
    steps({"select": "category", "score": "source", "values": []}),
    steps({"select": "category", "score": "language", "values": ["en"]}),
    steps({"select": "exact"}, {"select": "exact"}),
    steps({"select": "random", "fraction": 1}),
    steps({"select": "semdedup", "keep": "random", "n_clusters": 3}),
]

INVALID = [
    {},
    [],
    "recipe",
    {"format": "selection-recipe/2"},
    {**HEAD, "other": 1},
    {**HEAD, "seed": -1},
    {**HEAD, "seed": 1.5},
    {**HEAD, "seed": 2**31},
    {**HEAD, "seed": None},
    {**HEAD, "steps": None},
    {**HEAD, "scores": None},
    {**HEAD, "scores": {"beauty": {}}},
    {**HEAD, "scores": {"language": {"max_chars": "all"}}},
    {**HEAD, "scores": {"language": {"speed": 1}}},
    {**HEAD, "scores": {"n_chars": {"any": 1}}},
    steps(None),
    steps({}),
    steps({"select": "best"}),
    steps({"select": "exact", "more": 1}),
    steps({"select": "band"}),
    steps({"select": "band", "score": "beauty"}),
    steps({"select": "band", "score": "language"}),
    steps({"select": "band", "score": "embedding"}),
    steps({"select": "band", "score": "n_tokens", "low": "1"}),
    steps({"select": "band", "score": "n_tokens", "low": {}}),
    steps({"select": "band", "score": "n_tokens", "low": {"quantile": "0.5"}}),
    steps({"select": "band", "score": "n_tokens", "low": {"quantile": 0.5, "more": 1}}),
    steps({"select": "band", "score": "n_tokens", "unscored": None}),
    steps({"select": "category", "score": "n_tokens", "values": []}),
    steps({"select": "category", "score": "language", "values": "en"}),
    steps({"select": "category", "score": "language", "values": [1]}),
    steps({"select": "random", "fraction": True}),
    steps({"select": "semdedup", "n_clusters": 2.5}),
    steps({"select": "semdedup", "epsilon": None}),
]


@pytest.mark.parametrize("value", VALID, ids=json.dumps)
def test_schema_and_parser_allow_the_same(value: Any) -> None:
    assert agrees(value)


@pytest.mark.parametrize("value", INVALID, ids=json.dumps)
def test_schema_and_parser_refuse_the_same(value: Any) -> None:
    assert not agrees(value)


def test_schema_and_parser_agree_on_recipes_put_together_at_random() -> None:
    rng = random.Random(0)
    values = [
        None,
        1,
        0.5,
        -3,
        "en",
        "n_tokens",
        "language",
        True,
        [],
        ["en"],
        {"quantile": 0.5},
        {"value": 1},
    ]
    names = ["score", "low", "high", "unscored", "values", "fraction", "epsilon", "n_clusters", "keep"]
    wanted = {
        "band": ["score"], "category": ["score", "values"], "random": ["fraction"], "exact": [], "semdedup": [],
    }  # fmt: skip
    valid = 0
    for _ in range(1500):
        name = rng.choice(list(wanted))
        step: dict[str, Any] = {key: rng.choice(values) for key in wanted[name]}
        step |= {key: rng.choice(values) for key in rng.sample(names, rng.randint(0, 1))}
        valid += agrees(steps({"select": name, **step}))
    assert 100 < valid < 1400


def test_the_embedded_recipe_is_valid(root: Path) -> None:
    assert agrees(json.loads((root / "data_samples" / "recipe.json").read_bytes()))


# ---- manifests -------------------------------------------------------------------------------------------------


@pytest.fixture
def content(manifest: Path) -> dict[str, Any]:
    """The content of an exported manifest."""
    value: dict[str, Any] = json.loads((manifest / "manifest.json").read_bytes())
    return value


def manifest_agrees(value: Any) -> bool:
    valid = validator("manifest").is_valid(value)
    try:
        parse_manifest(value)
        parsed, sentence = True, ""
    except ManifestError as error:
        parsed, sentence = False, str(error)
    assert valid == parsed, f"schema: {valid}, parser: {parsed} ({sentence})"
    return valid


def test_what_export_writes_is_valid(content: dict[str, Any]) -> None:
    assert manifest_agrees(content)
    assert content["format"] == MANIFEST_FORMAT


def _set(*path: str | int, value: Any) -> Callable[[Any], None]:
    def change(content: Any) -> None:
        for part in path[:-1]:
            content = content[part]
        content[path[-1]] = value

    return change


def _delete(*path: str | int) -> Callable[[Any], None]:
    def change(content: Any) -> None:
        for part in path[:-1]:
            content = content[part]
        del content[path[-1]]

    return change


@pytest.mark.parametrize(
    "change",
    [
        *(
            _delete(name)
            for name in ("format", "seed", "steps", "scores", "expected", "digest", "input", "models")
        ),
        _set("format", value="selection-manifest/2"),
        _set("more", value=1),
        _set("digest", value="0" * 63),
        _set("digest", value="G" * 64),
        _set("steps", 0, "scope", value="any"),
        _set("steps", 5, "artefact", "file", value="../../etc/passwd.safetensors"),
        _set("steps", 5, "artefact", "file", value="weights.pkl"),
        _set("steps", 5, "artefact", "sha256", value=None),
        _set("models", "gpt", value={}),
        _set("scores", 0, "models", value=["weights"]),
        _set("expected", "basis", value="guess"),
        _set("expected", "all", "n_documents", "low", value=None),
        _set("expected", "all", "n_words", value={"value": 1, "low": 1, "high": 1}),
        _set("input", "n_documents", value="many"),
        _set("evidence", value=None),
    ],
)
def test_schema_and_parser_refuse_the_same_manifests(change: Any, content: dict[str, Any]) -> None:
    change(content)
    assert not manifest_agrees(content)


def test_a_newer_manifest_says_so_with_the_remedy(manifest: Path) -> None:
    path = manifest / "manifest.json"
    path.write_bytes(path.read_bytes().replace(b"selection-manifest/1", b"selection-manifest/2"))
    with pytest.raises(
        ManifestError,
        match="format 'selection-manifest/2', this workbench reads 'selection-manifest/1'; install a newer",
    ):
        read_manifest(manifest)


if __name__ == "__main__":
    GOLDEN.mkdir(exist_ok=True)
    for name, make in SCHEMAS.items():
        golden(name).write_bytes(json_bytes(make()))
