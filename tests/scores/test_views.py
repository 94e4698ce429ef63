"""What is found of a text once, and how close the fast words are to datatrove's."""

from __future__ import annotations

import re
import time
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.errors import InputError
from workbench.scores import views as module
from workbench.scores.c4 import C4Params
from workbench.scores.views import TextView, WordsParams, duplicates, split_fast
from workbench.scores.words import split_words

TEXTS = st.text(st.sampled_from("ab1A .…,'’-:/()$%#@\n\r\u2028é中ी🎉_")) | st.text()


@given(TEXTS)
def test_fast_words_hold_all_of_the_text_but_its_white_space(text):
    words = split_fast(text)
    assert "".join(words) == "".join(text.split())
    assert all(words)


def test_fast_words_are_nearly_those_of_datatrove(documents):
    n_same = n_all = 0
    for text, words in documents:
        n_same += (Counter(split_fast(text)) & Counter(words)).total()
        n_all += len(words)
    assert n_same / n_all > 0.95


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Well-known, she'd said: \"No.\"", ["Well", "-", "known", ",", "she", "'d", "said", ":", '"', "No", ".", '"']),
        ("f(x)=y; a/b 1,000.5 3-4", ["f(x)=y", ";", "a", "/", "b", "1,000.5", "3", "-", "4"]),
        ("a_b(__init__) end.Start example.com", ["a_b(__init__", ")", "end", ".", "Start", "example.com"]),
        ("so -- on... (e.g.)", ["so", "--", "on", "...", "(", "e.g", ".", ")"]),
        ("at http://a.org/b-c/, (https://d.org).", ["at", "http://a.org/b-c/", ",", "(", "https://d.org", ")", "."]),
        ("E.T. went?—yes", ["E.T", ".", "went?—yes"]),
        ("我们。今天", ["我们", "。", "今天"]),
    ],
)  # fmt: skip
def test_fast_words_of_simple_texts(text, words):
    assert split_fast(text) == words


@given(st.text(st.sampled_from("ab \n\r\u2028"), max_size=60))
def test_a_view_parts_a_text_as_regular_expressions_do(text):
    view = TextView(text)
    assert view.lines == text.splitlines()
    assert view.newline_parts == text.split("\n")
    assert view.newline_runs == re.split(r"\n+", text)
    assert view.paragraphs == re.split(r"\n{2,}", text.strip())
    assert view.words("fast").list == split_fast(text)
    assert view.words("datatrove").list == split_words(text)


def test_a_view_splits_once(monkeypatch):
    calls = []
    monkeypatch.setattr(module, "split_fast", lambda text: calls.append(text) or [text])
    view = TextView("a text")
    assert view.words("fast") is view.words("fast")
    assert calls == ["a text"]


def test_an_unknown_splitter_is_a_sentence():
    for params in (WordsParams, C4Params):
        with pytest.raises(
            InputError, match="words must be fast or datatrove, got 'spacy'; choose one of the two"
        ):
            params(words="spacy")  # type: ignore[arg-type]


@given(st.lists(st.text(max_size=3), max_size=30))
def test_duplicates_count_what_came_before(parts):
    repeats = [part for i, part in enumerate(parts) if part in parts[:i]]
    assert duplicates(parts) == (len(repeats), sum(map(len, repeats)))


HOSTILE = [
    "x", "\n", "word ", "(", "a(", "a.b,", "-(", "a-", "..,", "'s", "a'", "🎉", "http://", "http://..", "—", "a?—",
    "A.", "<a href='/b'>", "a((((((((((",
]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("piece", HOSTILE)
def test_ten_times_the_text_is_split_in_about_ten_times_as_long(piece):
    def seconds(n_chars):
        text = (piece * (n_chars // len(piece) + 1))[:n_chars]
        begin = time.process_time()
        split_fast(text)
        return time.process_time() - begin

    seconds(10_000)
    assert seconds(2_000_000) < 40 * max(seconds(200_000), 0.01)
