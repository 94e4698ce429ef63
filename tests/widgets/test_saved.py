"""Saved work: written as one goes, opened whole or with a word on what is lacking, and read as anyone's file."""

from __future__ import annotations

import asyncio
import copy
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.widgets.sending import send
from tests.widgets.test_drafts import OPERATIONS, play
from widgets import Bench
from widgets.load import Draw
from widgets.work import MAX_LASSO, Work, parse_work
from workbench.errors import InputError, WorkbenchError
from workbench.scores import SCORES

FILE = "my.bench.json"


@pytest.fixture
def bench(tiny_corpus: Path, in_tmp_path: Path) -> Bench:
    """Scored, with a branched draft, a lasso, and a file."""
    bench = Bench(str(tiny_corpus), store="store", n=25, state=FILE)
    bench.load(20, seed=3).score(["n_bytes", "compression_ratio"]).set_band("n_bytes", 30)
    bench.drafts.branch("strict")
    bench.set_band("compression_ratio", None, {"quantile": 0.8}).undo().redo().undo()
    bench.state.select_rows(np.arange(20))
    bench.tab("scores")
    return bench


def reopened(corpus: Path, **given: Any) -> Bench:
    return Bench(str(corpus), store="store", state=FILE, **given)


def content() -> Any:
    return json.loads(Path(FILE).read_text())


texts = st.text(max_size=12)
columns = st.one_of(
    st.none(), st.text(st.characters(codec="ascii", categories=["L"]), min_size=1, max_size=9)
)


@settings(deadline=None, max_examples=25)
@given(
    draw=st.builds(
        Draw,
        path=st.one_of(st.none(), texts),
        n=st.integers(1, 10_000_000),
        by_source=st.booleans(),
        seed=st.integers(0, 2**31 - 1),
        text_column=texts,
        id_column=columns,
        source_column=columns,
    ),
    fingerprint=st.one_of(st.none(), st.text("0123456789abcdef", min_size=64, max_size=64)),
    scores=st.dictionaries(
        st.sampled_from(sorted(SCORES)), st.dictionaries(texts, st.integers(0, 9), max_size=2)
    ),
    lasso=st.lists(st.text(max_size=30), max_size=9).map(tuple),
    operations=OPERATIONS,
)
def test_work_is_the_same_after_a_file(
    draw: Draw,
    fingerprint: str | None,
    scores: Any,
    lasso: tuple[str, ...],
    operations: list[tuple[str, int]],
) -> None:
    work = Work(draw, fingerprint, 7, scores, "map", lasso, {"drafts": play(operations).to_json()})
    assert parse_work(json.loads(work.to_bytes())) == work


def test_a_bench_is_the_same_after_a_file(bench: Bench, tiny_corpus: Path) -> None:
    other = reopened(tiny_corpus)
    assert other._saved_form.state["notes"] == []
    assert len(other.table) == 20
    assert other.table.sample.doc_ids == bench.table.sample.doc_ids
    assert set(other.table.scores) == set(bench.table.scores)
    assert other.drafts.to_json() == bench.drafts.to_json()
    assert other.drafts.current.name == "strict"
    assert other.state.selection.tolist() == bench.state.selection.tolist()
    assert (other.state.keep == bench.state.keep).all()
    assert other._shell.active == "scores"
    assert other._saving.collect() == bench._saving.collect()
    assert (other._load.state["form"]["n"], other._load.state["form"]["seed"]) == (20, 3)
    other.redo()
    assert (other.state.keep == bench.redo().state.keep).all()


def test_every_kind_of_change_is_written(bench: Bench) -> None:
    seen = [content()]
    for change in (
        bench.redo,
        bench.undo,
        lambda: bench.drafts.rename("strict", "stricter"),
        lambda: bench.state.select_rows(bench.state.selection[:1]),
        lambda: bench.tab("documents"),
        lambda: bench.score(["n_chars", "gopher_n_words"]),
        lambda: bench.load(12),
    ):
        change()
        assert content() != seen[-1]
        seen.append(content())
    assert not list(Path().glob("*.partial"))
    assert seen[-1]["corpus"]["draw"]["n"] == 12


def test_a_drag_is_written_once_a_moment_where_there_is_a_loop(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = content()
    due: list[tuple[float, Callable[[], None]]] = []

    async def drag() -> None:
        loop = asyncio.get_running_loop()
        monkeypatch.setattr(loop, "call_later", lambda after, call: due.append((after, call)))
        for low in range(31, 51):
            bench.set_band("n_bytes", low)

    asyncio.run(drag())
    assert [after for after, _ in due] == [1.0]
    assert content() == before
    due[0][1]()
    assert content()["parts"]["drafts"] == bench.drafts.to_json()


def test_a_file_that_another_bench_changed_is_left_to_it(bench: Bench, tiny_corpus: Path) -> None:
    other = reopened(tiny_corpus)
    other.set_band("n_bytes", 77)
    theirs = Path(FILE).read_bytes()
    bench.set_band("n_bytes", 55)
    assert Path(FILE).read_bytes() == theirs
    assert "was changed by another bench" in bench._shell.state["message"]
    assert bench._saved_form.state["path"] is None
    bench.save_work("second.bench.json")
    assert bench._saved_form.state["path"] == "second.bench.json"


def test_scores_that_the_store_lacks_are_told_and_computed_on_demand(bench: Bench, tiny_corpus: Path) -> None:
    other = Bench(str(tiny_corpus), store="another", state=FILE)
    assert set(other._saved_form.state["missing"]) == {"n_bytes", "n_chars", "compression_ratio"}
    assert other.table.scores == {}
    assert other.outcome is None
    # Until they are computed, the file still names them.
    other.tab("map")
    assert set(content()["scores"]) >= {"n_bytes", "compression_ratio"}
    send(other._saved_form, type="compute")
    other._jobs.wait(60)
    assert other._saved_form.state["missing"] == []
    assert (other.state.keep == bench.state.keep).all()


def test_a_changed_corpus_is_told_and_its_file_left_alone(bench: Bench, tiny_corpus: Path) -> None:
    saved = Path(FILE).read_bytes()
    (tiny_corpus / "b.jsonl").write_text((tiny_corpus / "b.jsonl").read_text().splitlines()[0] + "\n")
    other = reopened(tiny_corpus)
    notes = " ".join(other._saved_form.state["notes"])
    assert "the corpus has changed since: 20 documents were drawn then, 12 now" in notes
    assert "lassoed documents aren't in the sample any more" in notes
    assert other.drafts.names == bench.drafts.names
    other.set_band("n_bytes", 99)
    assert Path(FILE).read_bytes() == saved
    for path in tiny_corpus.iterdir():
        path.unlink()
    gone = reopened(tiny_corpus)
    assert "the documents can't be loaded again" in gone._saved_form.state["notes"][0]
    assert gone.drafts.names == bench.drafts.names
    assert Path(FILE).read_bytes() == saved


class Votes:
    """Another part, as other tabs will have."""

    def __init__(self) -> None:
        self.votes: dict[str, bool] = {}

    def to_json(self) -> Any:
        return dict(self.votes)

    def load_json(self, value: Any) -> None:
        if not isinstance(value, dict):
            raise InputError("votes must be an object, got another thing")
        self.votes = value


def test_other_parts_join_and_a_spoiled_one_is_told(bench: Bench, tiny_corpus: Path) -> None:
    bench.state.saved_parts["poll"] = votes = Votes()
    votes.votes["d1"] = True
    bench.state.touch("work")
    assert content()["parts"]["poll"] == {"d1": True}
    with pytest.raises(InputError, match="holds 'poll', which this bench doesn't know"):
        reopened(tiny_corpus)
    other = Bench(str(tiny_corpus), store="store")
    other.state.saved_parts["poll"] = mine = Votes()
    other.open_work(FILE)
    assert mine.votes == {"d1": True}
    value = content()
    value["parts"]["poll"] = 3
    Path(FILE).write_text(json.dumps(value))
    other.open_work(FILE)
    assert (
        other._saved_form.state["notes"][0]
        == "poll can't be restored: votes must be an object, got another thing"
    )
    assert mine.votes == {"d1": True}


def test_colours_and_scales_are_saved_and_come_back(bench: Bench, tiny_corpus: Path) -> None:
    bench.tab("scores")
    send(bench._histograms, type="paint", paint="source", roots=True)
    send(bench._histograms, type="scale", score="compression_ratio", kind="log")
    bench.tab("map")
    send(bench._map._panel, type="grey", on=True)
    send(bench._map._panel, type="color", by="kept")
    assert content()["parts"]["looks"] == {
        "paint": "source", "roots": True, "scales": {"compression_ratio": "log"}}  # fmt: skip
    assert content()["parts"]["map"] == {"by": "kept", "grey": True}
    other = reopened(tiny_corpus).tab("scores")
    assert other._histograms.live["looks"] == {"paint": "source", "roots": True}
    assert other.state.chart("compression_ratio").axis == bench.state.chart("compression_ratio").axis
    assert other.state.chart("compression_ratio").axis.kind == "log"
    assert other.state.saved_parts["map"].to_json() == {"by": "kept", "grey": True}


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("looks", {"paint": "<b>", "roots": False, "scales": {}}),
        ("looks", {"paint": "kept", "roots": 1, "scales": {}}),
        ("looks", {"paint": "kept", "roots": False, "scales": {"<b>": "log"}}),
        ("looks", {"paint": "kept", "roots": False, "scales": {"n_tokens": "<b>"}}),
        ("looks", {"paint": "kept", "roots": False, "scales": [1]}),
        ("looks", 3),
        ("map", {"by": "<b>", "grey": True}),
        ("map", {"by": "kept", "grey": "yes"}),
        ("map", []),
    ],
)
def test_saved_looks_of_a_wrong_form_change_nothing(bench: Bench, part: str, value: Any) -> None:
    before = bench.state.saved_parts[part].to_json()
    with pytest.raises(InputError):
        bench.state.saved_parts[part].load_json(value)
    assert bench.state.saved_parts[part].to_json() == before


def changed(value: dict[str, Any], place: str, to: object) -> dict[str, Any]:
    value = copy.deepcopy(value)
    inner = value
    *above, last = place.split(".")
    for name in above:
        inner = inner[name]
    inner[last] = to
    return value


@pytest.mark.parametrize(
    ("place", "to", "said"),
    [
        ("format", "bench-state/2", "this has 'bench-state/2'"),
        ("run", "x", "saved work must be an object of"),
        ("corpus.shell", 1, "corpus must be an object of"),
        ("corpus.draw.n", 0, "n must be a whole number in"),
        ("corpus.draw.n", True, "n must be a whole number in"),
        ("corpus.draw.path", 3, "path must be text"),
        ("corpus.draw.path", "../elsewhere", "is outside of this app's folder"),
        ("corpus.draw.path", "https://example.org/x.parquet", "is outside of this app's folder"),
        ("corpus.draw.seed", 2**40, "seed must be a whole number in"),
        ("corpus.fingerprint", "a" * 65, "fingerprint must be text of at most 64"),
        ("corpus.n_documents", -1, "n_documents must be a whole number in"),
        ("scores", {"os.system": {}}, "there is no score 'os.system'"),
        ("scores", {"n_bytes": 3}, "scores must map names of scores"),
        ("tab", 3, "tab must be text"),
        ("tab", "x", "there is no tab 'x'"),
        ("lasso", [1], "lasso must be ids"),
        ("lasso", ["x"] * (MAX_LASSO + 1), "lasso must be a list of at most 100,000 entries"),
        ("parts", {}, "parts must be an object with drafts"),
        ("parts.x", 1, "holds 'x', which this bench doesn't know"),
        ("parts.drafts.current", "y", "current must be one of those shown"),
        ("parts.drafts.drafts", [], "drafts is empty"),
    ],
)
def test_a_spoiled_file_is_one_sentence_and_changes_nothing(
    bench: Bench, in_tmp_path: Path, place: str, to: object, said: str
) -> None:
    Path("bad.json").write_text(json.dumps(changed(content(), place, to)))
    visited = Bench(None, store="store", root=in_tmp_path)
    before = visited._saving.collect()
    with pytest.raises(WorkbenchError, match=re.escape(said)):
        visited.open_work("bad.json")
    assert visited._saving.collect() == before
    send(visited._saved_form, type="open", path="bad.json")
    assert visited._saving.collect() == before
    message = visited._shell.state["message"]
    assert said in message
    assert "\n" not in message


def test_files_of_other_kinds_are_neither_opened_nor_written_over(bench: Bench) -> None:
    Path("notes.json").write_text('{"a": 1}')
    Path("notes.txt").write_text("mine")
    Path("large.json").write_bytes(b" " * (32 * 2**20 + 1))
    for name, said in (
        ("notes.json", "this has None"),
        ("notes.txt", r"ends in \.json"),
        ("large.json", "has more than 33,554,432 bytes"),
    ):
        before = Path(name).read_bytes()
        for ask in (bench.save_work, bench.open_work):
            with pytest.raises(InputError, match=said):
                ask(name)
        assert Path(name).read_bytes() == before
    with pytest.raises(InputError, match=r"there is no file absent\.json"):
        bench.open_work("absent.json")
    # Saving goes on where it was.
    bench.set_band("n_bytes", 66)
    assert content()["parts"]["drafts"] == bench.drafts.to_json()


def test_a_link_opens_work_within_the_root_only(
    bench: Bench, tiny_corpus: Path, in_tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QUERY_STRING", f"theme=dark&state={FILE}")
    assert Bench(str(tiny_corpus), store="store").drafts.names == ("draft 1",)  # no voila, no link
    monkeypatch.setenv("VOILA_BASE_URL", "/")
    visited = Bench(str(tiny_corpus), store="store")
    visited._jobs.wait(60)
    assert visited.drafts.names == ("draft 1", "strict")
    assert visited._saved_form.state["link"] == f"?state={FILE}"
    inside = in_tmp_path / "app"
    inside.mkdir()
    monkeypatch.chdir(inside)
    for name in (f"../{FILE}", str(in_tmp_path / FILE), "absent.json"):
        monkeypatch.setenv("QUERY_STRING", f"state={name}")
        visited = Bench(str(tiny_corpus), store="store")
        assert visited.drafts.names == ("draft 1",)
        assert visited._shell.state["kind"] == "error"


def test_a_given_sample_or_corpus_ignores_the_path_in_the_file(bench: Bench, tiny_corpus: Path) -> None:
    value = changed(content(), "corpus.draw.path", "/etc/passwd")
    Path("other.json").write_text(json.dumps(value))
    given = Bench(bench.table.sample, store="store")
    given.open_work("other.json")
    assert given._saved_form.state["notes"] == []
    assert given.table.sample is bench.table.sample
    assert (given.state.keep == bench.state.keep).all()
