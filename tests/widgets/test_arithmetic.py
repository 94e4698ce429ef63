"""Counts, bins and pages."""

from __future__ import annotations

import numpy as np
import pytest

from widgets.bins import family, make_bins
from widgets.counts import group
from widgets.pages import PAGE_ROWS, READ_CHARS, first_line, page_of, piece
from widgets.state import BenchState
from workbench.engine.table import Table


def test_counts_per_source_add_up_to_the_count_in_all(state: BenchState) -> None:
    state.thresholds.set("n_tokens", 55.0, 222.0)
    parts, whole = state.groups.by_source(state.keep), state.count()
    assert [part.name for part in parts] == ["<b>c</b>", "a", "b"]
    assert [part.documents for part in parts] == [16, 5, 9]
    assert sum(part.kept for part in parts) == whole.kept == 17
    assert sum(part.kept_tokens or 0 for part in parts) == whole.kept_tokens
    assert sum(part.tokens or 0 for part in parts) == whole.tokens == 4650


def test_shares_are_weighted_back_to_the_corpus(state: BenchState) -> None:
    shares = {part.name: part.share for part in state.groups.by_source(state.keep)}
    assert shares == pytest.approx({"<b>c</b>": 64 / 83, "a": 10 / 83, "b": 9 / 83})


def test_nothing_kept_gives_shares_of_zero() -> None:
    groups = group(["x", "y"], None, np.ones(2))
    parts = groups.by_source(np.zeros(2, dtype=bool))
    assert [part.kept_share for part in parts] == [0, 0]
    assert parts[0].tokens is None
    assert groups.all(np.zeros(2, dtype=bool)).kept_tokens is None


def test_each_step_counts_what_it_dropped() -> None:
    groups = group(["x"] * 6, np.asarray([1, 2, 4, 8, 16, np.nan]), np.ones(6))
    step = np.asarray([0, -1, 2, 0, -1, 2], dtype=np.int16)
    assert groups.dropped_by_step(step, 4) == [(2, 9), (0, 0), (2, 4), (0, 0)]
    assert group(["x"] * 6, None, np.ones(6)).dropped_by_step(step, 3) == [(2, None), (0, None), (2, None)]


def test_bins_of_kept_documents_equal_binning_them_alone(table: Table) -> None:
    bins = make_bins(table)
    rng = np.random.default_rng(0)
    for _ in range(5):
        keep = rng.random(len(table)) < 0.4
        kept = bins.kept(keep)
        for score, chart in bins.charts.items():
            values = table.scores[score][keep]
            assert sum(kept[score]) == int(np.isfinite(values).sum())
            assert len(kept[score]) == len(chart.counts)
            if chart.labels:
                expected = [int((values == code).sum()) for code in chart.label_codes]
                assert kept[score] == expected


def test_all_documents_are_binned_or_unscored(table: Table) -> None:
    for chart in make_bins(table).charts.values():
        assert int(chart.counts.sum()) + chart.n_unscored == len(table)
    assert make_bins(table).charts["compression_ratio"].n_unscored == 1


def test_labels_beyond_the_most_frequent_share_a_last_bin(table: Table) -> None:
    table.scores["language"] = np.asarray([*range(29), np.nan], dtype=np.float32)
    chart = make_bins(table).charts["language"]
    assert chart.labels[-1] == "other"
    assert chart.counts.tolist() == [1] * 24 + [5]
    assert chart.n_unscored == 1
    assert sum(make_bins(table).kept(np.ones(30, dtype=bool))["language"]) == 29


def test_a_score_nobody_has_gets_no_chart(table: Table) -> None:
    table.scores["perplexity"] = np.full(30, np.nan, dtype=np.float32)
    assert "perplexity" not in make_bins(table).charts


def test_embeddings_and_maps_get_no_chart(table: Table) -> None:
    table.scores["embedding"] = np.zeros((30, 4), dtype=np.float32)
    table.scores["map_x"] = np.zeros(30, dtype=np.float32)
    assert {"embedding", "map_x"}.isdisjoint(make_bins(table).charts)


def test_a_table_without_scores_has_no_bins(table: Table) -> None:
    table.scores.clear()
    assert make_bins(table).kept(np.ones(30, dtype=bool)) == {}


@pytest.mark.parametrize(
    ("score", "expected"),
    [("gopher_n_words", "Gopher"), ("c4_n_lines", "C4"), ("n_tokens", "Basics"), ("cluster", "Meaning"),
     ("perplexity", "Language model"), ("prototype_distance", "Meaning"), ("unheard_of", "Basics")],
)  # fmt: skip
def test_scores_are_grouped_by_family(score: str, expected: str) -> None:
    assert family(score) == expected


def test_pages_are_held_to_those_there_are() -> None:
    rows = np.arange(PAGE_ROWS * 2 + 3)
    assert page_of(rows, 1)[0].tolist() == list(range(PAGE_ROWS, 2 * PAGE_ROWS))
    last, page, n_pages = page_of(rows, 99)
    assert (len(last), page, n_pages) == (3, 2, 3)
    empty, page, n_pages = page_of(np.zeros(0, dtype=np.int64), 5)
    assert (len(empty), page, n_pages) == (0, 0, 1)


def test_the_first_line_is_the_first_that_says_something() -> None:
    assert first_line("\n \t\n  hello \nworld") == "hello"
    assert first_line(" \n ") == ""
    assert len(first_line("x" * 10_000)) == 160


def test_text_comes_in_pieces() -> None:
    text = "é" * (READ_CHARS + 5)
    assert len(piece(text, 0)) == READ_CHARS
    assert piece(text, READ_CHARS) == "é" * 5
