"""A made-up scored sample of any size, and a bench on it: what the bench's measurements run on.

Eight scores (log-normal, normal, beta), 20 sources of Zipf's sizes, a band on every score, and a map of as many blobs
as there are sources.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from workbench.corpus import Sample
from workbench.corpus.design import Design, Stratum
from workbench.engine.table import Table
from workbench.models.load import Models

SCORES = ("n_tokens", "n_bytes", "compression_ratio", "perplexity", "bits_per_byte", "gopher_n_words", "token_prior",
          "gopher_alpha_words_fraction")  # fmt: skip
MOVED = "perplexity"
CELL = """
import os
from benchmarks.made_up_bench import bench_of, made_up
bench_of(made_up(int(os.environ["WORKBENCH_N"])))
"""


def made_up(n: int, n_sources: int = 20) -> Table:
    """A scored sample of n documents, one of a hundred of its corpus."""
    rng = np.random.default_rng(0)
    share = 1.0 / np.arange(1, n_sources + 1)
    place = rng.choice(n_sources, n, p=share / share.sum())
    names = pl.Series([f"source-{i:02d}" for i in range(n_sources)])
    frame = pl.DataFrame(
        {
            "doc_id": pl.select(pl.format("doc-{}", pl.int_range(n))).to_series(),
            "text": pl.repeat("text", n, eager=True),
            "source": names.gather(place),
        }
    )
    sizes = np.bincount(place, minlength=n_sources)
    strata = {
        name: Stratum(100 * int(k), int(k), 4000 * int(k), 0.01)
        for name, k in zip(names, sizes, strict=True)
        if k
    }
    quality, tokens = rng.normal(size=n), np.maximum(1.0, np.round(np.exp(6 + 1.2 * rng.normal(size=n))))
    columns = (
        tokens,
        4 * tokens + rng.integers(0, 4, n),
        2 + 0.3 * quality + 0.3 * rng.normal(size=n),
        np.exp(4 + 0.5 * quality + 0.5 * rng.normal(size=n)),
        np.abs(1 + 0.2 * rng.normal(size=n)),
        np.round(0.7 * tokens),
        -7 + rng.normal(size=n),
        rng.beta(2, 5, n),
    )
    scores = {name: column.astype(np.float32) for name, column in zip(SCORES, columns, strict=True)}
    centres = rng.normal(size=(n_sources, 2))
    around = centres[place] + 0.2 * rng.normal(size=(n, 2))
    scores |= {"map_x": around[:, 0].astype(np.float32), "map_y": around[:, 1].astype(np.float32)}
    return Table(Sample(frame, Design("source", 0, strata, "0" * 64, 0)), Models(), scores)


def bench_of(table: Table) -> Any:
    """A bench on the sample with a band on every score."""
    from widgets import Bench

    bench = Bench()
    bench.state.load(table)
    bench.recipe = {"format": "selection-recipe/1", "seed": 0, "steps": steps(table)}
    return bench


def steps(table: Table) -> list[dict[str, Any]]:
    """Bands that drop a twentieth of the documents at either side, of a sample of the sample."""
    found = []
    for name in SCORES:
        low, high = np.quantile(table.scores[name][:100_000], [0.05, 0.95])
        found.append(
            {"select": "band", "score": name, "low": float(low), "high": float(high), "unscored": "drop"}
        )
    return found
