"""The published filters' verdicts from our columns with the fast words, against datatrove's own on the whole sample.

What differs is explained in the docstring of `workbench.scores.views.split_fast`.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from datatrove.data import Document
from datatrove.pipeline.filters import (
    C4QualityFilter,
    FineWebQualityFilter,
    GopherQualityFilter,
    GopherRepetitionFilter,
    fineweb_quality_filter,
    gopher_quality_filter,
    gopher_repetition_filter,
)
from datatrove.utils.text import split_into_words

from workbench.corpus import read
from workbench.embedded import sample_corpus
from workbench.engine.passes import plan_passes
from workbench.scores.base import Inputs

# (score, lowest, highest) that a filter keeps; no score keeps a document for which it is NaN.
NO_LIMIT = np.inf
PRESETS = {
    C4QualityFilter: [
        ("c4_n_lorem_ipsum_lines", 0, 0),
        ("c4_n_curly_bracket_lines", 0, 0),
        ("c4_n_sentences", 5, NO_LIMIT),
    ],
    GopherQualityFilter: [
        ("gopher_n_words", 50, 100_000),
        ("gopher_mean_word_length", 3, 10),
        ("gopher_hash_ratio", 0, 0.1),
        ("gopher_ellipsis_ratio", 0, 0.1),
        ("gopher_bullet_lines_fraction", 0, 0.9),
        ("gopher_ellipsis_lines_fraction", 0, 0.3),
        ("gopher_alpha_words_fraction", 0.8, 1),
        ("gopher_n_stop_words", 2, NO_LIMIT),
    ],
    GopherRepetitionFilter: [
        ("gopher_dup_lines_fraction", 0, 0.3),
        ("gopher_dup_paragraphs_fraction", 0, 0.3),
        ("gopher_dup_lines_chars_fraction", 0, 0.2),
        ("gopher_dup_paragraphs_chars_fraction", 0, 0.2),
        *((f"gopher_top_{n}_gram_ratio", 0, high) for n, high in ((2, 0.2), (3, 0.18), (4, 0.16))),
        *((f"gopher_dup_{n}_gram_fraction", 0, 0.2 - n / 100) for n in range(5, 11)),
    ],
    FineWebQualityFilter: [
        ("fineweb_terminal_lines_fraction", 0.12, 1),
        ("fineweb_short_lines_fraction", 0, 0.67),
        ("fineweb_dup_lines_chars_fraction", 0, 0.01),
        ("fineweb_newlines_per_word", 0, 0.3),
    ],
}


@pytest.fixture(scope="module")
def sample():
    return read(sample_corpus()).whole()


@pytest.fixture(scope="module")
def columns(sample):
    """Each splitter's columns, in one pass."""
    inputs = Inputs(doc_ids=sample.doc_ids, sources=sample.sources, texts=sample.texts)
    names = [bounds[0][0] for bounds in PRESETS.values()]
    return {
        words: plan_passes(names, {name: {"words": words} for name in names})[0].run(inputs, {})
        for words in ("fast", "datatrove")
    }


@pytest.fixture(scope="module")
def split_once():
    """Let the three filters that split words share what the first of them finds: that is most of their time."""
    split = cache(split_into_words)
    with pytest.MonkeyPatch.context() as patch:
        for module in (fineweb_quality_filter, gopher_quality_filter, gopher_repetition_filter):
            patch.setattr(module, "split_into_words", split)
        yield


@pytest.mark.slow
@pytest.mark.usefixtures("split_once")
@pytest.mark.filterwarnings("ignore:Mean of empty slice", "ignore:invalid value")
@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.__name__)
def test_verdicts_agree_with_datatroves_on_at_least_99_percent_of_the_sample(preset, sample, columns):
    peer = preset()
    theirs = np.array([peer.filter(Document(text=text, id="0")) is True for text in sample.texts])
    assert len(theirs) == 3_776
    assert 0.01 < theirs.mean() < 0.99
    n_differ = {}
    for words, found in columns.items():
        ours = np.logical_and.reduce(
            [(found[name] >= low) & (found[name] <= high) for name, low, high in PRESETS[preset]]
        )
        n_differ[words] = int((ours != theirs).sum())
    assert n_differ["fast"] <= 0.01 * len(theirs)
    assert n_differ["datatrove"] == 0
