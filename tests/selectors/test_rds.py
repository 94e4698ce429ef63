"""RDS+: the published round robin (Ivison et al. 2025)."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from workbench.checks import strings
from workbench.errors import InputError
from workbench.models.geometry.rows import unit_rows
from workbench.selectors import rds
from workbench.selectors.base import DESIGN_WEIGHT, Selection
from workbench.selectors.rds import SPEC, RdsParams, first_turn


def run(
    x: np.ndarray,
    target: np.ndarray,
    task: list[int] | None = None,
    ids: list[str] | None = None,
    **params: Any,
) -> Selection:
    n = len(x)
    columns = {
        "doc_id": strings(ids or [f"d{i:04d}" for i in range(n)]),
        "embedding": x.astype(np.float32),
        "target_similarity": np.zeros(n, dtype=np.float32),
        "n_tokens": np.arange(1, n + 1, dtype=np.float32),
        DESIGN_WEIGHT: np.ones(n),
    }
    state = {"target": unit_rows(target), "task": np.array(task or [0] * len(target))}
    return SPEC.run(columns, RdsParams(**params), state, 0)


def published(rankings: list[list[int]], m: int) -> list[int]:
    """get_top_influences.py: pop from each ranking in turn; one that is there already uses the turn."""
    left, kept = [list(ranking) for ranking in rankings], []
    while len(kept) < m:
        for ranking in left:
            item = ranking.pop(0)
            if item not in kept and len(kept) < m:
                kept.append(item)
    return kept


def ranks(rankings: list[list[int]]) -> np.ndarray:
    return np.argsort(np.array(rankings), axis=1)


def test_a_duplicate_uses_the_turn() -> None:
    rankings = [[0, 1, 2, 3, 4], [0, 4, 3, 2, 1]]
    order = np.argsort(first_turn(ranks(rankings)))
    assert order[:2].tolist() == [0, 1]  # "don't lose the turn" would be [0, 4]
    assert order.tolist() == published(rankings, 5) == [0, 1, 4, 2, 3]


@pytest.mark.parametrize("n_queries", [1, 2, 5, 13])
def test_the_order_is_that_of_popping_one_after_the_other(n_queries: int) -> None:
    rng = np.random.default_rng(n_queries)
    rankings = [rng.permutation(20).tolist() for _ in range(n_queries)]
    order = np.argsort(first_turn(ranks(rankings)))
    for m in (0, 1, 7, 20):
        assert order[:m].tolist() == published(rankings, m)


@pytest.mark.parametrize("tasks", ["one", "source"])
@pytest.mark.parametrize("block", [2**26, 700])
def test_texts_take_turns_or_tasks_do(tasks: str, block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rds, "_BLOCK_BYTES", block)
    rng = np.random.default_rng(3)
    x, target, task = rng.normal(size=(40, 6)), rng.normal(size=(7, 6)), [1, 0, 2, 2, 0, 2, 1]
    cosine = unit_rows(target).astype(np.float64) @ unit_rows(x).T
    groups = [[i] for i in range(7)] if tasks == "one" else [[1, 4], [0, 6], [2, 3, 5]]
    rankings = [np.argsort(-cosine[group].max(axis=0)).tolist() for group in groups]
    for fraction in (0.0, 0.25, 0.5, 1.0):
        kept = np.flatnonzero(run(x, target, task, tasks=tasks, keep_fraction=fraction).keep)
        assert set(kept) == set(published(rankings, int(40 * fraction)))
        assert len(kept) == 40 * fraction


def test_one_target_text_keeps_the_nearest_and_scale_does_not_matter() -> None:
    rng = np.random.default_rng(4)
    x, target = rng.normal(size=(30, 5)), rng.normal(size=(1, 5))
    cosine = (x @ target[0]) / np.linalg.norm(x, axis=1)
    kept = run(x, target, keep_fraction=0.2).keep
    assert set(np.flatnonzero(kept)) == set(np.argsort(-cosine)[:6])
    assert (run(3 * x, target, keep_fraction=0.2).keep == kept).all()


def test_one_task_of_many_texts_is_not_one_ranking_by_the_largest_similarity() -> None:
    # Two documents near the first text, one less near the second: each text has a turn.
    x, target = np.array([[1, 0.0], [1, 0.01], [0.5, 1]]), np.array([[1, 0.0], [0, 1]])
    assert run(x, target, keep_fraction=2 / 3).keep.tolist() == [True, False, True]
    # As two tasks it is the same here, for each has one text; as one text of each of two more it is not.
    assert run(x, target, [0, 1], keep_fraction=2 / 3).keep.tolist() == [True, False, True]


def test_copies_go_by_id_and_all_of_them_before_what_is_farther() -> None:
    x = np.tile([[1.0, 0.3]], (9, 1))
    x[4] = [0.0, 1.0]
    ids = [f"x{i}" for i in (5, 3, 8, 1, 9, 2, 7, 6, 4)]
    kept = run(x, np.array([[1.0, 0.0]]), ids=ids, keep_fraction=3 / 9).keep
    assert sorted(np.array(ids)[kept]) == ["x1", "x2", "x3"]
    assert not run(x, np.array([[1.0, 0.0]]), ids=ids, keep_fraction=8 / 9).keep[4]


def test_a_budget_of_tokens_is_never_exceeded() -> None:
    rng = np.random.default_rng(5)
    keep = run(rng.normal(size=(25, 4)), rng.normal(size=(3, 4)), keep_fraction=0.4, unit="tokens").keep
    tokens = np.arange(1, 26)
    assert 0.3 * tokens.sum() < tokens[keep].sum() <= 0.4 * tokens.sum()


def test_a_reason_names_the_turn_and_the_similarity() -> None:
    x = np.array([[1.0, 0.0], [0.0, 1.0]])
    assert run(x, x[:1], keep_fraction=0.5).explain(1) == (
        "the target's texts come to it as number 2 of 2, the first 1 are kept; its largest similarity to one of them "
        "is 0"
    )


def test_bad_params_are_refused() -> None:
    with pytest.raises(InputError, match=r"keep_fraction must lie in 0\.\.1"):
        run(np.ones((2, 2)), np.ones((1, 2)), keep_fraction=1.5)
    with pytest.raises(InputError, match="tasks must be source or one, got 'many'"):
        run(np.ones((2, 2)), np.ones((1, 2)), tasks="many")
