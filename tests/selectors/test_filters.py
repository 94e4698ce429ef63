"""The heuristic filters give the verdicts of datatrove's own, and at each limit what was published."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
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

from tests.scores.conftest import ADVERSARIAL
from workbench.checks import Array
from workbench.engine.passes import plan_passes
from workbench.errors import InputError
from workbench.recipe.schema import parse_step
from workbench.scores.base import Inputs
from workbench.selectors import SELECTORS
from workbench.selectors.base import Selection

CORPUS = Path(__file__).parents[2] / "data_samples" / "corpus"
NAMES = ("gopher_quality", "gopher_repetition", "c4", "fineweb")


@cache
def texts() -> list[str]:
    """Documents of every source of the sample, and texts made to be hard."""
    found = [text for text in ADVERSARIAL if text.strip()]
    for path in sorted(CORPUS.glob("*.parquet")):
        found += pl.read_parquet(path, columns=["text"])["text"].sample(20, seed=1).to_list()
    return found


@cache
def signals(min_line_words: int = 3, terminal_punctuation: bool = True) -> Mapping[str, Array]:
    """The signals of the texts, with words as datatrove parts them."""
    family = ("gopher_n_words", "gopher_dup_lines_fraction", "c4_n_sentences", "fineweb_newlines_per_word")
    settings: dict[str, dict[str, object]] = {name: {"words": "datatrove"} for name in family}
    settings["c4_n_sentences"] |= {
        "min_line_words": min_line_words, "terminal_punctuation": terminal_punctuation
    }  # fmt: skip
    ids = [str(i) for i in range(len(texts()))]
    inputs = Inputs(ids, ["web"] * len(ids), texts())
    return plan_passes(family, settings)[0].run(inputs, {})


def run(name: str, columns: Mapping[str, Array], **given: Any) -> Selection:
    params = parse_step({"select": name, **given}).params
    return SELECTORS[name].run(columns, params, {}, 0)


@pytest.fixture(scope="module")
def split_once() -> Any:
    """Let the three filters that split words share what the first of them finds."""
    split = cache(split_into_words)
    with pytest.MonkeyPatch.context() as patch:
        for module in (fineweb_quality_filter, gopher_quality_filter, gopher_repetition_filter):
            patch.setattr(module, "split_into_words", split)
        yield


NO_TOP = {f"top_{n}_gram": 1e9 for n in (2, 3, 4)}
PEERS: list[tuple[str, Callable[[], Any], dict[str, Any], dict[str, Any]]] = [
    ("gopher_quality", GopherQualityFilter, {}, {}),
    (
        "gopher_quality",
        lambda: GopherQualityFilter(min_doc_words=9, min_stop_words=3),
        {"min_words": 9, "min_stop_words": 3},
        {},
    ),
    ("gopher_repetition", GopherRepetitionFilter, {}, {}),
    (
        "gopher_repetition",
        lambda: GopherRepetitionFilter(top_n_grams=(), dup_line_frac=0.1),
        {"dup_lines_fraction": 0.1, **NO_TOP},
        {},
    ),
    ("c4", C4QualityFilter, {}, {}),
    (
        "c4",
        lambda: C4QualityFilter(min_num_sentences=3, min_words_per_line=5),
        {"variant": "paper"},
        {"min_line_words": 5},
    ),
    (
        "c4",
        lambda: C4QualityFilter(filter_no_terminal_punct=False),
        {"terminal_punctuation": False},
        {"terminal_punctuation": False},
    ),
    ("fineweb", FineWebQualityFilter, {}, {}),
    (
        "fineweb",
        lambda: FineWebQualityFilter(char_duplicates_ratio=0.1),
        {"max_dup_lines_chars_fraction": 0.1},
        {},
    ),
]


@pytest.mark.usefixtures("split_once")
@pytest.mark.filterwarnings("ignore:Mean of empty slice", "ignore:invalid value")
@pytest.mark.parametrize(("name", "peer", "given", "settings"), PEERS)
def test_the_verdicts_are_datatroves(
    name: str, peer: Callable[[], Any], given: dict[str, Any], settings: dict[str, Any]
) -> None:
    theirs = peer()
    expected = [theirs.filter(Document(text=text, id="0")) is True for text in texts()]
    assert 20 < sum(expected) < len(expected) - 20
    keep = run(name, signals(**settings), **given).keep
    np.testing.assert_array_equal(keep, expected)


def test_the_three_variants_of_c4_are_not_the_same() -> None:
    repo = run("c4", signals()).keep
    paper = run("c4", signals(min_line_words=5), variant="paper").keep
    any_end = run("c4", signals(terminal_punctuation=False), terminal_punctuation=False).keep
    assert (repo != paper).any()
    assert (repo != any_end).any()


def one(**values: float) -> dict[str, Array]:
    """Signals of one document that passes all filters but for what is given."""
    good = {
        "gopher_n_words": 50, "gopher_mean_word_length": 3, "gopher_hash_ratio": 0.1, "gopher_ellipsis_ratio": 0.1,
        "gopher_bullet_lines_fraction": 0.9, "gopher_ellipsis_lines_fraction": 0.3,
        "gopher_alpha_words_fraction": 0.8, "gopher_n_stop_words": 2,
        "gopher_dup_lines_fraction": 0.3, "gopher_dup_paragraphs_fraction": 0.3,
        "gopher_dup_lines_chars_fraction": 0.2, "gopher_dup_paragraphs_chars_fraction": 0.2,
        "gopher_top_2_gram_ratio": 0.2, "gopher_top_3_gram_ratio": 0.18, "gopher_top_4_gram_ratio": 0.16,
        **{f"gopher_dup_{n}_gram_fraction": (20 - n) / 100 for n in range(5, 11)},
        "c4_n_sentences": 5, "c4_n_lorem_ipsum_lines": 0, "c4_n_curly_bracket_lines": 0,
        "fineweb_terminal_lines_fraction": 0.12, "fineweb_short_lines_fraction": 0.67,
        "fineweb_dup_lines_chars_fraction": 0.01, "fineweb_newlines_per_word": 0.3,
    }  # fmt: skip
    return {name: np.array([value], dtype=np.float32) for name, value in {**good, **values}.items()}


@pytest.mark.parametrize("name", NAMES)
def test_every_published_limit_passes_itself(name: str) -> None:
    assert run(name, one()).keep.all()


WORSE = {
    "gopher_quality": {
        "gopher_n_words": 49,
        "gopher_mean_word_length": 2.99,
        "gopher_hash_ratio": 0.101,
        "gopher_ellipsis_ratio": 0.101,
        "gopher_bullet_lines_fraction": 0.901,
        "gopher_ellipsis_lines_fraction": 0.301,
        "gopher_alpha_words_fraction": 0.799,
        "gopher_n_stop_words": 1,
    },
    "gopher_repetition": {
        "gopher_dup_lines_fraction": 0.301,
        "gopher_dup_paragraphs_fraction": 0.301,
        "gopher_dup_lines_chars_fraction": 0.201,
        "gopher_dup_paragraphs_chars_fraction": 0.201,
        "gopher_top_2_gram_ratio": 0.201,
        "gopher_top_3_gram_ratio": 0.181,
        "gopher_top_4_gram_ratio": 0.161,
        "gopher_dup_5_gram_fraction": 0.151,
        "gopher_dup_6_gram_fraction": 0.141,
        "gopher_dup_7_gram_fraction": 0.131,
        "gopher_dup_8_gram_fraction": 0.121,
        "gopher_dup_9_gram_fraction": 0.111,
        "gopher_dup_10_gram_fraction": 0.101,
    },
    "c4": {"c4_n_sentences": 4, "c4_n_lorem_ipsum_lines": 1, "c4_n_curly_bracket_lines": 1},
    "fineweb": {
        "fineweb_terminal_lines_fraction": 0.119,
        "fineweb_short_lines_fraction": 0.671,
        "fineweb_dup_lines_chars_fraction": 0.011,
        "fineweb_newlines_per_word": 0.301,
    },
}


@pytest.mark.parametrize("name", NAMES)
def test_each_rule_alone_drops_a_document_and_all_of_them_are_told(name: str) -> None:
    assert set(SELECTORS[name].needs(SELECTORS[name].params())) == set(WORSE[name])
    for score, value in WORSE[name].items():
        selection = run(name, one(**{score: value}))
        assert not selection.keep[0]
        assert selection.explain(0).startswith(f"{score} {value:g} is ")
    reason = run(name, one(**WORSE[name])).explain(0)
    assert all(f"{score} " in reason for score in WORSE[name])


def test_too_many_words_and_too_long_ones() -> None:
    for score, value in (("gopher_n_words", 100_001), ("gopher_mean_word_length", 10.1)):
        assert run("gopher_quality", one(**{score: value})).explain(0).startswith(f"{score} ")
    assert run("gopher_quality", one(gopher_n_words=100_000, gopher_mean_word_length=10)).keep.all()


def test_finewebs_paper_drops_at_the_limit_and_has_another_one_on_repeated_lines() -> None:
    above = {"fineweb_terminal_lines_fraction": 0.121, "fineweb_short_lines_fraction": 0.66}
    loose = one(**above, fineweb_dup_lines_chars_fraction=0.099, fineweb_newlines_per_word=0.9)
    assert run("fineweb", loose, variant="paper").keep.all()
    assert not run("fineweb", loose).keep.any()
    assert run("fineweb", one(), variant="paper").explain(0).split("; ") == [
        "fineweb_terminal_lines_fraction 0.12 is not above 0.12",
        "fineweb_short_lines_fraction 0.67 is not below 0.67",
    ]
    assert not run("fineweb", one(**above, fineweb_dup_lines_chars_fraction=0.1), variant="paper").keep.any()


def test_an_empty_text_is_dropped_by_every_filter() -> None:
    family = ("gopher_n_words", "gopher_dup_lines_fraction", "c4_n_sentences", "fineweb_newlines_per_word")
    columns = plan_passes(family)[0].run(Inputs(["a", "b"], ["web"] * 2, ["", " \t "]), {})
    for name in NAMES:
        assert not run(name, columns).keep[0]
    # White space repeats nothing, and datatrove keeps it there.
    assert [bool(run(name, columns).keep[1]) for name in NAMES] == [False, True, False, False]


def test_limits_that_nothing_can_meet_are_refused() -> None:
    with pytest.raises(InputError, match="gopher_n_words can't be at least 9 and at most 3; give one"):
        run("gopher_quality", one(), min_words=9, max_words=3)
    with pytest.raises(
        InputError, match=r"gopher_alpha_words_fraction lies in 0\.\.1 and can't be at least 80; give a"
    ):
        run("gopher_quality", one(), min_alpha_words_fraction=80)
    with pytest.raises(InputError, match=r"fineweb_short_lines_fraction lies in .* can't be below 0;"):
        run("fineweb", one(), variant="paper", max_short_lines_fraction=0)
