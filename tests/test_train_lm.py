"""`workbench train-lm` as a user sees it."""

from __future__ import annotations

import io
import json
import os
import resource
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from tests.engine.commands import Commands
from tests.engine.corpora import make_documents, write_shard
from tests.engine.test_train import TINY
from tests.test_bad_input import LIMITED
from workbench.cli.training import LossTerminal
from workbench.models.training import shapes
from workbench.models.training.schedule import StepRecord

QUICK = ("--context", 32, "--vocabulary", 300, "--steps", 8, "--checkpoint-every", 3, "--device", "cpu")


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], in_tmp_path: Path) -> Commands:
    """The command line in a folder with a corpus; the smallest shape is far smaller than usual."""
    monkeypatch.setitem(shapes.SHAPES, "2M", TINY)
    write_shard(Path("corpus/a.jsonl"), make_documents(150))
    return Commands(monkeypatch, capfd)


def test_a_model_is_trained_and_scores(run: Commands) -> None:
    result = run("train-lm", "corpus", "--out", "lm", *QUICK)
    assert (result.code, result.err) == (0, "")
    assert "held" in result.out
    assert result.out.endswith("written to lm\n")
    scores = ("--scores", "perplexity,lm_trained_on", "--store", "store", "--lm", "lm")
    assert run("score", "corpus", *scores, "--json").json["scores"]["lm_trained_on"]["n_documents"] == 150


def test_json_is_one_object_and_a_second_run_says_that_it_is_done(run: Commands) -> None:
    first = run("train-lm", "corpus", "--out", "lm", *QUICK, "--json")
    assert first.json["n_steps"] == 8
    assert first.json["n_reference_documents"] == pytest.approx(75, abs=20)
    assert first.json["loss"] == json.loads(Path("lm/training.json").read_text())["losses"][-1]
    assert first.json["is_new"]
    again = run("train-lm", "corpus", "--out", "lm", *QUICK, "--json")
    assert again.json == first.json | {"is_new": False}
    assert "nothing to do: it is finished in lm" in run("train-lm", "corpus", "--out", "lm", *QUICK).out


def test_other_options_in_the_same_folder_are_refused(run: Commands) -> None:
    assert run("train-lm", "corpus", "--out", "lm", *QUICK).code == 0
    sentence = run.fails("train-lm", "corpus", "--out", "lm", *QUICK, "--seed", 1)
    assert sentence.startswith("lm holds a finished model with seed=0, and here it is seed=1")


def test_rows_put_aside_end_with_three_and_epochs_with_a_warning(run: Commands) -> None:
    rows = [{"text": f"{'word ' * 20}{i}" if i else None} for i in range(60)]
    write_shard(Path("small/a.jsonl"), rows)
    result = run("train-lm", "small", "--out", "lm", *QUICK, "--tokens", 9000, *("--batch-tokens", 512))
    assert result.code == 2  # tokens and steps
    more = [str(o) for o in QUICK if o not in ("--steps", 8)]
    result = run("train-lm", "small", "--out", "lm", *more, "--tokens", 9000, "--batch-tokens", 512)
    assert result.code == 3
    assert "warning: the model saw its split" in result.err
    assert "1 rows could not be used; see lm.quarantine/quarantine.jsonl" in result.err


def test_an_interrupt_ends_at_the_next_step_and_the_next_run_goes_on(
    run: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    from workbench.models.training import fit

    steps: list[int] = []

    def interrupting(step: int, params: Any) -> float:
        steps.append(step)
        if len(steps) == 5:
            os.kill(os.getpid(), signal.SIGINT)
        return rate(step, params)

    rate = fit.learning_rate
    monkeypatch.setattr(fit, "learning_rate", interrupting)
    before = signal.getsignal(signal.SIGINT)
    stopped = run("train-lm", "corpus", "--out", "lm", *QUICK)
    assert stopped.code == 130
    assert stopped.err == "workbench: stopped; what is finished is kept, run the same command to go on\n"
    assert signal.getsignal(signal.SIGINT) is before
    assert run("train-lm", "corpus", "--out", "lm", *QUICK).code == 0
    assert steps == list(range(8))
    assert not Path("lm.work").exists()


def test_a_second_interrupt_ends_at_once(run: Commands, monkeypatch: pytest.MonkeyPatch) -> None:
    from workbench.models.training import fit

    def interrupting(step: int, params: Any) -> float:
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)
        raise AssertionError("it went on")

    monkeypatch.setattr(fit, "learning_rate", interrupting)
    stopped = run("train-lm", "corpus", "--out", "lm", *QUICK)
    assert stopped.code == 130
    assert stopped.err == "workbench: stopped; finished parts are kept, run the same command to go on\n"


@pytest.mark.parametrize("limit", [2000, 100_000], ids=["tokens", "checkpoint"])
def test_a_disk_that_is_full_is_a_sentence_and_the_next_run_ends_well(
    limit: int, run: Commands, in_tmp_path: Path, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[1] == resource.RLIM_INFINITY
    monkeypatch.undo()  # the process has the real shape, so this one must have it too
    monkeypatch.chdir(in_tmp_path)
    args = [
        "train-lm",
        f"{in_tmp_path}/corpus",
        "--out",
        f"{in_tmp_path}/lm",
        *map(str, QUICK),
        "--steps",
        "2",
    ]
    args += ["--batch-tokens", "64"]
    full = subprocess.run(
        [sys.executable, "-c", LIMITED, str(limit), *args], cwd=root, capture_output=True, text=True
    )
    assert full.returncode == 2, full.stderr
    assert "can't be written" in full.stderr
    assert full.stderr.count("\n") == 1
    assert not (in_tmp_path / "lm").exists()
    assert run(*args).code == 0


def test_the_bar_shows_losses_and_speed() -> None:
    bar = LossTerminal()
    shown = io.StringIO()
    bar._bar.live.console = Console(file=shown, force_terminal=True, width=150)
    bar.start("training", 10)
    bar.on_step(StepRecord(1, 10, 5.1234, 5.5, 1e-3, 64, 1234.5))
    bar.on_step(StepRecord(2, 10, 4.25, None, 1e-3, 128, 2345.6))
    assert bar._bar.tasks[0].description == "loss 4.250, held out 5.500, 2,346 tokens/s"
    bar.finish()
