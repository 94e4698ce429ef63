"""How soon each selector answers at 100,000 documents, first and after a slider has moved.

The inputs are random columns of the right kind, as they would lie in a store. "fit" is what the sample is fitted to
once, "first" the whole answer after it, "moved" the answer when a slider moves whose scan is kept; each by the clock
and, for cores that are shared, as processor time. To reach: 10 s and, for SemDeDup, prototypes and DBP, 0.2 s.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from tests.selectors.steps import STEPS
from workbench.checks import Array, strings
from workbench.recipe.schema import parse_step
from workbench.scores import SCORES
from workbench.scores.base import as_ragged
from workbench.selectors import SELECTORS
from workbench.selectors.base import DESIGN_WEIGHT
from workbench.selectors.region import pack_numbers

DIMENSIONS = 384
N_TARGETS = 100
N_GRAMS = np.array([60_000, 30_000, 10_000])  # of three targets


MADE: dict[str, Callable[[int, np.random.Generator], Array]] = {
    "doc_id": lambda n, rng: strings(f"doc-{i:07d}" for i in rng.permutation(n)),
    "source": lambda n, rng: strings(
        rng.choice(["web", "books", "code", "papers"], n, p=[0.6, 0.2, 0.15, 0.05]).tolist()
    ),
    DESIGN_WEIGHT: lambda n, rng: np.ones(n),
    "text_digest": lambda n, rng: rng.integers(0, n, (n, 1), dtype=np.uint64).repeat(2, axis=1),
    "minhash_bands": lambda n, rng: rng.integers(0, 20 * n, (n, 14), dtype=np.uint64),
    "minhash_signature": lambda n, rng: rng.integers(0, 3, (n, 256), dtype=np.uint32),
    "dsir_target_log_weights": lambda n, rng: rng.normal(0, 20, (n, len(N_GRAMS))).astype(np.float32),
}


def make_column(name: str, n: int, rng: np.random.Generator, n_clusters: int = 1000) -> Array:
    """A column of the kind that its name says; embeddings lie around 2,000 directions, with near copies."""
    if name == "embedding":
        centres = rng.standard_normal((2_000, DIMENSIONS), dtype=np.float32)
        x = centres[rng.integers(0, len(centres), n)]
        x += 0.7 * rng.standard_normal((n, DIMENSIONS), dtype=np.float32)
        return np.asarray(x / np.linalg.norm(x, axis=1, keepdims=True))
    if name in MADE:
        return MADE[name](n, rng)
    if SCORES[name].labels:
        return strings(rng.choice(SCORES[name].labels[:5], n).tolist())
    if SCORES[name].ragged:
        return make_ragged(name, n, rng)
    if name.endswith("_cluster"):
        return rng.integers(0, n_clusters, n).astype(np.float32)
    if name.startswith("n_"):
        return rng.lognormal(6, 1, n).round().astype(np.float32)
    return rng.gamma(2, 1, n).astype(np.float32)


def make_ragged(name: str, n: int, rng: np.random.Generator) -> Array:
    """Of each document 500 tokens, or 25 hashes with as many characters, about; every fifth begins as another one."""
    rows: list[Array] = []
    for size in (rng.poisson(500 if name == "token_ids" else 25, n) + 1).tolist():
        row = rng.integers(1, 50_000 if name == "token_ids" else 2**63, size, dtype=np.uint64)
        if name != "token_ids":
            row = np.stack([row, rng.integers(10, 200, size, dtype=np.uint64)], axis=1).ravel()
        if rows and rng.random() < 0.2:
            other = rows[int(rng.integers(len(rows)))]
            shared = int(min(len(other), len(row)) * rng.random()) // 2 * 2
            row[:shared] = other[:shared]
        rows.append(row.astype(SCORES[name].dtype))
    return as_ragged(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--documents", type=int, default=100_000)
    parser.add_argument("--only", help="names of selectors, with commas between; default: all")
    parser.add_argument("--clusters", type=int, default=1000, help="of the columns that hold clusters")
    given = parser.parse_args()
    rng = np.random.default_rng(0)
    columns: dict[str, Array] = {}
    print(f"{given.documents:,} documents, embeddings of {DIMENSIONS} dimensions; seconds\n")
    print(f"{'':18} {'by the clock':>26}   {'processor time':>26}")
    print(f"{'selector':18}" + f" {'fit':>8} {'first':>8} {'moved':>8}  " * 2 + " kept")
    wanted = list(SELECTORS) if given.only is None else given.only.split(",")
    for name in wanted:
        spec = SELECTORS[name]
        params = {**STEPS[name][-1]}
        if "n_clusters" in params:
            params |= {"n_clusters": 1000, "n_iterations": 10}  # the fit isn't what is measured here
        if name == "substring":
            params = {}
        if name == "car":
            params["clusters"] = "own"
        if name == "region":
            params |= {"numbers": pack_numbers(rng.normal(size=(64, DIMENSIONS))), "n_inside": 16}
        if name == "dpp":
            params["keep_fraction"] = params["order_fraction"] = 0.01
        step = parse_step({"select": name, **params})
        for need in ("doc_id", *step.needs):
            columns.setdefault(need, make_column(need, given.documents, rng, given.clusters))
        read = {need: columns[need] for need in ("doc_id", *step.needs)}
        times, found = measure(spec, step.params, read)
        told = "".join(f" {fit:8.2f} {first:8.2f} {moved:8.3f}  " for fit, first, moved in times)
        print(f"{name:18}{told} {found:.1%}", flush=True)


def measure(spec: Any, params: Any, read: dict[str, Array]) -> tuple[list[list[float]], float]:
    """Seconds to fit, to answer first, and to answer again with the scan kept, by the clock and of the processor; the
    share kept.
    """

    def now() -> tuple[float, float]:
        return time.perf_counter(), time.process_time()

    marks = [now()]
    if spec.resolve is not None:
        params = spec.resolve(read, params, np.ones(len(read["doc_id"])))
    targets = make_column("embedding", N_TARGETS, np.random.default_rng(1))
    of_target = {"target": targets, "task": np.zeros(N_TARGETS, np.int64), "n_grams": N_GRAMS}
    state = of_target if spec.state_of else {}
    state |= spec.prepare(read, params, 0)
    marks.append(now())
    scanned = {} if spec.scan is None else spec.scan(read, params, state, 0)
    selection = spec.select({**read, **scanned}, params, state, 0)
    marks.append(now())
    selection = spec.select({**read, **scanned}, params, state, 0)
    marks.append(now())
    return np.diff(marks, axis=0).T.tolist(), float(selection.keep.mean())


if __name__ == "__main__":
    main()
