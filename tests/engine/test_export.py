from __future__ import annotations

import json
import warnings
from pathlib import Path

import numpy as np
import pytest

from tests.engine.conftest import recipe_of, scored
from tests.engine.corpora import make_documents, write_corpus
from tests.engine.fakes import FakeModels
from workbench.checks import file_digest
from workbench.corpus import read
from workbench.engine.export import ALWAYS, expectations, export, thresholds, used_scores
from workbench.engine.score import add_scores, score, state_digest
from workbench.engine.select import fit, select
from workbench.engine.table import Table
from workbench.errors import InputError, ManifestError, StoreError, WorkbenchWarning
from workbench.recipe.manifest import read_artefact, read_manifest
from workbench.recipe.model import Recipe
from workbench.scores import SCORES

EMBEDDING_STEP = {"select": "band", "score": "prototype_distance", "low": 0.0}


def test_every_definition_that_a_decision_needs_is_there(
    table: Table, recipe: Recipe, manifest: Path, fakes: type[FakeModels]
) -> None:
    held = read_manifest(manifest)
    needed = {*used_scores(recipe), *ALWAYS}
    assert needed <= {entry.name for entry in held.scores}
    for entry in held.scores:
        spec = SCORES[entry.name]
        assert (entry.version, entry.unit, entry.dtype) == (spec.version, spec.unit, spec.dtype)
        assert set(entry.models) <= set(held.models)
    assert held.models == fakes.definitions
    assert [step.select for step in held.steps] == [step.select for step in recipe.steps]
    assert held.seed == recipe.seed
    assert held.input.fingerprint == table.sample.fingerprint
    assert held.input.n_documents == 90
    assert set(held.input.design["strata"]) == {"poems", "letters", "manuals"}
    assert held.repeats == {"letters": 1.0, "manuals": 1.0, "poems": 1.0}
    assert {"python", "numpy", "torch"} <= set(held.created_with)


def test_a_quantile_is_held_with_the_constant_it_was_resolved_to(table: Table, manifest: Path) -> None:
    high = read_manifest(manifest).steps[0].params["high"]
    tokens = np.sort(table.scores["n_tokens"])
    assert high == {"quantile": 0.97, "value": float(tokens[int(np.ceil(0.97 * 90)) - 1])}


def test_artefacts_are_the_fitted_arrays_with_their_digests(
    table: Table, tmp_path: Path, fakes: type[FakeModels]
) -> None:
    recipe = recipe_of({"select": "semdedup", "n_clusters": 4}, EMBEDDING_STEP)
    add_scores(table, used_scores(recipe), store=tmp_path / "store", seed=recipe.seed)
    fitted = fit(recipe, table)
    folder = export(table, fitted, tmp_path / "two.manifest")
    held = read_manifest(folder)
    (step, _), (score_entry,) = held.steps, [e for e in held.scores if e.name == "prototype_distance"]
    assert step.artefact is not None
    assert score_entry.artefact is not None
    for artefact in (step.artefact, score_entry.artefact):
        assert artefact.sha256 == file_digest(folder / artefact.file)
    found = read_artefact(folder, step.artefact)["centroids"]
    np.testing.assert_array_equal(found, fitted.states[0]["centroids"])
    assert score_entry.state == state_digest(read_artefact(folder, score_entry.artefact))
    files = {path.name for path in folder.iterdir()}
    assert files == {"manifest.json", step.artefact.file, score_entry.artefact.file}


def test_the_same_sample_and_recipe_give_the_same_bytes(
    corpus: object, table: Table, recipe: Recipe, manifest: Path, tmp_path: Path
) -> None:
    again = scored(read(tmp_path / "corpus"), recipe, tmp_path / "other-store")
    other = export(again, recipe, tmp_path / "other.manifest")
    for path in manifest.iterdir():
        assert (other / path.name).read_bytes() == path.read_bytes()
    assert read_manifest(other).digest == read_manifest(manifest).digest


def test_another_seed_is_another_digest(table: Table, manifest: Path, tmp_path: Path) -> None:
    step = {"select": "exact"}
    one, two = (export(table, recipe_of(step, seed=s), tmp_path / f"{s}.manifest") for s in (1, 2))
    assert read_manifest(one).digest != read_manifest(two).digest


def test_a_score_of_the_sample_alone_cannot_be_exported(table: Table, tmp_path: Path) -> None:
    recipe = recipe_of({"select": "band", "score": "map_x", "low": 0})
    with pytest.raises(
        ManifestError, match=r"map_x is defined on the sample as a whole .* take the step that reads it out"
    ):
        export(_with(table, "map_x", "map_y"), recipe, tmp_path / "map.manifest")
    assert not (tmp_path / "map.manifest").exists()


def _with(table: Table, *names: str) -> Table:
    for name in names:
        table.scores[name] = np.zeros(len(table), dtype=np.float32)
    return table


def test_an_older_manifest_is_replaced_whole(table: Table, manifest: Path) -> None:
    assert len(list(manifest.iterdir())) == 2
    export(table, recipe_of({"select": "exact"}), manifest)
    assert [path.name for path in manifest.iterdir()] == ["manifest.json"]
    assert [step.select for step in read_manifest(manifest).steps] == ["exact"]
    assert not list(manifest.parent.glob("*.old"))
    assert not list(manifest.parent.glob("*.partial"))


def test_a_folder_that_is_no_manifest_is_left_alone(table: Table, tmp_path: Path) -> None:
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "text").write_text("years of work")
    with pytest.raises(ManifestError, match="thesis exists and is not a manifest; choose another name"):
        export(table, recipe_of(), tmp_path / "thesis")
    with pytest.raises((ManifestError, StoreError), match="can't be written"):
        export(table, recipe_of(), tmp_path / "thesis" / "text" / "deeper")
    assert (tmp_path / "thesis" / "text").read_text() == "years of work"


def test_a_missing_score_is_a_sentence(table: Table, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="step band needs 'c4_n_lines'"):
        export(table, recipe_of({"select": "band", "score": "c4_n_lines"}), tmp_path / "x.manifest")


def test_expectations_of_the_whole_are_exact_and_those_of_a_sample_are_not(
    tmp_path: Path, fakes: type[FakeModels]
) -> None:
    corpus = read(write_corpus(tmp_path / "corpus", make_documents(400)))
    band = recipe_of({"select": "band", "score": "n_tokens", "low": 10})
    with_copies = recipe_of(*(step.to_json() for step in band.steps), {"select": "exact"})
    whole = score(corpus.whole(), used_scores(band), store=tmp_path / "store")
    part = score(corpus.sample(100, seed=1), used_scores(band), store=tmp_path / "store")

    def expected(table: Table, recipe: Recipe):
        return read_manifest(export(table, recipe, tmp_path / "x.manifest")).expected

    exact = expected(whole, band)
    true = int(select(band, whole).keep.sum())
    assert exact.basis == "exact"
    amount = exact.all["n_documents"]
    assert amount.low == amount.value == amount.high == true
    estimate = expected(part, band)
    assert estimate.basis == "estimate"
    amount = estimate.all["n_documents"]
    assert amount.low < amount.value < amount.high
    # A 95 % interval misses one sample in twenty.
    samples = [
        score(corpus.sample(100, seed=s), used_scores(band), store=tmp_path / "store") for s in range(12)
    ]
    found = [expected(sample, band).all["n_documents"] for sample in samples]
    assert sum(each.low <= true <= each.high for each in found) >= 10
    assert expected(part, with_copies).basis == "upper_bound"
    assert expected(whole, with_copies).basis == "exact"


def test_a_share_of_near_copies_met_on_a_sample_is_told_not_to_hold_of_the_corpus(
    tmp_path: Path, fakes: type[FakeModels]
) -> None:
    corpus = read(write_corpus(tmp_path / "corpus", make_documents(400)))
    share = recipe_of({"select": "semdedup", "keep_fraction": 0.5, "n_clusters": 4})
    epsilon = recipe_of({"select": "semdedup", "epsilon": 0.1, "n_clusters": 4})
    whole, part = (
        score(sample, used_scores(share), store=tmp_path / "store")
        for sample in (corpus.whole(), corpus.sample(100, seed=1))
    )
    with pytest.warns(WorkbenchWarning, match="step 1: semdedup: the share to keep is met on the sample"):
        export(part, share, tmp_path / "x.manifest")
    with warnings.catch_warnings():
        warnings.simplefilter("error", WorkbenchWarning)
        export(part, epsilon, tmp_path / "x.manifest")
        export(whole, share, tmp_path / "x.manifest")


def test_expectations_per_source_and_per_step_add_up(table: Table, recipe: Recipe, manifest: Path) -> None:
    expected = read_manifest(manifest).expected
    outcome = select(recipe, table)
    totals = expectations(table, outcome)
    for name in ("n_documents", *ALWAYS):
        parts = [amounts[name].value for amounts in expected.by_source.values()]
        assert sum(parts) == pytest.approx(expected.all[name].value) == totals.all[name].value
    assert [s.n_documents for s in expected.by_step] == [int((outcome.step == i).sum()) for i in range(7)]
    tokens = table.scores["n_tokens"]
    assert [s.n_tokens for s in expected.by_step] == [int(tokens[outcome.step == i].sum()) for i in range(7)]


def test_bounds_are_listed_by_score_for_drawing(table: Table, recipe: Recipe) -> None:
    fitted = fit(recipe, table).recipe
    bounds = thresholds(fitted)
    assert list(bounds) == ["n_tokens", "compression_ratio", "perplexity"]
    assert bounds["n_tokens"] == [(2.0, fitted.steps[0].params.high.value)]


def test_nothing_in_a_manifest_is_a_pickle(manifest: Path) -> None:
    for path in manifest.iterdir():
        assert path.suffix in (".json", ".safetensors")
        assert json.loads(path.read_bytes()) if path.suffix == ".json" else True


def test_a_step_that_is_off_is_not_in_the_manifest(table: Table, tmp_path: Path) -> None:
    low = {"select": "band", "score": "n_tokens", "low": 20}
    off = {"select": "band", "off": True, "score": "n_tokens", "high": 30}
    held = [
        read_manifest(export(table, recipe_of(*steps), tmp_path / f"{len(steps)}.manifest"))
        for steps in ((low,), (off, low))
    ]
    assert held[0] == held[1]


def test_evidence_goes_into_the_manifest_as_it_is(table: Table, recipe: Recipe, tmp_path: Path) -> None:
    given = [{"kind": "blind_votes", "precision": {"value": None, "low": 0.0, "high": 1.0}}]
    assert read_manifest(export(table, recipe, tmp_path / "a.manifest", given)).evidence == given
    with pytest.raises(InputError, match="evidence must be plain JSON"):
        export(table, recipe, tmp_path / "b.manifest", [{"value": float("nan")}])


def test_evidence_may_hold_numpys_floats(table: Table, recipe: Recipe, tmp_path: Path) -> None:
    # A float64 is a float; orjson doesn't take it for one.
    folder = export(
        table, recipe, tmp_path / "x.manifest", [{"kind": "audit", "precision": np.float64(0.25)}]
    )
    assert read_manifest(folder).evidence == [{"kind": "audit", "precision": 0.25}]
