import math
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.scores.base import Inputs, NoParams
from workbench.scores.compression import compression_ratio, compute


def test_the_ratio_is_raw_over_compressed_bytes_of_utf8_at_level_6():
    text = "é repeated, " * 40
    assert compression_ratio(text) == 13 * 40 / len(zlib.compress(text.encode(), 6))


def test_repetition_raises_the_ratio():
    prose = "It was the best of times, it was the worst of times, it was the age of wisdom."
    assert compression_ratio(prose * 20) > 10 * compression_ratio(prose)


def test_a_short_text_lies_low_and_an_empty_one_is_not_scorable():
    assert compression_ratio("short text") < 1
    assert math.isnan(compression_ratio(""))


def test_compute_gives_one_column():
    columns = compute(Inputs(["a", "b", "c"], [""] * 3, ["a", "", "b" * 1000]), NoParams(), {})
    assert list(columns) == ["compression_ratio"]
    column = columns["compression_ratio"]
    assert (column.dtype.name, column.shape) == ("float32", (3,))
    assert column[0] < 1 < column[2]
    assert math.isnan(column[1])


@given(st.text(min_size=1))
def test_any_text_has_a_positive_ratio(text):
    assert 0 < compression_ratio(text) < math.inf


def test_the_ratio_stays_below_deflates_limit():
    # Deflate can't make more than 1032 bytes of one.
    assert compression_ratio("a" * 1_000_000) == pytest.approx(
        1_000_000 / len(zlib.compress(b"a" * 1_000_000, 6))
    )
    assert compression_ratio("a" * 1_000_000) < 1032
