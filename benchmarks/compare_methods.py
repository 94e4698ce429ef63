"""Every selector on the committed sample at half of its documents: METHODS.md, what it keeps of whom and with whom.

Run it after a change to a method: python -m benchmarks.compare_methods. Methods that have no budget stand with their
published defaults; the target is 60 of the sample's technical documents.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterable
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

import workbench as wb
from workbench.engine.export import used_scores
from workbench.recipe.model import Recipe
from workbench.selectors import SELECTORS
from workbench.stats.compare import overlaps
from workbench.stats.confounds import kept_by_source, length_confound

HALF = 0.5
OUT = Path(__file__).with_name("METHODS.md")
HEAD = """# Every method on the committed sample, at half of its documents

{n:,} documents, {tokens:,} tokens. Written by `python -m benchmarks.compare_methods` with the default models; the
target is 60 of the technical documents (`techdoc`).

## What each keeps

Documents and tokens kept in all, Spearman's correlation of being kept with the length in tokens, and the shares of
documents / tokens kept of each source. Methods without a share to set stand with their published limits.
"""
SHARED = """
## What two have in common

Documents kept by both, in percent of those kept by either; two random halves have 33.
"""
# Where half isn't keep_fraction, or a score has to be named.
STEPS: dict[str, dict[str, Any]] = {
    "band": {"score": "perplexity", "high": {"quantile": HALF}, "unscored": "drop"},
    "category": {"score": "language", "values": ["en"]},
    "random": {"fraction": HALF},
    "rank": {"score": "perplexity", "first": "lowest", "keep_fraction": HALF},
    "rank_average": {"scores": ["perplexity", "compression_ratio"], "weights": [-1.0, -1.0], "keep_fraction": HALF},
    "vote": {"scores": ["gopher_n_words", "compression_ratio", "perplexity"], "lows": [50.0, None, None],
             "highs": [None, 3.0, 300.0], "at_least": 2},
    "kmq": {"score": "compression_ratio", "keep_fraction": HALF},
    "car": {"score": "perplexity", "first": "lowest", "top_fraction": 0.4, "each_fraction": 0.1},
    "ccs": {"score": "perplexity", "keep_fraction": HALF},
    "sensitivity": {"score": "perplexity", "draw_fraction": 0.7},
    "gneissweb": {"score": "gopher_alpha_words_fraction", "above": 0.7, "category": "source",
                  "categories": ["techdoc"]},
    "source_budget": {"scores": ["perplexity"], "weights": [-1.0], "sources": ["fiction", "web_html"],
                      "floors": [0.15, 0.0], "caps": [1.0, 0.1], "keep_fraction": HALF},
    "brevity": {"drop_fraction": HALF},
    "repeat": {"epochs": HALF},
    "d4": {"dedup_fraction": 0.75, "prototype_fraction": HALF / 0.75},
    "dpp": {"keep_fraction": HALF, "order_fraction": HALF},
}  # fmt: skip


def step_of(name: str) -> dict[str, Any]:
    """A step that keeps half where the selector has a share to set."""
    if name in STEPS:
        return {"select": name, **STEPS[name]}
    has_share = any(field.name == "keep_fraction" for field in fields(SELECTORS[name].params))
    return {"select": name, **({"keep_fraction": HALF} if has_share else {})}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--store", type=Path, default=None, help="keep the scores here")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        OUT.write_text(report(given.store or Path(folder) / "store", Path(folder)), encoding="utf-8")
    print(f"written: {OUT}")


def report(store: Path, folder: Path) -> str:
    """The page."""
    sample = wb.read(wb.sample_corpus()).whole()
    target = folder / "target.parquet"
    wanted = sample.frame.filter(pl.col("source") == "techdoc").sample(60, seed=0)
    wanted.write_parquet(target)
    recipes = {name: recipe_of(name) for name in SELECTORS}
    needs = dict.fromkeys(need for recipe in recipes.values() for need in used_scores(recipe))
    table = wb.score(sample, needs, store=store, target=target)
    keeps, lines = {}, []
    tokens = table.scores["n_tokens"].astype(np.float64)
    sources = sorted(set(sample.sources))
    for name, recipe in recipes.items():
        outcome = wb.select(recipe, table)
        keeps[name] = outcome.keep
        found = length_confound(outcome.keep, tokens)
        documents = kept_by_source(outcome.keep, table.source, np.ones(len(table)))
        of_tokens = kept_by_source(outcome.keep, table.source, tokens)
        cells = [f"{part(documents[s])} / {part(of_tokens[s])}" for s in sources]
        told = (f"{found.document_fraction:.0%}", f"{found.token_fraction:.0%}", f"{found.correlation:+.2f}")
        lines.append([f"`{name}`", *told, *cells])
        print(name, *told, flush=True)
    head = ["method", "documents", "tokens", "with length", *sources]
    matrix = overlaps(keeps)
    shared = [
        [f"`{a}`", *(f"{100 * v:.0f}" for v in row)] for a, row in zip(keeps, matrix.tolist(), strict=True)
    ]
    steps = [[f"`{name}`", f"`{settings(step_of(name))}`"] for name in recipes]
    parts = [
        HEAD.format(n=len(table), tokens=int(tokens.sum())),
        markdown(head, lines),
        SHARED,
        markdown(["", *(f"`{name}`" for name in keeps)], shared),
        "\n## Settings\n",
        markdown(["method", "step"], steps),
        "",
    ]
    return "\n".join(parts)


def recipe_of(name: str) -> Recipe:
    return wb.parse_recipe({"format": "selection-recipe/1", "seed": 0, "steps": [step_of(name)]})


def settings(step: dict[str, Any]) -> str:
    return ", ".join(f"{key}={value}" for key, value in step.items() if key != "select") or "its defaults"


def part(amounts: tuple[float, float]) -> str:
    total, kept = amounts
    return f"{kept / total:.0%}" if total else "–"


def markdown(head: list[str], rows: Iterable[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


if __name__ == "__main__":
    main()
