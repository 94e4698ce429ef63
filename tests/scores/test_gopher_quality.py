import math

import pytest
from datatrove.pipeline.filters.gopher_quality_filter import GopherQualityFilter
from hypothesis import given
from hypothesis import strategies as st

from workbench.scores.base import Inputs
from workbench.scores.gopher_quality import SPECS, compute, gopher_quality_signals
from workbench.scores.views import WordsParams
from workbench.scores.words import split_words

EPSILON = 1e-6
OFF = {
    "min_doc_words": None,
    "max_doc_words": None,
    "min_avg_word_length": None,
    "max_avg_word_length": None,
    "max_symbol_word_ratio": None,
    "max_bullet_lines_ratio": None,
    "max_ellipsis_lines_ratio": None,
    "max_non_alpha_words_ratio": None,
    "min_stop_words": None,
}


def only(**threshold):
    return GopherQualityFilter(**{**OFF, **threshold})


# datatrove's verdict by such a rule flips at our number.
MAX_RULES = {
    "gopher_mean_word_length": "max_avg_word_length",
    "gopher_hash_ratio": "max_symbol_word_ratio",
    "gopher_bullet_lines_fraction": "max_bullet_lines_ratio",
    "gopher_ellipsis_lines_fraction": "max_ellipsis_lines_ratio",
}
MIN_RULES = {
    "gopher_mean_word_length": "min_avg_word_length",
    "gopher_alpha_words_fraction": "max_non_alpha_words_ratio",
}
REASONS = {
    "gopher_mean_word_length": ("gopher_above_avg_threshold", "gopher_below_avg_threshold"),
    "gopher_hash_ratio": ("gopher_too_many_hashes",),
    "gopher_bullet_lines_fraction": ("gopher_too_many_bullets",),
    "gopher_ellipsis_lines_fraction": ("gopher_too_many_end_ellipsis",),
    "gopher_alpha_words_fraction": ("gopher_below_alpha_threshold",),
}


@pytest.mark.parametrize("name", MAX_RULES)
@pytest.mark.filterwarnings("ignore:Mean of empty slice", "ignore:invalid value")
def test_datatrove_drops_above_a_threshold_just_below_our_number(name, documents, datatrove_words, reason):
    n_checked = 0
    for text, words in documents:
        value = gopher_quality_signals(text, words)[name]
        if math.isnan(value):
            continue
        option = MAX_RULES[name]
        assert reason(only(**{option: value + EPSILON}), text) not in REASONS[name]
        assert reason(only(**{option: value - EPSILON}), text) in REASONS[name]
        n_checked += 1
    assert n_checked > 300


@pytest.mark.parametrize("name", MIN_RULES)
@pytest.mark.filterwarnings("ignore:Mean of empty slice", "ignore:invalid value")
def test_datatrove_drops_below_a_threshold_just_above_our_number(name, documents, datatrove_words, reason):
    n_checked = 0
    for text, words in documents:
        value = gopher_quality_signals(text, words)[name]
        if math.isnan(value) or not words:
            continue
        option = MIN_RULES[name]
        assert reason(only(**{option: value + EPSILON}), text) in REASONS[name]
        assert reason(only(**{option: value - EPSILON}), text) is None
        n_checked += 1
    assert n_checked > 300


@pytest.mark.filterwarnings("ignore:Mean of empty slice", "ignore:invalid value")
def test_datatrove_counts_the_same_words_and_stop_words(documents, datatrove_words, reason):
    for text, words in documents:
        if not words:
            continue
        found = gopher_quality_signals(text, words)
        n_words, n_stop = int(found["gopher_n_words"]), int(found["gopher_n_stop_words"])
        assert reason(only(min_doc_words=n_words), text) is None
        assert reason(only(min_doc_words=n_words + 1), text) == "gopher_short_doc"
        assert reason(only(min_stop_words=n_stop), text) is None
        assert reason(only(min_stop_words=n_stop + 1), text) == "gopher_enough_stop_words"


@pytest.mark.filterwarnings("ignore:Mean of empty slice", "ignore:invalid value")
def test_datatrove_drops_for_ellipses_at_our_ratio(documents, datatrove_words, reason):
    n_dropped = 0
    for text, words in documents:
        found = gopher_quality_signals(text, words)
        value = found["gopher_ellipsis_ratio"]
        if not words:
            continue
        assert reason(only(max_symbol_word_ratio=value + EPSILON), text) != "gopher_too_many_ellipsis"
        # One option rules both ratios, and datatrove looks at "#" first.
        if found["gopher_hash_ratio"] <= value - EPSILON:
            assert reason(only(max_symbol_word_ratio=value - EPSILON), text) == "gopher_too_many_ellipsis"
            n_dropped += 1
    assert n_dropped >= 5


@pytest.mark.parametrize("text", ["", " \n\t "])
def test_ratios_over_words_are_nan_and_counts_zero_without_words(text):
    found = gopher_quality_signals(text, split_words(text))
    assert found["gopher_n_words"] == found["gopher_n_stop_words"] == 0
    for name in ("mean_word_length", "hash_ratio", "ellipsis_ratio", "alpha_words_fraction"):
        assert math.isnan(found[f"gopher_{name}"])


def test_fractions_of_lines_are_nan_without_lines():
    found = gopher_quality_signals("", [])
    assert math.isnan(found["gopher_bullet_lines_fraction"])
    assert math.isnan(found["gopher_ellipsis_lines_fraction"])


def test_marks_alone_have_no_mean_word_length_but_ratios():
    found = gopher_quality_signals("# ...", ["#", "..."])
    assert math.isnan(found["gopher_mean_word_length"])
    assert found["gopher_hash_ratio"] == found["gopher_ellipsis_ratio"] == 0.5
    assert found["gopher_alpha_words_fraction"] == 0


def test_stop_words_count_by_kind_and_in_lower_case_only():
    assert gopher_quality_signals("", ["the", "the", "The", "with"])["gopher_n_stop_words"] == 2


def test_compute_gives_one_float32_column_a_spec_in_the_order_of_the_texts():
    columns = compute(
        Inputs(["a", "b", "c"], [""] * 3, ["the cat", "", "a bee and the bird"]), WordsParams(), {}
    )
    assert list(columns) == [spec.name for spec in SPECS]
    assert {(column.dtype.name, column.shape) for column in columns.values()} == {("float32", (3,))}
    assert columns["gopher_n_words"].tolist() == [2, 0, 5]


@given(st.text(st.sampled_from("ab #.…-•\n\r\u2028é中🎉\"'{"), max_size=80) | st.text())
def test_any_text_gives_fractions_in_0_to_1_or_nan(text):
    for name, value in gopher_quality_signals(text, split_words(text)).items():
        assert math.isnan(value) or value >= 0
        assert not name.endswith("_fraction") or math.isnan(value) or value <= 1
