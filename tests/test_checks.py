"""The checks, and above all the digests and hashes that manifests and stores rely on for ever."""

from __future__ import annotations

import hashlib
import json
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import kstest

from workbench.checks import (
    canonical_json,
    check_at_least,
    check_fraction,
    check_range,
    file_digest,
    json_digest,
    keyed_uniform,
    require_keys,
    strings,
    text_digests,
)
from workbench.errors import InputError

IDS = [f"{i}" for i in range(20_000)]

GOLDEN_RANDOM = [0.5024466638255639, 0.08991440993291033, 0.8200853041929492]
GOLDEN_SAMPLE = [0.5156026443328531]
GOLDEN_JSON = "cb65552b279a5b71e11ef4c430cfb3dbddcd27d67d8fcbc68d7eeb07bb33bb7c"
GOLDEN_TEXT = [[4665148505410102986, 8103847710287220046], [9189440641721877287, 9099881824081077545]]

# --------------------------------------------------------------------------------------------- keyed_uniform


def test_keyed_numbers_are_uniform() -> None:
    draw = keyed_uniform(0, IDS, "random")
    assert draw.dtype == np.float64
    assert draw.min() >= 0.0
    assert draw.max() < 1.0
    assert kstest(draw, "uniform").pvalue > 0.001


@pytest.mark.parametrize(
    ("one", "other"),
    list(combinations([(0, "random"), (1, "random"), (-1, "random"), (0, "sample"), (0, "semdedup")], 2)),
)
def test_seeds_and_purposes_are_independent(one: tuple[int, str], other: tuple[int, str]) -> None:
    a, b = (keyed_uniform(seed, IDS, purpose) for seed, purpose in (one, other))
    # Five standard errors of a correlation of 20,000 independent pairs.
    assert abs(np.corrcoef(a, b)[0, 1]) < 5 / np.sqrt(len(IDS))
    assert abs(((a < 0.1) & (b < 0.1)).mean() - 0.01) < 0.004


def test_seed_and_purpose_do_not_run_into_each_other() -> None:
    assert keyed_uniform(11, ["a"], "x") != keyed_uniform(1, ["a"], "x:1")
    assert keyed_uniform(1, ["a"], "x:1") != keyed_uniform(1, ["a"], "x")


def test_a_document_draws_the_same_wherever_it_stands() -> None:
    whole = keyed_uniform(3, IDS[:50], "random")
    assert np.array_equal(keyed_uniform(3, IDS[:50][::-1], "random"), whole[::-1])
    assert keyed_uniform(3, [IDS[17]], "random")[0] == whole[17]
    assert np.array_equal(keyed_uniform(3, list(strings(IDS[:50])), "random"), whole)


def test_the_draw_is_the_same_in_every_release() -> None:
    # A manifest holds the seed, not the draws: a change here would change what an old manifest keeps.
    assert keyed_uniform(0, ["a", "b", "é"], "random").tolist() == GOLDEN_RANDOM
    assert keyed_uniform(7, ["a"], "sample").tolist() == GOLDEN_SAMPLE


# ------------------------------------------------------------------------------------------------------ JSON

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(json_values)
def test_canonical_json_says_the_same_and_is_stable(value: object) -> None:
    text = canonical_json(value)
    assert json.loads(text) == value
    assert canonical_json(json.loads(text)) == text


def test_canonical_json_does_not_depend_on_the_order_of_keys() -> None:
    assert canonical_json({"b": 1, "a": {"d": 2, "c": 3}}) == '{"a":{"c":3,"d":2},"b":1}'
    assert json_digest({"b": 1, "a": 2}) == json_digest({"a": 2, "b": 1})


def test_canonical_json_tells_apart_what_python_calls_equal() -> None:
    texts = [canonical_json(value) for value in (0, 0.0, False, None, "", [], {}, "0")]
    assert len(set(texts)) == 8


def test_canonical_json_keeps_the_order_of_lists_and_takes_tuples_for_them() -> None:
    assert canonical_json([2, 1]) != canonical_json([1, 2])
    assert canonical_json((1, 2)) == canonical_json([1, 2])


@pytest.mark.parametrize("value", [float("nan"), float("inf"), {"a": [-float("inf")]}])
def test_canonical_json_refuses_what_json_has_no_form_for(value: object) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        canonical_json(value)


def test_digests_are_the_same_in_every_release() -> None:
    assert json_digest({"b": [1, None, False, 0.0], "a": "é"}) == GOLDEN_JSON
    assert text_digests(["", "a"]).tolist() == GOLDEN_TEXT


# --------------------------------------------------------------------------------------------------- digests


def test_text_digests_are_of_the_bytes() -> None:
    texts = ["", "a", "a ", "A", "\u00e9", "e\u0301", "a\u0000", "long " * 10_000]
    digests = text_digests(texts)
    assert digests.shape == (8, 2)
    assert digests.dtype == np.uint64
    assert len({tuple(row) for row in digests.tolist()}) == 8
    assert np.array_equal(text_digests(texts[2:4]), digests[2:4])
    assert text_digests([]).shape == (0, 2)


@pytest.mark.parametrize("n_bytes", [0, 1, (1 << 20) - 1, 1 << 20, (1 << 20) + 1, 3 << 20])
def test_a_file_digest_is_the_sha256_of_its_bytes(tmp_path: Path, n_bytes: int) -> None:
    raw = np.random.default_rng(n_bytes).bytes(n_bytes)
    (tmp_path / "f").write_bytes(raw)
    assert file_digest(tmp_path / "f") == hashlib.sha256(raw).hexdigest()


# ---------------------------------------------------------------------------------------------------- checks


@pytest.mark.parametrize("value", [0, 0.0, 0.25, 1, 1.0])
def test_a_fraction_is_given_back_as_float(value: float) -> None:
    assert check_fraction("share", value) == value
    assert type(check_fraction("share", value)) is float


@pytest.mark.parametrize("value", [-1e-9, 1.0000001, 50, float("nan"), float("inf")])
def test_what_is_no_fraction_is_refused(value: float) -> None:
    with pytest.raises(
        InputError, match=r"share must lie in 0\.\.1, got .*; give a fraction, not a percentage"
    ):
        check_fraction("share", value)


@pytest.mark.parametrize("value", [2.9, -1, float("nan"), float("inf"), -float("inf")])
def test_what_is_too_small_or_no_number_is_refused(value: float) -> None:
    check_at_least("n_words", 3, 3)
    with pytest.raises(InputError, match="n_words must be at least 3, got"):
        check_at_least("n_words", value, 3)


def test_a_range_is_open_or_in_order() -> None:
    for low, high in [(None, None), (1, None), (None, 1), (1, 1), (1, 2), (-float("inf"), 0)]:
        check_range(low, high)
    with pytest.raises(InputError, match="low must be below high, got low=3, high=1; swap them"):
        check_range(3, 1)
    with pytest.raises(
        InputError, match="low must be a number or open, got nan; leave it out for an open side"
    ):
        check_range(float("nan"), 1)
    with pytest.raises(InputError, match="high must be a number or open, got nan"):
        check_range(None, float("nan"))


def test_a_missing_column_is_named_with_those_that_are_there() -> None:
    require_keys("step band", {"a": 0, "b": 0}, ["b", "a"])
    with pytest.raises(InputError, match="step band needs 'c'; there are a, b"):
        require_keys("step band", {"b": 0, "a": 0}, ["a", "c"])
    with pytest.raises(InputError, match="step band needs 'c'; there are none"):
        require_keys("step band", {}, ["c"])


def test_strings_sort_by_code_point_and_keep_every_character() -> None:
    values = ["é", "z", "", "Z", "\U0001f600", "a\x00", "a", "x" * 5000]
    got = strings(values)
    assert list(got) == values
    assert list(np.sort(got)) == sorted(values)
    assert [values[i] for i in np.lexsort((got,))] == sorted(values)
    assert strings([]).shape == (0,)
    assert strings(iter(["a", "b"])).shape == (2,)


def test_many_long_strings_sort() -> None:
    # numpy's own StringDType crashed here.
    values = [f"{i:08d}" * 4 for i in np.random.default_rng(0).permutation(3000)]
    assert [values[i] for i in np.lexsort((strings(values), np.zeros(3000)))] == sorted(values)
