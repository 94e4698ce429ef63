"""Training a reference model."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from workbench.cli.app import app
from workbench.cli.console import end, print_json, print_table, progress_shown
from workbench.cli.options import Json, Reading, takes_groups
from workbench.errors import Cancelled
from workbench.progress import Progress, Terminal

if TYPE_CHECKING:
    from workbench.models.training.params import Hardware, TrainLMParams
    from workbench.models.training.schedule import StepRecord


class ShapeName(StrEnum):
    """Sizes of a reference model."""

    _2M = "2M"
    _10M = "10M"
    _30M = "30M"
    _60M = "60M"
    _125M = "125M"


class Schedule(StrEnum):
    """How the learning rate falls."""

    cosine = "cosine"
    wsd = "wsd"


class Dtype(StrEnum):
    """Number formats."""

    auto = "auto"
    float32 = "float32"
    bfloat16 = "bfloat16"


class Device(StrEnum):
    """Where a model is trained."""

    auto = "auto"
    cpu = "cpu"
    cuda = "cuda"


@dataclass(frozen=True)
class WhatToTrain:
    """What decides the model."""

    shape: Annotated[ShapeName, typer.Option(help="Size, about as many parameters.")] = ShapeName._2M
    tokenizer: Annotated[
        str | None,
        typer.Option(help="A tokenizer.json, a folder with one, or a model; by default one is trained."),
    ] = None
    vocabulary: Annotated[int, typer.Option(help="Tokens of the tokenizer that is trained.")] = 4096
    context: Annotated[int, typer.Option(help="Tokens of a row, and the window to score with.")] = 512
    tokens: Annotated[int | None, typer.Option(help="Tokens to train on; by default the split once.")] = None
    steps: Annotated[int | None, typer.Option(help="Steps to train for, instead of --tokens.")] = None
    reference_fraction: Annotated[
        float, typer.Option(help="Share of the documents that the model is trained on, 0..1.")
    ] = 0.5
    batch_tokens: Annotated[int | None, typer.Option(help="Tokens of a step; by default the shape's.")] = None
    learning_rate: Annotated[float | None, typer.Option(help="Its maximum; by default the shape's.")] = None
    schedule: Annotated[Schedule, typer.Option(help="How the learning rate falls.")] = Schedule.cosine
    seed: Annotated[int, typer.Option(help="Of the split, the first weights and the order.", min=0)] = 0

    def params(self) -> TrainLMParams:
        from workbench.models.training.params import TrainLMParams
        from workbench.models.training.shapes import find_shape

        return TrainLMParams(
            shape=find_shape(self.shape.value),
            tokenizer=self.tokenizer,
            n_vocabulary=self.vocabulary,
            context_tokens=self.context,
            n_tokens=self.tokens,
            n_steps=self.steps,
            reference_fraction=self.reference_fraction,
            batch_tokens=self.batch_tokens,
            learning_rate=self.learning_rate,
            schedule=self.schedule.value,
            seed=self.seed,
        )


@dataclass(frozen=True)
class WhereToTrain:
    """What decides the speed, and the last digits."""

    dtype: Annotated[Dtype, typer.Option(help="auto: bfloat16 autocast on a GPU, float32 on a CPU.")] = (
        Dtype.auto
    )
    device: Annotated[Device, typer.Option(help="auto: a GPU if there is one.")] = Device.auto
    compiles: Annotated[
        bool | None,
        typer.Option(
            "--compile/--no-compile", help="Compile the model; by default on a GPU.", show_default=False
        ),
    ] = None
    checkpoint_every: Annotated[int, typer.Option(help="Steps between checkpoints.", min=1)] = 100

    def hardware(self) -> Hardware:
        from workbench.models.training.params import Hardware

        return Hardware(self.dtype.value, self.device.value, self.compiles, self.checkpoint_every)


@app.command(name="train-lm")
@takes_groups
def train_lm(
    corpus: Annotated[str, typer.Argument(help="A file, a folder or a glob; local or a URL.")],
    out: Annotated[Path, typer.Option(help="Folder of the model.")],
    what: WhatToTrain,
    where: WhereToTrain,
    reading: Reading,
    as_json: Json = False,
) -> None:
    """Train a reference language model on a random split of a corpus, to score the rest with.

    Stopped, the same command goes on from the last checkpoint. `workbench score --lm FOLDER` takes the model: the
    score unseen_perplexity is of the rest only, and lm_trained_on marks the documents that it was trained on.

    Example: workbench train-lm corpus/ --out lm --shape 10M --tokens 100000000
    """
    from workbench.engine.prepare import quarantine_file
    from workbench.engine.train import train_lm as train

    shown = progress_shown(as_json=as_json)
    bar = LossTerminal() if isinstance(shown, Terminal) else None
    with stoppable(bar or shown) as progress:
        record = train(
            reading.corpus([corpus]),
            out,
            what.params(),
            hardware=where.hardware(),
            progress=progress,
            on_step=bar.on_step if bar else None,
        )
    if as_json:
        print_json({**_summary(record), "out": str(out)})
    else:
        print_table(
            ("", "value"),
            {
                name: (value,)
                for name, value in _summary(record).items()
                if name not in ("warnings", "is_new")
            },
        )
        typer.echo(f"{'written to' if record['is_new'] else 'nothing to do: it is finished in'} {out}")
    for warning in record["warnings"]:
        typer.echo(f"warning: {warning}", err=True)
    end(record["n_quarantined"], quarantine_file(out))


def _summary(record: dict[str, Any]) -> dict[str, Any]:
    heldout = record["heldout"][-1][1] if record["heldout"] else None
    names = ("n_parameters", "n_vocabulary", "n_documents", "n_reference_documents", "n_quarantined")
    return {
        **{name: record[name] for name in names},
        "n_steps": record["fit"]["n_steps"],
        "n_tokens_seen": record["n_tokens_seen"],
        "epochs": record["epochs"],
        "loss": record["losses"][-1],
        "heldout_loss": heldout,
        "seconds": record["seconds"],
        "device": record["setting"]["device"],
        "warnings": record["warnings"],
        "is_new": record["is_new"],
    }


class LossTerminal(Terminal):
    """A bar that also shows the losses and the speed of a training."""

    def __init__(self) -> None:
        super().__init__()
        self._heldout = ""

    def on_step(self, record: StepRecord) -> None:
        """Show a step; the held-out loss stays until there is a new one."""
        if record.heldout is not None:
            self._heldout = f", held out {record.heldout:.3f}"
        text = f"loss {record.loss:.3f}{self._heldout}, {record.tokens_per_second:,.0f} tokens/s"
        self._bar.update(self._tasks[-1], description=text)


class Stoppable:
    """A progress that ends the work at its next safe point once it was asked to."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self.is_stopped = False

    def start(self, what: str, total: int) -> None:
        self._progress.start(what, total)

    def advance(self, n: int) -> None:
        self._progress.advance(n)
        if self.is_stopped:
            raise Cancelled("stopped; what is finished is kept, run the same command to go on")

    def finish(self) -> None:
        self._progress.finish()


@contextmanager
def stoppable(progress: Progress) -> Iterator[Stoppable]:
    """Let the first interrupt (Ctrl-C) end the work at its next safe point; a second one ends it at once."""
    inner = Stoppable(progress)
    before = signal.getsignal(signal.SIGINT)

    def stop(number: int, frame: object) -> None:
        inner.is_stopped = True
        signal.signal(signal.SIGINT, before)

    signal.signal(signal.SIGINT, stop)
    try:
        yield inner
    finally:
        signal.signal(signal.SIGINT, before)
