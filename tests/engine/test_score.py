from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.engine.corpora import make_documents, write_corpus
from tests.engine.fakes import FakeModels
from workbench.checks import file_digest
from workbench.corpus import Sample, read
from workbench.engine.score import add_scores, score, state_digest
from workbench.engine.table import Table
from workbench.errors import Cancelled, StoreError
from workbench.progress import Silent
from workbench.scores import SCORES
from workbench.scores.base import Inputs, ScoreSpec
from workbench.scores.views import TextView
from workbench.store import columns

PART_ROWS = 16


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(columns, "PART_ROWS", PART_ROWS)


@pytest.fixture
def sample(tmp_path: Path) -> Sample:
    """70 documents: 5 parts, the last of 6."""
    return read(write_corpus(tmp_path / "corpus", make_documents(70))).whole()


def bytes_of(store: Path) -> dict[str, str]:
    """All files but the seconds that they took."""
    files = sorted(p for p in store.rglob("*") if p.is_file() and p.name != "costs.jsonl")
    return {str(p.relative_to(store)): file_digest(p) for p in files}


def test_stopped_in_the_third_part_it_goes_on_there_and_ends_with_the_same_bytes(
    sample: Sample, tmp_path: Path, fakes: type[FakeModels]
) -> None:
    score(sample, ["perplexity"], store=tmp_path / "whole")
    assert fakes.n_texts("lm") == 70

    class Stop(Silent):
        parts = 0

        def advance(self, n: int) -> None:
            self.parts += n > 0 and fakes.n_texts("lm") >= 70 + 3 * PART_ROWS
            if self.parts:
                raise Cancelled("stopped in the third part")

    with pytest.raises(Cancelled, match="third part"):
        score(sample, ["perplexity"], store=tmp_path / "store", progress=Stop())
    fakes.calls.clear()
    table = score(sample, ["perplexity"], store=tmp_path / "store")
    # the two parts that stood aren't computed again; the third was stopped before it was written
    assert fakes.n_texts("lm") == 70 - 2 * PART_ROWS
    assert bytes_of(tmp_path / "store") == bytes_of(tmp_path / "whole")
    assert len(table.scores["perplexity"]) == 70


def test_an_error_in_the_third_part_keeps_the_first_two(
    sample: Sample, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[int] = []

    def fragile(inputs: Inputs, params: Any, state: Any) -> dict[str, Any]:
        calls.append(len(inputs))
        if len(calls) == 3:
            raise MemoryError
        return {"fragile": np.arange(len(inputs), dtype=np.float32)}

    spec = ScoreSpec("fragile", 1, "breaks once", "x", "neither", ("text",), fragile)
    monkeypatch.setitem(SCORES, "fragile", spec)
    with pytest.raises(MemoryError):
        score(sample, ["fragile"], store=tmp_path / "store")
    score(sample, ["fragile"], store=tmp_path / "store")
    assert calls == [16, 16, 16, 16, 16, 6]


def test_what_is_in_the_store_is_not_computed_again(
    sample: Sample, tmp_path: Path, fakes: type[FakeModels]
) -> None:
    names = ["n_tokens", "perplexity", "embedding", "prototype_distance"]
    first = score(sample, names, store=tmp_path / "store")
    fakes.calls.clear()
    again = score(sample, names, store=tmp_path / "store")
    assert not fakes.calls
    for name in names:
        np.testing.assert_array_equal(again.scores[name], first.scores[name])
    assert again.definitions == first.definitions


def folders(store: Path) -> set[str]:
    return {path.parent.name for path in store.rglob("complete.json")}


def test_of_signals_in_one_pass_only_those_that_are_missing_are_computed(
    sample: Sample, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts: list[str] = []
    find = TextView.words
    monkeypatch.setattr(TextView, "words", lambda view, how: texts.append(view.text) or find(view, how))
    score(sample, ["fineweb_newlines_per_word"], store=tmp_path / "store")
    assert len(texts) == 70
    names = ["c4_n_lines", "gopher_n_words", "fineweb_newlines_per_word"]
    table = score(sample, names, store=tmp_path / "store")
    assert len(texts) == 140
    assert set(names) <= set(table.scores)
    add_scores(table, ["gopher_top_2_gram_ratio", *names], store=tmp_path / "store")
    assert len(texts) == 210
    score(sample, ["gopher_top_2_gram_ratio", *names], store=tmp_path / "store")
    assert len(texts) == 210
    monkeypatch.undo()
    monkeypatch.setattr(columns, "PART_ROWS", PART_ROWS)
    score(sample, ["gopher_top_2_gram_ratio", *names], store=tmp_path / "whole")
    assert bytes_of(tmp_path / "store") == bytes_of(tmp_path / "whole")


def test_each_thing_that_defines_a_column_has_a_column_of_its_own(
    sample: Sample, tmp_path: Path, fakes: type[FakeModels], monkeypatch: pytest.MonkeyPatch
) -> None:
    store = tmp_path / "store"

    def new_columns(**how: Any) -> set[str]:
        before = folders(store)
        score(how.pop("of", sample), ["prototype_distance"], store=store, **how)
        return {name.rsplit("-", 1)[0] for name in folders(store) - before}

    prototypes = {"prototype_distance", "prototype_cluster"}
    assert new_columns() == {"embedding", *prototypes}
    assert new_columns() == set()
    assert new_columns(params={"prototype_distance": {"n_clusters": 2}}) == prototypes
    assert new_columns(seed=1) == prototypes, "the seed is part of what is fitted"
    other = read(write_corpus(tmp_path / "other", make_documents(70, seed=1))).whole()
    assert new_columns(of=other) == {"embedding", *prototypes}
    changed = {**fakes.definitions, "embedder": {"id": "other", "files": {"weights": "1" * 64}}}
    monkeypatch.setattr(fakes, "definitions", changed)
    assert new_columns() == {"embedding", *prototypes}


def test_params_that_are_falsy_count_like_any_other(sample: Sample, tmp_path: Path) -> None:
    for value in (None, 0, 5):
        score(sample, ["language"], store=tmp_path, params={"language": {"max_chars": value}})
    assert len([name for name in folders(tmp_path) if name.startswith("language-")]) == 3


def test_a_new_version_is_a_missing_column_and_not_a_wrong_one(
    sample: Sample, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dataclasses import replace

    score(sample, ["n_chars"], store=tmp_path)
    monkeypatch.setitem(SCORES, "n_chars", replace(SCORES["n_chars"], version=2))
    score(sample, ["n_chars"], store=tmp_path)
    assert len([name for name in folders(tmp_path) if name.startswith("n_chars-")]) == 2


def test_a_score_of_the_whole_sample_sees_it_whole_with_its_seed(
    sample: Sample, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[tuple[int, int]] = []

    def whole(inputs: Inputs, params: Any, state: Any) -> dict[str, Any]:
        calls.append((len(inputs), int(state["seed"][0])))
        return {"rank": np.arange(len(inputs), dtype=np.float32)}

    spec = ScoreSpec("rank", 1, "place", "x", "neither", ("text",), whole, scope="sample")
    monkeypatch.setitem(SCORES, "rank", spec)
    table = score(sample, ["rank"], store=tmp_path, seed=7)
    assert table.scores["rank"].tolist() == list(range(70))
    score(sample, ["rank"], store=tmp_path, seed=8)
    score(sample, ["rank"], store=tmp_path, seed=7)
    assert calls == [(70, 7), (70, 8)]


def test_a_changed_part_of_the_store_is_refused_by_name(
    sample: Sample, tmp_path: Path, fakes: type[FakeModels]
) -> None:
    score(sample, ["n_tokens"], store=tmp_path)
    (part, *_) = sorted(tmp_path.glob("n_tokens-*/part-*.npy"))
    part.write_bytes(part.read_bytes()[:-1] + b"\x7f")
    with pytest.raises(
        StoreError, match=r"part-00000-of-00005.npy .* was changed .* run `workbench score` again"
    ):
        score(sample, ["n_tokens"], store=tmp_path)


def test_progress_is_told_every_character_once_and_every_bar_is_ended(
    sample: Sample, tmp_path: Path, fakes: type[FakeModels]
) -> None:
    class Counting(Silent):
        def __init__(self) -> None:
            self.totals: dict[str, int] = {}
            self.done: dict[str, int] = {}
            self.ended = 0
            self.now = ""

        def start(self, what: str, total: int) -> None:
            self.now, self.totals[what], self.done[what] = what, total, 0

        def advance(self, n: int) -> None:
            self.done[self.now] += n

        def finish(self) -> None:
            self.ended += 1

    counting = Counting()
    table = score(sample, ["perplexity", "n_chars"], store=tmp_path, progress=counting)
    n_chars = sum(map(len, sample.texts))
    assert counting.done == counting.totals
    assert set(counting.totals.values()) == {n_chars}
    assert counting.ended == len(counting.totals)
    add_scores(table, ["prototype_distance"], store=tmp_path, progress=counting)
    assert counting.done == counting.totals
    assert counting.totals["fit prototype_distance"] == 1

    class Broken(Counting):
        def advance(self, n: int) -> None:
            raise Cancelled("stopped")

    broken = Broken()
    with pytest.raises(Cancelled):
        score(sample, ["n_bytes"], store=tmp_path / "other", progress=broken)
    assert broken.ended == 1, "a bar that isn't ended keeps the terminal's cursor"


def test_a_state_is_known_by_names_types_shapes_and_bytes() -> None:
    zeros = np.zeros((2, 3), dtype=np.float32)
    states = [{"a": zeros}, {"b": zeros}, {"a": zeros.T}, {"a": zeros.astype(np.int32)}, {"a": zeros + 1}, {}]
    assert len({state_digest(state) for state in states}) == len(states)
    assert state_digest({"a": zeros, "b": zeros}) == state_digest({"b": zeros, "a": zeros})


def test_a_sample_without_documents_gives_empty_columns(tmp_path: Path, fakes: type[FakeModels]) -> None:
    path = tmp_path / "bad.jsonl"
    path.write_text("not JSON\n")
    table: Table = score(read(path).whole(), ["n_tokens", "compression_ratio"], store=tmp_path / "store")
    assert table.scores["n_tokens"].shape == (0,)
