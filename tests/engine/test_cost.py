from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.engine.commands import Commands
from tests.engine.corpora import make_documents, write_corpus
from tests.engine.fakes import install
from workbench.corpus import read
from workbench.engine.cost import PartCost, bytes_per_token, estimate_costs, measured, read_costs
from workbench.engine.score import score
from workbench.errors import InputError
from workbench.models.runtime import tokenizer_device_name


def part(n_bytes: int, seconds: float, n_tokens: int | None = None, score: str = "perplexity") -> PartCost:
    return PartCost(score, "lm", "cpu, 2 threads", 10, n_bytes, n_tokens, seconds)


def test_a_constant_rate_extrapolates_exactly_and_without_spread() -> None:
    (one,) = estimate_costs([part(n, n / 500) for n in (100, 250, 700)], 3600 * 500 * 4)
    assert one.bytes_per_second == pytest.approx(500)
    assert (one.hours, one.low, one.high) == (pytest.approx(4), pytest.approx(4), pytest.approx(4))
    assert (one.n_parts, one.n_documents) == (3, 30)


def test_the_interval_covers_the_true_rate() -> None:
    """Parts of unequal size whose speed varies: in 95 of 100 stores or so the interval holds the rate behind them."""
    rng = np.random.default_rng(0)
    held = 0
    for _ in range(400):
        sizes = rng.integers(200, 2000, 12)
        seconds = sizes / 100 * rng.normal(1, 0.2, 12)
        (one,) = estimate_costs(
            [part(int(n), float(s)) for n, s in zip(sizes, seconds, strict=True)], 360_000
        )
        assert one.low is not None
        assert one.high is not None
        held += one.low <= 1.0 <= one.high
    assert 0.9 <= held / 400 <= 0.99


def test_each_score_model_and_device_is_told_by_itself_and_one_part_has_no_interval() -> None:
    costs = [part(100, 1.0), part(100, 2.0, score="embedding"), part(50, 0.5)]
    perplexity, embedding = estimate_costs(costs, 1000)
    assert (perplexity.score, embedding.score) == ("perplexity", "embedding")
    assert (embedding.low, embedding.high) == (None, None)
    assert perplexity.low is not None


def test_a_runs_first_part_counts_only_where_there_is_no_other() -> None:
    first = replace(part(100, 9.0), is_first=True)
    (one,) = estimate_costs([first, part(100, 1.0), replace(first, n_bytes=50), part(300, 3.0)], 3600 * 100)
    assert (one.n_parts, one.n_documents, one.hours) == (2, 20, pytest.approx(1))
    (alone,) = estimate_costs([first], 3600 * 100)
    assert (alone.n_parts, alone.hours) == (1, pytest.approx(9))


def test_bytes_of_a_token_are_those_of_the_parts_that_counted_both() -> None:
    assert bytes_per_token([part(100, 1, 25), part(300, 1, 75), part(999, 1)]) == 4.0
    assert bytes_per_token([part(999, 1)]) is None


def test_what_was_not_measured_is_refused() -> None:
    with pytest.raises(InputError, match="nothing was measured in this store; compute a score first"):
        estimate_costs([], 10)
    with pytest.raises(InputError, match="more than 0 bytes, got 0"):
        estimate_costs([part(1, 1)], 0)


def test_a_measurement_is_a_line_and_a_line_that_was_cut_off_is_passed_over(tmp_path: Path) -> None:
    with measured(tmp_path / "store", "n_tokens", "lm", "cpu", ["né", "abc"]) as values:
        time.sleep(0.01)
        values["n_tokens"] = np.array([2.0, 1.0])
    with (tmp_path / "store" / "costs.jsonl").open("a") as file:
        file.write('{"score": "n_to\n[1]\n{}\n')
    (one,) = read_costs(tmp_path / "store")
    assert (one.n_documents, one.n_bytes, one.n_tokens) == (2, 6, 3)
    assert one.seconds >= 0.01
    assert read_costs(tmp_path) == []


def test_counting_tokens_that_are_there_is_no_measure_of_making_them(tmp_path: Path) -> None:
    sample = read(write_corpus(tmp_path / "corpus", make_documents(40))).whole()
    for name, order in (("one", ["n_tokens", "perplexity"]), ("other", ["perplexity", "n_tokens"])):
        score(sample, order, store=tmp_path / name)
    measured_in = [{c.score for c in read_costs(tmp_path / name)} for name in ("one", "other")]
    assert measured_in == [{"n_tokens", "perplexity"}, {"perplexity"}]


def test_torch_is_not_asked_where_tokens_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """To import it takes longer than to count the tokens of a small sample."""
    monkeypatch.setattr("workbench.engine.score.device_name", lambda: "torch's")
    sample = read(write_corpus(tmp_path / "corpus", make_documents(40))).whole()
    score(sample, ["n_tokens", "perplexity"], store=tmp_path / "store")
    devices = {c.score: c.device for c in read_costs(tmp_path / "store")}
    assert devices["perplexity"] == "torch's"
    assert devices["n_tokens"] == tokenizer_device_name()


def test_the_command_tells_hours_and_money(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], in_tmp_path: Path
) -> None:
    install(monkeypatch)
    run = Commands(monkeypatch, capfd)
    write_corpus(Path("corpus"), make_documents(80), 1)
    Path("store").mkdir()
    assert "nothing was measured" in run.fails("cost", "--store", "store", "--bytes", 5)
    assert run("score", "corpus", "--scores", "n_chars", "--store", "store").code == 0
    assert "nobody counted tokens" in run.fails("cost", "--store", "store", "--tokens", 5)
    assert run("score", "corpus", "--scores", "n_tokens,perplexity", "--store", "store").code == 0
    told = run("cost", "--store", "store", "--tokens", "1e9", "--price", 2.5, "--json").json
    assert {e["score"] for e in told["estimates"]} == {"n_chars", "n_tokens", "perplexity"}
    assert told["n_bytes"] > 1e9
    shown = run("cost", "--store", "store", "--bytes", "1e9", "--price", 2.5).out
    assert "one part: not known" in shown
    assert "money" in shown
    assert "either --tokens or --bytes" in run.fails("cost", "--store", "store")
    for size in ("inf", "nan", "-1", "0"):
        assert "must be above 0 and finite" in run.fails("cost", "--store", "store", "--tokens", size)
    assert "there is no store nowhere" in run.fails("cost", "--store", "nowhere", "--bytes", 5)
    assert "either --tokens or --bytes" in run.fails("cost", "--store", "store", "--tokens", 1, "--bytes", 1)
    n_lines = len(Path("store/costs.jsonl").read_text().splitlines())
    run("score", "corpus", "--scores", "n_tokens,perplexity", "--store", "store")
    assert len(Path("store/costs.jsonl").read_text().splitlines()) == n_lines, "what is stored costs nothing"
