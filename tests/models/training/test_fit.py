from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from workbench.errors import Cancelled, ModelError, StoreError
from workbench.models.training.checkpoints import Checkpoints, Saved
from workbench.models.training.fit import Fit
from workbench.models.training.schedule import FitParams, StepRecord, learning_rate
from workbench.models.training.shapes import Shape, make_llama
from workbench.progress import Silent

TINY = Shape("tiny", 16, 1, 2, 24, 64, 1e-2)
PARAMS = FitParams(n_steps=9, learning_rate=1e-2, evaluate_every=4, checkpoint_every=3)
HELDOUT = np.random.default_rng(9).integers(0, 30, (3, 13))


def rows(step: int) -> Any:
    return np.random.default_rng(step).integers(0, 30, (4, 13))


def make(params: FitParams = PARAMS, folder: Path | None = None, source: Any = rows, **setting: Any) -> Fit:
    torch.manual_seed(0)
    model = make_llama(TINY, 30, 12, 0)
    return Fit(model, params, source, HELDOUT, Checkpoints(folder) if folder else None, setting)


class Stop(Silent):
    def __init__(self, after: int) -> None:
        self.left = after

    def advance(self, n: int) -> None:
        self.left -= n
        if n and not self.left:
            raise Cancelled("stopped")


def weights(fit: Fit) -> dict[str, Any]:
    return {name: p.detach().clone() for name, p in fit._model.named_parameters()}


@pytest.mark.parametrize("k", [1, 3, 4, 9])
def test_a_stopped_training_goes_on_to_the_same_losses_and_weights(k: int, tmp_path: Path) -> None:
    whole = make()
    curve = whole.run(Silent())
    with pytest.raises(Cancelled):
        make(folder=tmp_path).run(Stop(k))
    again = make(folder=tmp_path)
    with torch.random.fork_rng():  # another process begins with random numbers of its own
        torch.manual_seed(12345)
        resumed = again.run(Silent())
    assert (resumed.losses, resumed.heldout) == (curve.losses, curve.heldout)
    for name, tensor in weights(whole).items():
        assert torch.equal(weights(again)[name], tensor), name
    assert [step for step, _ in curve.heldout] == [4, 8, 9]


def test_the_losses_are_those_of_a_plain_loop() -> None:
    torch.manual_seed(0)
    model = make_llama(TINY, 30, 12, 0)
    decayed = [p for p in model.parameters() if p.ndim > 1]
    rest = [p for p in model.parameters() if p.ndim == 1]
    optimizer = torch.optim.AdamW(
        [{"params": decayed}, {"params": rest, "weight_decay": 0.0}], betas=(0.9, 0.95), weight_decay=0.1
    )
    losses = []
    for step in range(9):
        batch = torch.from_numpy(rows(step))
        # transformers' own loss, which shifts the labels itself
        loss = model(input_ids=batch, labels=batch).loss
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for group in optimizer.param_groups:  # one step of warmup, then half a cosine to a tenth
            group["lr"] = 1e-2 * (1.0 if step == 0 else 0.55 + 0.45 * np.cos(np.pi * (step - 1) / 8))
        optimizer.step()
        losses.append(loss.item())
    np.testing.assert_allclose(make().run(Silent()).losses, losses, atol=1e-4)


def test_parts_of_a_batch_give_the_gradients_of_the_whole() -> None:
    whole = make().run(Silent()).losses
    for micro in (1, 2):
        parts = make(dataclasses.replace(PARAMS, micro_rows=micro)).run(Silent()).losses
        np.testing.assert_allclose(parts, whole, atol=2e-4)


def test_the_heldout_loss_is_the_mean_over_all_its_targets() -> None:
    fit = make()
    curve = fit.run(Silent())
    with torch.no_grad():
        log = torch.log_softmax(fit._model(torch.from_numpy(HELDOUT[:, :-1])).logits.double(), -1)
    expected = -log.gather(-1, torch.from_numpy(HELDOUT[:, 1:, None])).mean().item()
    assert curve.heldout[-1] == (9, pytest.approx(expected, abs=1e-4))


def test_each_step_is_told() -> None:
    told: list[StepRecord] = []
    curve = make().run(Silent(), told.append)
    assert [r.step for r in told] == list(range(1, 10))
    assert [r.loss for r in told] == curve.losses
    assert {r.step: r.heldout for r in told if r.heldout is not None} == dict(curve.heldout)
    assert told[-1].n_tokens == 9 * 4 * 12
    assert all(r.tokens_per_second > 0 for r in told)


def test_bfloat16_is_near_float32() -> None:
    exact, lower = make().run(Silent()), make(dataclasses.replace(PARAMS, dtype="bfloat16")).run(Silent())
    np.testing.assert_allclose(lower.losses, exact.losses, atol=0.05)
    assert lower.losses != exact.losses


def test_where_compiling_fails_the_model_runs_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: object, **options: object) -> None:
        raise RuntimeError("no compiler")

    monkeypatch.setattr(torch, "compile", fail)
    fit = make(dataclasses.replace(PARAMS, is_compiled=True))
    assert fit.run(Silent()).losses == make().run(Silent()).losses
    assert not fit.is_compiled


@pytest.mark.parametrize("what", ["loss", "gradient"])
def test_what_is_no_number_stops_with_the_last_good_weights(
    what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(Cancelled):
        make(folder=tmp_path / "good").run(Stop(5))
    fit, real = make(folder=tmp_path / "bad"), Fit._gradients

    def poisoned(self: Fit, batch: Any) -> float:
        loss = real(self, batch)
        if len(self.curve.losses) == 5:
            next(self._model.parameters()).grad[0] = float("nan")
            return float("nan") if what == "loss" else loss
        return loss

    monkeypatch.setattr(Fit, "_gradients", poisoned)
    with pytest.raises(
        ModelError, match=rf"the {what} is no number at step 6; the weights before it are kept"
    ):
        fit.run(Silent())
    good, bad = (Checkpoints(tmp_path / name).latest() for name in ("good", "bad"))
    assert good is not None
    assert bad is not None
    assert (bad.step, bad.state["losses"]) == (5, good.state["losses"])
    assert all(torch.equal(tensor, bad.model[name]) for name, tensor in good.model.items())


def test_too_little_memory_takes_smaller_parts_and_then_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    whole, fit = make().run(Silent()), make()
    real = Fit._loss

    def limited(self: Fit, model: Any, part: Any, reduction: str = "mean") -> Any:
        if len(part) > limit:
            raise torch.OutOfMemoryError
        return real(self, model, part, reduction)

    monkeypatch.setattr(Fit, "_loss", limited)
    limit = 1
    np.testing.assert_allclose(fit.run(Silent()).losses, whole.losses, atol=2e-4)
    limit = 0
    with pytest.raises(ModelError, match="the cpu has too little memory for one row of 12 tokens"):
        make().run(Silent())


def test_a_device_that_fails_is_a_sentence_and_what_was_done_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, calls = Fit._loss, []

    def failing(self: Fit, *args: Any) -> Any:
        calls.append(args)
        if len(args) == 2 and len([c for c in calls if len(c) == 2]) == 5:
            raise torch.AcceleratorError("CUDA error: device lost\nmore")
        return real(self, *args)

    monkeypatch.setattr(Fit, "_loss", failing)
    with pytest.raises(
        ModelError, match=r"the cpu failed at step 5 \(AcceleratorError: CUDA error: device lost\); run"
    ):
        make(folder=tmp_path).run(Silent())
    assert Checkpoints(tmp_path).latest().step == 3  # type: ignore[union-attr]


def test_another_setting_may_not_go_on(tmp_path: Path) -> None:
    with pytest.raises(Cancelled):
        make(folder=tmp_path, device="cuda").run(Stop(2))
    with pytest.raises(
        ModelError, match="this training began with device=cuda, and here it is cpu; go on where"
    ):
        make(folder=tmp_path, device="cpu").run(Silent())


@pytest.mark.parametrize("schedule", ["cosine", "wsd"])
def test_the_rate_rises_and_falls_to_a_tenth(schedule: Any) -> None:
    params = FitParams(n_steps=200, learning_rate=2.0, warmup_fraction=0.1, schedule=schedule)
    rates = [learning_rate(step, params) for step in range(200)]
    assert rates[0] == pytest.approx(0.1)
    assert rates[19] == max(rates) == 2.0
    assert 0.2 <= rates[-1] < 0.25
    assert (np.diff(rates[19:]) <= 1e-12).all()
    if schedule == "wsd":
        assert rates[160] == 2.0
        assert rates[180] == pytest.approx(2.0 * 0.55)


# ---- checkpoints ---------------------------------------------------------------------------------------------------


def saved(step: int) -> Saved:
    return Saved(
        step, {"w": torch.full((2, 3), float(step))}, {"m": torch.zeros(1)}, {"losses": [1.5] * step}
    )


def test_the_last_two_are_kept_and_what_was_cut_short_is_not_seen(tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path)
    assert checkpoints.latest() is None
    for step in (2, 4, 10):
        checkpoints.save(saved(step))
    assert sorted(p.name for p in tmp_path.iterdir()) == ["step-00000004", "step-00000010"]
    (tmp_path / "step-00000012").mkdir()
    (tmp_path / "step-00000012" / "model.safetensors").touch()
    found = Checkpoints(tmp_path).latest()
    assert found is not None
    assert (found.step, found.state["losses"]) == (10, [1.5] * 10)
    assert found.model["w"].tolist() == [[10.0] * 3] * 2
    assert not (tmp_path / "step-00000012").exists()


@pytest.mark.parametrize("name", ["model.safetensors", "optimizer.safetensors", "state.json"])
@pytest.mark.parametrize("place", [0, 20, -2])
def test_a_changed_byte_is_refused(name: str, place: int, tmp_path: Path) -> None:
    Checkpoints(tmp_path).save(saved(1))
    Checkpoints(tmp_path).save(saved(2))
    path = tmp_path / "step-00000002" / name
    raw = bytearray(path.read_bytes())
    raw[place] ^= 1
    path.write_bytes(raw)
    with pytest.raises(
        StoreError, match=rf"step-00000002 was changed: {name} differs from its digest; remove that"
    ):
        Checkpoints(tmp_path).latest()
    for file in path.parent.iterdir():
        file.unlink()
    assert Checkpoints(tmp_path).latest().step == 1  # type: ignore[union-attr]


def test_a_full_disk_keeps_the_checkpoint_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import safetensors.torch

    checkpoints = Checkpoints(tmp_path)
    checkpoints.save(saved(1))

    def full(*args: object) -> None:
        raise safetensors.SafetensorError("No space left on device (os error 28)")

    monkeypatch.setattr(safetensors.torch, "save_file", full)
    with pytest.raises(
        StoreError, match=r"model.safetensors can't be written in .*No space left.*; free space"
    ):
        checkpoints.save(saved(2))
    assert checkpoints.latest().step == 1  # type: ignore[union-attr]
