import math

import pytest
from datatrove.data import Document
from datatrove.pipeline.filters.c4_filters import C4QualityFilter
from datatrove.utils.text import split_into_sentences
from hypothesis import given
from hypothesis import strategies as st

from workbench.scores.base import Inputs
from workbench.scores.c4 import (
    SPECS,
    C4Params,
    c4_signals,
    compute,
    count_sentences,
    count_sentences_fast,
)

STATS = {
    "c4_n_lines": "line-total",
    "c4_n_long_word_lines": "line-filter-too_long_word",
    "c4_n_no_terminal_lines": "line-filter-no_terminal_punc",
    "c4_n_short_lines": "line-filter-too_few_words",
    "c4_n_javascript_lines": "line-filter-javascript",
    "c4_n_policy_lines": "line-filter-policy",
    "c4_n_lines_kept": "line-kept",
}
DEFAULT = C4Params()
RELEASE = C4Params(min_line_words=5, max_word_length=20)
WITHOUT_PUNCTUATION = C4Params(terminal_punctuation=False)


def c4_filter(params=DEFAULT, **options):
    off = {"filter_lorem_ipsum": False, "filter_curly_bracket": False, "min_num_sentences": -1}
    return C4QualityFilter(
        min_words_per_line=params.min_line_words,
        max_word_length=params.max_word_length,
        filter_no_terminal_punct=params.terminal_punctuation,
        **{**off, **options},
    )


@pytest.mark.parametrize(
    "params", [DEFAULT, RELEASE, WITHOUT_PUNCTUATION], ids=["default", "release", "fineweb"]
)
def test_datatrove_drops_the_same_number_of_lines_by_each_rule_and_keeps_the_same_text(params, documents):
    totals = dict.fromkeys(STATS, 0)
    for text, _ in documents:
        datatrove = c4_filter(params)
        document = Document(text=text, id="0")
        assert datatrove.filter(document) is True
        found = c4_signals(text, params)
        for name, label in STATS.items():
            expected = datatrove.stats.stats[label].total if label in datatrove.stats.stats else 0
            assert found[name] == expected, (name, text)
            totals[name] += expected
        if text:
            assert found["c4_kept_chars_fraction"] == pytest.approx(len(document.text) / len(text), abs=1e-12)
        else:
            assert math.isnan(found["c4_kept_chars_fraction"])
    rules_that_cannot_fire = {"c4_n_no_terminal_lines"} if params is WITHOUT_PUNCTUATION else set()
    assert {name for name, total in totals.items() if total == 0} == rules_that_cannot_fire


@pytest.mark.parametrize("params", [DEFAULT, WITHOUT_PUNCTUATION], ids=["default", "fineweb"])
def test_datatrove_drops_a_document_where_we_count_a_lorem_ipsum_or_curly_bracket_line(
    params, documents, reason
):
    n_dropped = {"lorem_ipsum": 0, "curly_bracket": 0}
    for text, _ in documents:
        found = c4_signals(text, params)
        for rule in n_dropped:
            dropped = reason(c4_filter(params, **{f"filter_{rule}": True}), text)
            assert (dropped == rule) == (found[f"c4_n_{rule}_lines"] > 0)
            n_dropped[rule] += dropped == rule
    assert all(n_dropped.values())


def test_datatrove_finds_too_few_sentences_just_above_our_number_given_its_splitter(documents, reason):
    for text, _ in documents[:200]:
        found = c4_signals(text, sentence_counter=lambda line: len(split_into_sentences(line)))
        n_sentences = int(found["c4_n_sentences"])
        assert reason(c4_filter(min_num_sentences=n_sentences), text) is None
        assert reason(c4_filter(min_num_sentences=n_sentences + 1), text) == "too_few_sentences"


def test_our_sentence_counter_agrees_with_datatroves_on_nearly_all_lines(documents):
    lines = [line.strip() for text, _ in documents[::2] for line in text.splitlines() if line.strip()]
    theirs = [len(split_into_sentences(line)) for line in lines]
    assert len(lines) > 1_000
    for count, least in ((count_sentences, 0.995), (count_sentences_fast, 0.95)):
        equal = [count(line) == n for line, n in zip(lines, theirs, strict=True)]
        assert sum(equal) / len(equal) > least


@pytest.mark.parametrize(
    ("line", "n_sentences"),
    [
        ("", 0),
        ("No end", 1),
        ("One. Two! Three?", 3),
        ("Mr. A. lives in the U.S. today.", 1),
        ("...", 1),
        ("!", 1),
    ],
)
def test_count_sentences_of_simple_lines(line, n_sentences):
    assert count_sentences(line) == n_sentences
    assert count_sentences_fast(line) == n_sentences
    # The name of the splitter chooses between the two.
    for words in ("fast", "datatrove"):
        params = C4Params(min_line_words=0, terminal_punctuation=False, words=words)
        assert c4_signals(line, params)["c4_n_sentences"] == n_sentences


def test_the_splitter_decides_about_an_abbreviation():
    line = "It was Prof. Moriarty and nobody else."
    assert c4_signals(line, C4Params(words="fast"))["c4_n_sentences"] == 2
    assert c4_signals(line, C4Params(words="datatrove"))["c4_n_sentences"] == 1


def test_a_javascript_line_hides_its_curly_bracket_but_not_its_lorem_ipsum():
    found = c4_signals("All of it is javascript {really}.\nLorem ipsum and javascript again.")
    assert found["c4_n_curly_bracket_lines"] == 0
    assert found["c4_n_lorem_ipsum_lines"] == 1
    assert found["c4_n_javascript_lines"] == 2


def test_an_empty_text_has_counts_of_zero_and_no_kept_fraction():
    found = c4_signals("")
    assert math.isnan(found.pop("c4_kept_chars_fraction"))
    assert set(found.values()) == {0.0}


def test_compute_gives_one_float32_column_a_spec_and_heeds_params():
    inputs = Inputs(["a", "b"], ["", ""], ["Three words here.\nfour words are here", ""])
    columns = compute(inputs, C4Params(), {})
    assert list(columns) == [spec.name for spec in SPECS]
    assert {(column.dtype.name, column.shape) for column in columns.values()} == {("float32", (2,))}
    assert columns["c4_n_lines_kept"].tolist() == [1, 0]
    assert compute(inputs, WITHOUT_PUNCTUATION, {})["c4_n_lines_kept"].tolist() == [2, 0]


@given(st.text(st.sampled_from("ab .\n\r\u2028é中[1]{\"'"), max_size=120) | st.text())
def test_any_text_gives_kept_fraction_in_0_to_1_and_lines_that_add_up(text):
    found = c4_signals(text)
    fraction = found["c4_kept_chars_fraction"]
    assert math.isnan(fraction) if not text else 0 <= fraction <= 1
    dropped = (
        "long_word_lines",
        "no_terminal_lines",
        "short_lines",
        "javascript_lines",
        "policy_lines",
        "lines_kept",
    )
    assert sum(found[f"c4_n_{name}"] for name in dropped) == found["c4_n_lines"] == len(text.splitlines())
