"""A corpus that attacks whoever looks at it: markup and script in every place that text can come from."""

from __future__ import annotations

import json
from pathlib import Path

FLAG = "__pwned"
"""What each payload sets on the window if it runs."""

MARK = "data-pwn"
"""An attribute that each payload's element would carry if it became one."""

_RUN = f"top.{FLAG}=1"

PAYLOADS = (
    f"<img {MARK} src=x onerror={_RUN}>",
    f'<img {MARK} src="x" onerror="{_RUN}">',
    f"<IMG {MARK} SRC=x OnErRoR={_RUN}>",
    f"<img {MARK} src=x onerror\n=\n{_RUN}>",
    f"<img {MARK}/src=x/onerror={_RUN}>",
    f"<img {MARK} src=/nowhere.png onload={_RUN} onerror={_RUN}>",
    f"<script {MARK}>{_RUN}</script>",
    f'<script {MARK} src="data:text/javascript,{_RUN}"></script>',
    f'<script {MARK} type="module">{_RUN}</script>',
    f"</script><script {MARK}>{_RUN}</script>",
    f"</style><script {MARK}>{_RUN}</script>",
    f"</title><script {MARK}>{_RUN}</script>",
    f"</textarea><script {MARK}>{_RUN}</script>",
    f"<scr<script>ipt {MARK}>{_RUN}</scr</script>ipt>",
    f"<svg {MARK} onload={_RUN}>",
    f"<svg {MARK}><script>{_RUN}</script></svg>",
    f"<svg {MARK}><animate onbegin={_RUN} attributeName=x dur=1s>",
    f'<svg {MARK}><a xlink:href="javascript:{_RUN}"><text x=20 y=20>x</text></a></svg>',
    f"<svg {MARK}><foreignObject><img src=x onerror={_RUN}></foreignObject></svg>",
    f"<math {MARK}><mtext><img src=x onerror={_RUN}></mtext></math>",
    f'<iframe {MARK} src="javascript:{_RUN}"></iframe>',
    f'<iframe {MARK} srcdoc="<script>{_RUN}</script>"></iframe>',
    f'<object {MARK} data="javascript:{_RUN}"></object>',
    f'<embed {MARK} src="javascript:{_RUN}">',
    f'<a {MARK} href="javascript:{_RUN}">click</a>',
    f'<form {MARK} action="javascript:{_RUN}"><button>go</button></form>',
    f"<details {MARK} open ontoggle={_RUN}><summary>x</summary></details>",
    f"<input {MARK} autofocus onfocus={_RUN}>",
    f"<video {MARK}><source onerror={_RUN}></video>",
    f"<audio {MARK} src=x onerror={_RUN}>",
    f"<body {MARK} onload={_RUN} onpageshow={_RUN}>",
    f"<marquee {MARK} onstart={_RUN}>x</marquee>",
    f"<style {MARK} onload={_RUN}>@keyframes a{{}}</style><b style=animation-name:a onanimationstart={_RUN}>",
    f"<link {MARK} rel=stylesheet href=x onerror={_RUN}>",
    f'<meta {MARK} http-equiv=refresh content="0;url=javascript:{_RUN}">',
    f'<base {MARK} href="javascript:{_RUN}//">',
    f'" {MARK} autofocus onfocus={_RUN} x="',
    f"' {MARK} autofocus onfocus={_RUN} x='",
    f"`;{_RUN};`${{{_RUN}}}",
    f"'];{_RUN};//",
    f'"}});{_RUN};//',
    f"\\u003cimg src=x onerror={_RUN}\\u003e",
    f"&lt;img {MARK} src=x onerror={_RUN}&gt;",
    f"[click](javascript:{_RUN})",
    f"![x](x){{onerror={_RUN}}} <img {MARK} src=x onerror={_RUN}>",
    f"$\\href{{javascript:{_RUN}}}{{x}}$ \\(\\unicode{{<img src=x onerror={_RUN}>}}\\)",
    f"{{{{constructor.constructor('{_RUN}')()}}}}",
    f"{{% raw %}}<img {MARK} src=x onerror={_RUN}>{{% endraw %}}",
    f"\u202e<img {MARK} src=x onerror={_RUN}>\u202c",
    f"<!--><img {MARK} src=x onerror={_RUN}>-->",
    f"<![CDATA[<img {MARK} src=x onerror={_RUN}>]]>",
    f'<noscript><p title="</noscript><img {MARK} src=x onerror={_RUN}>">',
)
# What is said of the number of payloads holds for the list as it is.
assert len(PAYLOADS) >= 31
assert len(set(PAYLOADS)) == len(PAYLOADS)


def filler(i: int) -> str:
    """Harmless words after a payload, so that scores differ from document to document."""
    return " ".join(f"word{(i * k) % 17}" for k in range(1, 6 + i % 11))


def write_hostile_corpus(folder: Path) -> Path:
    """Payloads as text, id, source, name and value of further columns, file name, and in rows that can't be read."""
    folder.mkdir(parents=True)
    rows = [
        {
            "text": f"{payload}\n{filler(i)}",
            "doc_id": f"{i}{payload}",
            "source": payload,
            f"<img {MARK} src=x onerror={_RUN}>": payload,
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
