"""Blind votes: who is drawn, what is shown, what is remembered, and what the votes say of the cut."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.widgets.sending import complain, send
from widgets import bands
from widgets.audits import draw, drawn_rows, evidence, judge
from widgets.ballot import Ballot
from widgets.pages import READ_CHARS
from widgets.state import BenchState
from widgets.strata import document_keys
from widgets.votes import Votes
from workbench.corpus import Sample
from workbench.corpus.design import Design, Stratum
from workbench.engine.table import Table
from workbench.errors import InputError
from workbench.models.load import Models
from workbench.stats.audit import audit, wilson_interval


@pytest.fixture
def cut(state: BenchState) -> BenchState:
    state.thresholds.set("n_tokens", 115.0, None)
    return state


def ballot(state: BenchState, read: Any = None) -> Ballot:
    view = Ballot(state, complain, read or (lambda row: None))
    view.is_shown = True
    view.refresh()
    return view


def rows_drawn(state: BenchState) -> list[int]:
    assert state.votes.draw is not None
    return [int(doc_id[1:]) for doc_id in state.votes.draw.doc_ids]


@given(
    st.lists(st.sampled_from([-1, 0, 0, 1]), min_size=1, max_size=40), st.integers(1, 30), st.integers(0, 5)
)
@settings(max_examples=80, deadline=None)
def test_a_draw_takes_as_many_of_each_stratum_as_there_are(codes: list[int], n: int, number: int) -> None:
    given_codes = np.asarray(codes)
    keys = document_keys([f"d{i}" for i in range(len(codes))])
    rows = drawn_rows(given_codes, n, keys, number).tolist()
    assert len(set(rows)) == len(rows) == min(n, sum(code >= 0 for code in codes))
    taken, there = Counter(codes[row] for row in rows), Counter(codes)
    assert taken[-1] == 0
    for one, other in ((0, 1), (1, 0)):
        # One stratum has two more than another only where that one is used up.
        assert taken[one] <= taken[other] + 1 or taken[other] == there[other]


def test_the_first_documents_of_a_draw_are_a_random_draw_of_each_stratum() -> None:
    """Over 3,000 draws, each document of a stratum of 5 stands among the first 4 of 8 as often as any other."""
    codes = np.repeat([0, 1], [5, 12])
    keys = document_keys([f"d{i}" for i in range(17)])
    seen = np.zeros(17)
    for number in range(3000):
        seen[drawn_rows(codes, 8, keys, number)[:4]] += 1
    for side in (seen[:5], seen[5:]):
        expected = side.mean()
        # Binomial: five standard deviations.
        assert np.abs(side - expected).max() < 5 * np.sqrt(expected)


def test_what_is_shown_while_voting_tells_nothing_of_the_cut(cut: BenchState) -> None:
    view = ballot(cut)
    send(view, type="draw", kind="halves", n=10, score=None, share=None)
    assert set(view.state) == {
        "hint", "kinds", "near", "most", "design", "n", "at", "skipped", "document", "problem", "result",
    }  # fmt: skip
    first = rows_drawn(cut)[0]
    document = view.state["document"]
    assert document == {
        "text": cut.loaded.sample.texts[first],
        "total": len(cut.loaded.sample.texts[first]),
    }
    assert view.state["result"] is None
    assert sum(cut.keep[row] for row in rows_drawn(cut)) == 5
    json.dumps(view.state, allow_nan=False)


def test_votes_by_message_give_the_precision_of_plain_python(cut: BenchState) -> None:
    view = ballot(cut)
    send(view, type="draw", kind="halves", n=16, score=None, share=None)
    rows = rows_drawn(cut)
    for at, row in enumerate(rows):
        vote = "skip" if at == 3 else "keep" if row % 3 else "drop"
        send(view, type="vote", at=at, vote=vote)
    assert (view.state["at"], view.state["skipped"], view.state["document"]) == (None, 1, None)
    said = [row for at, row in enumerate(rows) if at != 3]
    kept = [row for row in said if row >= 11]
    weights = cut.loaded.weights
    good = sum(weights[row] for row in kept if row % 3)
    result = view.state["result"]
    assert result["precision"]["value"] == pytest.approx(good / sum(weights[row] for row in kept))
    assert result["kept"] == [sum(row % 3 > 0 for row in kept), len(kept)]
    wrong = {line["row"]: line for line in result["wrong"]}
    assert set(wrong) == {row for row in said if (row >= 11) != (row % 3 > 0)}
    assert all(line["kept"] == (row >= 11) for row, line in wrong.items())
    assert all(("below 115" in line["why"]) == (not line["kept"]) for line in wrong.values())


def test_equal_weights_give_wilsons_interval(
    cut: BenchState, sample: Sample, columns: dict[str, Any]
) -> None:
    whole = {name: Stratum(s.n_sample, s.n_sample, 1000, 1.0) for name, s in sample.design.strata.items()}
    design = Design("source", 0, whole, "0" * 64, 0)
    cut.load(Table(Sample(sample.frame, design), Models(), columns))
    cut.votes.begin(draw(cut, "halves", 20))
    for doc_id in cut.votes.draw.doc_ids if cut.votes.draw else ():
        cut.votes.vote("keep" if int(doc_id[1:]) % 3 else "drop")
    judged = judge(cut)
    assert judged is not None
    found = judged.audit
    assert (found.precision.low, found.precision.high) == pytest.approx(
        wilson_interval(found.n_kept_good, found.n_kept)
    )


def test_a_second_press_and_keys_without_a_document_are_no_votes(cut: BenchState) -> None:
    view = ballot(cut)
    send(view, type="draw", kind="random", n=3, score=None, share=None)
    send(view, type="vote", at=0, vote="keep")
    send(view, type="vote", at=0, vote="keep")
    assert view.state["at"] == 1
    send(view, type="undo")
    assert (view.state["at"], cut.votes.cast) == (0, {})
    with pytest.raises(AssertionError, match="no vote of this draw to take back"):
        send(view, type="undo")


def test_votes_stay_when_the_recipe_changes_and_judge_the_new_cut(cut: BenchState) -> None:
    view = ballot(cut)
    send(view, type="draw", kind="halves", n=20, score=None, share=None)
    for at, row in enumerate(rows_drawn(cut)):
        send(view, type="vote", at=at, vote="keep" if row % 3 else "drop")
    assert not view.state["result"]["moved"]
    drawn_under = cut.keep.copy()
    cut.thresholds.set("n_tokens", 195.0, None)
    assert view.state["result"]["moved"]
    rows = np.asarray(rows_drawn(cut))
    expected = audit(cut.keep, np.where(drawn_under, 0, 1), cut.loaded.weights, rows, rows % 3 > 0)
    shown = view.state["result"]
    assert shown["precision"]["value"] == pytest.approx(expected.precision.value)
    assert (shown["recall"]["low"], shown["recall"]["high"]) == pytest.approx(
        (expected.recall.low, expected.recall.high)
    )


def test_documents_near_a_cut_are_drawn_from_both_sides_and_only_they_are_judged(cut: BenchState) -> None:
    view = ballot(cut)
    send(view, type="draw", kind="near", n=8, score="n_tokens", share=0.4)
    rows = rows_drawn(cut)
    order = bands.near_order(cut.loaded.scores["n_tokens"], (115.0,), cut.axis("n_tokens").positions)
    assert set(rows) <= set(order[:12].tolist())
    assert sum(cut.keep[row] for row in rows) == 4
    assert "nearest to the cut of n_tokens" in view.state["design"]
    with pytest.raises(AssertionError, match="score must be one of those shown"):
        send(view, type="draw", kind="near", n=8, score="perplexity", share=0.4)
    with pytest.raises(AssertionError, match="share must lie above 0"):
        send(view, type="draw", kind="near", n=8, score="n_tokens", share=0)


def test_a_document_voted_on_before_keeps_its_vote_and_counts_only_in_its_turn(cut: BenchState) -> None:
    cut.votes.begin(draw(cut, "random", 30))
    first = rows_drawn(cut)
    for _ in range(15):
        cut.votes.vote("keep")
    cut.votes.begin(draw(cut, "random", 30))
    second = rows_drawn(cut)
    assert second != first
    told = [row for row in second if row in first[:15]]
    counted = [int(doc_id[1:]) for doc_id, _ in cut.votes.of_draw()]
    until = next(i for i, row in enumerate(second) if row not in told)
    assert counted == second[:until]
    while cut.votes.at is not None:
        assert second[cut.votes.at] not in told
        cut.votes.vote("drop")
    judged = judge(cut)
    assert judged is not None
    assert judged.rows[judged.good].tolist() == told


def test_votes_come_back_from_their_file(cut: BenchState) -> None:
    cut.votes.begin(draw(cut, "near", 6, "n_tokens", 0.5))
    for vote in ("keep", "skip", "drop"):
        cut.votes.vote(vote)  # type: ignore[arg-type]  # one of Vote's values
    content = json.loads(json.dumps(cut.votes.to_json()))
    again = Votes.from_json(content)
    assert again.to_json() == content
    assert again.digest() == cut.votes.digest()
    before = judge(cut)
    cut.votes = again
    after = judge(cut)
    assert before is not None
    assert after is not None
    assert after.audit == before.audit
    assert again.at == 3


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda c: c.update(format="bench-votes/2"), "must be of the format bench-votes/1"),
        (lambda c: c.pop("draws"), "votes must be an object with draws, format, votes"),
        (lambda c: c["votes"][0].update(vote="burn"), "a vote is one of keep, drop, skip"),
        (lambda c: c["votes"][0].update(order=2), "isn't on a document of its draw"),
        (lambda c: c["votes"].append(c["votes"][0]), "one a document"),
        (lambda c: c["draws"][0].update(doc_ids=["d00"] * 2), "different ids"),
        (lambda c: c["draws"][0]["design"].update(kind="<b>"), "a design is one of halves, near, random"),
        (lambda c: c["draws"][0]["design"].update(share=7), "share must lie above 0"),
        (lambda c: c["draws"][0]["design"].update(recipe=[1]), "recipe of the votes is of another type"),
        (lambda c: c["draws"][0]["design"]["strata"][0].update(n_drawn=-1), "n_drawn of the votes"),
    ],
)
def test_a_file_that_holds_no_votes_is_refused(cut: BenchState, change: Any, sentence: str) -> None:
    cut.votes.begin(draw(cut, "near", 6, "n_tokens", 0.5))
    cut.votes.vote("keep")
    content = json.loads(json.dumps(cut.votes.to_json()))
    change(content)
    with pytest.raises(InputError, match=sentence):
        Votes.from_json(content)


def test_another_sample_has_no_precision_from_these_votes(cut: BenchState, sample: Sample) -> None:
    cut.votes.begin(draw(cut, "halves", 6))
    cut.votes.vote("keep")
    assert len(evidence(cut)) == 1
    other = Sample(sample.frame.head(20), sample.design)
    columns = {name: column[:20] for name, column in cut.loaded.scores.items()}
    cut.load(Table(other, Models(), columns))
    with pytest.raises(InputError, match="drawn from another sample"):
        judge(cut)
    assert evidence(cut) == []
    view = ballot(cut)
    send(view, type="result", on=True)
    assert "drawn from another sample" in view.state["problem"]


def test_votes_of_a_file_whose_recipe_cannot_run_here_are_told_in_a_sentence(cut: BenchState) -> None:
    cut.votes.begin(draw(cut, "halves", 4))
    cut.votes.vote("keep")
    content = json.loads(json.dumps(cut.votes.to_json()))
    view = ballot(cut)
    for recipe, sentence in (
        ({"format": "selection-recipe/9"}, "format"),
        ({**cut.recipe.to_json(), "steps": [{"select": "exact"}, {"select": "semdedup"}]}, "aren't computed"),
    ):
        content["draws"][0]["design"]["recipe"] = recipe
        cut.votes.load_json(content)
        send(view, type="result", on=True)
        assert sentence in view.state["problem"]
        assert view.state["document"] is not None
        assert evidence(cut) == []


def test_evidence_is_plain_json_and_names_design_and_votes(cut: BenchState) -> None:
    assert evidence(cut) == []
    cut.votes.begin(draw(cut, "halves", 8))
    while cut.votes.at is not None:
        cut.votes.vote("keep")
    (found,) = json.loads(json.dumps(evidence(cut), allow_nan=False))
    assert found["design"]["recipe"] == cut.recipe.to_json()
    assert found["votes_digest"] == cut.votes.digest()
    assert (found["kept"], found["dropped"]) == ({"n_votes": 4, "n_good": 4}, {"n_votes": 4, "n_good": 4})
    assert found["precision"]["value"] == 1.0
    assert found["precision"]["low"] < 0.6
    assert found["recall"]["low"] < found["recall"]["value"] < found["recall"]["high"]


def test_long_hostile_texts_come_in_pieces_and_disagreements_can_be_read(
    cut: BenchState, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[int] = []
    view = ballot(cut, opened.append)
    send(view, type="draw", kind="random", n=2, score=None, share=None)
    text = "\u202e<img src=x>" * 2_000_000
    cut.loaded.sample.texts[rows_drawn(cut)[0]] = text
    view.refresh()
    assert view.state["document"] == {"text": text[:READ_CHARS], "total": len(text)}
    sent: list[Any] = []
    monkeypatch.setattr(view, "send", sent.append)
    send(view, type="more", offset=READ_CHARS)
    assert sent == [
        {"type": "more", "at": 0, "offset": READ_CHARS, "text": text[READ_CHARS : 2 * READ_CHARS]}
    ]
    send(view, type="file")
    assert Votes.from_json(json.loads(sent[1]["text"])).to_json() == cut.votes.to_json()
    send(view, type="read", row=7)
    assert opened == [7]


def test_a_bench_without_documents_says_what_to_do_first() -> None:
    assert ballot(BenchState()).state == {"hint": "Load documents on the Load tab first."}


def test_votes_are_saved_with_the_bench_and_opened_again(cut: BenchState) -> None:
    view = ballot(cut)
    told: list[str] = []
    cut.listen(told.append)
    send(view, type="draw", kind="random", n=4, score=None, share=None)
    send(view, type="vote", vote="keep", at=0)
    assert told == ["work", "work"]
    saved = json.loads(json.dumps(cut.saved_parts["votes"].to_json()))
    other = BenchState()
    other.saved_parts["votes"].load_json(saved)
    assert other.votes.to_json() == saved
    with pytest.raises(InputError, match="votes must be of the format"):
        other.saved_parts["votes"].load_json({"format": "bench-votes/2", "draws": [], "votes": []})
    assert other.votes.to_json() == saved
