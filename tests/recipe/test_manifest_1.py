"""A manifest that version 0.1.0 wrote: it opens and is applied as it was, and docs/manifest.md tells of each field."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.engine.outputs import kept_ids
from workbench.corpus import read
from workbench.engine.apply import apply
from workbench.engine.plan import manifest_recipe
from workbench.engine.verify import verify
from workbench.recipe.manifest import read_manifest
from workbench.recipe.schema import manifest_schema

HERE = Path(__file__).parents[1] / "golden" / "manifest-1"
PAGE = (Path(__file__).parents[2] / "docs" / "manifest.md").read_text()


def test_it_opens_and_says_what_was_asked() -> None:
    recipe = manifest_recipe(read_manifest(HERE / "example.manifest"))
    assert [step.to_json() for step in recipe.steps] == [
        {
            "select": "band",
            "score": "n_tokens",
            "low": 12.0,
            "high": {"quantile": 0.95, "value": 48.0},
            "unscored": "error",
        },
        {"select": "exact"},
        {"select": "semdedup", "epsilon": 0.2, "keep": "hard", "n_clusters": 3, "n_iterations": 100},
    ]
    assert recipe.seed == 7


def test_it_keeps_what_it_kept(tmp_path: Path) -> None:
    run = apply(HERE / "example.manifest", read(HERE / "corpus.parquet"), tmp_path / "out")
    assert kept_ids(run.out) == set((HERE / "kept.txt").read_text().split())
    assert verify(HERE / "example.manifest", run.out).holds


def test_the_page_shows_it_whole() -> None:
    (shown,) = re.findall(r"```json\n(.*?)```", PAGE, re.S)
    assert shown == (HERE / "example.manifest" / "manifest.json").read_text()


def test_the_page_names_every_field_of_the_schema_and_no_other() -> None:
    table = PAGE.split("## Fields")[1].split("## An example")[0]
    rows = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    named: set[str] = set()
    for row in rows:
        parent = ""
        for name in re.findall(r"`([^`]+)`", row):
            # "`steps[].select` `version`": the second stands beside the first.
            full = name if "." in name or not parent else f"{parent}.{name}"
            parent = full.rpartition(".")[0]
            named.add(full)
    assert named == set(fields_of(manifest_schema()))


# Fields that the page explains in the line of the one that holds them.
TOLD_ABOVE = {"Artefact", "EstimateEntry", "StepCount"}


def fields_of(schema: dict[str, Any]) -> Iterator[str]:
    """Dotted names of all fields, lists as `name[]`; not of what TOLD_ABOVE names, nor of amounts."""
    definitions = schema["$defs"]

    def walk(node: dict[str, Any], prefix: str) -> Iterator[str]:
        for name, inner in node["properties"].items():
            yield prefix + name
            text = json.dumps(inner)
            for kind in re.findall(r"#/\$defs/(\w+)", text):
                if kind not in TOLD_ABOVE and "properties" in definitions[kind]:
                    yield from walk(
                        definitions[kind], f"{prefix}{name}{'[]' if inner.get('type') == 'array' else ''}."
                    )

    return walk(schema, "")
