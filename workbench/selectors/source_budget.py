"""Fill a budget with floors, caps and repeats by source: the best of a mix of scores, or a soft draw by it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from workbench.checks import BoolArray, FloatArray, IntArray, check_fraction, keyed_uniform
from workbench.errors import InputError
from workbench.selectors.average import average_rank
from workbench.selectors.base import DESIGN_WEIGHT, Columns, Selection, SelectorSpec, State
from workbench.selectors.budget import Unit, gumbel, rank_of

_SLACK = 1e-9  # sums of shares are rounded


@dataclass(frozen=True)
class SourceBudgetParams:
    """Parameters of `select_source_budget`.

    Attributes
    ----------
    keep_fraction
        In 0..1, of what the steps before left, repeats included: the budget.
    unit
        "documents" or "tokens".
    scores
        The names of the scores, each once; empty: a random order.
    weights
        One number a score, none of them 0: how much it counts; below 0 where its lowest values are kept first. Empty: 1
        for each.
    draw
        "top": the best average rank first. "gumbel": a draw without replacement in proportion to exp(average rank /
        temperature).
    temperature
        Above 0, of the draw: at 0.01 it is nearly the top, at 10 nearly a random order.
    fill
        Where the rest of the budget goes after the floors. "best": to the best of all sources. "proportional": to each
        source in proportion to its size, the best of it first.
    sources
        The sources that have rules of their own, each once.
    floors
        One number in 0..1 a named source: the least share of the budget that it gets, as far as it has so much.
        Together at most 1. Empty: 0 for each.
    caps
        One number in 0..1 a named source: the largest share of the budget that it gets. Empty: 1 for each.
    repeats
        One number above 0 a named source: its documents' repeat weight. The budget counts a document as often as it is
        repeated. Empty: 1 for each.
    """

    keep_fraction: float = 0.5
    unit: Unit = "documents"
    scores: tuple[str, ...] = ()
    weights: tuple[float, ...] = ()
    draw: Literal["top", "gumbel"] = "top"
    temperature: float = 0.1
    fill: Literal["best", "proportional"] = "best"
    sources: tuple[str, ...] = ()
    floors: tuple[float, ...] = ()
    caps: tuple[float, ...] = ()
    repeats: tuple[float, ...] = ()


@dataclass(frozen=True)
class Rules:
    """Floor, cap and repeat weight of each source, each float64 (k,)."""

    floor: FloatArray
    cap: FloatArray
    repeat: FloatArray


def needs_source_budget(params: SourceBudgetParams) -> tuple[str, ...]:
    """The columns that it reads."""
    tokens = ("n_tokens",) if params.unit == "tokens" else ()
    return tuple(dict.fromkeys((*params.scores, "source", DESIGN_WEIGHT, *tokens)))


def scan_source_budget(columns: Columns, params: SourceBudgetParams, state: State, seed: int) -> Columns:
    """What no slider of a share changes, each (n,).

    Returns
    -------
    rank : int64
        0 for the document that comes first.
    code : int64
        The number of its source, from 0.
    by_source : int64
        All rows in the order of source, then rank.

    Raises
    ------
    InputError
        If a score is named twice, a weight is 0 or missing, or the temperature isn't above 0.
    """
    doc_ids = list(columns["doc_id"])
    if params.scores:
        key = average_rank(columns, params.scores, params.weights)
    else:
        key = keyed_uniform(seed, doc_ids, "source_budget")
    if params.draw == "gumbel" and params.scores:
        if not (math.isfinite(params.temperature) and params.temperature > 0):
            raise InputError(f"temperature must be above 0, got {params.temperature:g}; 0.1 is usual")
        key = key / params.temperature + gumbel(seed, doc_ids, "source_budget")
    # Sums of the same shares in another order tie, up to rounding.
    rank = rank_of(columns, np.round(key, 12))
    code = np.unique(np.asarray(columns["source"], dtype=object), return_inverse=True)[1].astype(np.int64)
    return {"rank": rank, "code": code, "by_source": np.lexsort((rank, code))}


def rules_of(params: SourceBudgetParams, names: list[str]) -> Rules:
    """The rules of some sources; one that isn't named has none.

    Raises
    ------
    InputError
        If a source is named twice, the lists don't fit it, a number is out of range, the floors make more than 1, or a
        floor is above its cap.
    """
    sources = params.sources
    if len(set(sources)) < len(sources):
        twice = next(name for name in sources if sources.count(name) > 1)
        raise InputError(f"sources names {twice!r} twice; name it once")
    given = {}
    for what, values, default in (
        ("floors", params.floors, 0.0),
        ("caps", params.caps, 1.0),
        ("repeats", params.repeats, 1.0),
    ):
        if values and len(values) != len(sources):
            raise InputError(
                f"{what} must be one a source, got {len(values)} for {len(sources)}; leave it out for none"
            )
        for value in values:
            if what != "repeats":
                check_fraction(what, value)
            elif not (math.isfinite(value) and value > 0):
                raise InputError(
                    f"repeats must be above 0, got {value:g}; to drop a source give it a cap of 0"
                )
        by_name = dict(zip(sources, values or (default,) * len(sources), strict=True))
        given[what] = by_name, default
    for name in sources:
        if given["floors"][0][name] > given["caps"][0][name]:
            raise InputError(f"the floor of {name!r} is above its cap; lower the one or raise the other")
    if (least := sum(params.floors)) > 1 + _SLACK:
        raise InputError(f"the floors make {least:g} of the budget together, at most 1 is there; lower one")
    floor, cap, repeat = (
        np.array([by_name.get(name, default) for name in names], dtype=np.float64)
        for by_name, default in given.values()
    )
    return Rules(floor, cap, repeat)


def _fill_order(
    columns: Columns, params: SourceBudgetParams, rules: Rules, amount: FloatArray, budget: float
) -> tuple[IntArray, BoolArray]:
    """The rows in the order in which they are taken, without those beyond a cap; and which are beyond, bool (n,)."""
    rank, code, by_source = columns["rank"], columns["code"], columns["by_source"]
    n, ordered = len(rank), code[by_source]
    used = np.cumsum(amount[by_source])
    size = np.bincount(code, weights=amount, minlength=len(rules.cap))
    start = np.cumsum(size) - size
    before = np.empty(n)
    before[by_source] = used - amount[by_source] - start[ordered]
    slack = _SLACK * max(budget, float(size.sum()))
    # A cap of 1 is none: the budget itself may be exceeded by half a document.
    cap = np.where(rules.cap < 1, rules.cap * budget, np.inf)
    beyond = before + amount > cap[code] + slack
    in_floor = (before + slack < rules.floor[code] * budget) & ~beyond
    if params.fill == "best":
        order = np.empty(n, dtype=np.int64)
        order[rank] = np.arange(n)
    else:
        # Webster's method: the source that is furthest behind its share is the next one to give a document.
        share = (before + amount / 2) / np.maximum(size[code], math.ulp(0.0))
        order = np.lexsort((rank, np.round(share, 12)))
    rest = order[~in_floor[order] & ~beyond[order]]
    return np.concatenate([order[in_floor[order]], rest]), beyond


def select_source_budget(columns: Columns, params: SourceBudgetParams, state: State, seed: int) -> Selection:
    """Take the floors of all sources, then the others in their order, none beyond its cap, until the budget is full.

    Parameters
    ----------
    columns
        What `needs_source_budget` names, and what `scan_source_budget` gives. A document of a sample counts as many
        times as the documents of the corpus that it stands for.

    Returns
    -------
    Selection
        Of documents, the number that is nearest to the budget. Of tokens, never more than it: the first document that
        doesn't fit ends it. Fewer where the caps leave no more. A cap is never exceeded; a floor is exceeded by less
        than a document, where the source has so much.

    Raises
    ------
    InputError
        If keep_fraction lies outside 0..1, or for the reasons that `rules_of` has.
    """
    check_fraction("keep_fraction", params.keep_fraction)
    code, rank = columns["code"], columns["rank"]
    first = np.zeros(int(code.max(initial=-1)) + 1, dtype=np.int64)
    first[code[::-1]] = np.arange(len(code))[::-1]
    names = [str(name) for name in columns["source"][first]]
    rules = rules_of(params, names)
    amount = np.asarray(columns[DESIGN_WEIGHT], dtype=np.float64) * rules.repeat[code]
    if params.unit == "tokens":
        amount = amount * columns["n_tokens"]
    budget = params.keep_fraction * float(amount.sum())
    order, beyond = _fill_order(columns, params, rules, amount, budget)
    half = amount[order] / 2 if params.unit == "documents" else 0.0
    fits = np.cumsum(amount[order]) - half <= budget * (1 + _SLACK)
    n_kept = int(np.count_nonzero(np.logical_and.accumulate(fits)))
    keep = np.zeros(len(code), dtype=bool)
    keep[order[:n_kept]] = True

    def explain(i: int) -> str:
        name = names[code[i]]
        if beyond[i]:
            return f"{name!r} has its cap, {rules.cap[code[i]]:.4g} of the budget, without it"
        place = f"has place {rank[i] + 1:,} of {len(rank):,}"
        return f"the budget of {params.keep_fraction:.4g} of all {params.unit} is full; it {place}"

    weight = rules.repeat[code].astype(np.float32) if params.repeats else None
    place = np.full(len(code), -np.inf)
    place[order] = -np.arange(len(order))
    return Selection(keep, explain, weight, score=place)


SPEC = SelectorSpec(
    name="source_budget",
    version=1,
    title="Fill a budget by a mix of scores, with floors, caps and repeats by source",
    scope="column",
    params=SourceBudgetParams,
    needs=needs_source_budget,
    reads=("score",),
    score_params=("scores",),
    select=select_source_budget,
    scan=scan_source_budget,
    scan_params=("scores", "weights", "draw", "temperature"),
    about="A budget of documents or tokens, exact to the document, where the mixture matters: no source falls below "
    "its floor or grows beyond its cap, and one that is repeated takes its part of the budget as often. Without rules "
    "it is rank_average, or a soft draw by it that leaves the tail a chance. A floor keeps documents that are worse "
    "than what another source loses for it.",
    assumed=(
        (
            "Shares of the mixture and repeats by source are how training mixtures are published; that floors are "
            "filled first and the rest in the order of the score, up to the caps, is ours."
        ),
    ),
    help={
        "keep_fraction": "share to keep, 0 to 1, repeats included",
        "unit": "what the share is of: documents or tokens",
        "scores": "names of the scores; empty: a random order",
        "weights": "how much each score counts, in their order; below 0 where low is better; empty: all alike",
        "draw": "top: the best first; gumbel: drawn without replacement, better ones being more likely",
        "temperature": "of the draw: near 0 it is the top, at 10 nearly a random order",
        "fill": "after the floors: best of all sources, or proportional to the sources' sizes",
        "sources": "sources that have rules of their own",
        "floors": "of each of these the least share of the budget, 0 to 1; empty: none",
        "caps": "of each of these the largest share of the budget, 0 to 1; empty: none",
        "repeats": "of each of these how often its documents are repeated; empty: once",
    },
)
