"""A small scored corpus, a recipe with every kind of step, and its manifest."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.engine.corpora import FORMATS, make_documents, write_corpus
from tests.engine.fakes import FakeModels, install
from workbench.corpus import Corpus, read
from workbench.engine.export import export, used_scores
from workbench.engine.score import score
from workbench.engine.table import Table
from workbench.recipe.model import Recipe
from workbench.recipe.schema import parse_recipe

EVERY_KIND = [
    {"select": "band", "score": "n_tokens", "low": 2, "high": {"quantile": 0.97}},
    {"select": "category", "score": "language", "values": ["en", "de"]},
    {"select": "random", "fraction": 0.9},
    {"select": "exact"},
    {"select": "band", "score": "compression_ratio", "high": {"quantile": 0.95}, "unscored": "drop"},
    {"select": "semdedup", "epsilon": 0.1, "n_clusters": 4},
    {"select": "band", "score": "perplexity", "high": {"quantile": 0.9}},
]


@pytest.fixture
def fakes(monkeypatch: pytest.MonkeyPatch) -> type[FakeModels]:
    """Models without weights, in every place where models are looked up."""
    return install(monkeypatch)


def recipe_of(*steps: dict[str, Any], seed: int = 3, **more: Any) -> Recipe:
    """A recipe with these steps."""
    return parse_recipe({"format": "selection-recipe/1", "seed": seed, "steps": list(steps), **more})


@pytest.fixture
def documents() -> list[dict[str, Any]]:
    """90 documents of 3 sources."""
    return make_documents(90)


@pytest.fixture
def corpus(tmp_path: Path, documents: list[dict[str, Any]]) -> Corpus:
    """The documents in 4 shards of as many formats."""
    return read(write_corpus(tmp_path / "corpus", documents, 4, FORMATS[:4]))


@pytest.fixture
def recipe() -> Recipe:
    """Every selector, and row steps before and after those that see groups."""
    return recipe_of(*EVERY_KIND)


def scored(corpus: Corpus, recipe: Recipe, store: Path) -> Table:
    """The whole corpus with the scores that the recipe reads; some of it is the target of those that ask for one."""
    names, target = used_scores(recipe), corpus.sample(15, seed=9)
    return score(corpus.whole(), names, store=store, params=recipe.scores, seed=recipe.seed, target=target)


@pytest.fixture
def table(corpus: Corpus, recipe: Recipe, tmp_path: Path, fakes: type[FakeModels]) -> Table:
    """The corpus whole, scored for the recipe."""
    return scored(corpus, recipe, tmp_path / "store")


@pytest.fixture
def manifest(table: Table, recipe: Recipe, tmp_path: Path) -> Path:
    """The recipe, frozen on the table."""
    return export(table, recipe, tmp_path / "small.manifest")
