"""A self-contained, inert HTML page: built as a tree, so that every text is escaped, and without any script.

Texts, ids and names come from a corpus and are hostile. They only ever become an element's text or an
attribute's value, both escaped by xml.etree; element and attribute names are ours.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from xml.etree.ElementTree import Element, SubElement, tostring

from workbench.plots.axis import ticks
from workbench.plots.base import plain
from workbench.plots.distribution import Distribution

Child = str | Element

# No script, no connection, no font, no frame: even a hole in the escaping would have nothing to call.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"

WIDTH, HEIGHT = 720, 132
_PLOT = 96

CSS = """
:root { color-scheme: light dark; --page: #fff; --ink: #1b1f24; --soft: #5c6670; --line: #dfe3e8; --raised:
#f6f7f9;
  --kept: #2166ac; --dropped: #c3c8ce; --mark: #c2410c; }
@media (prefers-color-scheme: dark) { :root { --page: #14171b; --ink: #e4e7eb; --soft: #97a1ac; --line:
#2c323a;
  --raised: #1c2127; --kept: #5b9bd5; --dropped: #4a525c; --mark: #f59e5b; } }
* { box-sizing: border-box; } body { margin: 0 auto; padding: 2rem 1.5rem 4rem; max-width: 62rem; background:
var(--page); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif; }
h1 { font-size: 1.6rem; line-height: 1.2; margin: 0 0 .25rem; } h2 { font-size: 1.1rem; margin: 2.5rem 0
.5rem; } h3 { font-size: .95rem; margin: 1.25rem 0 .25rem; } p { margin: .25rem 0 .75rem; max-width: 46rem; }
.soft, caption, th { color: var(--soft); } code, pre { font-family: ui-monospace, "SF Mono", Menlo, Consolas,
"DejaVu Sans Mono", monospace; font-size: .86em; } pre { margin: .4rem 0 0; padding: .6rem .75rem; background:
var(--raised); border-radius: 6px;
  white-space: pre-wrap; overflow-wrap: anywhere; unicode-bidi: plaintext; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { padding: .32rem .6rem; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top;
  overflow-wrap: break-word; max-width: 26rem; }
th { font-weight: 500; font-size: .85em; overflow-wrap: normal; } .number { text-align: right; white-space:
nowrap; } tr.total td { font-weight: 600; } .tiles { display: grid; grid-template-columns: repeat(auto-fit,
minmax(15rem, 1fr)); gap: .75rem; margin: 1.25rem 0; } .tile { border: 1px solid var(--line); border-radius:
8px; padding: .8rem 1rem; font-variant-numeric: tabular-nums; } .tile b { display: block; font-size: 1.7rem;
line-height: 1.25; font-weight: 600; } .note { border-left: 3px solid var(--mark); padding: .1rem 0 .1rem
.8rem; } .bar { display: block; width: 100%; min-width: 5rem; height: .5rem; margin: .45rem 0; }
.tile p { margin: 0; } svg { display: block;
max-width: 100%; height: auto; } svg text { font: 11px system-ui, sans-serif; fill: var(--soft);
font-variant-numeric: tabular-nums; } svg .mark { fill: var(--mark); } .kept { fill: var(--kept); } .dropped {
fill: var(--dropped); } svg line { stroke: var(--line); } svg line.mark { stroke: var(--mark); stroke-width:
1.5; } .document { border-top: 1px solid var(--line); padding: .7rem 0; break-inside: avoid; } .document p {
margin: 0; max-width: none; overflow-wrap: anywhere; } @media print { body { max-width: none; padding: 0;
font-size: 11px; } h2 { break-after: avoid; }
  .scroll { overflow: visible; } }
"""


def tag(kind: str, /, *children: Child, **attributes: str) -> Element:
    """An element; a keyword `class_` is the attribute class, and `aria_label` is aria-label."""
    element = Element(
        kind, {key.rstrip("_").replace("_", "-"): plain(value) for key, value in attributes.items()}
    )
    last: Element | None = None
    for child in children:
        if isinstance(child, Element):
            element.append(child)
            last = child
        elif last is None:
            element.text = (element.text or "") + plain(child)
        else:
            last.tail = (last.tail or "") + plain(child)
    return element


def grid(
    head: Sequence[str], rows: Iterable[Sequence[Child]], *, numbers: frozenset[int] = frozenset()
) -> Element:
    """A table; the columns in `numbers` are set to the right."""

    def row(cell: str, values: Sequence[Child]) -> Element:
        cells = (
            tag(cell, value, **({"class_": "number"} if i in numbers else {}))
            for i, value in enumerate(values)
        )
        return tag("tr", *cells)

    body = tag("tbody", *(row("td", values) for values in rows))
    return tag("div", tag("table", tag("thead", row("th", head)), body), class_="scroll")


def share_bar(share: float) -> Element:
    """A bar of which `share` (0..1) is filled."""
    svg = tag("svg", viewBox="0 0 100 10", preserveAspectRatio="none", class_="bar", aria_hidden="true")
    SubElement(svg, "rect", {"width": "100", "height": "10", "class": "dropped"})
    SubElement(svg, "rect", {"width": f"{100 * share:.2f}", "height": "10", "class": "kept"})
    return svg


def histogram(data: Distribution, thresholds: Sequence[tuple[float, str]], name: str) -> Element:
    """Kept documents over dropped ones, a line at each threshold (value, label), as inline SVG."""
    svg = tag("svg", viewBox=f"0 0 {WIDTH} {HEIGHT}", role="img", aria_label=name)
    top = max(data.counts, default=0) or 1
    edges = [WIDTH * data.axis.position(edge) for edge in data.edges]
    base = _PLOT + 14
    bins = zip(edges[:-1], edges[1:], data.counts, data.kept, strict=True)
    for left, right, count, kept in bins:
        for n, drawn_below, kind in ((kept, 0, "kept"), (count - kept, kept, "dropped")):
            if n:
                height, below = _PLOT * n / top, _PLOT * drawn_below / top
                box = {
                    "x": left + 0.5,
                    "y": base - below - height,
                    "width": max(right - left - 1, 0.5),
                    "height": height,
                }
                SubElement(svg, "rect", {**{k: f"{v:.2f}" for k, v in box.items()}, "class": kind})
    svg.append(tag("line", x1="0", x2=str(WIDTH), y1=str(base), y2=str(base)))
    for position, label in ticks(data.axis):
        svg.append(
            tag("text", label, x=f"{WIDTH * position:.1f}", y=str(base + 15), text_anchor=_anchor(position))
        )
    for value, label in thresholds:
        position = data.axis.position(value)
        x = f"{WIDTH * position:.1f}"
        svg.append(tag("line", x1=x, x2=x, y1="14", y2=str(base), class_="mark"))
        svg.append(tag("text", label, x=x, y="10", text_anchor=_anchor(position), class_="mark"))
    return svg


def _anchor(position: float) -> str:
    """Where a label hangs on its place, so that it doesn't leave the picture."""
    return "start" if position < 0.08 else "end" if position > 0.92 else "middle"


def page(title: str, body: Iterable[Element]) -> bytes:
    """The whole page, UTF-8."""
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        Element("meta", {"http-equiv": "Content-Security-Policy", "content": _POLICY}),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="referrer", content="no-referrer"),
        tag("title", title),
        tag("style", CSS),
    )
    root = tag("html", head, tag("body", tag("main", *body)), lang="en")
    return b"<!DOCTYPE html>\n" + tostring(root, encoding="unicode", method="html").encode() + b"\n"
