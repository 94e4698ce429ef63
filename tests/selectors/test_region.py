"""A region's rule: its numbers as text, the two variants against a twin, and rules that are none."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.checks import Array, strings
from workbench.errors import InputError
from workbench.models.geometry.rows import unit_rows
from workbench.recipe.model import Recipe
from workbench.recipe.schema import parse_recipe, parse_step
from workbench.selectors import SELECTORS, Selection
from workbench.selectors.region import pack_numbers, unpack_numbers

RNG = np.random.default_rng(0)
EMBEDDING = unit_rows(RNG.normal(size=(80, 6)))
CENTROIDS = unit_rows(RNG.normal(size=(5, 6)).astype(np.float16))


def run(embedding: Array = EMBEDDING, **params: Any) -> Selection:
    step = parse_step({"select": "region", **params})
    columns = {"doc_id": strings(map(str, range(len(embedding)))), "embedding": embedding}
    return step.spec.run(columns, step.params, step.spec.prepare(columns, step.params, 0), 0)


@given(st.lists(st.floats(width=16, allow_nan=False, allow_infinity=False), min_size=1, max_size=40))
def test_numbers_come_back_to_the_bit(values: list[float]) -> None:
    given_ = np.array(values, dtype=np.float32)
    assert unpack_numbers(pack_numbers(given_)).tobytes() == given_.tobytes()


def test_the_nearest_centroid_decides() -> None:
    numbers = pack_numbers(CENTROIDS)
    nearest = np.array([np.argmin([np.sum((row - c) ** 2) for c in CENTROIDS]) for row in EMBEDDING])
    kept = run(numbers=numbers, n_inside=2).keep
    np.testing.assert_array_equal(kept, nearest < 2)
    outside = run(numbers=numbers, n_inside=2, keep="outside", name="<b>x</b>\n y")
    np.testing.assert_array_equal(outside.keep, nearest >= 2)
    row = int(np.flatnonzero(nearest < 2)[0])
    cosine = float((EMBEDDING[row] @ CENTROIDS.T).max())
    assert outside.explain(row) == (
        f"lies in the region <b>x</b> y: its nearest centroid (cosine similarity {cosine:.3g}) is the region's"
    )


def test_the_probe_decides_at_a_probability_of_a_half() -> None:
    weight, bias = RNG.normal(size=6).astype(np.float16).astype(float), 0.25
    found = run(numbers=pack_numbers(np.r_[weight, bias]), variant="probe")
    probability = 1 / (1 + np.exp(-(EMBEDDING @ weight + bias)))
    np.testing.assert_array_equal(found.keep, probability >= 0.5)
    row = int(np.flatnonzero(~found.keep)[0])
    assert found.explain(row) == (
        f"lies outside of the region: the probe gives it a probability of {probability[row]:.3g}"
    )


def test_a_recipe_with_a_rule_comes_back_from_its_json() -> None:
    step = parse_step({"select": "region", "numbers": pack_numbers(CENTROIDS), "n_inside": 1, "name": "a"})
    recipe = Recipe((step,))
    assert parse_recipe(recipe.to_json()) == recipe


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"numbers": ""}, "a region needs the numbers of a rule"),
        ({"numbers": "ÄÖ=="}, "numbers must be base64 of float16"),
        ({"numbers": base64.b64encode(b"abc").decode()}, "numbers must be base64 of float16"),
        ({"numbers": pack_numbers(np.array([np.nan]))}, "numbers must be finite"),
        ({"numbers": pack_numbers(CENTROIDS), "n_inside": 0}, "0 of them the region's, can't be made of 30"),
        ({"numbers": pack_numbers(CENTROIDS), "n_inside": 5}, "5 of them the region's"),
        ({"numbers": pack_numbers(CENTROIDS[:, :5]), "n_inside": 1}, "can't be made of 25 numbers"),
        ({"numbers": pack_numbers(np.zeros((2, 6))), "n_inside": 1}, "centroid 0 is zero"),
        ({"numbers": pack_numbers(CENTROIDS), "variant": "probe"}, "vectors of 6 numbers has 7, got 30"),
    ],
)
def test_what_is_no_rule_is_refused(params: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        run(**params)


def test_a_rule_knows_the_embedding_that_it_was_made_with() -> None:
    made_with = SELECTORS["region"].made_with
    assert made_with is not None
    params = parse_step({"select": "region", "numbers": "AAAA", "embedding": "abc"}).params
    assert made_with(params) == {"embedding": "abc"}
    assert made_with(parse_step({"select": "region", "numbers": "AAAA"}).params) == {}
