"""The report of a selection: one HTML file to read, print and pass on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element

import numpy as np

from workbench.checks import BoolArray, IntArray, keyed_uniform
from workbench.engine.export import ALWAYS, expectation_basis, thresholds, versions
from workbench.engine.select import KEPT, Outcome
from workbench.engine.table import Table
from workbench.files import written_aside
from workbench.page import Child, grid, histogram, page, share_bar, tag
from workbench.plots.axis import short
from workbench.plots.distribution import distribution
from workbench.recipe.manifest import read_manifest
from workbench.recipe.model import Step
from workbench.scores import SCORES
from workbench.selectors.band import BandParams, constant
from workbench.selectors.base import Quantile, Threshold
from workbench.stats.intervals import Totals
from workbench.stats.share import Estimate

N_DOCUMENTS = 10
"""Documents shown of the kept ones, and of the dropped ones."""

N_CHARS = 300
"""Characters shown of each."""

N_SOURCES = 100
"""Rows of the table by source."""

_UNITS = {"n_documents": "documents", "n_tokens": "tokens", "n_bytes": "bytes"}

_BASES = {
    "exact": "",
    "estimate": "What the corpus will keep is estimated from the sample, with {level:.0%} intervals.",
    "upper_bound": (
        "What the corpus will keep is estimated from the sample, with {level:.0%} intervals. A step drops copies, of "
        "which a larger corpus has more than its sample: take the estimates as upper bounds."
    ),
}


def write_report(
    path: Path,
    table: Table,
    outcome: Outcome,
    *,
    expected: Totals | None = None,
    manifest: Path | None = None,
) -> Path:
    """Write what a selection keeps and drops as one self-contained HTML page without script.

    The same selection gives the same bytes.

    Parameters
    ----------
    path
        The file to write; replaced if it is there.
    table, outcome
        The scored sample, and what the recipe did to it.
    expected
        What the corpus will keep; shown where the sample isn't the whole corpus.
    manifest
        A manifest folder, named in the report with its digest.

    Returns
    -------
    Path
        `path`.

    Raises
    ------
    StoreError
        If the file can't be written.
    ManifestError
        If `manifest` can't be read.
    """
    path = Path(path)
    title = "Selection report" if manifest is None else f"Selection report: {Path(manifest).name}"
    basis = expectation_basis(table, outcome.fitted.recipe)
    shown = expected if basis != "exact" else None
    body = [
        *_head(table, title, manifest),
        *_totals(table, outcome, shown, basis),
        *_by_source(table, outcome, shown),
        *_by_step(table, outcome),
        *_recipe(outcome),
        *_histograms(table, outcome),
        *_documents(table, outcome),
        *_origins(table),
    ]
    with written_aside(path) as aside:
        aside.write_bytes(page(title, body))
    return path


def _amounts(scored: Table) -> dict[str, IntArray]:
    """What is counted of each document, int64 (n,): documents, and tokens and bytes where they were scored."""
    counts = {name: scored.scores[name].astype(np.int64) for name in ALWAYS if name in scored.scores}
    return {"n_documents": np.ones(len(scored), dtype=np.int64), **counts}


def _head(scored: Table, title: str, manifest: Path | None) -> Iterator[Element]:
    design = scored.sample.design
    n_corpus = sum(stratum.n_corpus for stratum in design.strata.values())
    yield tag("h1", title)
    drawn = "all of them" if n_corpus == len(scored) else f"a sample of {len(scored):,} of them"
    words = f"A corpus of {n_corpus:,} documents of {len(design.strata)} sources; {drawn} was scored. "
    rows = "row" if design.n_quarantined == 1 else "rows"
    yield tag(
        "p", words, f"{design.n_quarantined:,} {rows} could not be read and were quarantined.", class_="soft"
    )
    if manifest is not None:
        yield tag("p", "Manifest ", tag("code", read_manifest(Path(manifest)).digest), class_="soft")


def _totals(scored: Table, outcome: Outcome, expected: Totals | None, basis: str) -> Iterator[Element]:
    tiles = []
    for name, amount in _amounts(scored).items():
        kept, total = int(amount[outcome.keep].sum()), int(amount.sum())
        lines: list[Child] = [
            tag("b", f"{kept:,}"),
            f"of {total:,} {_UNITS[name]} kept ({_share(kept, total)})",
            share_bar(kept / max(total, 1)),
        ]
        if expected is not None:
            estimate = expected.all[name]
            words = f"of the corpus: {estimate.value:,.0f} ({_interval(estimate)})"
            lines.append(tag("p", words, class_="soft"))
        tiles.append(tag("div", *lines, class_="tile"))
    yield tag("div", *tiles, class_="tiles")
    if expected is not None:
        yield tag("p", _BASES[basis].format(level=expected.level), class_="note")


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %" if whole else "none there"


def _interval(estimate: Estimate) -> str:
    return f"{estimate.low:,.0f} to {estimate.high:,.0f}"


def _by_source(scored: Table, outcome: Outcome, expected: Totals | None) -> Iterator[Element]:
    amounts = _amounts(scored)
    sources, code = np.unique(np.asarray(scored.sample.sources, dtype=object), return_inverse=True)
    head = ["source", "documents kept", "", ""]
    head += [f"{_UNITS[name]} kept" for name in amounts if name != "n_documents"]
    whole = {name: _sums(code, amount) for name, amount in amounts.items()}
    kept = {name: _sums(code, amount * outcome.keep) for name, amount in amounts.items()}
    rows: list[list[Child]] = []
    shown = np.sort(np.argsort(-whole["n_documents"], kind="stable")[:N_SOURCES])
    for i in shown:
        n_kept, n_all = kept["n_documents"][i], whole["n_documents"][i]
        row: list[Child] = [
            sources[i],
            f"{n_kept:,} of {n_all:,}",
            _share(n_kept, n_all),
            share_bar(n_kept / n_all),
        ]
        row += [f"{kept[n][i]:,} ({_share(kept[n][i], whole[n][i])})" for n in amounts if n != "n_documents"]
        rows.append(row)
    yield tag("h2", "By source")
    if len(sources) > N_SOURCES:
        yield tag("p", f"The {N_SOURCES} largest of {len(sources):,} sources.", class_="soft")
    yield grid(head, rows, numbers=frozenset(range(1, len(head))) - {3})
    if expected is not None:
        yield tag("h2", "Expected of the corpus")
        yield _expectations(expected, [str(sources[i]) for i in shown])


def _expectations(expected: Totals, sources: list[str]) -> Element:
    names = [name for name in _UNITS if name in expected.all]
    lines = [("all", expected.all), *((source, expected.by_source[source]) for source in sources)]
    rows: list[list[Child]] = [
        [source, *(_estimate(amounts[name]) for name in names)] for source, amounts in lines
    ]
    return grid(
        ["source", *(_UNITS[name] for name in names)], rows, numbers=frozenset(range(1, len(names) + 1))
    )


def _estimate(estimate: Estimate) -> Element:
    return tag("div", f"{estimate.value:,.0f}", tag("div", _interval(estimate), class_="soft"))


def _sums(code: IntArray, amount: IntArray) -> IntArray:
    """Sum of an amount by code, exact."""
    out = np.zeros(int(code.max(initial=-1)) + 1, dtype=np.int64)
    np.add.at(out, code, amount)
    return out


def _by_step(scored: Table, outcome: Outcome) -> Iterator[Element]:
    amounts = _amounts(scored)
    rows = []
    for i, step in enumerate(outcome.fitted.recipe.steps):
        dropped = outcome.step == i
        rows.append([str(i + 1), describe(step), *(f"{int(a[dropped].sum()):,}" for a in amounts.values())])
    yield tag("h2", "By step")
    yield tag("p", "In order; each step sees what the ones before it kept.", class_="soft")
    head = ["", "step", *(f"{_UNITS[name]} dropped" for name in amounts)]
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


def _recipe(outcome: Outcome) -> Iterator[Element]:
    yield tag("h2", "Recipe")
    yield tag("p", "With the constants that its quantiles came to.", class_="soft")
    whole = outcome.fitted.recipe.to_json()
    # One step a line, since a recipe of six steps would else fill two screens.
    steps = ",\n".join("    " + json.dumps(step, ensure_ascii=False) for step in whole.pop("steps"))
    yield tag("pre", _json(whole)[:-2] + f',\n  "steps": [\n{steps}\n  ]\n}}')


def _json(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)


def _histograms(scored: Table, outcome: Outcome) -> Iterator[Element]:
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


def _documents(scored: Table, outcome: Outcome) -> Iterator[Element]:
    for title, rows in (("Kept", outcome.keep), ("Dropped", ~outcome.keep)):
        yield tag("h2", f"{title} documents")
        chosen = _choose(scored, rows, outcome.fitted.recipe.seed)
        if not len(chosen):
            yield tag("p", "There are none.", class_="soft")
            continue
        yield tag(
            "p",
            f"{len(chosen)} of {int(rows.sum()):,}, drawn at random from each source in turn.",
            class_="soft",
        )
        for row in chosen:
            yield _document(scored, outcome, int(row))


def _choose(scored: Table, rows: BoolArray, seed: int) -> IntArray:
    """Random documents among `rows`, one of each source before a second of any."""
    index = np.flatnonzero(rows)
    draw = keyed_uniform(seed, [scored.sample.doc_ids[i] for i in index], "report")
    sources = np.unique([scored.sample.sources[i] for i in index], return_inverse=True)[1]
    order = np.lexsort((draw, sources))
    starts = np.flatnonzero(np.diff(sources[order], prepend=-1))
    turn = np.empty(len(index), dtype=np.int64)
    turn[order] = np.arange(len(index)) - np.repeat(starts, np.diff(np.append(starts, len(index))))
    return index[np.lexsort((draw, turn))[:N_DOCUMENTS]]


def _document(scored: Table, outcome: Outcome, row: int) -> Element:
    text = scored.sample.texts[row]
    parts: list[Element] = [
        tag(
            "p",
            tag("code", scored.sample.doc_ids[row]),
            " from ",
            tag("bdi", scored.sample.sources[row]),
            class_="soft",
        )
    ]
    if outcome.step[row] != KEPT:
        step = int(outcome.step[row])
        select = outcome.fitted.recipe.steps[step].select
        parts.append(tag("p", f"Step {step + 1}, {select}: ", tag("bdi", outcome.reason(row) or "")))
    parts.append(tag("pre", text[:N_CHARS] + ("…" if len(text) > N_CHARS else "")))
    if len(text) > N_CHARS:
        parts.append(tag("p", f"The first {N_CHARS} of {len(text):,} characters.", class_="soft"))
    return tag("div", *parts, class_="document")


def _origins(scored: Table) -> Iterator[Element]:
    models: dict[str, Any] = {}
    for definition in scored.definitions.values():
        models.update(definition.get("models", {}))
    if models:
        yield tag("h2", "Models")
        yield grid(["", "definition"], [[kind, tag("code", _json(models[kind]))] for kind in sorted(models)])
    yield tag("h2", "Versions")
    yield grid(["library", "version"], [[name, number] for name, number in versions().items()])
