"""Repeated sentences, lines and paragraphs, held to datatrove's sentence dedup."""

from __future__ import annotations

import importlib

import numpy as np
import pytest

from workbench.corpus import read
from workbench.embedded import sample_corpus
from workbench.errors import InputError
from workbench.scores.base import Inputs
from workbench.scores.normal import simplify
from workbench.scores.span_dup import SpanDupParams, compute_span_dup, repeated_units
from workbench.scores.units import split_units


def fraction(texts: dict[str, str], unit: str = "sentences3") -> dict[str, float]:
    ids = list(texts)
    inputs = Inputs(ids, ["s"] * len(ids), list(texts.values()))
    values = compute_span_dup(inputs, SpanDupParams(unit), {})["duplicate_span_fraction"]  # type: ignore[arg-type]
    return dict(zip(ids, values.tolist(), strict=True))


SHARED = "It rained on Monday. Nobody came. The hall was cold."


def test_three_shared_sentences_count_in_all_but_the_first_document() -> None:
    found = fraction(
        {"b": f"Another day. {SHARED} We left.", "a": f"{SHARED} So it went.", "c": "Alone. Here."}
    )
    assert found == {"b": pytest.approx(3 / 5), "a": 0.0, "c": 0.0}


def test_two_shared_sentences_are_no_span_of_three_but_are_sentences() -> None:
    texts = {"a": SHARED, "b": "It rained on Monday. Nobody came. The hall was warm."}
    assert fraction(texts) == {"a": 0.0, "b": 0.0}
    assert fraction(texts, "sentence") == {"a": 0.0, "b": pytest.approx(2 / 3)}


def test_a_text_that_ends_in_white_space_has_no_empty_sentence_more() -> None:
    # Two sentences and the end of the text are no span of three.
    texts = {"a": "Nobody came. The hall was cold. \n", "b": "Nobody came. The hall was cold.\n\n"}
    assert fraction(texts) == {"a": 0.0, "b": 0.0}


def test_lines_and_paragraphs_are_compared_each_by_itself() -> None:
    one = "Home | About\n\nA long story\nof two lines\n\nHome | About"
    other = "home / about\n\nA long story\nof three lines"
    assert fraction({"a": one, "b": other}, "line") == {"a": 0.25, "b": pytest.approx(2 / 3)}
    assert fraction({"a": one, "b": other}, "paragraph") == {"a": pytest.approx(1 / 3), "b": 0.5}


def test_the_order_of_rows_changes_nothing() -> None:
    texts = {"a": SHARED, "b": SHARED, "c": SHARED}
    for order in ("abc", "cab"):
        assert fraction({name: texts[name] for name in order}) == {"a": 0.0, "b": 1.0, "c": 1.0}


def test_case_numbers_and_punctuation_make_no_difference() -> None:
    assert fraction({"a": "Page 1 of 12", "b": "page 3 of 12!", "c": "page x of y"}, "line") == {
        "a": 0.0,
        "b": 1.0,
        "c": 0.0,
    }


def test_lines_without_a_word_are_neither_repeated_nor_counted() -> None:
    found = fraction({"a": "---\nword\n---\n\n", "b": "---\n***", "c": ""}, "line")
    assert found["a"] == 0.0
    assert np.isnan(found["b"])
    assert np.isnan(found["c"])


def theirs(texts: list[str], n: int, split: bool) -> list[int]:
    """How many units of each text datatrove would remove: its hashes, matched as its finder does."""
    dedup = importlib.import_module("datatrove.pipeline.dedup.sentence_dedup")
    hashing = importlib.import_module("datatrove.utils.hashing")
    data = importlib.import_module("datatrove.data")
    config = dedup.SentDedupConfig(
        n_sentences=n, split_sentences=split, hash_config=hashing.HashConfig(precision=64, hash_fc="sha1")
    )
    step = dedup.SentenceDedupSignature("memory://sentences", config=config)
    hashes = sorted(
        hash_ for i, text in enumerate(texts) for hash_ in step.get_hashes(data.Document(text, str(i)), i)
    )
    removed: list[set[int]] = [set() for _ in texts]
    last = None
    for value, document, place in hashes:
        if value == last:
            removed[document].update(range(place, place + n))
        last = value
    return [len(places) for places in removed]


def test_the_repeated_lines_are_those_of_datatrove() -> None:
    texts = [text[:2_000] for text in read(sample_corpus()).sample(300, seed=4).texts]
    ours = repeated_units([[simplify(line) for line in text.splitlines()] for text in texts], 1)
    assert sum(map(sum, ours)) > 50
    assert [int(found.sum()) for found in ours] == theirs(texts, 1, split=False)


def test_the_repeated_spans_of_three_sentences_are_those_of_datatrove() -> None:
    rng = np.random.default_rng(6)
    sentences = [
        f"{subject} {verb} now." for subject in "Cats Dogs We".split() for verb in "sleep run".split()
    ]
    texts = [" ".join(rng.choice(sentences, size)) for size in (2, 3, 9, 42, 7, 34, 1)]
    units = [[simplify(part) for part in split_units(text, "sentence")] for text in texts]
    ours = [int(found.sum()) for found in repeated_units(units, 3)]
    assert 0 < sum(ours) < sum(map(len, units))
    assert ours == theirs(texts, 3, split=True)


def test_an_unknown_unit_is_refused() -> None:
    with pytest.raises(
        InputError, match="unit must be one of sentences3, sentence, line, paragraph, got 'word'"
    ):
        fraction({"a": "x"}, "word")
