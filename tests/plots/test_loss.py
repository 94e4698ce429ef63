from __future__ import annotations

import json

import numpy as np
import pytest

from workbench.plots.loss import loss_chart, loss_curve


@pytest.mark.parametrize("n", [0, 1, 7, 299, 300, 301, 5000])
def test_every_step_is_in_one_point(n: int) -> None:
    losses = np.random.default_rng(n).random(n).tolist()
    points = loss_curve(losses).points
    assert len(points) == min(n, 300)
    starts = [0, *(point.step for point in points)]
    sizes = np.diff(starts)
    assert sizes.sum() == n
    assert not len(sizes) or sizes.max() - sizes.min() <= 1
    for start, point in zip(starts, points, strict=False):
        part = losses[start : point.step]
        assert (point.mean, point.low, point.high) == (pytest.approx(np.mean(part)), min(part), max(part))


def test_a_chart_of_a_training_holds_few_points_and_both_curves() -> None:
    training = {"losses": np.linspace(8, 3, 20_000).tolist(), "heldout": [[10_000, 5.5], [20_000, 3.5]]}
    spec = loss_chart(training).to_dict()
    assert len(json.dumps(spec)) < 60_000
    rows = spec["layer"][0].get("data", spec.get("data"))["values"]
    assert [r["mean"] for r in rows if r["what"] == "held out"] == [5.5, 3.5]
    # a training.json of before held-out losses were kept
    assert loss_chart({"losses": [3.0, 2.0]}).to_dict()
