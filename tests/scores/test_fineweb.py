import math

import pytest
from datatrove.pipeline.filters.fineweb_quality_filter import FineWebQualityFilter
from hypothesis import given
from hypothesis import strategies as st

from workbench.scores.base import Inputs
from workbench.scores.fineweb import SPECS, compute, fineweb_signals
from workbench.scores.views import WordsParams
from workbench.scores.words import split_words

EPSILON = 1e-6
OFF = {"line_punct_thr": -1, "short_line_thr": 2, "char_duplicates_ratio": 2, "new_line_ratio": 1e9}


def drops(reason, text, **threshold):
    return reason(FineWebQualityFilter(**{**OFF, **threshold}), text) is not None


@pytest.mark.parametrize(
    ("name", "option", "sign"),
    [
        ("fineweb_terminal_lines_fraction", "line_punct_thr", -1),
        ("fineweb_short_lines_fraction", "short_line_thr", 1),
        ("fineweb_dup_lines_chars_fraction", "char_duplicates_ratio", 1),
        ("fineweb_newlines_per_word", "new_line_ratio", 1),
    ],
)
def test_datatroves_verdict_flips_at_our_number(name, option, sign, documents, datatrove_words, reason):
    n_checked = 0
    for text, words in documents:
        value = fineweb_signals(text, words)[name]
        if not text.strip():
            assert math.isnan(value)
            assert reason(FineWebQualityFilter(**OFF), text) == "empty"
            continue
        assert not drops(reason, text, **{option: value + sign * EPSILON})
        assert drops(reason, text, **{option: value - sign * EPSILON})
        n_checked += 1
    assert n_checked > 300


def test_a_carriage_return_hides_a_terminal_mark_and_counts_to_the_length():
    found = fineweb_signals("x" * 29 + ".\r\nshort.\n", ["x", ".", "short", "."])
    assert found["fineweb_terminal_lines_fraction"] == 0.5
    assert found["fineweb_short_lines_fraction"] == 0.5


def test_compute_gives_one_float32_column_a_spec():
    columns = compute(Inputs(["a", "b"], ["", ""], ["Yes.\nno no no", " \n"]), WordsParams(), {})
    assert list(columns) == [spec.name for spec in SPECS]
    assert {(column.dtype.name, column.shape) for column in columns.values()} == {("float32", (2,))}
    assert columns["fineweb_newlines_per_word"][0] == pytest.approx(1 / 5)
    assert all(math.isnan(column[1]) for column in columns.values())


@given(st.text(st.sampled_from("ab .\n\r\u2028é中🎉"), max_size=120) | st.text())
def test_any_text_gives_fractions_in_0_to_1_or_nan(text):
    for name, value in fineweb_signals(text, split_words(text)).items():
        assert math.isnan(value) or value >= 0
        assert not name.endswith("_fraction") or math.isnan(value) or value <= 1
