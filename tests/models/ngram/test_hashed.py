"""n-grams in buckets, as the package data-selection counts them."""

from __future__ import annotations

import hashlib
from collections import Counter
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from nltk.tokenize import WordPunctTokenizer

from workbench.models.ngram import hashed
from workbench.models.ngram.hashed import bucket_counts, ngram_buckets

CORPUS = Path(__file__).parents[3] / "data_samples" / "corpus"
ODD = [
    "",
    " ",
    "one",
    "A b",
    "The THE the\n\nthe",
    "👩‍👩‍👧 ﬁne İstanbul $5.00!",
    "a\x1cb\x1fc",
    "x²½ no_thing",
]


def real(n: int) -> list[str]:
    """Documents of every source, in many scripts."""
    return [
        text
        for path in sorted(CORPUS.glob("*.parquet"))
        for text in pl.read_parquet(path, columns=["text"])["text"].sample(n, seed=1).to_list()
    ]


def twin(text: str, n: int, n_buckets: int) -> Counter[int]:
    """One n-gram after the other, with NLTK's tokenizer."""
    words = WordPunctTokenizer().tokenize(text.lower())
    grams = [" ".join(words[i : i + size]) for size in range(1, n + 1) for i in range(len(words) - size + 1)]
    return Counter(int(hashlib.sha256(gram.encode()).hexdigest(), 16) % n_buckets for gram in grams)


@pytest.mark.parametrize(("n", "n_buckets"), [(1, 10_000), (2, 10_000), (3, 50_021), (4, 7)])
def test_the_buckets_are_those_of_one_hash_after_the_other(n: int, n_buckets: int) -> None:
    texts = [*ODD, *real(4)]
    buckets, text, n_tokens = ngram_buckets(texts, n, n_buckets)
    for i, one in enumerate(texts):
        assert Counter(buckets[text == i].tolist()) == twin(one, n, n_buckets)
        assert n_tokens[i] == len(WordPunctTokenizer().tokenize(one.lower()))
    expected = sum((twin(one, n, n_buckets) for one in texts), Counter())
    counts = bucket_counts(texts, n, n_buckets)
    assert Counter(dict(enumerate(counts.tolist()))) == Counter(dict.fromkeys(range(n_buckets), 0)) | expected


def test_the_published_buckets() -> None:
    buckets, _, n_tokens = ngram_buckets(["Alice went to the store"], 2)
    assert buckets[[0, 5]].tolist() == [6720, 114]
    assert (len(buckets), n_tokens.tolist()) == (9, [5])


@pytest.mark.parametrize("n", [1, 2, 3])
def test_the_number_of_tokens_comes_back_from_the_number_of_grams(n: int) -> None:
    text = "Alice walked into the store\n\n()()($#%@?)@(#(*"
    buckets, _, n_tokens = ngram_buckets([text], n)
    assert (len(buckets) + n * (n - 1) // 2) // n == n_tokens[0]


def test_grams_do_not_cross_from_text_to_text_and_stand_in_order() -> None:
    one, two = (ngram_buckets([text])[0].tolist() for text in ("a b c", "d e"))
    buckets, text, _ = ngram_buckets(["a b c", "", "d e"])
    assert buckets[text == 0].tolist() == one
    assert buckets[text == 2].tolist() == two
    assert not (text == 1).any()


def test_forgetting_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = real(2)
    expected = bucket_counts(texts)
    monkeypatch.setattr(hashed, "_REMEMBERED", 50)
    monkeypatch.setattr(hashed, "_BATCH", 3)
    np.testing.assert_array_equal(bucket_counts(texts), expected)


def test_marks_part_a_word_in_older_versions_of_nltk() -> None:
    assert ngram_buckets(["সঙ্গে"], 1)[2].tolist() == [1]
    assert ngram_buckets(["সঙ্গে"], 1, words="re")[2][0] > 1


def test_ascii_is_split_as_regex_splits_it() -> None:
    text = " ".join(a + b for a in map(chr, range(128)) for b in map(chr, range(128)))
    assert (
        ngram_buckets([text], 1)[2]
        == ngram_buckets([text + " \N{LATIN SMALL LETTER E WITH ACUTE}"], 1)[2] - 1
    )
