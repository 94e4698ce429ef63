"""Drawing a sample, what it stands for, and its file."""

from __future__ import annotations

import json
import random
from collections import Counter
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow.parquet as pq
import pytest

from tests.corpus.writers import FORMATS, write
from workbench.checks import keyed_uniform
from workbench.corpus import Design, Sample, Stratum, read, read_sample
from workbench.errors import Cancelled, InputError, StoreError
from workbench.progress import Silent

SIZES = {"big": 600, "mid": 90, "small": 9, "one": 1}
ROWS = [
    {"text": f"{name} {i if i % 5 else 0}", "source": name, "n": i}
    for name, n in SIZES.items()
    for i in range(n)
]  # each fifth text is a copy


class Watch(Silent):
    """Notes what it is told; raises Cancelled after so many calls."""

    def __init__(self, stop_after: int | None = None) -> None:
        self.totals: list[int] = []
        self.done = [0]
        self.finished = 0
        self.calls = 0
        self.stop_after = stop_after

    def start(self, what: str, total: int) -> None:
        self.totals.append(total)
        self.done.append(0)

    def advance(self, n: int) -> None:
        self.calls += 1
        self.done[-1] += n
        if self.calls == self.stop_after:
            raise Cancelled("stopped")

    def finish(self) -> None:
        self.finished += 1


def test_a_sample_is_stratified_and_its_weights_give_the_corpus_back(tmp_path: Path) -> None:
    corpus = read(write(tmp_path / "a.jsonl", ROWS))
    sample = corpus.sample(100, seed=3)
    assert len(sample) == 100
    assert Counter(sample.sources) == {"big": 84, "mid": 13, "small": 2, "one": 1}
    assert sample.doc_ids == sorted(sample.doc_ids)
    weights = sample.weights()
    assert weights.dtype == np.float64
    for name, n in SIZES.items():
        stratum = sample.design.strata[name]
        assert (stratum.n_corpus, stratum.n_sample) == (n, Counter(sample.sources)[name])
        assert stratum.n_bytes_corpus == sum(len(r["text"]) for r in ROWS if r["source"] == name)
        assert stratum.rate == stratum.n_sample / n
        assert weights[np.array(sample.sources) == name].sum() == pytest.approx(n)
    assert sample.design.corpus_fingerprint == corpus.fingerprint()


def test_the_sample_is_the_documents_with_the_smallest_numbers(tmp_path: Path) -> None:
    rows = [{"id": f"d{i}", "text": f"t{i}", "source": "ab"[i % 3 == 0]} for i in range(300)]
    sample = read(write(tmp_path / "a.jsonl", rows)).sample(40, seed=5)
    want = []
    for source, n in {"a": 27, "b": 13}.items():
        ids = [row["id"] for row in rows if row["source"] == source]
        order = np.argsort(keyed_uniform(5, ids, "sample"))
        want += [ids[i] for i in order[:n]]
    assert sample.doc_ids == sorted(want)


@pytest.mark.parametrize("ids", [True, False])
@pytest.mark.parametrize("by", ["source", None])
def test_the_sample_doesnt_depend_on_order_files_or_format(tmp_path: Path, ids: bool, by: str | None) -> None:
    rows = [({"id": f"x{i}"} if ids else {}) | row for i, row in enumerate(ROWS)]
    want = read(write(tmp_path / "one" / "a.jsonl", rows)).sample(77, by=by, seed=1)
    for k in range(4):
        mixed = random.Random(k).sample(rows, len(rows))
        cuts = sorted(random.Random(k).sample(range(1, len(rows)), k))
        for j, (start, end) in enumerate(zip([0, *cuts], [*cuts, len(rows)], strict=True)):
            write(
                tmp_path / f"{k}" / FORMATS[(j + k) % len(FORMATS)].replace("a.", f"{j}."), mixed[start:end]
            )
        sample = read(tmp_path / f"{k}").sample(77, by=by, seed=1)
        assert sample.doc_ids == want.doc_ids
        assert sample.fingerprint == want.fingerprint
        assert sample.design.strata == want.design.strata
    assert read(tmp_path / "one").sample(77, by=by, seed=2).doc_ids != want.doc_ids


def test_one_rate_for_all_gives_each_source_what_chance_makes_it(tmp_path: Path) -> None:
    sample = read(write(tmp_path / "a.jsonl", ROWS)).sample(70, by=None)
    assert len(sample) == 70
    assert {s.rate for s in sample.design.strata.values()} == {0.1}
    assert sum(s.n_sample for s in sample.design.strata.values()) == 70
    assert list(sample.design.strata) == sorted(SIZES)
    assert sample.weights().sum() == pytest.approx(700)


def test_each_document_is_as_likely_as_its_rate_says(tmp_path: Path) -> None:
    rows = [{"text": f"t{i // 2}", "source": "s"} for i in range(60)]  # every text twice
    corpus = read(write(tmp_path / "a.jsonl", rows))
    drawn = Counter(i for seed in range(300) for i in corpus.sample(15, seed=seed).doc_ids)
    assert len(drawn) == 60
    # Binomial(300, 1/4): standard deviation 7.5, so six of them at most for any of 60.
    assert max(abs(n - 75) for n in drawn.values()) < 45
    both = sum(len({i[:24] for i in corpus.sample(15, seed=s).doc_ids}) for s in range(100)) / 100
    # Copies are drawn independently: of 30 pairs, 15 draws meet 30 * (1 - 45/60 * 44/59) on average.
    assert both == pytest.approx(30 * (1 - 45 / 60 * 44 / 59), abs=0.5)


def test_copies_are_numbered_through_the_corpus(tmp_path: Path) -> None:
    write(tmp_path / "a.jsonl", [{"text": "x", "source": "s", "k": k} for k in (1, 2)])
    write(tmp_path / "b.csv", [{"text": "x", "source": "s", "k": k} for k in (3, 4)])
    write(
        tmp_path / "c.parquet",
        [{"text": "x", "source": "s", "k": "5"}, {"text": "y", "source": "s", "k": "6"}],
    )
    frame = read(tmp_path).whole().frame
    base = frame.filter(pl.col("text") == "x")["doc_id"][0]
    assert len(base) == 24
    copies = frame.filter(pl.col("text") == "x")
    assert copies["doc_id"].to_list() == [base, f"{base}#2", f"{base}#3", f"{base}#4", f"{base}#5"]
    assert copies["k"].to_list() == ["1", "2", "3", "4", "5"]


@pytest.mark.parametrize("name", FORMATS)
def test_an_id_that_stands_twice_is_refused_with_both_places(tmp_path: Path, name: str) -> None:
    write(tmp_path / "a" / name, [{"id": f"d{i}", "text": "t"} for i in range(50)])
    write(tmp_path / "b" / name, [{"id": f"e{i}" if i != 30 else "d7", "text": "t"} for i in range(50)])
    corpus = read(tmp_path)
    with pytest.raises(
        InputError, match=rf"'d7' stands in a/{name} row 7 and in b/{name} row 30; make the ids"
    ):
        corpus.sample(5)
    with pytest.raises(InputError, match="or let ids be made from content"):
        corpus.whole()
    assert len(read(tmp_path, id_column="").whole()) == 100


def test_ids_that_only_share_a_number_are_no_copies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def coarse(seed: int, doc_ids: list[str]) -> np.ndarray:
        return np.floor(keyed_uniform(seed, doc_ids, "sample") * 4) / 4

    monkeypatch.setattr("workbench.corpus.tally.uniforms", coarse)
    monkeypatch.setattr("workbench.corpus.draw.uniforms", coarse)
    rows = [{"id": f"d{i:03}", "text": "t", "source": "ab"[i % 2]} for i in range(100)]
    corpus = read(write(tmp_path / "a.jsonl", rows))
    assert len(corpus.whole()) == 100
    # Ties are settled by id, not by place.
    write(tmp_path / "r" / "a.jsonl", rows[::-1])
    sample = corpus.sample(20)
    assert len(sample) == 20
    assert read(tmp_path / "r").sample(20).doc_ids == sample.doc_ids
    number = dict(zip([r["id"] for r in rows], coarse(0, [r["id"] for r in rows]), strict=True))
    for source in "ab":
        ids = sorted((r["id"] for r in rows if r["source"] == source), key=lambda i: (number[i], i))
        assert [i for i, s in zip(sample.doc_ids, sample.sources, strict=True) if s == source] == sorted(
            ids[:10]
        )


def test_a_small_corpus_is_taken_whole(tmp_path: Path) -> None:
    corpus = read(write(tmp_path / "a.parquet", ROWS))
    sample = corpus.sample(5000)
    assert len(sample) == 700
    assert set(sample.weights()) == {1.0}
    assert sample.frame.equals(corpus.whole().frame)
    assert sample.fingerprint == corpus.whole().fingerprint


def test_arguments_that_make_no_sample_are_refused(tmp_path: Path) -> None:
    corpus = read(write(tmp_path / "a.jsonl", ROWS))
    with pytest.raises(
        InputError, match=r"n=6 is too few for 4 sources, .*; ask for at least 7, or draw without strata"
    ):
        corpus.sample(6)
    assert len(corpus.sample(7)) == 7
    assert len(corpus.sample(6, by=None)) == 6
    with pytest.raises(InputError, match="n must be at least 1, got 0"):
        corpus.sample(0)
    with pytest.raises(InputError, match="by must be 'source' or None, got 'n'; set source_column"):
        corpus.sample(10, by="n")


def test_a_large_corpus_isnt_taken_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workbench.corpus.draw._MAX_WHOLE_BYTES", 2000)
    path = write(tmp_path / "a.jsonl", ROWS)
    with pytest.raises(InputError, match="too much to be held whole; draw a sample of it first"):
        read_sample(path)
    assert len(read(path).sample(600)) == 600


def test_progress_is_told_in_bytes_and_may_stop_the_work(tmp_path: Path) -> None:
    for name in FORMATS:
        write(tmp_path / name, ROWS)
    corpus = read(tmp_path)
    watch = Watch()
    corpus.sample(50, progress=watch)
    assert watch.totals[0] == corpus.n_bytes
    assert watch.finished == 2
    assert all(0.5 * total < done <= total for total, done in zip(watch.totals, watch.done[1:], strict=True))
    watch = Watch(stop_after=4)
    with pytest.raises(Cancelled):
        corpus.sample(50, progress=watch)
    assert watch.finished == 1


def test_a_written_sample_comes_back_as_it_was(tmp_path: Path) -> None:
    corpus = read(write(tmp_path / "a.jsonl", [*ROWS, {"n": 1}]))
    for by in ("source", None):
        sample = corpus.sample(50, by=by, seed=7)
        sample.write(tmp_path / "deep" / "s.parquet")
        again = read_sample(tmp_path / "deep" / "s.parquet", text_column="ignored")
        assert again.frame.equals(sample.frame)
        assert again.design == sample.design
        assert again.fingerprint == sample.fingerprint
        assert again.design.n_quarantined == 1
    metadata = pq.read_schema(tmp_path / "deep" / "s.parquet").metadata
    assert json.loads(metadata[b"selection_workbench.design"])["seed"] == 7
    assert [p.name for p in (tmp_path / "deep").iterdir()] == ["s.parquet"]
    with pytest.raises(StoreError, match=r"can't be written in .*; choose a folder that can be written to"):
        sample.write(tmp_path / "a.jsonl" / "s.parquet")


def test_any_other_corpus_is_read_as_a_whole_sample(tmp_path: Path) -> None:
    rows = [{"body": row["text"], "source": row["source"]} for row in ROWS]
    for name in FORMATS:
        sample = read_sample(write(tmp_path / name, rows), text_column="body")
        assert len(sample) == 700
        assert {s.rate for s in sample.design.strata.values()} == {1.0}
    (tmp_path / "x.parquet").write_bytes(b"no parquet")
    with pytest.raises(InputError, match="no readable parquet file"):
        read_sample(tmp_path / "x.parquet")


def _forged(tmp_path: Path, sample: Sample, frame: pl.DataFrame, design: Design) -> Path:
    sample.write(tmp_path / "s.parquet")
    kept = pq.read_schema(tmp_path / "s.parquet").metadata
    metadata = kept | {b"selection_workbench.design": design.to_json().encode()}
    pq.write_table(frame.to_arrow().replace_schema_metadata(metadata), tmp_path / "f.parquet")
    return tmp_path / "f.parquet"


def test_a_sample_that_was_changed_is_refused(tmp_path: Path) -> None:
    sample = read(write(tmp_path / "a.jsonl", ROWS)).sample(50)
    frame, design = sample.frame, sample.design
    big = design.strata["big"]

    def refused(frame: pl.DataFrame, strata: dict[str, Stratum], message: str) -> None:
        other = Design(design.by, design.seed, strata, design.corpus_fingerprint, design.n_quarantined)
        with pytest.raises(
            InputError, match=rf"f\.parquet was changed since it was drawn: {message}.*; draw the sample"
        ):
            read_sample(_forged(tmp_path, sample, frame, other))

    assert read_sample(_forged(tmp_path, sample, frame, design)).frame.equals(frame)
    refused(frame.tail(49), design.strata, r"its design says \d+ documents of '\w+', it holds \d+")
    refused(
        frame.with_columns(source=pl.lit("new")),
        design.strata,
        "its design says 41 documents of 'big', it holds 0",
    )
    higher = Stratum(big.n_corpus, big.n_sample, big.n_bytes_corpus, 0.9)
    refused(frame, design.strata | {"big": higher}, "its design has rates that don't fit its counts")
    refused(frame.with_columns(text=pl.lit("x")), design.strata, "its documents aren't those that were drawn")
    twice = frame.with_columns(doc_id=pl.lit("same"))
    refused(twice, design.strata, "a doc_id stands in it twice")
    refused(
        frame.with_columns(text=pl.lit(None, pl.String)),
        design.strata,
        "row 0: the text column 'text' is null",
    )


def test_the_fingerprint_follows_ids_sources_and_texts_alone() -> None:
    design = Design("source", 0, {}, "", 0)
    frame = pl.DataFrame({"doc_id": ["ab", "c"], "text": ["t", "u"], "source": ["s", "s"]})
    first = Sample(frame, design).fingerprint
    assert Sample(frame.with_columns(n=1), design).fingerprint == first
    for column in frame.columns:
        changed = frame.with_columns(pl.Series(column, ["a", "bc"]))
        assert Sample(changed, design).fingerprint != first


def test_a_sample_is_never_written_over_a_corpus(tmp_path):
    frame = pl.DataFrame({"doc_id": ["a", "b", "c"], "text": ["x", "y", "z"], "source": ["s", "s", "t"]})
    frame.write_parquet(tmp_path / "corpus.parquet")
    before = (tmp_path / "corpus.parquet").read_bytes()
    sample = read(tmp_path / "corpus.parquet").whole()
    with pytest.raises(InputError, match=r"corpus\.parquet exists and is no sample; choose another name"):
        sample.write(tmp_path / "corpus.parquet")
    assert (tmp_path / "corpus.parquet").read_bytes() == before
    with pytest.raises(InputError, match=r"got s\.jsonl; give a name that ends in \.parquet"):
        sample.write(tmp_path / "s.jsonl")
    sample.write(tmp_path / "s.parquet")
    sample.write(tmp_path / "s.parquet")
