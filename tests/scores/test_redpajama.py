"""The RedPajama-v2 signals against a slow implementation of their published definitions, rule by rule."""

from __future__ import annotations

import math
import re
import string
import unicodedata

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.scores.conftest import ADVERSARIAL
from workbench.scores import runs
from workbench.scores.base import Inputs, NoParams
from workbench.scores.redpajama import _STOP_WORDS, SPECS, compute, redpajama_signals

MORE = [
    "LOREM-ipsum dolor. Lorem ipsum, again: loremipsum",
    "Javascript, javascript! JAVASCRIPT; java-script\njavascriptjavascript",
    "café É \ufb01 ² Ⅷ ½ १२",  # NFD makes two characters of é; numerals are more than digits
    "ΟΔΟΣ\nΣ' ΟΔΟΣ",
    "• one\n ‣ two\n– three\n- four\n▶ five\n\n\nNo end”\nend. \nend…",
    "a b c d e f a b c d e f g a b c d e f",
    "".join(filter(str.isupper, map(chr, range(0x500))))
    + "²½",  # more kinds of capitals than are counted one by one
]


def normalize(text: str) -> str:
    text = "".join(char for char in text if char not in string.punctuation).lower()
    return unicodedata.normalize("NFD", re.sub(r"\s+", " ", text.strip()))


def share(flags: list[bool]) -> float:
    return sum(flags) / len(flags) if flags else math.nan


def top_ratio(words: list[str], n: int) -> float:
    grams = [tuple(words[i : i + n]) for i in range(len(words) - n + 1)]
    counts = [grams.count(gram) for gram in grams]
    if not words or not grams or max(counts) == 1:
        return 0.0 if words else math.nan
    gram = grams[counts.index(max(counts))]
    return sum(map(len, gram)) * max(counts) / sum(map(len, words))


def dup_fraction(words: list[str], n: int) -> float:
    grams = [tuple(words[i : i + n]) for i in range(len(words) - n + 1)]
    inside = {i + k for i, gram in enumerate(grams) if grams.count(gram) > 1 for k in range(n)}
    return sum(len(words[i]) for i in inside) / sum(map(len, words)) if words else math.nan


def expected(text: str) -> dict[str, float]:
    content = normalize(text)
    words = content.split()
    raw = re.findall(r"\w+|[^\w\s]+", text)
    lines = re.findall(r"[^\n]*\n|[^\n]+\Z", text)
    normal = [normalize(line) for line in lines]
    chances = [words.count(word) / len(words) for word in set(words)]
    symbols = len(re.findall("#", text)) + len(re.findall(r"\.\.\.", text)) + len(re.findall("…", text))
    bullets = "•‣▶◀◦■□▪▫–"
    return {
        "rps_n_words": len(words),
        "rps_mean_word_length": sum(map(len, words)) / len(words) if words else math.nan,
        "rps_unique_words_fraction": len(set(words)) / len(words) if words else math.nan,
        "rps_unigram_entropy": -sum(p * math.log(p) for p in chances) if words else math.nan,
        "rps_lorem_ipsum_ratio": len(re.findall("lorem ipsum", content)) / len(content)
        if content
        else math.nan,
        "rps_words_per_line": sum(len(line.split()) for line in normal) / len(lines) if lines else math.nan,
        "rps_n_sentences": len(re.findall(r"\b[^.!?]+[.!?]*", text)),
        "rps_symbol_ratio": symbols / len(raw) if raw else math.nan,
        "rps_all_caps_words_fraction": share([word.isupper() for word in raw]),
        "rps_no_alpha_words_fraction": share([not re.search("[a-zA-Z]", word) for word in raw]),
        "rps_stop_words_fraction": share([word in _STOP_WORDS for word in raw]),
        "rps_curly_bracket_fraction": share([char in "{}" for char in text]),
        "rps_uppercase_chars_fraction": share([char.isupper() for line in lines for char in line]),
        "rps_n_lines": len(lines),
        "rps_terminal_lines_fraction": share([line.rstrip()[-1:] in tuple(".!?”") for line in lines]),
        "rps_ellipsis_lines_fraction": share([bool(re.search(r"(\.\.\.|…)\s*\Z", line)) for line in lines]),
        "rps_bullet_lines_fraction": share([line.lstrip()[:1] in tuple(bullets) for line in lines]),
        "rps_numeric_chars_fraction": share([char.isnumeric() for line in normal for char in line]),
        "rps_n_javascript": sum(word == "javascript" for line in normal for word in line.split()),
        **{f"rps_top_{n}_gram_ratio": top_ratio(words, n) for n in (2, 3, 4)},
        **{f"rps_dup_{n}_gram_fraction": dup_fraction(words, n) for n in range(5, 11)},
    }


def agrees(text: str) -> None:
    found = redpajama_signals(text)
    assert list(found.keys() - expected(text).keys()) == []
    for name, value in expected(text).items():
        assert found[name] == pytest.approx(value, abs=1e-9, nan_ok=True), (name, text)


@pytest.mark.parametrize("text", [*ADVERSARIAL, *MORE])
def test_odd_texts_have_the_published_numbers(text):
    agrees(text)


def test_real_documents_have_the_published_numbers(documents):
    short = [text for text, _ in documents if len(text) < 2_000]
    assert len(short) > 150
    for text in short[::3]:
        agrees(text)


@given(st.text(st.sampled_from("aAb1 .…#!?{}\n\r\u2028é中²”•–"), max_size=80) | st.text(max_size=80))
def test_any_text_has_the_published_numbers(text):
    agrees(text)


WORDS = st.lists(st.sampled_from(["a", "b", "ab", "ba", "é"]), max_size=40)


@given(WORDS, st.booleans())
def test_any_words_have_the_published_repetitions_even_if_all_hashes_collide(words, collide):
    with pytest.MonkeyPatch.context() as patch:
        if collide:
            patch.setattr(runs, "powers", lambda n: np.zeros(n, dtype=np.uint64))
        agrees(" ".join(words))


def test_the_signals_of_a_small_text_by_hand():
    found = redpajama_signals("The END of it. {No} 12!\n- the end...\njavascript javascript\n")
    assert found["rps_n_words"] == 10
    assert found["rps_n_lines"] == 3
    assert found["rps_unique_words_fraction"] == 7 / 10
    assert found["rps_terminal_lines_fraction"] == pytest.approx(2 / 3)
    assert found["rps_ellipsis_lines_fraction"] == pytest.approx(1 / 3)
    assert found["rps_n_javascript"] == 2
    assert found["rps_top_2_gram_ratio"] == 2 * len("theend") / 40


def test_the_stop_words_are_570_in_lower_case():
    assert len(_STOP_WORDS) == 570
    assert all(word == word.lower() for word in _STOP_WORDS)
    assert {"the", "a", "wouldn't", "zero"} <= _STOP_WORDS


def test_compute_gives_one_float32_column_a_spec():
    columns = compute(Inputs(["a", "b"], ["", ""], ["Some words. More words.", ""]), NoParams(), {})
    assert list(columns) == [spec.name for spec in SPECS]
    assert {(column.dtype.name, column.shape) for column in columns.values()} == {("float32", (2,))}
    for spec in SPECS:
        value = columns[spec.name][1]
        assert value == 0 if spec.name.startswith("rps_n_") else math.isnan(value)
