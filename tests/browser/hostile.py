"""A corpus that attacks whoever looks at it: markup and script in every place that text can come from."""

from __future__ import annotations

import json
from pathlib import Path

FLAG = "__pwned"
"""What each payload sets on the window if it runs."""

MARK = "data-pwn"
"""An attribute that each payload's element would carry if it became one."""

_RUN = f"top.{FLAG}=1"

PAYLOADS: tuple[str, ...] = tuple(
    json.loads(line)
    for line in Path(__file__).with_name("payloads.txt").read_text(encoding="utf-8").splitlines()
    if line.startswith('"')
)
"""Those of payloads.txt, which says what they are."""
assert len(PAYLOADS) >= 60
assert len(set(PAYLOADS)) == len(PAYLOADS)


def filler(i: int) -> str:
    """Harmless words after a payload, so that scores differ from document to document."""
    return " ".join(f"word{(i * k) % 17}" for k in range(1, 6 + i % 11))


def write_hostile_corpus(folder: Path) -> Path:
    """Payloads as text, id, source, name and value of further columns, file name, and in rows that can't be read."""
    folder.mkdir(parents=True)
    rows: list[dict[str, object]] = [
        {
            "text": f"{payload}\n{filler(i)}",
            "doc_id": f"{i}{payload}",
            "source": payload,
            payload: payload,
            "image": "http://beacon.example/x.png",
        }
        for i, payload in enumerate(PAYLOADS)
    ]
    # Two sources of several documents, so that a threshold keeps some of each.
    rows += [
        {"text": f"{filler(i)} {filler(i * 3)}", "doc_id": f"plain-{i}", "source": f"{PAYLOADS[i % 2]}"}
        for i in range(40)
    ]
    name = f"<img {MARK} src=x onerror={_RUN}>.jsonl"
    lines = [json.dumps(row) for row in rows]
    broken = [
        f"<img {MARK} src=x onerror={_RUN}> is no JSON",
        json.dumps({"text": None, "doc_id": PAYLOADS[0], "source": "x"}),
    ]
    (folder / name).write_text("\n".join([*lines, *broken]) + "\n", encoding="utf-8")
    return folder


INTRUDERS = f"""() => {{
  // Every element that a payload made, in the page and in every shadow tree and frame of the same origin.
  const found = [];
  const look = (root) => {{
    for (const node of root.querySelectorAll("*")) {{
      const href = node.getAttribute("href") || node.getAttribute("xlink:href") || node.getAttribute("src") || "";
      if (node.hasAttribute("{MARK}") || /^javascript:/i.test(href.trim()) || node.hasAttribute("onerror"))
        found.push(node.outerHTML.slice(0, 200));
      if (node.shadowRoot) look(node.shadowRoot);
      if (node.tagName === "IFRAME" && node.contentDocument) look(node.contentDocument);
    }}
  }};
  look(document);
  return found;
}}"""


BROKEN_LAYOUT = """() => {
  // What a text did to the page beside it: made it wider, or covered or moved the tabs of the bench.
  const bench = document.querySelector(".wb-bench"), wrong = [];
  const scrolls = (node) => node.scrollWidth > node.clientWidth + 1;
  for (const node of [document.documentElement, bench, ...bench.querySelectorAll(".wb-view")])
    if (node.offsetParent !== null && scrolls(node))
      wrong.push(`${node.className || node.tagName} is ${node.scrollWidth} wide in ${node.clientWidth}`);
  bench.scrollIntoView();
  for (const tab of bench.querySelectorAll(".wb-tab")) {
    const box = tab.getBoundingClientRect();
    const at = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
    if (at !== tab) wrong.push(`the tab ${tab.dataset.tab} lies under ${at && at.className}`);
    if (box.height > 40) wrong.push(`the tab ${tab.dataset.tab} is ${box.height} high`);
  }
  return wrong;
}"""
