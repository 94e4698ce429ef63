"""Edits of a recipe that a slider makes. Pure: a recipe in, a recipe out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Literal

import numpy as np

from workbench.checks import Array, FloatArray, IntArray
from workbench.engine.solve_budget import shortest_between
from workbench.plots.axis import kept_share_below
from workbench.recipe.model import Recipe, Step
from workbench.selectors.band import BandParams, resolve_band
from workbench.selectors.base import Quantile, Threshold
from workbench.selectors.category import CategoryParams

Side = Literal["low", "high"]
SIDES: tuple[Side, Side] = ("low", "high")


def find_step(recipe: Recipe, select: str, score: str) -> int | None:
    """The first step of that selector on that score, None if there is none."""
    for index, step in enumerate(recipe.steps):
        if step.select == select and getattr(step.params, "score", None) == score:
            return index
    return None


def bounds(recipe: Recipe, score: str) -> tuple[Threshold, Threshold]:
    """The lower and the upper threshold that a recipe sets on a score, None for an open side."""
    index = find_step(recipe, "band", score)
    if index is None:
        return None, None
    params: BandParams = recipe.steps[index].params
    return params.low, params.high


def with_bounds(recipe: Recipe, score: str, low: Threshold, high: Threshold) -> Recipe:
    """The recipe with these thresholds; with both sides open the step goes, so unscored documents come back."""
    index = find_step(recipe, "band", score)
    if low is None and high is None:
        return recipe if index is None else without_step(recipe, index)
    if index is None:
        return with_new(recipe, Step("band", BandParams(score, low, high, unscored="drop")))
    step = recipe.steps[index]
    return with_step(recipe, index, replace(step, params=replace(step.params, low=low, high=high)))


def with_categories(recipe: Recipe, score: str, values: tuple[str, ...] | None) -> Recipe:
    """The recipe that keeps these labels of a categorical score; None keeps all, and the step goes."""
    index = find_step(recipe, "category", score)
    if values is None:
        return recipe if index is None else without_step(recipe, index)
    params = CategoryParams(score, values)
    if index is None:
        return with_new(recipe, Step("category", params))
    return with_step(recipe, index, replace(recipe.steps[index], params=params))


def with_new(recipe: Recipe, step: Step) -> Recipe:
    """The recipe with the step before the first that compares documents: filtering first leaves that less to do."""
    at = next((i for i, other in enumerate(recipe.steps) if other.spec.scope != "row"), len(recipe.steps))
    return replace(recipe, steps=(*recipe.steps[:at], step, *recipe.steps[at:]))


def with_step(recipe: Recipe, index: int, step: Step) -> Recipe:
    """The recipe with another step at that place."""
    return replace(recipe, steps=(*recipe.steps[:index], step, *recipe.steps[index + 1 :]))


def without_step(recipe: Recipe, index: int) -> Recipe:
    """The recipe without the step at that place."""
    return replace(recipe, steps=(*recipe.steps[:index], *recipe.steps[index + 1 :]))


def switched_step(recipe: Recipe, index: int, on: bool) -> Recipe:
    """The recipe with the step at that place on or off."""
    return with_step(recipe, index, replace(recipe.steps[index], off=not on))


def moved_step(recipe: Recipe, index: int, by: int) -> Recipe:
    """The recipe with the step `by` places later (negative: earlier), as far as there are places."""
    steps = list(recipe.steps)
    step = steps.pop(index)
    steps.insert(min(len(steps), max(0, index + by)), step)
    return replace(recipe, steps=tuple(steps))


def as_quantile(value: float, values: Array, weights: FloatArray) -> Quantile:
    """The quantile, to three digits, that stands for a threshold at `value`."""
    return Quantile(round(kept_share_below(values, weights, value), 3))


def exact_quantile(value: float, side: Side, values: Array, weights: FloatArray) -> Quantile | None:
    """The quantile of fewest digits that keeps the very documents that a constant keeps.

    Parameters
    ----------
    value
        The constant, finite.
    side
        "low": documents at or above it are kept. "high": at or below it.
    values, weights
        The score, NaN where a document has none, and what each document stands for, (n,).

    Returns
    -------
    Quantile or None
        None where no quantile says it: the constant lies beyond all documents.

    Notes
    -----
    A quantile resolves to the smallest score that at least that share lies at or below, hence to one of the scores.
    Every q above the share below that score, and up to the share at or below it, stands for it.
    """
    scored = ~np.isnan(values)
    found, place = np.unique(values[scored], return_inverse=True)
    constant = found.dtype.type(value)
    index = int(
        np.searchsorted(found, constant) if side == "low" else np.searchsorted(found, constant, "right") - 1
    )
    if not 0 <= index < len(found):
        return None
    upto = np.cumsum(np.bincount(place, weights=weights[scored]))
    above, at_most = (upto[index - 1] if index else 0.0) / upto[-1], upto[index] / upto[-1]
    for q in (shortest_between(float(np.nextafter(above, 1.0)), float(at_most)), (above + at_most) / 2):
        bound = Quantile(float(q))
        # numpy adds the weights up in another order, which may round another way.
        column = {"score": values}
        at = resolved(resolve_band(column, BandParams("score", bound), weights).low)
        if at == found[index]:
            return bound
    return None


def resolved(bound: Threshold) -> float | None:
    """The number behind a threshold of a fitted recipe."""
    return bound.value if isinstance(bound, Quantile) else bound


def near_order(values: Array, cuts: tuple[float, ...], place: Callable[[Array], Array]) -> IntArray:
    """Rows by how near their score lies to the nearest cut, on the axis as it is drawn; unscored rows are left out.

    Parameters
    ----------
    values
        The score, (n,).
    cuts
        The thresholds, at least one.
    place
        `(values) -> positions`, the axis' scale.
    """
    at = place(values)
    distance = np.min(np.abs(at[:, None] - place(np.asarray(cuts))[None, :]), axis=1)
    order: IntArray = np.argsort(distance, kind="stable")
    nearest: IntArray = order[np.isfinite(distance[order])]
    return nearest
