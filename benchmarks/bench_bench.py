"""The threshold bench on a large sample: a handle moved in Chromium, the exact numbers from Python, and the same work
as one DuckDB query and one lazy polars query.

The sample is made up: eight scores (log-normal, normal, beta), 20 sources of Zipf's sizes, a band on every score. The
work of one move: what is kept in all, in tokens, of each source, and in each bin of the eight histograms.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
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
from benchmarks.bench_bench import bench_of, made_up
table = made_up(int(os.environ["WORKBENCH_N"]))
bench_of(table)
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


@dataclass(frozen=True)
class Times:
    """Median and 95th percentile by the clock, and median of the processor time, in ms."""

    median: float
    high: float
    processor: float


def timed(work: Callable[[int], object], repeats: int) -> Times:
    """So many calls; on a busy machine only the processor time says something."""
    clock, processor = [], []
    for i in range(repeats):
        start, start_processor = time.perf_counter(), time.process_time()
        work(i)
        clock.append(1000 * (time.perf_counter() - start))
        processor.append(1000 * (time.process_time() - start_processor))
    return Times(statistics.median(clock), float(np.quantile(clock, 0.95)), statistics.median(processor))


def row(what: str, times: Times, note: str = "") -> None:
    print(
        f"{what:60s} {times.median:8.1f} ms median {times.high:8.1f} ms p95 {times.processor:8.1f} ms CPU  {note}",
        flush=True,
    )


def measure_python(table: Table, repeats: int) -> Times:
    """Exact numbers and the cube; the times of a release."""
    from tests.widgets.sending import send

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    bench = bench_of(table)
    view, sent = bench._histograms, []
    view.send = lambda content, buffers=None: sent.append((content, buffers))
    start = time.perf_counter()
    bench.tab("scores")
    print(
        f"{'opened: bins, counts, marginals, all that the page is sent':60s} {time.perf_counter() - start:9.2f} s"
    )
    places = np.random.default_rng(0).integers(300, 600, repeats)
    send(view, type="cube", score=MOVED, side="high", charts=list(SCORES))

    def release(i: int) -> None:
        send(view, type="drag", score=MOVED, side="high", place=int(places[i]))

    ours = timed(release, repeats)
    n_bytes = len(json.dumps({"live": view.live, "rows": view.rows}))
    row("let go: exact numbers, histograms, marginals", ours, f"{n_bytes / 1000:.1f} kB")

    def cube(i: int) -> None:
        sent.clear()
        send(view, type="cube", score=SCORES[i % 8], side="low", charts=list(SCORES))

    cubes = timed(cube, max(8, repeats // 4))
    _, buffers = sent[0]
    row("pointer near: the cube", cubes, f"{len(buffers[0]) / 1000:.1f} kB")
    row("nothing moves: totals with intervals", timed(lambda i: send(view, type="totals"), 5))
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(f"{'memory at the most, above that of sample and scores':60s} {(after - before) / 1024:9.0f} MB")
    return ours


def conditions(table: Table, place: float) -> list[tuple[str, float, float]]:
    """Score and limits; the handle that moves stands at `place`."""
    found = [(step["score"], step["low"], step["high"]) for step in steps(table)]
    return [(name, low, place if name == MOVED else high) for name, low, high in found]


def compare(what: str, theirs: Times, ours: Times) -> None:
    """A row with the ratios to ours, by the clock and by processor time."""
    by_clock, by_processor = theirs.median / ours.median, theirs.processor / ours.processor
    row(what, theirs, f"{by_clock:.1f} and {by_processor:.1f} times ours when let go")


def measure_peers(table: Table, edges: dict[str, Any], repeats: int, ours: Times) -> None:
    """The same numbers by a query on columns in memory, bins made beforehand."""
    columns: dict[str, Any] = {name: table.scores[name] for name in SCORES}
    columns |= {f"bin_{name}": codes for name, codes in edges.items()}
    columns["source"] = table.sample.source_codes.astype(np.uint8)
    frame = pl.DataFrame(columns)
    cuts = np.random.default_rng(0).uniform(60, 250, repeats)

    def lazily(i: int) -> None:
        keep = pl.all_horizontal(*(pl.col(n).is_between(a, b) for n, a, b in conditions(table, cuts[i])))
        kept = frame.lazy().filter(keep)
        wanted = [kept.select(pl.len(), pl.col("n_tokens").cast(pl.Float64).sum())]
        wanted += [kept.group_by(name).len() for name in ("source", *(f"bin_{n}" for n in SCORES))]
        pl.collect_all(wanted)

    compare("the same by polars, lazily", timed(lazily, repeats), ours)
    try:
        import duckdb
    except ImportError:
        print("duckdb isn't installed: not measured")
        return
    database = duckdb.connect()
    database.execute("CREATE TABLE sample AS SELECT * FROM frame")
    sets = ", ".join(f"({name})" for name in ("source", *(f"bin_{n}" for n in SCORES)))

    def query(i: int) -> None:
        where = " AND ".join(f"{n} BETWEEN {a} AND {b}" for n, a, b in conditions(table, cuts[i]))
        database.execute(
            f"SELECT count(*), sum(n_tokens) FROM sample WHERE {where} GROUP BY GROUPING SETS ((), {sets})"
        ).fetchall()

    compare("the same by DuckDB, GROUPING SETS", timed(query, repeats), ours)


WATCH = """() => {
  // From the pointer's event to the frame after it, painted.
  window.moves = [];
  window.addEventListener("pointermove", (event) => {
    if (!event.buttons) return;
    const start = performance.now(), channel = new MessageChannel();
    channel.port1.onmessage = () => window.moves.push(performance.now() - start);
    requestAnimationFrame(() => channel.port2.postMessage(0));
  }, { capture: true });
}"""


def measure_browser(n: int, seconds: float) -> None:
    """A drag by the mouse in Chromium on the bench served by voila."""
    from playwright.sync_api import sync_playwright

    from tests.browser import chromium
    from tests.browser.bench_page import BenchPage
    from tests.browser.conftest import WAIT_MS, write_notebook
    from tests.browser.pages import Notebook
    from tests.browser.serving import serve

    frames: list[int] = []
    env = {"WORKBENCH_N": str(n), "PYTHONPATH": str(Path.cwd())}
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        notebook = write_notebook(Path(folder) / "bench.ipynb", CELL)
        with serve("app", notebook, Path(folder), env) as server:
            browser = playwright.chromium.launch(
                executable_path=chromium.require(), args=list(chromium.FLAGS)
            )
            page = browser.new_page(viewport={"width": 1400, "height": 1000})
            page.set_default_timeout(WAIT_MS)

            def hear(socket: Any) -> None:
                for event in ("framesent", "framereceived"):
                    socket.on(event, lambda payload: frames.append(len(payload)))

            page.on("websocket", hear)
            bench = BenchPage.wait(Notebook.open(page, server))
            start = time.perf_counter()
            bench.find(".wb-tab[data-tab=scores]").click()
            bench.find(f".wb-bstep .wb-handle[data-score={SCORES[-1]}]").first.wait_for()
            bench.find(".wb-kept-documents[data-n]").wait_for()
            print(
                f"{'Scores tab opened: first paint of totals and histograms':60s} {time.perf_counter() - start:9.2f} s"
            )
            bench.find(".wb-totals tr").first.wait_for()
            page.evaluate(WATCH)
            handle = bench.find(f".wb-handle[data-score={MOVED}][data-side=high]")
            handle.scroll_into_view_if_needed()
            box, at_start = handle.bounding_box(), len(frames)
            assert box is not None
            x, y = box["x"] + box["width"] / 2, box["y"] + 20
            page.mouse.move(x, y)
            page.mouse.down()
            # From the first frame that has a cube on.
            page.mouse.move(x - 3, y)
            bench.find(".wb-histograms[data-moving=exact]").wait_for()
            cube = sum(frames[at_start:])
            page.evaluate("() => { window.moves.length = 0; }")
            at_drag, end, i = len(frames), time.perf_counter() + seconds, 0
            while time.perf_counter() < end:
                page.mouse.move(x - 60 - 55 * np.sin(i / 9), y)
                i += 1
            moves = page.evaluate("() => window.moves")
            dragged = sum(frames[at_drag:])
            before = time.perf_counter()
            page.mouse.up()
            bench.find(".wb-histograms:not([data-moving])").wait_for()
            let_go = 1000 * (time.perf_counter() - before)
            page.wait_for_timeout(1500)
            median, high = np.quantile(moves, [0.5, 0.95])
            print(
                f"{'handle moved in Chromium: event to painted frame':60s} {median:8.1f} ms median {high:8.1f} ms p95"
            )
            print(f"{'let go in Chromium: exact numbers drawn':60s} {let_go:9.1f} ms")
            total = sum(frames[at_start:])
            print(f"{'over the wire: the cube / while dragging / all with what follows':60s} "
                  f"{cube / 1000:.1f} / {dragged / 1000:.1f} / {total / 1000:.1f} kB in {seconds:.0f} s")  # fmt: skip
            browser.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=1_000_000, help="documents")
    parser.add_argument("--repeats", type=int, default=40)
    parser.add_argument("--seconds", type=float, default=10.0, help="how long the handle is dragged")
    parser.add_argument("--no-browser", action="store_true")
    args = parser.parse_args()
    print(f"{args.n:,} documents, 8 scores, 20 sources; load of the machine {os.getloadavg()[0]:.1f}")
    table = made_up(args.n)
    ours = measure_python(table, args.repeats)
    bench = bench_of(table)
    measure_peers(table, bench.state.bins.codes, max(5, args.repeats // 4), ours)
    if not args.no_browser:
        measure_browser(args.n, args.seconds)


if __name__ == "__main__":
    main()
