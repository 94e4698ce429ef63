"""Counting words of a list, held against datatrove's C4BadWordsFilter."""

from __future__ import annotations

import math
import re

import pytest
from datatrove.data import Document
from datatrove.pipeline.filters import C4BadWordsFilter
from hypothesis import given
from hypothesis import strategies as st

from workbench.errors import InputError
from workbench.scores.bad_words import BadWordsParams, count_bad_words

LIST = ("darn", "heck", "darn it", "c++", "straße")
PIECES = (
    "darn",
    "Darn",
    "darned",
    "heck",
    "_heck",
    "darn it",
    "it",
    "c++",
    "C++x",
    "STRASSE",
    "Straße",
    " ",
    "-",
    "\n",
    "é",
)


def peer() -> C4BadWordsFilter:
    """The filter with our list in place of the one that it downloads, in the form that it gives its own."""
    made = C4BadWordsFilter()
    joined = "|".join(re.escape(word) for word in LIST)
    made._badwords_regex["en"] = re.compile(rf"(?:\W|^)({joined})(?:\W|$)")
    return made


@given(st.lists(st.sampled_from(PIECES), max_size=12).map("".join))
def test_there_is_one_where_datatrove_finds_one(text: str) -> None:
    assert (count_bad_words(text, BadWordsParams(LIST)) == 0) == (PEER.filter(Document(text, "0")) is True)


PEER = peer()


@pytest.mark.parametrize(
    ("text", "n"),
    [
        ("", 0),
        ("Darn. DARN, darn!", 3),
        ("darned undarn darn_ 1darn", 0),
        ("oh darn it all", 1),  # the phrase, and not the word in it again
        ("darn\tit", 1),
        ("heck heck", 2),
        ("c++ and (C++)", 2),
    ],
)
def test_words_are_counted_each_once(text: str, n: int) -> None:
    assert count_bad_words(text, BadWordsParams(LIST)) == n


def test_scripts_without_spaces_are_looked_through_anywhere() -> None:
    params = BadWordsParams(("坏词", "aa"), apart="anywhere")
    assert count_bad_words("这是坏词吗坏词aaa", params) == 3
    assert count_bad_words("这是坏词吗", BadWordsParams(("坏词",))) == 0


def test_without_a_list_there_is_no_number() -> None:
    assert math.isnan(count_bad_words("darn", BadWordsParams()))


def test_a_word_of_the_list_is_no_pattern() -> None:
    assert count_bad_words("darn dxrn", BadWordsParams(("d.rn", "(", "[a"))) == 0


@pytest.mark.parametrize("words", [("",), ("ok", " \n")])
def test_an_empty_word_is_refused(words: tuple[str, ...]) -> None:
    with pytest.raises(InputError, match="words holds an empty word"):
        BadWordsParams(words)


def test_another_way_to_look_is_refused() -> None:
    with pytest.raises(InputError, match="apart must be words or anywhere, got 'spaces'"):
        BadWordsParams(("a",), apart="spaces")  # type: ignore[arg-type]


def test_a_list_of_a_recipe_is_as_good_as_a_tuple() -> None:
    # JSON has lists, and a recipe's settings come as they are.
    assert count_bad_words("Darn it", BadWordsParams(["darn"])) == 1.0  # type: ignore[arg-type]
