import math
import time

import pytest
from datatrove.pipeline.filters.gopher_repetition_filter import (
    GopherRepetitionFilter,
    find_all_duplicate,
    find_top_duplicate,
    get_n_grams,
)
from hypothesis import given
from hypothesis import strategies as st

from workbench.scores import runs
from workbench.scores.base import Inputs
from workbench.scores.gopher_repetition import SPECS, compute, gopher_repetition_signals
from workbench.scores.views import WordsParams
from workbench.scores.words import split_words

EPSILON = 1e-6
OFF = {
    "dup_line_frac": None,
    "dup_para_frac": None,
    "dup_line_char_frac": None,
    "dup_para_char_frac": None,
    "top_n_grams": (),
    "dup_n_grams": (),
}
RULES = {
    "gopher_dup_lines_fraction": "dup_line_frac",
    "gopher_dup_lines_chars_fraction": "dup_line_char_frac",
    "gopher_dup_paragraphs_fraction": "dup_para_frac",
    "gopher_dup_paragraphs_chars_fraction": "dup_para_char_frac",
}


def drops(reason, text, **threshold):
    return reason(GopherRepetitionFilter(**{**OFF, **threshold}), text) is not None


@pytest.mark.parametrize("name", RULES)
def test_datatrove_drops_for_repeated_lines_and_paragraphs_at_our_number(
    name, documents, datatrove_words, reason
):
    n_checked = 0
    for text, words in documents:
        value = gopher_repetition_signals(text, words)[name]
        if not text:
            assert math.isnan(value)
            continue
        assert not drops(reason, text, **{RULES[name]: value + EPSILON})
        assert drops(reason, text, **{RULES[name]: value - EPSILON})
        n_checked += 1
    assert n_checked > 300


@pytest.mark.parametrize("n", [2, 3, 4])
def test_datatrove_drops_for_a_top_n_gram_at_our_ratio(n, documents, datatrove_words, reason):
    n_checked = 0
    for text, words in documents:
        value = gopher_repetition_signals(text, words)[f"gopher_top_{n}_gram_ratio"]
        if not words:
            assert math.isnan(value)
            continue
        assert not drops(reason, text, top_n_grams=((n, value + EPSILON),))
        if len(words) < n:
            assert value == 0
        else:
            assert drops(reason, text, top_n_grams=((n, value - EPSILON),))
            n_checked += 1
    assert n_checked > 300


@pytest.mark.parametrize("n", [5, 6, 7, 8, 9, 10])
def test_datatrove_drops_for_repeated_n_grams_at_our_fraction(n, documents, datatrove_words, reason):
    n_repeated = 0
    for text, words in documents:
        value = gopher_repetition_signals(text, words)[f"gopher_dup_{n}_gram_fraction"]
        if not words:
            assert math.isnan(value)
            continue
        assert not drops(reason, text, dup_n_grams=((n, value + EPSILON),))
        assert drops(reason, text, dup_n_grams=((n, value - EPSILON),))
        n_repeated += value > 0
    assert n_repeated > 20


@given(st.lists(st.sampled_from(["a", "b", "ab", "ba", "aba", "."]), min_size=1, max_size=60))
def test_n_grams_equal_datatroves_on_any_word_list(words):
    # Words that join to the same string at different breaks: datatrove compares the joined strings.
    text = " ".join(words)
    found = gopher_repetition_signals(text, words)
    for n in (2, 3, 4):
        expected = find_top_duplicate(get_n_grams(words, n)) if len(words) >= n else 0
        assert found[f"gopher_top_{n}_gram_ratio"] == pytest.approx(expected / len(text), abs=1e-12)
    for n in (5, 6, 7, 8, 9, 10):
        expected = find_all_duplicate(words, n) / len(text)
        assert found[f"gopher_dup_{n}_gram_fraction"] == pytest.approx(expected, abs=1e-12)


@given(st.lists(st.sampled_from(["a", "b", "ab", "."]), min_size=1, max_size=40))
def test_hash_collisions_change_nothing(words):
    text = " ".join(words)
    expected = gopher_repetition_signals(text, words)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(runs, "_BASE", 0)  # then a hash is that of the first character
        patch.setattr(runs, "powers", runs._powers)
        assert gopher_repetition_signals(text, words) == expected


def test_five_words_said_twice_repeat_five_of_nineteen_characters():
    text = "a b c d e a b c d e"
    found = gopher_repetition_signals(text, text.split())
    assert found["gopher_dup_5_gram_fraction"] == pytest.approx(5 / 19)
    assert found["gopher_dup_6_gram_fraction"] == 0
    assert found["gopher_top_2_gram_ratio"] == pytest.approx(2 * len("a b") / 19)


def test_the_first_of_equally_frequent_n_grams_is_the_top_one():
    text = "long words a b a b long words"
    assert gopher_repetition_signals(text, text.split())["gopher_top_2_gram_ratio"] == 2 * len(
        "long words"
    ) / len(text)


def test_a_top_n_gram_ratio_exceeds_1_where_occurrences_overlap():
    text = "a a a a"
    assert gopher_repetition_signals(text, text.split())["gopher_top_2_gram_ratio"] == pytest.approx(9 / 7)


def test_white_space_alone_has_lines_but_no_n_grams():
    found = gopher_repetition_signals(" \n ", [])
    assert found["gopher_dup_lines_fraction"] == 0.5
    assert math.isnan(found["gopher_top_2_gram_ratio"])
    assert math.isnan(found["gopher_dup_5_gram_fraction"])


def test_compute_gives_one_float32_column_a_spec():
    columns = compute(Inputs(["a", "b"], ["", ""], ["x\nx\n", ""]), WordsParams(), {})
    assert list(columns) == [spec.name for spec in SPECS]
    assert {(column.dtype.name, column.shape) for column in columns.values()} == {("float32", (2,))}
    assert columns["gopher_dup_lines_fraction"][0] == pytest.approx(1 / 3)
    assert all(math.isnan(column[1]) for column in columns.values())


@given(st.text(st.sampled_from("ab .\n\r\u2028é中🎉"), max_size=120) | st.text())
def test_any_text_gives_fractions_in_0_to_1_or_nan(text):
    for name, value in gopher_repetition_signals(text, split_words(text)).items():
        assert math.isnan(value) or value >= 0
        assert not name.endswith("_fraction") or math.isnan(value) or value <= 1


@pytest.mark.slow
@pytest.mark.parametrize("piece", ["a b c d e f g h i j k l.\n", "(", "ab" * 50, "a\n\n"])
def test_ten_times_the_text_takes_about_ten_times_as_long(piece):
    def seconds(n_chars):
        text = (piece * (n_chars // len(piece) + 1))[:n_chars]
        begin = time.process_time()
        gopher_repetition_signals(text, split_words(text))
        return time.process_time() - begin

    seconds(10_000)
    assert seconds(2_000_000) < 40 * max(seconds(200_000), 0.02)
