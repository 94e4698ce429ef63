from __future__ import annotations

import os

import pytest

from workbench.engine.local import gpus, take_gpu


def test_each_worker_has_a_gpu_of_its_own_until_there_are_more_workers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3, 5,GPU-8a")
    found = gpus()
    assert found == ["3", "5", "GPU-8a"]

    taken = []
    for number in range(5):
        take_gpu(number, found)
        taken.append(os.environ["CUDA_VISIBLE_DEVICES"])
    assert taken == ["3", "5", "GPU-8a", "3", "5"]


def test_without_gpus_nothing_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert gpus() == []
    take_gpu(0, [])

    assert os.environ["CUDA_VISIBLE_DEVICES"] == ""
