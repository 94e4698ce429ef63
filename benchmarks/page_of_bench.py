"""The bench in a real Chromium, served by voila: a handle dragged by the mouse, and the map opened.

A drag is drawn by Chromium's software compositor, as on a machine without a graphics card; the emulated card
(SwiftShader), which the map's WebGL needs, would take the same cores for itself.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from playwright.sync_api import Browser, Page, sync_playwright

from benchmarks.made_up_bench import CELL, MOVED, SCORES
from tests.browser import chromium
from tests.browser.bench_page import BenchPage
from tests.browser.conftest import WAIT_MS, write_notebook
from tests.browser.pages import Notebook
from tests.browser.serving import serve

WITHOUT_CARD = (
    *(flag for flag in chromium.FLAGS if "swiftshader" not in flag and "angle" not in flag),
    "--disable-gpu",
)

WATCH = """() => {
  // Of each move: when the pointer moved, the page heard of it, its script was done, the frame after it was painted.
  window.moves = [];
  window.addEventListener("pointermove", (event) => {
    if (!event.buttons) return;
    const move = { moved: event.timeStamp, heard: performance.now(), channel: new MessageChannel() };
    event.wbMove = move;
    move.channel.port1.onmessage = () => window.moves.push([move.moved, move.heard, move.done, performance.now()]);
    requestAnimationFrame(() => move.channel.port2.postMessage(0));
  }, { capture: true });
  window.addEventListener("pointermove", (event) => { if (event.wbMove) event.wbMove.done = performance.now(); });
}"""

DRAWN = """() => {
  const canvas = document.querySelector(".wb-map-plot canvas");
  const context = canvas && canvas.width && canvas.getContext("2d");
  if (!context) return false;
  // A part of it, since reading takes time itself.
  const { data } = context.getImageData(canvas.width / 2 - 50, canvas.height / 2 - 50, 100, 100);
  let n = 0;
  for (let i = 3; i < data.length; i += 4) n += data[i] > 0 && data[i - 1] + data[i - 2] + data[i - 3] < 740;
  return n > 100;
}"""


@contextmanager
def opened(n: int, flags: Sequence[str]) -> Iterator[tuple[Browser, Page, BenchPage, list[int]]]:
    """The bench on a made-up sample of n documents; the list fills with the sizes of what crosses the wire."""
    frames: list[int] = []
    env = {"WORKBENCH_N": str(n), "PYTHONPATH": str(Path.cwd())}
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        notebook = write_notebook(Path(folder) / "bench.ipynb", CELL)
        with serve("app", notebook, Path(folder), env) as server:
            browser = playwright.chromium.launch(executable_path=chromium.require(), args=list(flags))
            page = browser.new_page(viewport={"width": 1400, "height": 1000})
            page.set_default_timeout(WAIT_MS)

            def hear(socket: Any) -> None:
                for event in ("framesent", "framereceived"):
                    socket.on(event, lambda payload: frames.append(len(payload)))

            page.on("websocket", hear)
            yield browser, page, BenchPage.wait(Notebook.open(page, server)), frames
            browser.close()


def measure_drag(n: int, seconds: float) -> None:
    """A handle dragged to and fro for so many seconds."""
    with opened(n, WITHOUT_CARD) as (browser, page, bench, frames):
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
        at_drag = len(frames)
        drag(page, x, y, seconds)
        moves = np.array(page.evaluate("() => window.moves"))
        dragged = sum(frames[at_drag:])
        processor = frame_processor_ms(browser, page, x, y)
        before = time.perf_counter()
        page.mouse.up()
        bench.find(".wb-histograms:not([data-moving])").wait_for()
        let_go = 1000 * (time.perf_counter() - before)
        page.wait_for_timeout(1500)
        moved, heard, done, painted = moves.T
        print_times(
            "pointer moved -> frame painted, the wait for the display's next frame included", painted - moved
        )
        print_times("page hears of it -> frame painted: script, style, layout, paint", painted - heard)
        print_times("of that, script: looked up in the cube and written into the page", done - heard)
        print(f"{'  processor time of the page a frame':60s} {processor:9.1f} ms median")
        print(f"{'let go in Chromium: answered and drawn':60s} {let_go:9.1f} ms")
        total = sum(frames[at_start:])
        print(f"{'over the wire: the cube / while dragging / all with what follows':60s} "
              f"{cube / 1000:.1f} / {dragged / 1000:.1f} / {total / 1000:.1f} kB in {seconds:.0f} s")  # fmt: skip


def drag(page: Page, x: float, y: float, seconds: float) -> None:
    """Move the mouse to and fro, left of x."""
    end, i = time.perf_counter() + seconds, 0
    while time.perf_counter() < end:
        page.mouse.move(x - 60 - 55 * np.sin(i / 9), y)
        i += 1


def print_times(what: str, times: Any) -> None:
    median, high, least = np.quantile(times, [0.5, 0.95, 0.0])
    print(
        f"{what:60s} {median:9.1f} ms median {high:9.1f} ms p95 {least:9.1f} ms least of {len(times)}",
        flush=True,
    )


def frame_processor_ms(browser: Browser, page: Page, x: float, y: float) -> float:
    """Processor time that the page's main thread takes for a frame in which a handle moved, by Chromium's trace."""
    browser.start_tracing(page=page, categories=["devtools.timeline", "cc"])
    drag(page, x, y, 3.0)
    events = json.loads(browser.stop_tracing())["traceEvents"]
    moves = [
        e["ts"] for e in events if e["name"] == "EventDispatch" and e["args"]["data"]["type"] == "pointermove"
    ]
    frames = [e for e in events if e["name"] == "ProxyMain::BeginMainFrame" and "tdur" in e]
    found = [
        frame["tdur"] / 1000 for frame in frames
        if any(frame["ts"] <= ts <= frame["ts"] + frame["dur"] for ts in moves)
    ]  # fmt: skip
    return float(np.median(found))


def measure_map(n: int) -> None:
    """The map opened, until its points are drawn."""
    with opened(n, chromium.FLAGS) as (_, page, bench, frames):
        before, start = len(frames), time.perf_counter()
        bench.find(".wb-tab[data-tab=map]").click()
        page.wait_for_function(DRAWN, polling=200)
        took, n_bytes = time.perf_counter() - start, sum(frames[before:])
        print(f"{'Map tab opened: points drawn, WebGL emulated':60s} {took:9.2f} s  {n_bytes / 1e6:.1f} MB")
