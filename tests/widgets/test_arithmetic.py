"""Counts, bins and pages."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from widgets import bands
from widgets.bins import Bins, Chart, family, make_bins
from widgets.counts import Groups, Tally
from widgets.pages import PAGE_ROWS, READ_CHARS, first_line, page_of, piece
from widgets.state import BenchState
from workbench.engine.table import Table
from workbench.errors import InputError
from workbench.selectors.band import BandParams, resolve_band, select_band


def test_counts_per_source_add_up_to_the_count_in_all(state: BenchState) -> None:
    state.thresholds.set("n_tokens", 55.0, 222.0)
    parts, whole = state.groups.by_source(state.tally.kept), state.count()
    assert [part.name for part in parts] == ["<b>c</b>", "a", "b"]
    assert [part.documents for part in parts] == [16, 5, 9]
    assert sum(part.kept for part in parts) == whole.kept == 17
    assert sum(part.kept_tokens or 0 for part in parts) == whole.kept_tokens
    assert sum(part.tokens or 0 for part in parts) == whole.tokens == 4650


def test_shares_are_weighted_back_to_the_corpus(state: BenchState) -> None:
    shares = {part.name: part.share for part in state.groups.by_source(state.tally.kept)}
    assert shares == pytest.approx({"<b>c</b>": 64 / 83, "a": 10 / 83, "b": 9 / 83})


def test_nothing_kept_gives_shares_of_zero() -> None:
    groups = Groups(["x", "y"], np.asarray([0, 1]), None, np.ones(2))
    nothing = groups.sums(np.zeros(0, dtype=np.int64))
    parts = groups.by_source(nothing)
    assert [part.kept_share for part in parts] == [0, 0]
    assert parts[0].tokens is None
    assert groups.all(nothing).kept_tokens is None


def test_each_step_counts_what_it_dropped() -> None:
    groups = Groups(["x"], np.zeros(6, dtype=np.int64), np.asarray([1, 2, 4, 8, 16, np.nan]), np.ones(1))
    step = np.asarray([0, -1, 2, 0, -1, 2], dtype=np.int16)
    assert groups.dropped_by_step(step, 4) == [(2, 9), (0, 0), (2, 4), (0, 0)]
    groups = Groups(["x"], np.zeros(6, dtype=np.int64), None, np.ones(1))
    assert groups.dropped_by_step(step, 3) == [(2, None), (0, None), (2, None)]


def test_bins_of_kept_documents_equal_binning_them_alone(table: Table) -> None:
    bins = make_bins(table)
    rng = np.random.default_rng(0)
    for _ in range(5):
        keep = rng.random(len(table)) < 0.4
        kept = bins.counts(np.flatnonzero(keep))
        for score, chart in bins.charts.items():
            values = table.scores[score][keep]
            assert kept[score].sum() == np.isfinite(values).sum()
            assert len(kept[score]) == len(chart.counts)
            if chart.labels:
                expected = [(values == code).sum() for code in chart.label_codes]
                assert kept[score].tolist() == expected


@given(
    st.lists(st.sampled_from([0.0, 0.1, 0.5, 0.9, 1.0]), min_size=1, max_size=6), st.integers(0, 2**32 - 1)
)
@settings(max_examples=40)
def test_counts_that_follow_a_mask_are_those_of_a_fresh_count(shares: list[float], seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 60))
    groups = Groups(["a", "b", "c"], rng.integers(0, 3, n), rng.integers(0, 99, n).astype(float), np.ones(3))
    codes = rng.integers(0, 5, n)
    counts = np.bincount(codes, minlength=5)
    chart = Chart("s", None, (), ("x",) * 4, (0, 1, 2, 3), counts[:4], int(counts[4]))
    tally = Tally(groups, Bins([chart], [codes]))
    for share in shares:
        keep = rng.random(n) < share
        tally.follow(keep)
        for place in range(3):
            inside = keep & (groups.codes == place)
            assert tally.kept.documents[place] == inside.sum()
            assert tally.kept.tokens is not None
            assert groups.tokens is not None
            assert tally.kept.tokens[place] == groups.tokens[inside].sum()
        assert tally.bins["s"].tolist() == [(keep & (codes == b)).sum() for b in range(4)]


def test_another_scale_shows_the_same_documents(state: BenchState) -> None:
    assert state.chart("n_tokens").kinds == ("linear", "log")
    state.scale("n_tokens", "log")
    chart = state.chart("n_tokens")
    assert chart.axis is not None
    assert (chart.axis.kind, chart.counts.sum(), chart.kinds) == ("log", 30, ("linear", "log"))
    state.thresholds.drag("n_tokens", "low", 700)
    assert state.thresholds.values("n_tokens")[0] == chart.axis.snapped(700)
    assert state.tally.bins["n_tokens"].sum() == state.count().kept
    state.scale("n_tokens", "linear")
    with pytest.raises(InputError, match="can't be shown on a log1p axis; it has linear, log"):
        state.scale("n_tokens", "log1p")


def test_a_score_of_one_value_has_one_scale(table: Table) -> None:
    table.scores["perplexity"] = np.full(30, 7.5, dtype=np.float32)
    assert make_bins(table).charts["perplexity"].kinds == ("linear",)


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
    assert make_bins(table).counts()["language"].sum() == 29


def test_a_score_nobody_has_gets_no_chart(table: Table) -> None:
    table.scores["perplexity"] = np.full(30, np.nan, dtype=np.float32)
    assert "perplexity" not in make_bins(table).charts


def test_embeddings_and_maps_get_no_chart(table: Table) -> None:
    table.scores["embedding"] = np.zeros((30, 4), dtype=np.float32)
    table.scores["map_x"] = np.zeros(30, dtype=np.float32)
    assert {"embedding", "map_x"}.isdisjoint(make_bins(table).charts)


def test_a_table_without_scores_has_no_bins(table: Table) -> None:
    table.scores.clear()
    assert make_bins(table).counts() == {}


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


@given(
    st.lists(
        st.tuples(st.sampled_from([0.0, 0.25, 1.0, 3.0, np.nan, np.inf]), st.sampled_from([0.5, 1.0, 3.7])),
        min_size=1,
        max_size=12,
    ),
    st.floats(-1, 4),
    st.sampled_from(bands.SIDES),
    st.sampled_from([np.float32, np.float64]),
)
def test_an_exact_quantile_keeps_what_its_constant_keeps(
    documents: list[tuple[float, float]], value: float, side: bands.Side, dtype: type
) -> None:
    values, weights = (np.array(column) for column in zip(*documents, strict=True))
    columns = {"score": values.astype(dtype), "doc_id": np.arange(len(values)).astype(str)}

    def kept(bound: object) -> object:
        params = resolve_band(columns, BandParams("score", **{side: bound}, unscored="drop"), weights)
        return select_band(columns, params, {}, 0).keep.tolist()

    found = bands.exact_quantile(value, side, columns["score"], weights)
    if found is None:
        assert not any(kept(value)), "a quantile keeps at least one document"
    else:
        assert kept(found) == kept(value)
