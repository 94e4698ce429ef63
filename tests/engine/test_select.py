from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.engine.conftest import recipe_of, scored
from tests.engine.corpora import make_documents, write_corpus
from tests.engine.fakes import FakeModels
from workbench.corpus import Corpus, read
from workbench.engine.fitting import FitCache
from workbench.engine.score import score
from workbench.engine.select import KEPT, fit, select
from workbench.engine.table import Table
from workbench.errors import InputError, RecipeError
from workbench.recipe.model import Recipe, Step
from workbench.recipe.schema import parse_recipe
from workbench.selectors import SELECTORS
from workbench.selectors.band import BandParams
from workbench.selectors.base import Selection, SelectorSpec


def test_each_step_sees_only_what_the_ones_before_it_kept(table: Table) -> None:
    first = {"select": "band", "score": "n_tokens", "low": 20}
    second = {"select": "exact"}
    tokens = table.scores["n_tokens"]
    outcome = select(recipe_of(first, second), table)
    assert (outcome.step[tokens < 20] == 0).all()
    assert (outcome.step[tokens >= 20] != 0).all()
    seen: set[str] = set()
    for i in np.flatnonzero(tokens >= 20):  # the sample is sorted by id, and the smallest id stays
        text = table.sample.texts[i]
        assert (outcome.step[i] == 1) == (text in seen)
        seen.add(text)
    swapped = select(recipe_of(second, first), table)
    assert (swapped.keep == outcome.keep).all()
    assert not (swapped.step == outcome.step).all()


def test_no_steps_keep_everything(table: Table) -> None:
    outcome = select(Recipe(), table)
    assert outcome.keep.all()
    assert outcome.step.tolist() == [KEPT] * 90
    assert outcome.reason(0) is None


def test_a_quantile_is_taken_over_the_corpus_that_the_sample_stands_for(
    tmp_path: Path, fakes: type[FakeModels]
) -> None:
    rows = [{"doc_id": f"a{i}", "text": "word " * 3, "source": "large"} for i in range(300)]
    rows += [{"doc_id": f"b{i}", "text": "word " * 9, "source": "small"} for i in range(4)]
    sample = read(write_corpus(tmp_path / "corpus", rows)).sample(10)
    assert len(set(sample.weights().round(3))) == 2
    table = score(sample, ["n_tokens"], store=tmp_path / "store")
    step = {"select": "band", "score": "n_tokens", "high": {"quantile": 0.98}}
    fitted = fit(recipe_of(step), table)
    # of the sample a fifth is long, of the corpus one in 76
    assert fitted.recipe.steps[0].params.high.value == 3.0
    assert set(table.source[select(fitted, table).keep]) == {"large"}


def test_a_quantile_does_not_move_when_another_step_does(table: Table) -> None:
    high = {"select": "band", "score": "n_chars", "high": {"quantile": 0.5}}
    params = [
        fit(recipe_of({"select": "random", "fraction": f}, high), table).recipe.steps[1].params
        for f in (0.1, 0.9)
    ]
    assert len({p.high.value for p in params}) == 1


def test_reasons_are_sentences_with_the_numbers(table: Table) -> None:
    recipe = recipe_of(
        {"select": "band", "score": "n_tokens", "low": 4},
        {"select": "exact"},
        {"select": "category", "score": "language", "values": ["en"]},
        {"select": "semdedup", "epsilon": 0.2, "n_clusters": 2},
        {"select": "random", "fraction": 0.5},
    )
    outcome = select(recipe, table)
    said = {int(step): outcome.reason(int(np.flatnonzero(outcome.step == step)[-1])) for step in range(5)}
    tokens = int(table.scores["n_tokens"][np.flatnonzero(outcome.step == 0)[-1]])
    assert said[0] == f"n_tokens {tokens} is below 4"
    assert said[1].startswith("same text as d0")
    assert said[2].startswith("language is ")
    assert said[2].endswith(", not en")
    assert said[3].startswith("similarity 0.")
    assert said[3].endswith("is above 0.8")
    assert said[4].endswith("is not below 0.5")
    assert all(outcome.reason(i) is None for i in np.flatnonzero(outcome.keep))


def test_a_document_without_the_score_is_named_with_the_remedy(table: Table) -> None:
    recipe = recipe_of({"select": "band", "score": "compression_ratio", "low": 0.1})
    empty = [i for i, text in zip(table.sample.doc_ids, table.sample.texts, strict=True) if not text]
    row = table.sample.doc_ids.index(empty[0])
    with pytest.raises(
        InputError,
        match=rf"compression_ratio is not defined \(NaN\) for row {row} of the sample \(doc_id '{empty[0]}'\) "
        rf'and {len(empty) - 1} more; add "unscored": "drop" or "keep" to the step',
    ):
        select(recipe, table)
    drop = recipe_of({"select": "band", "score": "compression_ratio", "low": 0.1, "unscored": "drop"})
    assert not select(drop, table).keep[row]


def test_a_document_that_an_earlier_step_dropped_needs_no_score(table: Table) -> None:
    recipe = recipe_of(
        {"select": "band", "score": "n_tokens", "low": 1},
        {"select": "band", "score": "compression_ratio", "low": 0.1},
    )
    assert select(recipe, table).keep.any()


def test_moving_epsilon_fits_nothing_anew_and_moving_clusters_does(
    table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dataclasses import replace

    fits: list[int] = []
    spec = SELECTORS["semdedup"]

    def counted(columns: Any, params: Any, seed: int) -> Any:
        fits.append(params.n_clusters)
        assert spec.fit is not None
        return spec.fit(columns, params, seed)

    monkeypatch.setitem(SELECTORS, "semdedup", replace(spec, fit=counted))
    cache = FitCache()
    kept = [
        select(
            recipe_of({"select": "semdedup", "epsilon": e, "n_clusters": 3}), table, cache=cache
        ).keep.sum()
        for e in (0.0, 0.1, 0.4)
    ]
    assert kept == sorted(kept, reverse=True)
    assert kept[0] > kept[-1]
    assert fits == [3]
    select(recipe_of({"select": "semdedup", "epsilon": 0.1, "n_clusters": 5}), table, cache=cache)
    select(recipe_of({"select": "semdedup", "n_clusters": 3}, seed=4), table, cache=cache)
    assert fits == [3, 5, 3]


def test_a_cache_holds_nothing_against_another_table(
    table: Table, tmp_path: Path, fakes: type[FakeModels]
) -> None:
    recipe = recipe_of({"select": "semdedup", "epsilon": 0.1, "n_clusters": 3})
    other = scored(read(write_corpus(tmp_path / "other", make_documents(50, seed=5))), recipe, tmp_path / "s")
    cache = FitCache()
    select(recipe, table, cache=cache)
    np.testing.assert_array_equal(select(recipe, other, cache=cache).keep, select(recipe, other).keep)


def test_repeat_weights_multiply_and_are_zero_where_dropped(
    table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    def repeat(columns: Any, params: BandParams, state: Any, seed: int) -> Selection:
        tokens = columns["n_tokens"]
        return Selection(tokens > 5, lambda i: "short", weight=np.full(len(tokens), 1.5))

    spec = SelectorSpec("repeat", 1, "repeats", "row", BandParams, lambda p: ("n_tokens",), repeat)
    monkeypatch.setitem(SELECTORS, "repeat", spec)
    step = Step("repeat", BandParams("n_tokens"))
    outcome = select(Recipe((step, step)), table)
    np.testing.assert_array_equal(outcome.weight, np.where(table.scores["n_tokens"] > 5, 2.25, 0.0))
    assert outcome.weight.dtype == np.float32


def test_a_table_without_a_column_is_a_sentence(table: Table) -> None:
    with pytest.raises(
        InputError, match=r"step band needs 'c4_n_lines'; there are bits_per_byte, .*n_tokens"
    ):
        select(recipe_of({"select": "band", "score": "c4_n_lines", "low": 1}), table)


def test_a_band_of_categories_is_a_sentence_however_the_recipe_was_made(table: Table) -> None:
    recipe = Recipe((Step("band", BandParams("language", low=1.0)),))
    with pytest.raises(RecipeError, match="step 1: band can't read language, which holds categories"):
        select(recipe, table)


def test_a_sample_scored_with_other_settings_than_a_step_stands_for_is_refused(
    corpus: Corpus, fakes: type[FakeModels], tmp_path: Path
) -> None:
    paper = {"select": "c4", "variant": "paper", "terminal_punctuation": False}
    table = scored(corpus, recipe_of({"select": "c4"}), tmp_path / "store")
    remedy = r'add "scores": \{"c4_n_sentences": \{"min_line_words": 5, "terminal_punctuation": false\}\} to the recipe'
    with pytest.raises(
        InputError, match=f"step 1: c4: min_line_words of c4_n_sentences must be 5.* with 3; {remedy}"
    ):
        select(recipe_of(paper), table)
    settings = {"min_line_words": 5, "terminal_punctuation": False}
    right = recipe_of(paper, scores={"c4_n_lines": settings})
    assert select(right, scored(corpus, right, tmp_path / "store")).keep.shape == (90,)


def test_a_step_that_is_off_keeps_everything_and_reads_nothing(table: Table, tmp_path: Path) -> None:
    low = {"select": "band", "score": "n_tokens", "low": 20}
    off = {"select": "band", "off": True, "score": "n_tokens", "high": {"quantile": 0.5}}
    unknown = {"select": "band", "off": True, "score": "perplexity", "high": 9.0}
    recipe = recipe_of(off, low, unknown)
    assert recipe.needs == ("n_tokens",)
    assert [step.get("off") for step in recipe.to_json()["steps"]] == [True, None, True]
    assert parse_recipe(recipe.to_json()) == recipe
    outcome = select(recipe, table)
    assert (outcome.keep == select(recipe_of(low), table).keep).all()
    assert set(outcome.step.tolist()) == {KEPT, 1}
    # where it can be, a threshold is resolved, so that a handle shows where it would stand
    assert outcome.fitted.recipe.steps[0].params.high.value is not None
    assert outcome.fitted.active.recipe == recipe_of(low)


def test_off_is_true_or_false() -> None:
    with pytest.raises(RecipeError, match=r"step 1: off must be true or false, got '1'"):
        recipe_of({"select": "exact", "off": 1})
