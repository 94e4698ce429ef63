"""A scored sample made by hand: 30 documents of three sources of unequal size."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest

from widgets.state import BenchState
from workbench.corpus import Sample
from workbench.corpus.design import Design, Stratum
from workbench.engine.table import Table
from workbench.models.load import Models
from workbench.scores import SCORES

SIZES = {"a": 5, "b": 9, "<b>c</b>": 16}
N = 30


@pytest.fixture
def sample() -> Sample:
    sources = [source for source, n in SIZES.items() for _ in range(n)]
    texts = [f"Document {i} of {source}\n<img src=x onerror=alert({i})>" for i, source in enumerate(sources)]
    frame = pl.DataFrame({"doc_id": [f"d{i:02d}" for i in range(N)], "text": texts, "source": sources})
    rates = {"a": 0.5, "b": 1.0, "<b>c</b>": 0.25}
    strata = {s: Stratum(int(n / rates[s]), n, 1000 * n, rates[s]) for s, n in SIZES.items()}
    return Sample(frame, Design("source", 0, strata, "0" * 64, 0))


@pytest.fixture
def columns() -> dict[str, Any]:
    i = np.arange(N)
    quality = np.linspace(0.1, 0.9, N).astype(np.float32)
    quality[7] = np.nan
    english, german = SCORES["language"].labels.index("en"), SCORES["language"].labels.index("de")
    return {
        "n_tokens": (10 * (i + 1)).astype(np.float32),
        "n_bytes": (40 * (i + 1)).astype(np.float32),
        "compression_ratio": quality,
        "language": np.where(i % 3 == 0, german, english).astype(np.float32),
        "perplexity": np.exp(np.linspace(1, 8, N)).astype(np.float32),
    }


@pytest.fixture
def table(sample: Sample, columns: dict[str, Any]) -> Table:
    return Table(sample, Models(), columns)


@pytest.fixture
def state(table: Table) -> BenchState:
    state = BenchState()
    state.load(table)
    return state
