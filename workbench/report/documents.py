"""Documents in the report, kept and dropped ones, each with why."""

from __future__ import annotations

from collections.abc import Iterator
from xml.etree.ElementTree import Element

import numpy as np

from workbench.checks import BoolArray, IntArray, keyed_uniform
from workbench.engine.select import KEPT, Outcome
from workbench.engine.table import Table
from workbench.page import tag

N_DOCUMENTS = 10
"""Documents shown of the kept ones, and of the dropped ones."""

N_CHARS = 300
"""Characters shown of each."""


def documents(scored: Table, outcome: Outcome) -> Iterator[Element]:
    """Some of the kept and of the dropped documents, the same ones each time."""
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
