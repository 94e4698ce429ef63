"""Which items of an evaluation set to keep, from a table of what systems make of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import polars as pl

from workbench.checks import BoolArray, FloatArray, IntArray
from workbench.errors import InputError

Method = Literal["variance", "difficulty", "consistency", "diffdisc", "information", "smart"]
NEIGHBOURS = 100
"""Of each item, as SMART's paper has it."""


@dataclass(frozen=True)
class Chosen:
    """What was decided about n items.

    Attributes
    ----------
    keep
        bool (n,).
    utility
        float64 (n,), higher kept first; NaN everywhere for SMART, which ranks nothing.
    reason
        Of each item that is dropped why, "" of the others.
    """

    keep: BoolArray
    utility: FloatArray
    reason: list[str]


def choose_items(
    items: pl.DataFrame,
    systems: Sequence[str],
    method: Method,
    n_items: int | None = None,
    *,
    near: tuple[IntArray, FloatArray] | None = None,
) -> Chosen:
    """Keep the items of an evaluation set that tell most about systems, or drop what it can do without.

    Parameters
    ----------
    items
        With `doc_id` and `text`, and for each system NAME a column of its scores, higher better; for "smart"
        NAME_correct (true or 1 where it is right) and NAME_probability (what it gives to the right answer, 0..1), and
        if the systems were also asked without the question NAME_blind_correct and NAME_blind_probability.
    systems
        Their names.
    method
        "variance", "difficulty", "consistency": of the scores (Zouhar et al. 2025, arXiv:2501.18251). "diffdisc",
        "information": of an item response model that is fitted to them; scores lie in 0..1 then. "smart": SMART
        filtering (Gupta et al. 2024, arXiv:2410.20245).
    n_items
        Items to keep; not for "smart", which finds their number.
    near
        For "smart": neighbours and cosine distances as `similarity_threshold` takes them; None: no item counts as like
        another.

    Raises
    ------
    InputError
        If a column isn't there or holds no numbers, or a number is out of range.
    """
    from workbench.stats.item_utility import top_items

    if not systems:
        raise InputError("no system is named; give the columns that hold their scores")
    ids = items["doc_id"].to_list()
    if method == "smart":
        if n_items is not None:
            raise InputError("smart finds the number of items itself; leave n_items out")
        return _smart(items, systems, ids, near)
    if n_items is None:
        raise InputError(f"{method} ranks items; say by n_items how many to keep")
    utility = _utility(_numbers(items, systems), method)
    keep = top_items(utility, ids, n_items)
    rank = np.empty(len(ids), dtype=np.int64)
    rank[np.lexsort((np.array(ids, dtype=object), -utility))] = np.arange(len(ids))
    told = [
        ""
        if kept
        else f"{method} {value:.6g} has rank {place + 1:,} of {len(ids):,}, the first {n_items:,} are kept"
        for kept, value, place in zip(keep.tolist(), utility.tolist(), rank.tolist(), strict=True)
    ]
    return Chosen(keep, utility, told)


def _utility(scores: FloatArray, method: Method) -> FloatArray:
    from workbench.stats import item_utility
    from workbench.stats.item_response import fit_item_response

    if method == "variance":
        return item_utility.metric_variance(scores)
    if method == "difficulty":
        return item_utility.metric_difficulty(scores)
    if method == "consistency":
        return item_utility.metric_consistency(scores)
    fitted = fit_item_response(scores)
    if method == "diffdisc":
        return item_utility.difficult_and_discriminating(fitted.difficulty, fitted.discrimination)
    return item_utility.fisher_information(fitted.ability, fitted.difficulty, fitted.discrimination)


def _smart(
    items: pl.DataFrame, systems: Sequence[str], ids: list[str], near: tuple[IntArray, FloatArray] | None
) -> Chosen:
    from workbench.stats.smart import smart_filter

    def answers(what: str) -> tuple[BoolArray, FloatArray]:
        correct = _numbers(items, [f"{name}{what}_correct" for name in systems]).T
        if not np.isin(correct, (0, 1)).all():
            raise InputError(
                f"columns of {what.strip('_') or 'right'} answers must hold true and false, or 1 and 0"
            )
        return correct == 1, _numbers(items, [f"{name}{what}_probability" for name in systems]).T

    asked_blind = any(f"{name}_blind_correct" in items.columns for name in systems)
    found = smart_filter(
        ids,
        items["text"].to_list(),
        *answers(""),
        blind=answers("_blind") if asked_blind else None,
        near=near,
    )
    return Chosen(found.keep, np.full(len(ids), np.nan), found.reason.tolist())


def _numbers(items: pl.DataFrame, names: Sequence[str]) -> FloatArray:
    """Columns of numbers as float64 (n, columns)."""
    for name in names:
        if name not in items.columns:
            raise InputError(f"the items have no column {name!r}; they have {', '.join(items.columns)}")
        kind = items.schema[name]
        if not (kind.is_numeric() or kind == pl.Boolean) or items[name].null_count():
            raise InputError(
                f"column {name!r} must hold a number for each item, got {kind} with {items[name].null_count()} missing"
            )
    return items.select(pl.col(list(names)).cast(pl.Float64)).to_numpy()
