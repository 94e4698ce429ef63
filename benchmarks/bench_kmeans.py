"""k-means: ours against scikit-learn's Lloyd from the same centres; on a GPU, all that SemDeDup computes."""

from __future__ import annotations

import importlib.util
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from workbench.models.geometry.kmeans import KMeansParams, kmeans
from workbench.models.geometry.neighbours import nearest_earlier

DIMENSIONS, CLUSTERS = 384, 1_000
CPU_ROWS, CPU_ITERATIONS, ROUNDS = 100_000, 10, 3
GPU_ROWS, GPU_ITERATIONS = 1_000_000, 20


def make_rows(n: int) -> np.ndarray:
    """Unit rows around 2,000 directions, so that there is something to find and assignments change."""
    rng = np.random.default_rng(0)
    centres = rng.standard_normal((2_000, DIMENSIONS), dtype=np.float32)
    x = centres[rng.integers(0, len(centres), n)] + rng.standard_normal((n, DIMENSIONS), dtype=np.float32)
    return np.asarray(x / np.linalg.norm(x, axis=1, keepdims=True))


@dataclass
class Best:
    """The least time of a side, in seconds by the clock and of all threads, and what it came to."""

    wall: float = np.inf
    threads: float = np.inf
    inertia: float = np.nan

    def run(self, work: Callable[[], Any]) -> None:
        wall, threads = time.perf_counter(), time.process_time()
        found = work()
        self.wall = min(self.wall, time.perf_counter() - wall)
        self.threads = min(self.threads, time.process_time() - threads)
        self.inertia = float(found.inertia if hasattr(found, "inertia") else found.inertia_)


def on_cpu() -> None:
    import sklearn
    import torch
    from sklearn.cluster import KMeans

    x = make_rows(CPU_ROWS)
    start = x[:: CPU_ROWS // CLUSTERS].copy()

    def ours(**more: Any) -> Callable[[], Any]:
        params = KMeansParams(CLUSTERS, spherical=False, n_iterations=CPU_ITERATIONS, **more)
        return lambda: kmeans(x, params, seed=0, start=start)

    peer = KMeans(CLUSTERS, init=start, n_init=1, max_iter=CPU_ITERATIONS, tol=0, algorithm="lloyd")
    sides = {"scikit-learn": lambda: peer.fit(x), "ours, float32": ours()}
    more = {"ours, bfloat16": ours(dtype="bfloat16")}
    if importlib.util.find_spec("faiss"):
        more["ours by faiss, one thread"] = ours(backend="faiss")
    best = {name: Best() for name in (*sides, *more)}
    # In turns, so that what else the machine does falls on both alike; the slow ones once.
    for i in range(ROUNDS):
        for name, work in (sides if i else sides | more).items():
            best[name].run(work)
    print(
        f"torch {torch.__version__} on {torch.get_num_threads()} threads, scikit-learn {sklearn.__version__}; "
        f"{CPU_ROWS:,} x {DIMENSIONS}, K = {CLUSTERS:,}, {CPU_ITERATIONS} iterations, best of {ROUNDS}"
    )
    them = best["scikit-learn"]
    for name, it in best.items():
        print(
            f"{name}: {it.wall:.2f} s ({it.threads:.2f} s of all threads); scikit-learn takes "
            f"{them.wall / it.wall:.2f} times as long ({them.threads / it.threads:.2f} times); "
            f"inertia {it.inertia / them.inertia - 1:+.1e}"
        )


def on_gpu() -> None:
    import torch

    if not torch.cuda.is_available():
        print(f"GPU, {GPU_ROWS:,} x {DIMENSIONS} with SemDeDup's pass: not measured (no GPU)")
        return
    x = make_rows(GPU_ROWS)
    for dtype in ("float32", "bfloat16"):
        params = KMeansParams(CLUSTERS, n_iterations=GPU_ITERATIONS, dtype=dtype)  # type: ignore[arg-type]
        for _ in range(ROUNDS):
            begun = time.perf_counter()
            fit = kmeans(x, params, seed=0)
            clustered = time.perf_counter()
            order, ends = np.argsort(fit.labels, kind="stable"), np.cumsum(fit.sizes)[:-1]
            n_copies = sum(int((nearest_earlier(x[i])[0] > 0.95).sum()) for i in np.split(order, ends))
            done = time.perf_counter()
            print(
                f"{torch.cuda.get_device_name()}, {dtype}: {GPU_ROWS:,} x {DIMENSIONS}, K = {CLUSTERS:,}, "
                f"{fit.n_iterations} iterations {clustered - begun:.2f} s, SemDeDup's pass {done - clustered:.2f} s "
                f"({n_copies:,} copies), from an array in memory"
            )


def main() -> None:
    warnings.filterwarnings("ignore", message=".*did not converge.*")
    on_cpu()
    on_gpu()


if __name__ == "__main__":
    main()
