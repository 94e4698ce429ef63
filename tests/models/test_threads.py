"""Work side by side: in order, not far ahead, and not at all where it would do harm."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest
import torch

from workbench.models.threads import side_by_side
from workbench.models.transformer import changes_itself


@pytest.fixture(autouse=True)
def two_threads() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


def test_results_come_in_order_from_threads_that_have_one_thread_each() -> None:
    used = set()

    def square(i: int) -> int:
        time.sleep(0.01 * (i % 3))
        used.add((threading.get_ident(), torch.get_num_threads()))
        return i * i

    with side_by_side("cpu") as each:
        assert list(each(square, range(20))) == [i * i for i in range(20)]
        assert torch.get_num_threads() == 1
    assert len(used) == 2
    assert {n for _, n in used} == {1}
    assert threading.get_ident() not in {thread for thread, _ in used}
    assert torch.get_num_threads() == 2


def test_what_is_not_asked_for_is_not_begun() -> None:
    begun = []

    def stop_at_three() -> None:
        with side_by_side("cpu") as each:
            for result in each(lambda i: begun.append(i) or i, range(1000)):
                if result == 3:
                    raise RuntimeError("enough")

    with pytest.raises(RuntimeError, match="enough"):
        stop_at_three()
    assert len(begun) <= 3 + 2 * 2 + 1
    assert torch.get_num_threads() == 2


def test_an_error_of_a_piece_is_the_callers() -> None:
    def fail(i: int) -> int:
        raise ValueError(f"piece {i}")

    with pytest.raises(ValueError, match="piece 0"), side_by_side("cpu") as each:
        list(each(fail, range(5)))


class Rotary(torch.nn.Module):
    def __init__(self, kind: str | dict[str, str]) -> None:
        super().__init__()
        self.rope_type = kind


@pytest.mark.parametrize("kind", ["dynamic", "longrope", {"full": "default", "sliding": "longrope"}])
def test_a_model_that_a_forward_pass_changes_runs_one_at_a_time(kind: str | dict[str, str]) -> None:
    model = torch.nn.Sequential(torch.nn.Linear(1, 1), Rotary(kind))
    assert changes_itself(model)
    assert not changes_itself(torch.nn.Sequential(Rotary("llama3")))
    with side_by_side("cpu", model) as each:
        assert each is map


def test_on_a_gpu_or_one_thread_it_is_a_plain_map() -> None:
    with side_by_side("cuda") as each:
        assert each is map
    torch.set_num_threads(1)
    with side_by_side("cpu") as each:
        assert each is map
