"""The threshold bench on a large sample: a handle moved in Chromium, the exact numbers from Python, the map opened, and
the same work as one DuckDB query and one lazy polars query.

The work of one move: what is kept in all, in tokens, of each source, and in each bin of the eight histograms.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import time
from typing import Any

import numpy as np
import polars as pl

from benchmarks.made_up_bench import MOVED, SCORES, bench_of, made_up, steps
from benchmarks.page_of_bench import measure_drag, measure_map
from benchmarks.timing import Times, timed, times_of
from widgets.cube import make_cube
from workbench.engine.table import Table

DRAG_MOVES = 120
"""Of two seconds at sixty frames."""


def measure_python(table: Table, repeats: int) -> tuple[Times, Times, Times]:
    """Exact numbers, the cube, and a place of it looked up: the times of a handle let go, neared and moved."""
    from tests.widgets.sending import send

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    bench = bench_of(table)
    view, sent = bench._histograms, []
    view.send = lambda content, buffers=None: sent.append((content, time.perf_counter(), time.process_time()))
    start = time.perf_counter()
    bench.tab("scores")
    print(
        f"{'opened: bins, counts, marginals, all that the page is sent':60s} {time.perf_counter() - start:9.2f} s"
    )
    places = np.random.default_rng(0).permutation(np.arange(300, 600))[:repeats]
    send(view, type="cube", score=MOVED, side="high", charts=list(SCORES))
    clock, processor = [], []

    def release(i: int) -> None:
        sent.clear()
        start, start_processor = time.perf_counter(), time.process_time()
        send(view, type="drag", score=MOVED, side="high", place=int(places[i]), ticket="t")
        ((_, at, at_processor),) = sent
        clock.append(1000 * (at - start))
        processor.append(1000 * (at_processor - start_processor))

    whole = timed(release, len(places))
    answered = times_of(clock, processor)
    answered.row(
        "let go: exact numbers and histograms answered", f"{len(json.dumps(view.live)) / 1000:.1f} kB"
    )
    whole.row("  with what each step drops, which follows", f"{len(json.dumps(view.rows)) / 1000:.1f} kB")

    def build(i: int) -> None:
        send(view, type="cube", score=SCORES[i % 8], side="low", charts=list(SCORES))

    built = timed(build, max(8, repeats // 4))
    built.row("pointer near: the cube built and packed")
    timed(lambda i: send(view, type="totals"), 5).row("nothing moves: totals with intervals")
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(f"{'memory at the most, above that of sample and scores':60s} {(after - before) / 1024:9.0f} MB")
    handle = bench.state.thresholds.handle(MOVED, "high")
    cube = make_cube(handle, bench.state.groups, bench.state.bins, SCORES, range(20))

    def look_up(i: int) -> object:
        place = int(places[i % len(places)])
        heights = {score: bars[:, place] for score, bars in cube.heights.items()}
        assert cube.tokens is not None
        return cube.documents[place], cube.tokens[place], cube.sources[:, place], heights

    moved = timed(look_up, 1000)
    moved.row("handle moved: a place looked up in the cube")
    return answered, built, moved


def conditions(table: Table, place: float) -> list[tuple[str, float, float]]:
    """Score and limits; the handle that moves stands at `place`."""
    found = [(step["score"], step["low"], step["high"]) for step in steps(table)]
    return [(name, low, place if name == MOVED else high) for name, low, high in found]


def compare(what: str, theirs: Times, ours: tuple[Times, Times, Times]) -> None:
    """A row, and how many times longer theirs takes: for exact numbers when a handle is let go, for one move, and for a
    drag of DRAG_MOVES moves and its end, with our cube built for it. By processor time.
    """
    answered, built, moved = (times.processor for times in ours)
    drag = built + DRAG_MOVES * moved + answered
    theirs.row(what)
    exact, one, whole = (
        theirs.processor / answered,
        theirs.processor / moved,
        (DRAG_MOVES + 1) * theirs.processor / drag,
    )
    print(
        f"  times ours: {exact:.1f} exact when let go, {one:,.0f} one move, {whole:.0f} a drag of {DRAG_MOVES} moves"
    )


def measure_peers(
    table: Table, codes: dict[str, Any], repeats: int, ours: tuple[Times, Times, Times]
) -> None:
    """The same numbers by a query on columns in memory, bins made beforehand: kept documents and tokens in all,
    documents of each source and in each bin of the eight histograms.
    """
    columns: dict[str, Any] = {name: table.scores[name] for name in SCORES}
    columns |= {f"bin_{name}": codes[name] for name in SCORES}
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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=1_000_000, help="documents")
    parser.add_argument("--repeats", type=int, default=40)
    parser.add_argument("--seconds", type=float, default=10.0, help="how long the handle is dragged")
    parser.add_argument("--only", choices=("python", "drag", "map"), help="one part")
    args = parser.parse_args()
    print(f"{args.n:,} documents, 8 scores, 20 sources; load of the machine {os.getloadavg()[0]:.1f}")
    if args.only in (None, "python"):
        table = made_up(args.n)
        ours = measure_python(table, args.repeats)
        measure_peers(table, bench_of(table).state.bins.codes, max(8, args.repeats // 4), ours)
        del table
    if args.only in (None, "drag"):
        measure_drag(args.n, args.seconds)
    if args.only in (None, "map"):
        measure_map(args.n)


if __name__ == "__main__":
    main()
