from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.selectors.steps import STEPS
from workbench.errors import RecipeError
from workbench.recipe.model import RECIPE_FORMAT, Recipe, Step, readable_scores
from workbench.recipe.schema import MAX_SEED, parse_recipe, parse_step
from workbench.scores import SCORES
from workbench.selectors import SELECTORS
from workbench.selectors.band import BandParams
from workbench.selectors.base import Quantile
from workbench.selectors.category import CategoryParams
from workbench.selectors.random import RandomParams
from workbench.selectors.semdedup import SemdedupParams

HEAD = {"format": RECIPE_FORMAT}
BAND = {"select": "band", "score": "n_tokens"}

# Steps with every param given, made without JSON.
BY_HAND = {
    "band": Step("band", BandParams("n_tokens", low=3.5, high=Quantile(0.25, 7.0), unscored="keep")),
    "category": Step("category", CategoryParams("language", ("en", "de"))),
    "random": Step("random", RandomParams(0.25)),
    "exact": Step("exact", SELECTORS["exact"].params()),
    "semdedup": Step("semdedup", SemdedupParams(0.125, 7, "easy", 11)),
    "dsir": Step("dsir", SELECTORS["dsir"].params(0.25, True)),
    "cit": Step("cit", SELECTORS["cit"].params(0.25, 0.125)),
    "rds": Step("rds", SELECTORS["rds"].params(0.25, "one", "tokens")),
}
FROM_JSON = [parse_step({"select": name, **params}) for name, steps in STEPS.items() for params in steps]


def with_steps(*steps: object, **more: object) -> dict[str, Any]:
    return {**HEAD, "steps": list(steps), **more}


def test_a_recipe_is_read_from_text_bytes_or_object_alike() -> None:
    value = with_steps({**BAND, "low": 5, "high": {"quantile": 0.9}}, {"select": "exact"}, seed=4)
    expected = Recipe((Step("band", BandParams("n_tokens", 5.0, Quantile(0.9))), BY_HAND["exact"]), 4)
    for given_as in (value, json.dumps(value), json.dumps(value).encode()):
        assert parse_recipe(given_as) == expected


def test_defaults_stand_for_what_is_left_out() -> None:
    assert parse_recipe(HEAD) == Recipe()
    assert parse_step({"select": "semdedup"}) == Step("semdedup", SemdedupParams())
    assert parse_step(BAND).params.unscored == "error"


@pytest.mark.parametrize("step", [*BY_HAND.values(), *FROM_JSON], ids=lambda step: step.select)
def test_every_selector_comes_back_from_its_json_as_it_was(step: Step) -> None:
    recipe = Recipe((step,), 9, {"language": {"max_chars": None}, "c4_n_lines": {"min_line_words": 2}})
    assert parse_recipe(json.dumps(recipe.to_json())) == recipe


def test_what_is_off_is_left_out_of_the_json() -> None:
    assert parse_step(BAND).to_json() == {**BAND, "unscored": "error"}
    low = parse_step({**BAND, "low": {"quantile": 0.1}}).to_json()["low"]
    assert low == {"quantile": 0.1}


def test_a_recipe_knows_the_columns_it_reads() -> None:
    recipe = parse_recipe(with_steps({"select": "exact"}, BAND, {"select": "semdedup"}, {**BAND, "low": 1}))
    assert recipe.needs == ("text_digest", "n_tokens", "embedding")
    assert recipe.score_needs == ("n_tokens", "embedding")
    source = parse_recipe(with_steps({"select": "category", "score": "source", "values": ["web"]}))
    assert (source.needs, source.score_needs) == (("source",), ())


WRONG: dict[str, tuple[object, str]] = {
    "not JSON": ("{", r"the recipe is not JSON \(Expecting.*mend it there"),
    "empty": (b"", r"the recipe is not JSON"),
    "not UTF-8": (b'{"format": "\xff"}', r"the recipe is not JSON \(.*utf-8"),
    "a list": ("[]", r"a recipe is a JSON object, got list; see `workbench schema recipe`"),
    "nested": ("[" * 100_000, r"the recipe is not JSON \(it is nested too deep\)"),
    "NaN": ('{"format": NaN}', r"NaN is no number that JSON or a float can hold"),
    "infinite": (json.dumps(with_steps({**BAND, "low": 1})).replace("1}", "1e999}"), r"1e999 is no number"),
    "other key": ({**HEAD, "stepps": []}, r"a recipe has no 'stepps'; it has format, seed, steps and scores"),
    "no format": ({}, r"the recipe's format is None, this workbench reads 'selection-recipe/1'"),
    "newer": ({"format": "selection-recipe/2"}, r"format is 'selection-recipe/2', this workbench reads"),
    "seed text": ({**HEAD, "seed": "1"}, r"seed must be a whole number from 0 to 2147483647, got 1"),
    "seed bool": ({**HEAD, "seed": True}, r"seed must be a whole number .* got True"),
    "seed negative": ({**HEAD, "seed": -1}, r"seed must be a whole number .* got -1"),
    "seed huge": ({**HEAD, "seed": MAX_SEED + 1}, r"seed must be a whole number .* got 2147483648"),
    "steps object": ({**HEAD, "steps": {}}, r"steps must be a list, got dict"),
    "scores list": ({**HEAD, "scores": []}, r"scores must map names of scores to their settings"),
    "scores flat": ({**HEAD, "scores": {"n_tokens": 1}}, r"scores must map names"),
    "unknown score": ({**HEAD, "scores": {"beauty": {}}}, r"scores: there is no score 'beauty'; `workbench methods`"),
    "unknown setting": (
        {**HEAD, "scores": {"language": {"speed": 1}}},
        r"scores: language has no parameter 'speed'; it has max_chars",
    ),
    "wrong setting": (
        {**HEAD, "scores": {"language": {"max_chars": "many"}}},
        r'scores: language max_chars must be a whole number or null, got "many"; `work',
    ),
    "step text": (with_steps("exact"), r"step 1 must be an object with \"select\"; `workbench methods`"),
    "no select": (with_steps({"score": "n_tokens"}), r"step 1 must be an object with \"select\""),
    "unknown selector": (
        with_steps(BAND, {"select": "best"}),
        r"step 2: there is no selector 'best'; `workbench",
    ),
    "select list": (with_steps({"select": ["band"]}), r"step 1: there is no selector \['band'\]"),
    "unknown param": (
        with_steps({**BAND, "lowest": 1}),
        r"step 1: band has no parameter 'lowest'; it has score, low, high, unscored",
    ),
    "no param": (with_steps({"select": "exact", "n": 1}), r"step 1: exact has no parameter 'n'; it has none"),
    "missing param": (with_steps({"select": "random"}), r"step 1: random needs 'fraction'"),
    "text for number": (
        with_steps({"select": "random", "fraction": "0.5"}),
        r'random fraction must be a number, got "0.5"; write it without quotes',
    ),
    "bool for number": (
        with_steps({"select": "random", "fraction": True}),
        r"fraction must be a number, got true; `workbench",
    ),
    "number for text": (
        with_steps({"select": "band", "score": 3}),
        r"step 1: band score must be a text, got 3; write it in quotes",
    ),
    "null for number": (
        with_steps({"select": "semdedup", "epsilon": None}),
        r"epsilon must be a number, got null; `workbench schema",
    ),
    "fraction for whole": (
        with_steps({"select": "semdedup", "n_clusters": 2.5}),
        r"n_clusters must be a whole number, got 2.5; write 2",
    ),
    "unknown choice": (
        with_steps({"select": "semdedup", "keep": "best"}),
        r'keep must be one of "hard", "easy", "random", got "best"; take one',
    ),
    "unknown unscored": (
        with_steps({**BAND, "unscored": "maybe"}),
        r'unscored must be one of "error", "keep", "drop", got "maybe"',
    ),
    "quantile name": (
        with_steps({**BAND, "low": {"quantil": 0.5}}),
        r'low must be a number, \{"quantile": 0.5\} or null, got \{"q',
    ),
    "quantile more": (
        with_steps({**BAND, "low": {"quantile": 0.5, "of": "web"}}),
        r"step 1: band low has no entry 'of'; it has quantile, value",
    ),
    "threshold list": (
        with_steps({**BAND, "high": [1]}),
        r"step 1: band high must be a number, .* or null, got \[1\]; `w",
    ),
    "text for list": (
        with_steps({"select": "vote", "scores": "n_tokens"}),
        r'vote scores must be a list of texts, got "n_tokens"; write it in square brackets, with commas',
    ),
    "text in a list": (
        with_steps({"select": "vote", "scores": ["n_tokens"], "lows": ["1"]}),
        r'vote lows must be a list of numbers or null, got "1" as entry 1; write it without quotes',
    ),
    "text for bool": (
        with_steps({"select": "c4", "terminal_punctuation": "true"}),
        r'terminal_punctuation must be true or false, got "true"; write true or false without quotes',
    ),
    "long": (with_steps({**BAND, "low": "x" * 999}), r'null, got "x{79}\.\.\.; `workbench'),
    "not text": (with_steps({**BAND, "score": True}), r"score must be a text, got true; `workbench"),
    "lone surrogate": ('{"format": "selection-recipe/1", "steps": [{"select": "exact", "\\ud800": 1}]}', r"step 1"),
    "surrogate value": (
        '{"format": "selection-recipe/1", "steps": [{"select": "band", "score": "\\ud800"}]}',
        r"step 1: band holds a text that isn't Unicode",
    ),
    "score unknown": (
        with_steps({"select": "band", "score": "beauty"}),
        r"step 1: there is no score 'beauty'; `work",
    ),
    "band of labels": (
        with_steps({"select": "band", "score": "language"}),
        r"band can't read language, which holds categories; take category for categories, band for numbers",
    ),
    "category of numbers": (
        with_steps({"select": "category", "score": "n_tokens", "values": ["1"]}),
        r"step 1: category can't read n_tokens, which holds numbers",
    ),
    "band of vectors": (
        with_steps({"select": "band", "score": "embedding"}),
        r"step 1: band can't read embedding, which holds a vector; take another score",
    ),
    "band of sources": (with_steps({"select": "band", "score": "source"}), r"there is no score 'source'"),
    "band of digests": (
        with_steps({"select": "band", "score": "text_digest"}),
        r"there is no score 'text_digest'",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", WRONG)
def test_what_is_wrong_is_said_in_one_sentence(what: str) -> None:
    value, sentence = WRONG[what]
    with pytest.raises(RecipeError, match=sentence) as caught:
        parse_recipe(value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400


def test_the_scores_a_selector_can_read_are_all_but_those_of_another_kind() -> None:
    numbers, labels = readable_scores(SELECTORS["band"]), readable_scores(SELECTORS["category"])
    assert set(labels) == {name for name, spec in SCORES.items() if spec.labels} | {"source"}
    vectors = {name for name, spec in SCORES.items() if spec.vector}
    assert "embedding" in vectors
    assert set(numbers) | set(labels) | vectors == {*SCORES, "source"}
    assert not set(numbers) & set(labels)


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from([*SELECTORS]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["select", "score", "low", "quantile", "values", "keep"]), inner, max_size=4
        )
    ),
    max_leaves=8,
)


@settings(max_examples=300, deadline=None)
@given(
    st.fixed_dictionaries(
        {}, optional={"format": st.just(RECIPE_FORMAT), "seed": json_values, "steps": st.lists(json_values, max_size=3),
                      "scores": json_values}
    )
)  # fmt: skip
def test_nothing_but_a_sentence_comes_of_any_json(value: dict[str, Any]) -> None:
    try:
        recipe = parse_recipe(json.dumps(value))
    except RecipeError as error:
        assert str(error)  # noqa: PT017  (most values are wrong, and a few aren't)
    else:
        assert parse_recipe(json.dumps(recipe.to_json())) == recipe


def test_a_category_that_the_score_does_not_have_is_named() -> None:
    with pytest.raises(RecipeError, match=r"step 1: language has no value 'klingon'; it has af, .*, zu"):
        parse_step({"select": "category", "score": "language", "values": ["en", "klingon"]})


def test_a_name_that_stands_twice_in_a_step_is_refused() -> None:
    text = '{"format": "selection-recipe/1", "steps": [{"select": "band", "score": "n_chars", "low": 1, "low": 9}]}'
    with pytest.raises(RecipeError, match=r"not JSON \('low' stands twice in one object\)"):
        parse_recipe(text)
