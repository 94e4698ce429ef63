"""The words that name a cluster."""

from __future__ import annotations

from math import log1p

import numpy as np
import pytest

from workbench.errors import InputError
from workbench.scores.keywords import keyword_labels


def test_keywords_follow_the_published_formula() -> None:
    texts = ["alpha alpha beta gamma", "beta beta gamma delta", "delta delta delta gamma epsilon"]
    clusters = np.array([0, 1, 1], dtype=np.float32)
    frequency = {0: {"alpha": 2, "beta": 1, "gamma": 1}, 1: {"beta": 2, "gamma": 2, "delta": 4, "epsilon": 1}}
    total = {"alpha": 2, "beta": 3, "gamma": 3, "delta": 4, "epsilon": 1}
    mean_words = sum(total.values()) / 2
    for c, counts in frequency.items():
        score = {word: n * log1p(mean_words / total[word]) for word, n in counts.items()}
        expected = sorted(score, key=lambda word: (-score[word], word))
        assert keyword_labels(texts, clusters, n_words=9)[c] == ", ".join(expected)


def test_noise_is_called_noise_and_gives_no_words() -> None:
    labels = keyword_labels(["zebra zebra", "tiger", "lion"], np.array([-1, 0, np.nan], dtype=np.float32))
    assert labels == {-1: "noise", 0: "tiger"}


def test_noise_does_not_change_the_other_labels() -> None:
    texts = ["river boat river", "boat sail", "mountain snow", "snow ski"]
    clusters = np.array([0.0, 0, 1, 1])
    with_noise = keyword_labels([*texts, *["river"] * 50], np.array([0.0, 0, 1, 1, *[-1] * 50]))
    assert {c: label for c, label in with_noise.items() if c >= 0} == keyword_labels(texts, clusters)


def test_function_words_and_keywords_of_code_name_no_cluster() -> None:
    texts = ["the the the whale", "und und der Garten", "def def return self matrix", "и и не на море"]
    assert keyword_labels(texts, np.arange(4.0)) == {0: "whale", 1: "garten", 2: "matrix", 3: "море"}


def test_a_cluster_without_words_has_its_number() -> None:
    assert keyword_labels(["12 34 !!", "", "x"], np.array([0.0, 1, 2])) == {
        0: "cluster 0",
        1: "cluster 1",
        2: "cluster 2",
    }
    assert keyword_labels(["12 34 !!", "ship"], np.array([0.0, 1])) == {0: "cluster 0", 1: "ship"}
    assert keyword_labels([], np.zeros(0)) == {}


def test_words_of_scripts_with_vowel_signs_stay_whole() -> None:
    assert keyword_labels(["हिन्दी भाषा"], np.zeros(1)) == {0: "भाषा, हिन्दी"}


def test_hostile_text_gives_short_plain_words() -> None:
    text = (
        "<img src=x onerror=alert(1)> \x00\x1b[31mred\x07 \u202eevil\u202c \u200bzero A"
        + "b" * 5000
        + " "
        + "QUJD" * 20
    )
    label = keyword_labels([text * 3], np.zeros(1), n_words=50)[0]
    assert all(character.isalnum() or character in "_, " for character in label)
    assert max(len(word) for word in label.split(", ")) <= 24
    assert type(label) is str


def test_only_the_beginning_of_a_huge_text_counts() -> None:
    assert keyword_labels(["lion " * 4000 + "harpoon " * 90_000], np.zeros(1)) == {0: "lion"}


def test_bad_arguments_are_refused() -> None:
    with pytest.raises(InputError, match="there are 3 cluster codes for 2 texts; give one a text"):
        keyword_labels(["a", "b"], np.zeros(3))
    with pytest.raises(InputError, match="n_words must be at least 1, got 0"):
        keyword_labels(["a"], np.zeros(1), n_words=0)
