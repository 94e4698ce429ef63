"""The design of a sample: allocation to sources, and its JSON."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.corpus import Design, Stratum
from workbench.corpus.design import allocate
from workbench.errors import InputError

COUNTS = st.dictionaries(st.text(max_size=3), st.integers(1, 1000), min_size=1, max_size=12)


@given(COUNTS, st.integers(0, 3000))
def test_an_allocation_adds_up_and_keeps_to_its_bounds(counts: dict[str, int], extra: int) -> None:
    least = 2 if len(counts) > 1 else 1
    n = sum(min(least, count) for count in counts.values()) + extra
    quota = allocate(n, counts)
    assert quota.keys() == counts.keys()
    assert sum(quota.values()) == min(n, sum(counts.values()))
    assert all(min(least, counts[name]) <= quota[name] <= counts[name] for name in counts)
    # A larger source never gives fewer.
    for one in counts:
        assert all(quota[one] >= quota[other] for other in counts if counts[one] > counts[other])


def test_shares_are_rounded_by_largest_remainder() -> None:
    assert allocate(10, {"a": 34, "b": 33, "c": 33}) == {"a": 4, "b": 3, "c": 3}
    assert allocate(11, {"a": 34, "b": 33, "c": 33}) == {"a": 4, "b": 4, "c": 3}
    assert allocate(10, {"a": 970, "b": 20, "c": 10}) == {"a": 6, "b": 2, "c": 2}


DESIGN = Design("source", 3, {"a\n": Stratum(10, 4, 100, 0.4), "b": Stratum(3, 3, 5, 1.0)}, "ff", 2)


def test_a_design_comes_back_from_its_json() -> None:
    assert Design.from_json(DESIGN.to_json()) == DESIGN
    assert DESIGN.rates_fit()
    assert Design(None, 0, {"a": Stratum(8, 1, 5, 0.2), "b": Stratum(2, 1, 5, 0.2)}, "", 0).rates_fit()
    assert not Design("source", 0, {"a": Stratum(8, 1, 5, 0.2)}, "", 0).rates_fit()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": "sample-design/9"}, "its format is 'sample-design/9', 'sample-design/1' is read"),
        ({"strata": {"a": {"n_corpus": 1}}}, "'n_sample' is missing"),
        (
            {"strata": {"a": {"n_corpus": 1, "n_sample": 2, "n_bytes_corpus": 1, "rate": 1}}},
            "2 documents were drawn",
        ),
        (
            {"strata": {"a": {"n_corpus": 2, "n_sample": 2, "n_bytes_corpus": 1, "rate": 3}}},
            "the rate 3 doesn't lie",
        ),
        ({"strata": {"a": {"n_corpus": 0, "n_sample": 0, "n_bytes_corpus": 1, "rate": 0}}}, "n_corpus is 0"),
        ({"strata": []}, "'list' object has no attribute"),
        ({"by": "text"}, "by is 'text'"),
        ({"seed": 1.5}, "seed is 1.5"),
        ({"n_quarantined": -1}, "n_quarantined is -1"),
    ],
)
def test_a_design_that_says_something_impossible_is_refused(change: dict, message: str) -> None:
    with pytest.raises(InputError, match=rf"the sample's design can't be read: .*{message}.*; draw"):
        Design.from_json(json.dumps(json.loads(DESIGN.to_json()) | change))


def test_a_design_that_isnt_json_is_refused() -> None:
    with pytest.raises(InputError, match="the sample's design can't be read: Expecting value"):
        Design.from_json(b"<xml>")
