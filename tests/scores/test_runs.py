"""Runs of words, held against counting them one by one."""

from __future__ import annotations

import time
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.scores import runs as module
from workbench.scores.runs import Words, powers, top_run
from workbench.scores.words import PUNCTUATION

SIZES = (2, 3, 5)
FEW = st.lists(st.sampled_from(["a", "b", "ab", "ba", "é", "🎉", "\ud800", "."]), max_size=40)


def runs_of(words, n):
    return ["".join(words[i : i + n]) for i in range(len(words) - n + 1)]


@given(FEW)
def test_repeated_runs_are_those_whose_characters_occur_twice(words):
    for found in Words(words).ranked_runs(SIZES):
        texts = runs_of(words, found.n)
        twice = {text for text, count in Counter(texts).items() if count > 1}
        places = found.repeated().tolist()
        assert {i for i, text in enumerate(texts) if text in twice} <= set(places)
        assert places == sorted(places)
        # The others have the characters of a run that the end cuts short.
        cut = {"".join(words[i:]) for i in range(max(0, len(words) - found.n + 1), len(words))}
        assert all(texts[i] in twice | cut for i in places)


@given(FEW.filter(lambda words: len(words) >= 5), st.booleans())
def test_the_top_run_is_the_first_of_the_most_frequent_ones_even_if_all_hashes_collide(words, collide):
    with pytest.MonkeyPatch.context() as patch:
        if collide:
            patch.setattr(module, "powers", lambda n: np.zeros(n, dtype=np.uint64))
        given_words = Words(words)
        for found in given_words.ranked_runs(SIZES):
            # Runs are the same if their words are: "ab", "c" and "a", "bc" are two.
            counts = Counter(tuple(words[i : i + found.n]) for i in range(len(words) - found.n + 1))
            run, count = counts.most_common(1)[0]
            at, times = top_run(given_words, found)
            assert (tuple(words[at : at + found.n]), times) == (run, count)
            assert at == next(i for i in range(len(words)) if tuple(words[i : i + found.n]) == run)


@given(FEW)
def test_one_size_at_a_time_gives_what_all_at_once_give(words):
    whole = [found.repeated().tolist() for found in Words(words).ranked_runs(SIZES)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_MANY_WORDS", 0)
        assert [found.repeated().tolist() for found in Words(words).ranked_runs(SIZES)] == whole


@given(st.lists(st.text(min_size=1, max_size=6), max_size=20))
def test_letters_and_marks_are_those_of_python_and_of_the_character_set(words):
    found = Words(words)
    assert found.has_letter.tolist() == [any(map(str.isalpha, word)) for word in words]
    assert found.is_word.tolist() == [any(char not in PUNCTUATION for char in word) for word in words]
    assert found.lengths.tolist() == [len(word) for word in words]


@pytest.mark.parametrize("n", [0, 1, 2, 1000, module._CACHED_POWERS + 7])
def test_powers_are_those_of_the_base_modulo_2_to_the_64(n):
    table = powers(n)
    assert len(table) == n
    for i in (0, 1, n // 2, n - 1):
        if 0 <= i < n:
            assert int(table[i]) == pow(module._BASE, i, 1 << 64)


@pytest.mark.slow
@pytest.mark.parametrize("piece", ["a", "a b ", "every word is another one {} "])
def test_ten_times_the_words_take_about_ten_times_as_long(piece):
    def seconds(n):
        words = Words(piece.split() * n if "{" not in piece else [str(i) for i in range(n)])
        begin = time.process_time()
        for found in words.ranked_runs(SIZES):
            found.repeated()
            top_run(words, found)
        return time.process_time() - begin

    seconds(1_000)
    assert seconds(400_000) < 40 * max(seconds(40_000), 0.02)
