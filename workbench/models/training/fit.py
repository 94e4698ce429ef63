"""The training loop: next-token prediction over batches of rows, with checkpoints and a held-out loss."""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Callable, Mapping
from typing import Any

from workbench.checks import IntArray
from workbench.errors import Cancelled, ModelError
from workbench.models.runtime import device_errors, reason, torch_dtype
from workbench.models.training.checkpoints import Checkpoints, Saved
from workbench.models.training.schedule import Curve, FitParams, OnStep, StepRecord, learning_rate
from workbench.progress import Progress, shown

_MOMENTS = ("step", "exp_avg", "exp_avg_sq")


class Fit:
    """One training of one model.

    Parameters
    ----------
    model
        A transformers causal LM, trained in place on `params.device`.
    rows
        The batch of a step, int64 (batch_rows, context + 1); a row's last token is only a target.
    heldout
        Rows to look at without training on them; None or empty for none.
    checkpoints
        Where to go on from and to write to; None for nowhere.
    setting
        What else must be the same for a run to go on, as JSON.
    """

    def __init__(
        self,
        model: Any,
        params: FitParams,
        rows: Callable[[int], IntArray],
        heldout: IntArray | None = None,
        checkpoints: Checkpoints | None = None,
        setting: Mapping[str, Any] | None = None,
    ) -> None:
        self._model, self._params, self._rows = model.to(params.device), params, rows
        self._heldout = heldout if heldout is not None and len(heldout) else None
        self._checkpoints, self._setting = checkpoints, dict(setting or {})
        self._optimizer = self._make_optimizer()
        self._micro = params.micro_rows
        self._forward = model
        self.curve = Curve()
        self.is_compiled = False

    def run(self, progress: Progress, on_step: OnStep | None = None) -> Curve:
        """Train to the end, from the last checkpoint on if there is one.

        Raises
        ------
        Cancelled
            If `progress` or `on_step` says so; a checkpoint is written first.
        ModelError
            If the loss is no number (the weights before that step are kept as a checkpoint), the device fails, or the
            training began under another setting.
        StoreError
            If a checkpoint was changed or can't be written.
        """
        n_steps, session = self._params.n_steps, 0.0
        start = self._restore()
        self._compile()
        self._model.train()
        with shown(progress, "training", n_steps):
            progress.advance(start)
            for step in range(start, n_steps):
                rate = learning_rate(step, self._params)
                began = time.perf_counter()
                n, heldout = self._advance(step, rate)
                spent = time.perf_counter() - began
                self.curve.seconds += spent
                session += spent
                loss, speed = self.curve.losses[-1], (step + 1 - start) * n / max(session, 1e-9)
                try:
                    progress.advance(1)
                    if on_step is not None:
                        on_step(StepRecord(step + 1, n_steps, loss, heldout, rate, (step + 1) * n, speed))
                except Cancelled:
                    self._save(step + 1)
                    raise
                if self._is_due(self._params.checkpoint_every, step + 1):
                    self._save(step + 1)
        return self.curve

    def _advance(self, step: int, rate: float) -> tuple[int, float | None]:
        """One step, kept in the curve: how many targets it had, and the held-out loss where it is due."""
        rows = self._rows(step)
        try:
            self.curve.losses.append(round(self._step(rows, rate, step), 4))
            return rows.shape[0] * (rows.shape[1] - 1), self._evaluate(step + 1)
        except device_errors() as error:
            raise ModelError(
                f"the {self._params.device} failed at step {step + 1} ({reason(error)}); run again to go on from the "
                "last checkpoint"
            ) from error

    def _is_due(self, every: int | None, done: int) -> bool:
        return every is not None and (done % every == 0 or done == self._params.n_steps)

    def _make_optimizer(self) -> Any:
        import torch

        params = list(self._model.parameters())
        groups = [
            {"params": [p for p in params if p.ndim >= 2], "weight_decay": self._params.weight_decay},
            {"params": [p for p in params if p.ndim < 2], "weight_decay": 0.0},
        ]
        fused = {"fused": True} if self._params.device == "cuda" else {}
        return torch.optim.AdamW(groups, lr=self._params.learning_rate, betas=(0.9, 0.95), **fused)

    def _compile(self) -> None:
        """Try torch.compile on rows of zeros; where it doesn't work (no compiler, say) the model runs as it is."""
        import torch

        if not self._params.is_compiled:
            return
        batch = self._rows(0)
        rows = torch.zeros((self._micro or len(batch), batch.shape[1]), dtype=torch.int64)
        try:
            self._forward = torch.compile(self._model, dynamic=False)
            self._loss(self._forward, rows).backward()
            self.is_compiled = True
        except Exception:
            self._forward = self._model
        self._optimizer.zero_grad()

    def _loss(self, model: Any, rows: Any, reduction: str = "mean") -> Any:
        import torch

        rows = rows.to(self._params.device)
        half = self._params.dtype == "bfloat16"
        lower = (
            torch.autocast(self._params.device, torch_dtype("bfloat16")) if half else contextlib.nullcontext()
        )
        with lower:
            logits = model(input_ids=rows[:, :-1], use_cache=False).logits
        return torch.nn.functional.cross_entropy(
            logits.float().flatten(0, 1), rows[:, 1:].flatten(), reduction=reduction
        )

    def _step(self, batch: IntArray, rate: float, step: int) -> float:
        """One update; the batch's loss before it."""
        import torch

        loss = self._gradients(torch.from_numpy(batch))
        norm = float(torch.nn.utils.clip_grad_norm_(self._model.parameters(), 1.0))
        if not (math.isfinite(loss) and math.isfinite(norm)):
            self._optimizer.zero_grad()
            self._save(step)
            raise ModelError(
                f"the {'gradient' if math.isfinite(loss) else 'loss'} is no number at step {step + 1}; the weights "
                "before it are kept as a checkpoint; train anew into another folder with a smaller learning rate"
            )
        for group in self._optimizer.param_groups:
            group["lr"] = rate
        self._optimizer.step()
        self._optimizer.zero_grad()
        return loss

    def _gradients(self, rows: Any) -> float:
        """Add up the gradients of a batch, in smaller parts where the GPU's memory doesn't suffice."""
        import torch

        while True:
            micro = min(self._micro or len(rows), len(rows))
            try:
                total = 0.0
                for part in rows.split(micro):
                    loss = self._loss(self._forward, part) * (len(part) / len(rows))
                    loss.backward()
                    total += loss.item()
                return total
            except torch.OutOfMemoryError:
                self._optimizer.zero_grad()
                if micro == 1:
                    raise ModelError(
                        f"the {self._params.device} has too little memory for one row of {rows.shape[1] - 1} tokens; "
                        "choose a smaller shape, vocabulary or context"
                    ) from None
                self._micro = micro // 2

    def _evaluate(self, done: int) -> float | None:
        """The held-out loss where it is due."""
        import torch

        if self._heldout is None or not self._is_due(self._params.evaluate_every, done):
            return None
        self._model.eval()
        rows: Any = torch.from_numpy(self._heldout)
        total = 0.0
        with torch.no_grad():
            for part in rows.split(self._micro or len(rows)):
                total += self._loss(self._model, part, "sum").item()
        self._model.train()
        loss = round(total / int(rows[:, 1:].numel()), 4)
        self.curve.heldout.append((done, loss))
        return loss

    def _save(self, done: int) -> None:
        import torch

        if self._checkpoints is None:
            return
        moments = {
            f"{name}.{key}": value.contiguous()
            for name, parameter in self._model.named_parameters()
            for key, value in self._optimizer.state.get(parameter, {}).items()
        }
        moments["rng.cpu"] = torch.get_rng_state()
        if self._params.device == "cuda":
            moments["rng.cuda"] = torch.cuda.get_rng_state()
        state = {**vars(self.curve), "setting": self._setting}
        weights = {
            name: parameter.detach().contiguous() for name, parameter in self._model.named_parameters()
        }
        self._checkpoints.save(Saved(done, weights, moments, state))

    def _restore(self) -> int:
        """Go back to the last checkpoint; the number of steps done."""
        import torch

        saved = self._checkpoints.latest() if self._checkpoints is not None else None
        if saved is None:
            return 0
        for name, here in self._setting.items():
            there = saved.state["setting"].get(name)
            if there != here:
                raise ModelError(
                    f"this training began with {name}={there}, and here it is {here}; go on where it began, or "
                    "train anew into another folder"
                )
        with torch.no_grad():
            for name, parameter in self._model.named_parameters():
                parameter.copy_(saved.model[name])
                if f"{name}.step" in saved.optimizer:
                    # torch keeps the count of steps where the parameter is only with `fused`, which goes with CUDA here
                    self._optimizer.state[parameter] = {
                        key: saved.optimizer[f"{name}.{key}"].to(parameter.device) for key in _MOMENTS
                    }
        torch.set_rng_state(saved.optimizer["rng.cpu"])
        if "rng.cuda" in saved.optimizer and self._params.device == "cuda":
            torch.cuda.set_rng_state(saved.optimizer["rng.cuda"])
        heldout = [(int(step), float(loss)) for step, loss in saved.state["heldout"]]
        self.curve = Curve(list(saved.state["losses"]), heldout, float(saved.state["seconds"]))
        return saved.step
