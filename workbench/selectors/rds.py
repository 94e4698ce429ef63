"""RDS+: the target texts choose in turn, each the document that is nearest to it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

from workbench.checks import FloatArray, IntArray
from workbench.errors import InputError
from workbench.selectors.base import Columns, Selection, SelectorSpec, State
from workbench.selectors.budget import Unit, budget_needs, end_of_cut, keep_first, rank_of

_BLOCK_BYTES = 2**26


@dataclass(frozen=True)
class RdsParams:
    """Parameters of `select_rds`.

    Attributes
    ----------
    keep_fraction
        In 0..1.
    tasks
        "source": the target's sources are tasks, and where there are several the tasks take turns, each by the largest
        similarity to one of its texts. "one": all target texts are of one task, and the texts take turns.
    unit
        "documents" (the paper) or "tokens".
    """

    keep_fraction: float = 0.1
    tasks: Literal["source", "one"] = "source"
    unit: Unit = "documents"


def first_turn(ranks: IntArray) -> IntArray:
    """When a round robin over rankings comes to each document, int64 (n,).

    Parameters
    ----------
    ranks
        The place of each document in each ranking, 0 first, int64 (q, n).

    Notes
    -----
    In turn t ranking t % q gives its next document, and a document that came before uses up the turn. So a document
    comes when the first of its places comes.

    Examples
    --------
    >>> first_turn(np.array([[0, 1, 2, 3, 4], [0, 4, 3, 2, 1]])).tolist()
    [0, 2, 4, 5, 3]
    """
    return np.asarray((ranks * len(ranks) + np.arange(len(ranks))[:, None]).min(axis=0))


def scan_rds(columns: Columns, params: RdsParams, state: State, seed: int) -> Columns:
    """`rank`, int64 (n,): 0 for the document that is kept first.

    Raises
    ------
    InputError
        If `tasks` isn't one of its values.
    """
    from workbench.models.geometry.rows import unit_rows

    if params.tasks not in ("source", "one"):
        raise InputError(f"tasks must be source or one, got {params.tasks!r}")
    by_id = np.argsort(np.asarray(columns["doc_id"]), kind="stable")
    rows = unit_rows(columns["embedding"])[by_id].astype(np.float64)
    task = state["task"]
    if params.tasks == "one" or task.max() == 0:
        task = np.arange(len(task))  # each text has its turn
    n_tasks = len(np.unique(task))
    first = np.full(len(rows), np.iinfo(np.int64).max)
    for turn, similarity in enumerate(_by_task(rows, state["target"], task)):
        order = np.argsort(-similarity, kind="stable")
        first[order] = np.minimum(first[order], np.arange(len(rows)) * n_tasks + turn)
    key = np.empty(len(rows))
    key[by_id] = -first
    return {"rank": rank_of(columns, key)}


def _by_task(rows: FloatArray, target: FloatArray, task: IntArray) -> Iterator[FloatArray]:
    """Of each task in turn the largest similarity of each row to one of its texts, float32 (n,)."""
    by_task = np.argsort(task, kind="stable")
    best, current = np.zeros(0, dtype=np.float32), -1
    step = max(1, _BLOCK_BYTES // (8 * max(len(rows), 1)))
    for start in range(0, len(task), step):
        queries = by_task[start : start + step]
        # In float64 and rounded after that: so copies tie, and the order of rows makes no difference.
        products = (target[queries].astype(np.float64) @ rows.T).astype(np.float32)
        for number, product in zip(task[queries].tolist(), products, strict=True):
            if number == current:
                np.maximum(best, product, out=best)
                continue
            if current >= 0:
                yield best
            best, current = product, number
    yield best


def select_rds(columns: Columns, params: RdsParams, state: State, seed: int) -> Selection:
    """Keep the first documents of a round robin over the target texts (or tasks) until the share is reached.

    Parameters
    ----------
    columns
        `target_similarity` (n,), and `rank` as `scan_rds` gives it.

    Raises
    ------
    InputError
        If keep_fraction lies outside 0..1.

    Notes
    -----
    Ivison et al. 2025, arXiv:2503.01807, and hamishivi/automated-instruction-selection: each target text ranks all
    documents by cosine similarity; in turn each gives the next one of its ranking, and a document that another one gave
    already uses up the turn. Of equal similarities the smaller doc_id comes first (there: the smaller row).
    """
    rank, similarity = columns["rank"], columns["target_similarity"]
    keep = keep_first(columns, rank, params.keep_fraction, params.unit)
    n, ends = len(keep), end_of_cut(columns, keep, rank, params.unit)
    return Selection(
        keep,
        lambda i: (
            f"the target's texts come to it as number {rank[i] + 1:,} of {n:,}, {ends}; its "
            f"largest similarity to one of them is {similarity[i]:.4g}"
        ),
        score=-rank.astype(np.float64),
    )


SPEC = SelectorSpec(
    name="rds",
    version=1,
    title="RDS+: the target texts choose the documents nearest to them, in turn",
    paper="Ivison et al. 2025, arXiv:2503.01807",
    scope="column",
    params=RdsParams,
    needs=lambda params: ("embedding", "target_similarity", *budget_needs(params.unit)),
    reads=("embedding", "score"),
    select=select_rds,
    state_of="target_similarity",
    scan=scan_rds,
    scan_params=("tasks",),
    about="Keeps what lies near the target texts, in equal parts for each of them (or for each task), and loses all "
    "that no target text resembles. The paper selects up to 2.5 M of 5.8 M instructions for 7 tasks: ahead of costlier "
    "methods in all its settings, many of which fall below random choice at scale. Its embedder is a causal LM, "
    "`rds:MODEL`; late tokens dominate there and texts are cut, so length counts. Copies are kept all alike: remove "
    "them first.",
    cost="documents x targets",
    help={
        "keep_fraction": "share to keep, 0 to 1",
        "tasks": "source: the target's sources are tasks that take turns; one: its texts take turns",
        "unit": "what the share is of: documents or tokens",
    },
)
