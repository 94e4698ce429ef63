"""The report of a selection: one HTML file to read, print and pass on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element

import numpy as np

from workbench.checks import IntArray
from workbench.engine.export import expectation_basis, versions
from workbench.engine.select import Outcome
from workbench.engine.table import Table
from workbench.files import written_aside
from workbench.page import Child, grid, page, share_bar, tag
from workbench.recipe.manifest import read_manifest
from workbench.report.amounts import UNITS, amounts_of, json_text
from workbench.report.documents import documents
from workbench.report.evidence import evidence as told
from workbench.report.steps import by_step, histograms, recipe
from workbench.stats.intervals import Totals
from workbench.stats.share import Estimate

N_SOURCES = 100
"""Rows of the table by source."""

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
    evidence: Sequence[Mapping[str, Any]] = (),
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
        A manifest folder, named in the report with its digest, and with the evidence that it holds.
    evidence
        What speaks for the recipe, as a manifest holds it; shown before that of `manifest`.

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
        *by_step(table, outcome),
        *told([*evidence, *([] if manifest is None else read_manifest(Path(manifest)).evidence)]),
        *recipe(outcome),
        *histograms(table, outcome),
        *documents(table, outcome),
        *_origins(table),
    ]
    with written_aside(path) as aside:
        aside.write_bytes(page(title, body))
    return path


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
    for name, amount in amounts_of(scored).items():
        kept, total = int(amount[outcome.keep].sum()), int(amount.sum())
        lines: list[Child] = [
            tag("b", f"{kept:,}"),
            f"of {total:,} {UNITS[name]} kept ({_share(kept, total)})",
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
    amounts = amounts_of(scored)
    sources, code = np.unique(np.asarray(scored.sample.sources, dtype=object), return_inverse=True)
    head = ["source", "documents kept", "", ""]
    head += [f"{UNITS[name]} kept" for name in amounts if name != "n_documents"]
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
    names = [name for name in UNITS if name in expected.all]
    lines = [("all", expected.all), *((source, expected.by_source[source]) for source in sources)]
    rows: list[list[Child]] = [
        [source, *(_estimate(amounts[name]) for name in names)] for source, amounts in lines
    ]
    return grid(
        ["source", *(UNITS[name] for name in names)], rows, numbers=frozenset(range(1, len(names) + 1))
    )


def _estimate(estimate: Estimate) -> Element:
    return tag("div", f"{estimate.value:,.0f}", tag("div", _interval(estimate), class_="soft"))


def _sums(code: IntArray, amount: IntArray) -> IntArray:
    """Sum of an amount by code, exact."""
    out = np.zeros(int(code.max(initial=-1)) + 1, dtype=np.int64)
    np.add.at(out, code, amount)
    return out


def _origins(scored: Table) -> Iterator[Element]:
    models: dict[str, Any] = {}
    for definition in scored.definitions.values():
        models.update(definition.get("models", {}))
    if models:
        yield tag("h2", "Models")
        yield grid(
            ["", "definition"], [[kind, tag("code", json_text(models[kind]))] for kind in sorted(models)]
        )
    yield tag("h2", "Versions")
    yield grid(["library", "version"], [[name, number] for name, number in versions().items()])
