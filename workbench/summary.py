"""What people and programs are told after a step: plain values, the same for terminal, JSON and notebook."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import MISSING, Field, fields
from typing import Any

import numpy as np

from workbench.checks import BoolArray
from workbench.corpus import Sample
from workbench.engine.export import ALWAYS, expectation_basis, expectations, step_counts
from workbench.engine.select import Outcome
from workbench.engine.table import Table
from workbench.scores import SCORES
from workbench.selectors import SELECTORS, SelectorSpec


def sample_summary(sample: Sample) -> dict[str, Any]:
    """Documents, characters and quarantined rows, and per source how much of the corpus was drawn."""
    design = sample.design
    return {
        "n_documents": len(sample),
        "n_chars": sum(len(text) for text in sample.texts),
        "n_quarantined": design.n_quarantined,
        "fingerprint": sample.fingerprint,
        "by_source": {
            source: {"n_corpus": s.n_corpus, "n_sample": s.n_sample, "rate": s.rate}
            for source, s in sorted(design.strata.items())
        },
    }


def score_summary(table: Table) -> dict[str, Any]:
    """Count, unscored documents, and quantiles of every score."""
    out: dict[str, Any] = {}
    for name, values in table.scores.items():
        if SCORES[name].ragged:
            n_scored = int(sum(map(bool, map(len, values))))
            out[name] = {"n_documents": n_scored, "n_unscored": len(values) - n_scored}
            continue
        if values.ndim > 1:
            floats = np.issubdtype(values.dtype, np.floating)
            n_scored = int((np.isfinite(values).all(axis=1) if floats else values.any(axis=1)).sum())
            n_unscored = len(values) - n_scored
            out[name] = {
                "n_documents": n_scored,
                "n_unscored": n_unscored,
                "dimension": values.shape[1],
            }
            continue
        if labels := SCORES[name].labels:
            found = Counter(labels[int(value)] for value in values[~np.isnan(values)])
            n_scored = sum(found.values())
            n_unscored = len(values) - n_scored
            out[name] = {
                "n_documents": n_scored,
                "n_unscored": n_unscored,
                "labels": dict(found.most_common()),
            }
            continue
        numbers = values[~np.isnan(values)].astype(np.float64)
        cuts = np.quantile(numbers, [0.05, 0.5, 0.95]).tolist() if len(numbers) else [None] * 3
        unscored = len(values) - len(numbers)
        out[name] = {
            "n_documents": len(numbers),
            "n_unscored": unscored,
            "p05": cuts[0],
            "p50": cuts[1],
            "p95": cuts[2],
        }
    return out


def select_summary(table: Table, outcome: Outcome) -> dict[str, Any]:
    """What is kept of the sample in all and per source, what each step drops, and what the corpus will
    keep.
    """
    keep = outcome.keep
    totals = expectations(table, outcome)
    corpus = {n: {"value": e.value, "low": e.low, "high": e.high} for n, e in totals.all.items()}
    return {
        "all": {"total": _amounts(table, np.ones(len(keep), dtype=bool)), "kept": _amounts(table, keep)},
        "by_source": {
            source: {
                "total": _amounts(table, table.source == source),
                "kept": _amounts(table, keep & (table.source == source)),
            }
            for source in sorted(set(table.sample.sources))
        },
        "by_step": step_counts(table, outcome),
        "corpus": {"basis": expectation_basis(table, outcome.fitted.recipe), "kept": corpus},
        "n_quarantined": table.sample.design.n_quarantined,
    }


def _amounts(table: Table, rows: BoolArray) -> dict[str, int]:
    return {
        "n_documents": int(rows.sum()),
        **{name: int(table.scores[name][rows].sum(dtype=np.float64)) for name in ALWAYS},
    }


def about(spec: SelectorSpec) -> list[str]:
    """What to know of a selector before one takes it: what it keeps and loses, its paper, what was assumed."""
    lines = [spec.about] if spec.about else []
    if spec.paper:
        status = "" if spec.status == "published" else f" ({spec.status})"
        lines.append(f"{spec.paper}{status}")
    return [*lines, *(f"Assumed: {assumed}" for assumed in spec.assumed)]


def _cost(needs: Iterable[str]) -> str:
    """What a score costs, by the most that it reads."""
    named = (
        ("lm", "LM pass"),
        ("embedder", "embedder pass"),
        ("ngram", "n-gram pass"),
        ("tokenizer", "tokenising"),
        ("text", "text pass"),
    )
    return next((cost for need, cost in named if need in needs), "arithmetic")


_SELECTOR_COST = {
    "row": "a look each",
    "column": "columns in memory",
    "group": "a group in memory",
    "pieces": "hashes on disk",
}


def _default(field: Field[Any]) -> str:
    """What a param is where it isn't given, for the end of its help."""
    if field.default is MISSING and field.default_factory is MISSING:
        return " (must be given)"
    value = field.default if field.default is not MISSING else None
    return "" if value is None or value == () else f" (default {value})"


def methods() -> list[dict[str, Any]]:
    """Every score and selector: name, kind, title, paper, needs, scope, cost, status."""
    scores = [
        {
            "name": s.name, "kind": "score", "title": s.title, "paper": s.paper, "needs": list(s.needs),
            "scope": s.scope, "cost": _cost(s.needs), "status": s.status, "unit": s.unit, "better": s.better,
            "params": {f.name: str(f.default) for f in fields(s.params)},
        }
        for s in SCORES.values()
    ]  # fmt: skip
    selectors = [
        {
            "name": s.name, "kind": "selector", "title": s.title, "paper": s.paper, "needs": list(s.reads),
            "scope": s.scope, "cost": s.cost or _SELECTOR_COST[s.scope], "status": s.status,
            "params": {f.name: s.help[f.name] + _default(f) for f in fields(s.params)}, "about": about(s),
        }
        for s in SELECTORS.values()
    ]  # fmt: skip
    return scores + selectors
