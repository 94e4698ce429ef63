import time

import pytest
from datatrove.utils.text import PUNCTUATION_SET, split_into_words
from datatrove.utils.text import TERMINAL_PUNCTUATION as DATATROVE_TERMINAL
from hypothesis import given
from hypothesis import strategies as st

from workbench.scores.words import PUNCTUATION, TERMINAL_PUNCTUATION, split_words


def test_the_character_sets_are_datatroves():
    assert PUNCTUATION == PUNCTUATION_SET
    assert TERMINAL_PUNCTUATION == DATATROVE_TERMINAL


def test_nearly_all_documents_are_split_as_datatrove_does(documents):
    counts = [(split_words(text), words) for text, words in documents]
    assert sum(ours == theirs for ours, theirs in counts) / len(counts) > 0.97
    n_theirs = sum(len(theirs) for _, theirs in counts)
    assert sum(abs(len(ours) - len(theirs)) for ours, theirs in counts) / n_theirs < 5e-4


@pytest.mark.parametrize(
    "text",
    [
        "He didn't, won't and can't; they'll say I'm wrong, won’t they?",
        "Mr. Smith (of the U.S.) paid $5.50, i.e. 10% of 55km. O.K.?",
        "cannot gonna gotta let's y'all o'clock its were ill",
        "f(x)=y; a/b; well-known; end.Start; a,b; 3-4; 10+5; x:y",
        "https://example.com/a,b.c?d=e (www.example.org). user@example.com!",
        "\"Quoted,\" she said -- 'single' — dash… and... so on....",
        "🎉🎉 party! © 2024 :) ;-) <3 foo():",
        "यह करू. 我们。「今天」/あ",
        "C++ e.g., (e.g., x) 5am 12p.m. '90s '",
    ],
)
def test_marks_contractions_and_urls_are_split_as_datatrove_does(text):
    assert split_words(text) == split_into_words(text)


@given(st.text(st.sampled_from("ab1 .…,'’-:/()$%#@\n\u2028é中ी🎉"), max_size=40) | st.text())
def test_words_hold_all_of_the_text_but_its_white_space(text):
    words = split_words(text)
    assert "".join(words) == "".join(text.split())
    assert all(words)


@pytest.mark.parametrize("n_chars", [9_999, 10_001])
def test_a_long_chunk_of_marks_loses_nothing(n_chars):
    text = ("(.,..a" * n_chars)[: n_chars - 1] + "…"
    assert "".join(split_words(text)) == text


@pytest.mark.slow
@pytest.mark.parametrize("piece", ["(", "a.b,", "a@", "..,", "a-", "a.", "'s", "http://", "x "])
def test_ten_times_the_text_takes_about_ten_times_as_long(piece):
    def seconds(n_chars):
        begin = time.process_time()
        split_words(piece * (n_chars // len(piece)))
        return time.process_time() - begin

    seconds(10_000)
    assert seconds(2_000_000) < 40 * max(seconds(200_000), 0.02)
