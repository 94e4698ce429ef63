"""What the threshold bench shows of each step and of each handle. No widget: plain dictionaries."""

from __future__ import annotations

from typing import Any

from widgets import bands
from widgets.marginals import Amount, Marginals
from widgets.reader import step_name
from widgets.state import BenchState
from workbench.plots.axis import short
from workbench.selectors.base import Quantile
from workbench.selectors.category import CategoryParams


def labels_kept(bench: BenchState, score: str) -> tuple[str, ...] | None:
    """The labels that the recipe keeps of a categorical score, None for all."""
    index = bands.find_step(bench.recipe, "category", score)
    if index is None:
        return None
    params: CategoryParams = bench.recipe.steps[index].params
    return params.values


def bound_json(bench: BenchState, score: str) -> dict[str, Any]:
    """Where the handles of a score stand, or which labels are kept."""
    axis = bench.chart(score).axis
    if axis is None:
        values = labels_kept(bench, score)
        return {"labels": None if values is None else list(values)}
    given = bands.bounds(bench.recipe, score)
    out: dict[str, Any] = {"quantile": score in bench.thresholds.as_quantile}
    for side, bound, value in zip(bands.SIDES, given, bench.thresholds.values(score), strict=True):
        field = bound.quantile if isinstance(bound, Quantile) else bound
        out[side] = {
            "place": None if value is None else round(axis.position(value), 5),
            "value": value,
            "field": "" if field is None else f"{field:.10g}",
            "text": "open" if value is None else short(value),
            "share": None if value is None else bench.thresholds.share_below(score, value),
        }
    return out


def step_rows(bench: BenchState, marginals: Marginals) -> list[dict[str, Any]]:
    """One row a step, in the recipe's order.

    `score` names the chart that the row holds; "counted" says whether the marginals are there.
    """
    outcome, known, steps = bench.outcome, marginals.known(), bench.recipe.steps
    in_order: list[Amount | None] = [None] * len(steps)
    if outcome is not None:
        in_order = list(bench.groups.dropped_by_step(outcome.step, len(steps)))
    rows = []
    for index, (step, dropped) in enumerate(zip(steps, in_order, strict=True)):
        score = getattr(step.params, "score", None)
        is_charted = (
            step.select in ("band", "category")
            and score in bench.bins.charts
            and bands.find_step(bench.recipe, step.select, score) == index
        )
        found = known.get(index)
        rows.append(
            {
                "name": step_name(index, step.to_json()),
                "title": step.spec.title,
                "score": score if is_charted else None,
                "off": step.off,
                "byRow": step.spec.scope == "row",
                "inOrder": None if step.off else dropped,
                "alone": found.alone if found else None,
                "only": found.only if found else None,
                "counted": found is not None or step.off or outcome is None,
                "fault": found.fault if found else "",
                "tracksCorpus": step.spec.tracks_corpus,
            }
        )
    return rows
