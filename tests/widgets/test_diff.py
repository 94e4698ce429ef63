"""The difference of two texts: it puts both together again, and no common part is longer."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from widgets.diff import MAX_CHARS, MAX_WORDS, common_words, difference


def longest(one: tuple[int, ...], other: tuple[int, ...]) -> int:
    """The length of a longest common subsequence, by its definition."""

    @cache
    def of(i: int, j: int) -> int:
        if i == len(one) or j == len(other):
            return 0
        return max(of(i + 1, j), of(i, j + 1), (of(i + 1, j + 1) + 1) if one[i] == other[j] else 0)

    return of(0, 0)


def test_no_common_subsequence_is_longer() -> None:
    rng = np.random.default_rng(0)
    for _ in range(150):
        one, other = (rng.integers(0, 4, rng.integers(0, 14)) for _ in range(2))
        first, second = common_words(one, other)
        assert one[first].tolist() == other[second].tolist()
        assert (np.diff(first) > 0).all()
        assert (np.diff(second) > 0).all()
        assert len(first) == longest(tuple(one.tolist()), tuple(other.tolist()))


def test_spans_put_both_texts_together_again_and_what_is_same_is_the_same() -> None:
    rng = np.random.default_rng(1)
    words = ["a", "<b>", "c\n", "\td", "e  ", "é"]
    for _ in range(150):
        one, other = (" ".join(rng.choice(words, rng.integers(0, 12))) for _ in range(2))
        found = difference(one, other)
        assert ("".join(text for _, text in found.one), "".join(text for _, text in found.other)) == (
            one,
            other,
        )
        same = [
            [word for kind, text in spans if kind == "same" for word in text.split()]
            for spans in (found.one, found.other)
        ]
        assert same[0] == same[1]
        numbers = {word: i for i, word in enumerate({*one.split(), *other.split()})}
        best = longest(*(tuple(numbers[word] for word in text.split()) for text in (one, other)))
        assert found.n_same == len(same[0]) == best
        assert found.is_whole


@pytest.mark.parametrize("word", ["a", "b%d"])
def test_long_texts_are_compared_in_part_and_say_so(word: str) -> None:
    one = " ".join(word % i if "%" in word else word for i in range(4 * MAX_WORDS))
    other = "x " + " ".join(f"c{i}" for i in range(4 * MAX_WORDS)) + " y"
    found = difference(one, other)
    assert not found.is_whole
    for spans, text in ((found.one, one), (found.other, other)):
        assert "".join(part for _, part in spans) == text[:MAX_CHARS]
        assert spans[-1][0] == "rest"


def test_one_endless_word_is_cut() -> None:
    found = difference("x" * 10**6, "y")
    assert found.one == [("only", "x" * MAX_CHARS)]
    assert not found.is_whole


def test_equal_texts_have_no_difference() -> None:
    assert difference("a b\nc ", "a  b c").one == [("same", "a b\nc ")]
    assert difference("", "").one == []
