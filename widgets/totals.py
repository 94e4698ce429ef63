"""What the corpus would keep, by the sample: totals, mix and mean length, with 95 % intervals. Plain dictionaries."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from widgets.state import BenchState
from workbench.engine.export import ALWAYS, corpus_totals, expectation_basis, expectations
from workbench.errors import WorkbenchError
from workbench.stats.ratios import kept_shares, mean_amount
from workbench.stats.share import Estimate

_BASIS = {
    "exact": "The sample is the whole corpus: these are counts.",
    "estimate": "Of the corpus, with 95 % intervals. They don't know that thresholds were tuned on this sample.",
    "upper_bound": "Upper bounds: a corpus has more copies than its sample, so copies are dropped more often.",
}


def totals_json(bench: BenchState, sources: Sequence[int]) -> dict[str, Any]:
    """For the view: `hint`, or `basis`, `kept` by amount, `mean` length before and after, and `mix` of some sources.

    Each estimate is [value, low, high]; None where no interval can be defended, since too few documents are known.
    """
    if bench.outcome is None:
        return {"hint": bench.problem or ""}
    lacking = [name for name in ALWAYS if name not in bench.loaded.scores]
    if lacking:
        return {"hint": f"Compute {' and '.join(lacking)} on the Load tab to see what the corpus would keep."}
    table, groups = bench.loaded, bench.groups
    try:
        kept = expectations(table, bench.outcome).all
        everything = np.ones(len(table), dtype=np.bool_)
        tokens = {"n_tokens": np.asarray(groups.tokens, dtype=np.float64)}
        whole = corpus_totals(table, everything, {"n_documents": np.ones(len(table)), **tokens}).all
    except WorkbenchError as error:
        return {"hint": str(error)}
    strata = table.sample.design.strata
    size = np.array([strata[name].n_corpus for name in groups.names], dtype=np.float64)
    shares = kept_shares(bench.keep, groups.codes, size)
    return {
        "hint": "",
        "basis": _BASIS[expectation_basis(table, bench.resolved)],
        "kept": {name: _row(kept[name]) for name in ("n_documents", *ALWAYS)},
        "mean": [_row(mean_amount(of["n_tokens"], of["n_documents"])) for of in (whole, kept)],
        "mix": [_row(shares[source]) for source in sources],
    }


def _row(estimate: Estimate | None) -> list[float] | None:
    return None if estimate is None else [estimate.value, estimate.low, estimate.high]
