"""The strata that one reads from and what is known of one document, against plain loops over all documents."""

from __future__ import annotations

import itertools
import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from widgets import reading, strata
from widgets.difference import _WORD, MAX_WORDS, difference
from widgets.near_copies import nearest_vectors, shared_bands
from widgets.pages import READ_CHARS, Query
from widgets.reader import coloured, compared, document
from widgets.state import BenchState
from widgets.strata import document_keys, finalised, mixed, percentile_rank, percentile_ranks, search
from workbench.checks import Array
from workbench.engine.select import select
from workbench.engine.table import Table
from workbench.errors import InputError
from workbench.models.base import Surprisal
from workbench.recipe.schema import parse_recipe

STEPS = [
    {"select": "band", "score": "n_tokens", "low": 70, "high": 260},
    {"select": "band", "score": "perplexity", "low": 8.0, "high": 1100.0},
    {"select": "rank", "score": "compression_ratio", "keep_fraction": 0.6},
]


@pytest.fixture
def cut(state: BenchState) -> BenchState:
    """Three steps, clusters of which some documents have none, and a lasso."""
    table = state.loaded
    table.scores["cluster"] = (np.arange(30) % 4 - 1).astype(np.float32)
    state.set_table(table)
    state.edit(parse_recipe(json.dumps({"format": "selection-recipe/1", "seed": 0, "steps": STEPS})))
    state.select_rows(np.arange(3, 30, 2))
    return state


def rank_by_hand(values: Array, weights: Array, row: int) -> float | None:
    if not np.isfinite(values[row]):
        return None
    pairs = [(v, w) for v, w in zip(values, weights, strict=True) if np.isfinite(v)]
    below = sum(w for v, w in pairs if v < values[row]) + sum(w for v, w in pairs if v == values[row]) / 2
    return float(below / sum(w for _, w in pairs))


def found_by_hand(state: BenchState, query: Query) -> list[int]:
    """The same documents, each asked by itself, every answer from the engine."""
    table, sample = state.loaded, state.loaded.sample
    outcome = select(state.recipe, table)
    recipes = [json.loads(json.dumps({"format": "selection-recipe/1", "seed": 0, "steps": steps}))
               for steps in ([s for j, s in enumerate(STEPS) if j != i] for i in range(len(STEPS)))]  # fmt: skip
    rows = []
    for row in range(len(table)):
        wanted = {
            "all": True,
            "kept": bool(outcome.keep[row]),
            "dropped": not outcome.keep[row],
            "selection": row in state.selection.tolist(),
        }[query.show]
        wanted = wanted and query.source in (None, sample.sources[row])
        wanted = wanted and query.cluster in (None, table.scores["cluster"][row])
        wanted = wanted and query.search.lower() in sample.texts[row].lower()
        if query.step is not None:
            wanted = wanted and outcome.step[row] == query.step
            if wanted and query.only:
                wanted = bool(select(parse_recipe(recipes[query.step]), table).keep[row])
        if wanted:
            rows.append(row)
    if query.disagree is None:
        return rows
    apart = {}
    for row in rows:
        pair = [rank_by_hand(table.scores[s], table.weights, row) for s in query.disagree]
        if pair[0] is not None and pair[1] is not None:
            apart[row] = abs(pair[0] - pair[1])
    return sorted(apart, key=lambda row: (-apart[row], row))


@pytest.mark.parametrize("show", ["all", "kept", "dropped", "selection"])
def test_strata_combine_as_a_loop_over_all_documents_does(cut: BenchState, show: Any) -> None:
    sources: list[str | None] = [None, "b", "<b>c</b>"]
    steps: list[tuple[int | None, bool]] = [(None, False), (0, False), (0, True), (1, True), (2, True)]
    orders: list[tuple[str, str] | None] = [None, ("n_tokens", "compression_ratio")]
    seen = 0
    for source, (step, only), cluster, words, scores in itertools.product(
        sources, steps, (None, -1, 2), ("", "DOCUMENT 2"), orders
    ):
        query = Query(show, source, step, only, cluster, words, disagree=scores)
        rows = cut.reading.find(query).rows.tolist()
        assert rows == found_by_hand(cut, query), query
        seen += len(rows)
    assert seen > 50


def test_dropped_only_by_a_step_is_what_nothing_else_would_have_dropped(cut: BenchState) -> None:
    for step in range(3):
        only = set(np.flatnonzero(cut.reading.only_by(step)).tolist())
        for row in np.flatnonzero(cut.dropped_by == step).tolist():
            verdicts, not_asked = cut.reading.other_verdicts(row)
            assert not not_asked
            # An earlier step has seen the document and kept it, so only later ones can drop it too.
            assert (row in only) == (not verdicts), (step, row)


def test_other_steps_say_why_they_would_drop_a_document_too(cut: BenchState) -> None:
    shown = document(cut, 0)
    assert shown["step"] == "1. band n_tokens"
    assert shown["also"][0] == ["2. band perplexity", "perplexity 2.71828 is below 8"]


def test_a_comparing_step_is_not_asked_unbidden_in_a_large_sample(
    cut: BenchState, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "_ASK_ALONE", 10)
    assert cut.reading.other_verdicts(4)[1] == [2]
    assert document(cut, 4)["notAsked"] == ["3. rank compression_ratio"]
    cut.reading.only_by(0)
    assert cut.reading.other_verdicts(4)[1] == []


def test_answers_follow_the_recipe(cut: BenchState) -> None:
    query = Query(show="kept")
    before = cut.reading.find(query).rows.tolist()
    cut.thresholds.set("n_tokens", 100.0, 200.0)
    after = cut.reading.find(query).rows.tolist()
    assert after != before
    assert after == np.flatnonzero(cut.keep).tolist()
    cut.undo()
    assert cut.reading.find(query).rows.tolist() == before


@given(
    st.lists(
        st.sampled_from([0.0, 1.0, 2.5, -3.0, float("nan"), float("inf"), float("-inf")]),
        min_size=1,
        max_size=20,
    ),
    st.integers(0, 99),
)
@settings(max_examples=80, deadline=None)
def test_percentile_ranks_are_those_of_a_loop(values: list[float], seed: int) -> None:
    column = np.asarray(values, dtype=np.float32)
    weights = np.random.default_rng(seed).uniform(1, 9, len(values))
    ranks = percentile_ranks(column, weights)
    for row in range(len(values)):
        expected = rank_by_hand(column, weights, row)
        one = percentile_rank(column, weights, row)
        if expected is None:
            assert one is None
            assert np.isnan(ranks[row])
        else:
            assert one == pytest.approx(expected)
            assert ranks[row] == pytest.approx(expected)


def test_a_draw_depends_on_ids_alone_and_another_draw_is_another_order() -> None:
    ids = [f"doc-{i}" for i in range(4000)]
    keys = document_keys(ids)
    assert keys[:7].tolist() == document_keys(ids[:7]).tolist()
    first, second = mixed(keys, 0), mixed(keys, 1)
    assert len(np.unique(first)) == len(ids)
    places = [np.argsort(np.argsort(order)) for order in (keys, first, second)]
    for one, other in itertools.combinations(places, 2):
        # Spearman's correlation of unrelated orders is below 3 / sqrt(n) but once in 370 times.
        assert abs(np.corrcoef(one, other)[0, 1]) < 3 / np.sqrt(len(ids))


def test_mixing_is_splitmix64() -> None:
    """What Vigna's reference generator gives first when it is seeded with 1234567."""
    golden, seed = 0x9E3779B97F4A7C15, 1234567
    states = np.array([(seed + i * golden) % 2**64 for i in (1, 2, 3)], dtype=np.uint64)
    assert finalised(states).tolist() == [6457827717110365317, 3203168211198807973, 9817491932198370423]


def test_a_search_stops_and_says_how_far_it_went(monkeypatch: pytest.MonkeyPatch) -> None:
    texts, rows = ["aXb", "yy", "axc", "x", "AX"], np.array([4, 2, 1, 0])
    assert [search(rows, texts, "ax")[0].tolist(), search(rows, texts, "ax")[1]] == [[4, 2, 0], 4]
    monkeypatch.setattr(strata, "SEARCH_DOCUMENTS", 1)
    assert search(rows, texts, "ax")[1] == 1
    assert search(rows, texts, "ax", reach=2)[0].tolist() == [4, 2]
    monkeypatch.setattr(strata, "SEARCH_CHARS", 1)
    assert search(rows, texts, "ax", reach=4)[1] == 2


@given(st.text("ab \n", max_size=14), st.text("ab \n", max_size=14))
@settings(max_examples=120, deadline=None)
def test_a_difference_is_the_longest_common_subsequence(first: str, second: str) -> None:
    runs = difference(first, second).runs
    assert "".join(text for side, text in runs if side != "second") == first
    a, b = _WORD.findall(first), _WORD.findall(second)
    longest = max(
        n for n in range(len(a) + 1) for some in itertools.combinations(a, n) if is_subsequence(some, b)
    )
    same = [_WORD.findall(text) for side, text in runs if side == "both"]
    assert is_subsequence([w for words in same for w in words], b)
    assert sum(len(_WORD.findall(text)) for side, text in runs if side == "second") == len(b) - longest


def is_subsequence(some: Any, of: list[str]) -> bool:
    rest = iter(of)
    return all(any(word == other for other in rest) for word in some)


def test_a_difference_of_huge_texts_ends_and_says_what_it_left_out() -> None:
    long = "x " * 5_000_000
    assert not difference(long, long + "y").is_whole
    first = " ".join(f"a{i}" for i in range(MAX_WORDS + 5))
    found = difference(first, first.replace("a", "b"))
    assert not found.is_whole
    assert {side for side, _ in found.runs} == {"first", "second"}


@given(st.integers(0, 2**32 - 1), st.integers(2, 12))
@settings(max_examples=40, deadline=None)
def test_near_copies_are_those_of_a_loop(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    x = rng.integers(-2, 3, (n, 3)).astype(np.float32)
    x[rng.random(n) < 0.2] = np.nan
    row, k = int(rng.integers(n)), 4

    def cosine(i: int) -> float:
        return float(x[i] @ x[row] / (np.linalg.norm(x[i]) * np.linalg.norm(x[row])))

    usable = [i for i in range(n) if i != row and np.isfinite(x[i]).all() and x[i].any()]
    expected = (
        sorted((-round(cosine(i), 5), i) for i in usable)
        if np.isfinite(x[row]).all() and x[row].any()
        else []
    )
    found = nearest_vectors(x, row, k)
    assert [round(c, 5) for _, c in found] == pytest.approx([-c for c, _ in expected[:k]], abs=2e-5)
    bands = rng.integers(0, 3, (n, 5)).astype(np.uint64)
    shared = sorted(
        (-int((bands[i] == bands[row]).sum()), i)
        for i in range(n)
        if i != row and (bands[i] == bands[row]).any()
    )
    assert shared_bands(bands, row, k) == ([(i, -c) for c, i in shared[:k]] if bands[row].any() else [])


def test_near_copies_stand_beside_a_document_with_their_difference(cut: BenchState) -> None:
    table = cut.loaded
    vectors = np.random.default_rng(0).normal(size=(30, 8)).astype(np.float32)
    vectors[9] = vectors[4] * 1.001
    table.scores["embedding"] = vectors
    cut.set_table(table)
    (part,) = document(cut, 4)["copies"]
    row, alike, source, kept, line = part["rows"][0]
    assert (part["by"], row, source, kept, line) == ("cosine", 9, "b", bool(cut.keep[9]), "Document 9 of b")
    assert alike == pytest.approx(1.0)
    runs = compared(cut, 4, 9)["runs"]
    assert [text for side, text, _, _ in runs if side == "first"] == [" 4", " a", " onerror=alert(4)>"]
    assert "".join(head + tail for side, head, _, tail in runs if side != "second") == table.sample.texts[4]


def test_surprise_is_given_by_whole_characters() -> None:
    text = "ae\u0301\U0001f600z"  # an accent that combines, and a character of four bytes in two tokens
    found = Surprisal(np.array([1, 2, 3, 4, 4, 5]), np.array([np.nan, 2.0, 1.5, 3.0, 4.25, 0.5]))
    assert coloured(text, found) == [["a", None], ["e\u0301", 3.5], ["\U0001f600", 7.25], ["z", 0.5]]
    assert (
        "".join(
            piece
            for piece, _ in coloured(
                "x" * (READ_CHARS + 9), Surprisal(np.arange(1, READ_CHARS + 9), np.ones(READ_CHARS + 8))
            )
        )
        == "x" * READ_CHARS
    )


def test_documents_without_any_score_and_of_20_mb_can_be_read(table: Table) -> None:
    table.scores.clear()
    state = BenchState()
    state.load(table)
    table.sample.texts[2] = "\u202e<script>\u0645\u0301" * 2_000_000
    shown = document(state, 2)
    assert (shown["scores"], shown["copies"]) == ([], [])
    assert (len(shown["text"]), shown["total"]) == (READ_CHARS, 22_000_000)
    assert state.reading.find(Query(draw=3)).rows.size == 30
    assert state.reading.find(Query(search="<SCRIPT>")).rows.tolist() == [2]
    json.dumps(compared(state, 2, 3))
    with pytest.raises(InputError, match="has no threshold"):
        state.reading.find(Query(near="n_tokens"))
