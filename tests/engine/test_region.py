"""From a set of documents to a rule: tried on a half that it wasn't fitted to, and applied to a corpus."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from tests.engine.conftest import recipe_of, scored
from tests.engine.fakes import FakeModels
from tests.engine.outputs import rows_of
from workbench.checks import Array, keyed_uniform
from workbench.corpus import Corpus, Sample
from workbench.corpus.design import Design, Stratum
from workbench.engine.apply import apply
from workbench.engine.export import export
from workbench.engine.region import MIN_DOCUMENTS, Variant, make_rule, try_rule
from workbench.engine.select import select
from workbench.engine.table import Table
from workbench.errors import InputError
from workbench.models.load import Models
from workbench.recipe.model import Recipe, Step
from workbench.recipe.schema import parse_recipe

N = 400
both = pytest.mark.parametrize("variant", ["centroids", "probe"])


def table_of(embedding: Array, ids: list[str]) -> Table:
    n = len(ids)
    frame = pl.DataFrame({"doc_id": ids, "text": ids, "source": ["a"] * n})
    design = Design("source", 0, {"a": Stratum(n, n, n, 1.0)}, "0" * 64, 0)
    return Table(Sample(frame, design), Models(), {"embedding": embedding.astype(np.float32)})


@pytest.fixture(scope="module")
def table() -> Table:
    """Documents of five directions that run into each other a little; one has no vector."""
    rng = np.random.default_rng(0)
    embedding = 2.2 * rng.normal(size=(5, 8))[np.arange(N) % 5] + rng.normal(size=(N, 8))
    embedding[3] = np.nan
    return table_of(embedding, [f"d{i}" for i in rng.permutation(N)])


REGION = np.flatnonzero(np.isin(np.arange(N) % 5, (1, 3)))


def halves(table: Table, rows: Array) -> tuple[Array, Array]:
    """Of each class the half with the smaller hashes is fitted to, the other held out."""
    luck = keyed_uniform(0, table.sample.doc_ids, "region")
    has_vector = np.isfinite(table.scores["embedding"]).all(axis=1)
    fitted, held = [], []
    for inside in (True, False):
        of_class = [i for i in range(N) if (i in rows) == inside and has_vector[i]]
        of_class.sort(key=lambda i: luck[i])
        fitted += of_class[: len(of_class) // 2]
        held += of_class[len(of_class) // 2 :]
    return np.sort(fitted), np.sort(held)


@both
def test_precision_and_recall_are_those_on_documents_that_the_rule_has_not_seen(
    table: Table, variant: Variant
) -> None:
    found = try_rule(table, REGION, variant=variant)
    fitted, held = halves(table, REGION)
    ids, embedding = np.array(table.sample.doc_ids), table.scores["embedding"]
    one, other = (table_of(embedding[rows], ids[rows].tolist()) for rows in (fitted, held))
    rule = make_rule(one, np.flatnonzero(np.isin(fitted, REGION)), variant=variant)
    keep = select(Recipe((Step("region", rule),)), other).keep
    truth = np.isin(held, REGION)
    assert (found.n_fitted, found.n) == (len(fitted), len(held))
    assert found.precision.value == (keep & truth).sum() / keep.sum()
    assert found.recall.value == (keep & truth).sum() / truth.sum()
    assert (found.precision.n, found.recall.n) == (keep.sum(), truth.sum())
    assert min(found.precision.value, found.recall.value) > 0.8


@both
def test_a_choice_at_random_makes_a_poor_rule(table: Table, variant: Variant) -> None:
    rows = np.random.default_rng(1).choice(N, 60, replace=False)
    found = try_rule(table, rows, variant=variant)
    assert found.recall.value is not None
    assert found.recall.value < 0.6


@both
def test_the_same_documents_give_the_same_rule_in_any_order(table: Table, variant: Variant) -> None:
    one = make_rule(table, REGION, variant=variant, keep="outside", name="x")
    assert one == make_rule(table, REGION[::-1], variant=variant, keep="outside", name="x")
    assert (one.keep, one.name, one.embedding) == ("outside", "x", "")


def test_too_few_or_too_many_documents_make_no_rule(table: Table) -> None:
    few = np.arange(5, 5 + MIN_DOCUMENTS - 1)
    with pytest.raises(InputError, match=r"got 19 and 380; choose more documents"):
        try_rule(table, few)
    with pytest.raises(InputError, match=r"got 379 and 20; choose|got 380 and 19; choose fewer documents"):
        make_rule(table, np.setdiff1d(np.arange(N), few))
    with pytest.raises(InputError, match="the embedding, which isn't computed"):
        make_rule(Table(table.sample, Models()), few)


def test_a_rule_for_another_embedding_of_as_many_numbers_is_refused(table: Table) -> None:
    made = Table(table.sample, Models(), table.scores, {"embedding": {"model": "one"}})
    recipe = Recipe((Step("region", make_rule(made, REGION)),))
    assert select(recipe, made).keep.sum() > 100
    other = Table(table.sample, Models(), table.scores, {"embedding": {"model": "another"}})
    with pytest.raises(InputError, match="step 1: region: the step was made with another embedding"):
        select(recipe, other)


def test_a_rule_of_the_sample_keeps_in_the_corpus_what_it_keeps_in_the_sample(
    corpus: Corpus, fakes: type[FakeModels], tmp_path: Path
) -> None:
    table = scored(corpus, recipe_of({"select": "semdedup", "n_clusters": 2}), tmp_path / "store")
    long = np.flatnonzero([len(text) > 150 for text in table.sample.texts])
    recipe = Recipe((Step("region", make_rule(table, long, name="long")),), seed=3)
    recipe = parse_recipe(recipe.to_json())
    outcome = select(recipe, table)
    assert 0 < outcome.keep.sum() < len(table)
    run = apply(export(table, recipe, tmp_path / "one.manifest"), corpus, tmp_path / "out")
    ids = np.array(table.sample.doc_ids)
    assert {row["doc_id"] for row in rows_of(run.out, "kept")} == set(ids[outcome.keep].tolist())
    reasons = {row["doc_id"]: row["reason"] for row in rows_of(run.out, "dropped")}
    assert reasons == {str(ids[i]): outcome.reason(i) for i in np.flatnonzero(~outcome.keep).tolist()}
