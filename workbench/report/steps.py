"""The recipe in the report: its steps in words and in numbers, and the scores that they set thresholds on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from xml.etree.ElementTree import Element

from workbench.engine.export import thresholds
from workbench.engine.select import Outcome
from workbench.engine.table import Table
from workbench.page import grid, histogram, tag
from workbench.plots.axis import short
from workbench.plots.distribution import distribution
from workbench.recipe.model import Step
from workbench.report.amounts import UNITS, amounts_of, json_text
from workbench.scores import SCORES
from workbench.selectors.band import BandParams, constant
from workbench.selectors.base import Quantile, Threshold


def by_step(scored: Table, outcome: Outcome) -> Iterator[Element]:
    """What each step drops of what the ones before it kept."""
    amounts = amounts_of(scored)
    rows = []
    for i, step in enumerate(outcome.fitted.recipe.steps):
        dropped = outcome.step == i
        rows.append([str(i + 1), describe(step), *(f"{int(a[dropped].sum()):,}" for a in amounts.values())])
    yield tag("h2", "By step")
    yield tag("p", "In order; each step sees what the ones before it kept.", class_="soft")
    head = ["", "step", *(f"{UNITS[name]} dropped" for name in amounts)]
    yield grid(head, rows, numbers=frozenset(range(2, len(head))))


def describe(step: Step) -> str:
    """A step with resolved thresholds in words, for people."""
    params = step.params
    if step.off:
        return f"Off: {describe(replace(step, off=False))}"
    if not isinstance(params, BandParams):
        settings = {name: value for name, value in step.to_json().items() if name != "select"}
        words = ", ".join(f"{name} {_setting(value)}" for name, value in settings.items())
        return step.spec.title + (f" ({words})" if words else "")
    ends = [
        f"{word} {_bound(end)}"
        for word, end in (("at least", params.low), ("at most", params.high))
        if end is not None
    ]
    words = f"Keep documents with {params.score} {' and '.join(ends) if ends else 'of any value'}"
    unscored = {"error": "", "keep": "; keep those without it", "drop": "; drop those without it"}
    return words + unscored[params.unscored]


def _setting(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _bound(bound: Threshold) -> str:
    words = f"{constant(bound):,.6g}"
    return f"{words} (quantile {bound.quantile:g} of the sample)" if isinstance(bound, Quantile) else words


def recipe(outcome: Outcome) -> Iterator[Element]:
    """The recipe as JSON."""
    yield tag("h2", "Recipe")
    yield tag("p", "With the constants that its quantiles came to.", class_="soft")
    whole = outcome.fitted.recipe.to_json()
    # One step a line, since a recipe of six steps would else fill two screens.
    steps = ",\n".join("    " + json.dumps(step, ensure_ascii=False) for step in whole.pop("steps"))
    yield tag("pre", json_text(whole)[:-2] + f',\n  "steps": [\n{steps}\n  ]\n}}')


def histograms(scored: Table, outcome: Outcome) -> Iterator[Element]:
    """Every score with a threshold, kept over dropped."""
    yield tag("h2", "Scores with a threshold")
    yield tag(
        "p", "Documents of the sample: kept at the bottom, dropped above, by whichever step.", class_="soft"
    )
    for name, bands in thresholds(outcome.fitted.recipe).items():
        data = distribution(name, scored.scores[name], outcome.keep)
        yield tag("h3", name, f" ({SCORES[name].unit})" if name in SCORES and SCORES[name].unit else "")
        if data is None:
            yield tag("p", "No document has this score.", class_="soft")
            continue
        ends = [
            (end, f"{word} {short(end)}")
            for band in bands
            for word, end in zip(("≥", "≤"), band, strict=True)
            if end is not None
        ]
        yield histogram(data, ends, f"Histogram of {name}")
        if data.n_unscored:
            yield tag("p", f"{data.n_unscored:,} documents have no such score.", class_="soft")
