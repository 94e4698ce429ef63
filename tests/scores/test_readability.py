"""EFLAW: textstat's words and sentences."""

from __future__ import annotations

import math
import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.scores.conftest import ADVERSARIAL
from workbench.scores.readability import eflaw


def plain_words(text: str) -> list[str]:
    """textstat 0.7 in two steps: apostrophes without an English ending become quotes, then marks go."""
    quoted = re.sub(r"\'(?![tsd]\b|ve\b|ll\b|re\b)", '"', text)
    return "".join(c for c in quoted if c == "'" or c.isspace() or re.match(r"\w", c)).split()


def plain_eflaw(text: str) -> float:
    words = plain_words(text)
    sentences = re.findall(r"\b[^.!?]+[.!?]*", text)
    n_sentences = max(1, sum(len(plain_words(sentence)) > 2 for sentence in sentences))
    return sum(2 if len(word) <= 3 else 1 for word in words) / n_sentences if words else math.nan


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("I am a cat. It is a dog.", 8.0),
        ("Yes. No. Maybe so.", 7.0),  # no sentence has three words, and there is always one
        ("Don't stop! We'll see everything tomorrow.", 7.0),  # see alone is short: don't has its apostrophe
        ("Everybody's 'dog' barks", 4.0),  # quotes are taken off, the ending stays
        ("version 3.5 of it", 7.0),  # a full stop within a number parts it: "version 3." and "5 of it"
    ],
)
def test_words_are_counted_twice_where_they_are_short(text: str, expected: float) -> None:
    assert eflaw(text) == expected
    assert plain_eflaw(text) == expected


@pytest.mark.parametrize("text", ["", "  \n", "!?.,;:-…", "' '"])
def test_a_text_without_words_is_not_easy_but_unscored(text: str) -> None:
    assert math.isnan(eflaw(text))


def test_longer_sentences_are_harder() -> None:
    short = "The committee met again. Nobody stayed very long."
    assert eflaw(short) < eflaw(short.replace(". N", " and n"))


@given(st.text(st.sampled_from("ab .!?\n'tsve\u2019-_9é中\x1c\xa0"), max_size=80) | st.text())
def test_any_text_agrees_with_the_plain_way(text: str) -> None:
    assert eflaw(text) == pytest.approx(plain_eflaw(text), nan_ok=True, abs=0)


def test_the_hard_texts_agree_with_the_plain_way() -> None:
    for text in ADVERSARIAL:
        assert eflaw(text) == pytest.approx(plain_eflaw(text), nan_ok=True, abs=0)


def test_time_is_linear_in_marks_and_words() -> None:
    began = time.perf_counter()
    for text in ("a" * 300_000, "!" * 300_000, "' " * 150_000, "a\u00a0" * 150_000, "-" * 300_000):
        eflaw(text)
    assert time.perf_counter() - began < 20  # 0.3 s; with one search from each letter it was minutes
