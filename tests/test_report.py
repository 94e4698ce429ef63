"""The report: right numbers, several sources, and nothing in it that a text could bring to life."""

from __future__ import annotations

import errno
import json
import os
import unicodedata
from collections import Counter
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest

from tests.browser.chromium import FLAGS, find
from tests.browser.hostile import FLAG, MARK, PAYLOADS
from workbench.corpus import Sample
from workbench.corpus.design import Design, Stratum
from workbench.engine.export import expectations
from workbench.engine.select import Outcome, select
from workbench.engine.table import Table
from workbench.errors import ManifestError, StoreError
from workbench.models.load import Models
from workbench.recipe import parse_recipe
from workbench.report import describe, whole, write_report

SIZES = {"books": 13, "code": 47, "web": 90, "rare": 2}

STEPS = [
    {"select": "band", "score": "n_tokens", "low": 20},
    {"select": "exact"},
    {"select": "band", "score": "perplexity", "low": None, "high": {"quantile": 0.9}, "unscored": "drop"},
    {"select": "random", "fraction": 0.8},
]


def scored(
    texts: list[str] | None = None,
    ids: list[str] | None = None,
    sources: list[str] | None = None,
    rate: float = 1.0,
) -> Table:
    """A table of the given documents; by default 152 ordinary ones, the last of `web` a copy of its first."""
    sources = sources or [source for source, n in SIZES.items() for _ in range(n)]
    n = len(sources)
    texts = texts or [
        f"Document {i % (n - 3)} of {source}. " + "word " * (3 * i % 400) for i, source in enumerate(sources)
    ]
    frame = pl.DataFrame({"doc_id": ids or [f"{i:04d}" for i in range(n)], "text": texts, "source": sources})
    strata = {
        source: Stratum(round(k / rate), k, 1000 * k, k / round(k / rate))
        for source, k in Counter(sources).items()
    }
    table = Table(Sample(frame, Design("source", 0, strata, "fingerprint", 7)), Models())
    perplexity = np.random.default_rng(0).lognormal(3, 1, n).astype(np.float32)
    perplexity[::19] = np.nan
    table.scores.update(
        n_tokens=np.array([len(text.split()) for text in texts], dtype=np.float32),
        n_bytes=np.array([len(text.encode()) for text in texts], dtype=np.float32),
        perplexity=perplexity,
    )
    return table


def run(table: Table, steps: list[dict[str, object]] | None = None, seed: int = 0) -> Outcome:
    steps = STEPS if steps is None else steps
    return select(
        parse_recipe(json.dumps({"format": "selection-recipe/1", "seed": seed, "steps": steps})), table
    )


@dataclass
class Node:
    tag: str
    attributes: dict[str, str]
    text: str = ""
    children: list[Node] = field(default_factory=list)

    def all(self, tag: str, class_: str = "") -> list[Node]:
        """All elements below with this tag and, if given, this class."""
        own = [self] if self.tag == tag and (not class_ or self.attributes.get("class") == class_) else []
        return own + [node for child in self.children for node in child.all(tag, class_)]

    @property
    def shape(self) -> tuple[object, ...]:
        """Elements and the names of their attributes, without any value or text."""
        return (self.tag, tuple(self.attributes), tuple(child.shape for child in self.children))


class Reader(HTMLParser):
    """Parses as a browser would, so that what a text smuggled in would show as an element."""

    EMPTY = frozenset({"meta", "br", "img", "input", "link", "base", "embed", "source", "hr"})

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.root = Node("", {})
        self.open = [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        node = Node(tag, {name: value or "" for name, value in attrs})
        self.open[-1].children.append(node)
        if tag not in self.EMPTY:
            self.open.append(node)

    def handle_endtag(self, tag: str) -> None:
        assert self.open[-1].tag == tag, f"</{tag}> closes <{self.open[-1].tag}>"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        for node in self.open:
            node.text += data

    def handle_comment(self, data: str) -> None:
        raise AssertionError(f"a comment: {data}")

    def handle_pi(self, data: str) -> None:
        raise AssertionError(f"a processing instruction: {data}")


def read(path: Path) -> Node:
    reader = Reader()
    reader.feed(path.read_text(encoding="utf-8"))
    reader.close()
    assert len(reader.open) == 1, "an element is not closed"
    return reader.root


def make(tmp_path: Path, table: Table, outcome: Outcome, **options: object) -> Node:
    return read(write_report(tmp_path / "report.html", table, outcome, **options))  # type: ignore[arg-type]


def cells(page: Node, table: int) -> list[list[str]]:
    body = page.all("tbody")[table]
    return [[cell.text for cell in row.all("td")] for row in body.all("tr")]


# --------------------------------------------------------------------------------------------------- numbers


def test_what_is_kept_in_all_by_source_and_by_step(tmp_path: Path) -> None:
    table = scored()
    outcome = run(table)
    page = make(tmp_path, table, outcome)
    tokens, keep = table.scores["n_tokens"].astype(int), outcome.keep
    tiles = [tile.text for tile in page.all("div", "tile")]
    assert tiles[0].startswith(f"{keep.sum()}of 152 documents kept ({100 * keep.mean():.1f} %)")
    assert tiles[1].startswith(f"{tokens[keep].sum():,}of {tokens.sum():,} tokens kept")
    assert len(tiles) == 3
    rows = cells(page, 0)
    assert [row[0] for row in rows] == sorted(SIZES)
    for source, documents, share, _, tokens_kept, _ in rows:
        of_source = np.array(table.sample.sources) == source
        n_kept = (keep & of_source).sum()
        assert documents == f"{n_kept} of {SIZES[source]}"
        assert share == f"{100 * n_kept / SIZES[source]:.1f} %"
        assert tokens_kept.startswith(f"{tokens[keep & of_source].sum():,} (")
    steps = cells(page, 1)
    assert [int(row[2]) for row in steps] == [int((outcome.step == i).sum()) for i in range(4)]
    assert sum(int(row[2]) for row in steps) == 152 - keep.sum()
    assert [int(row[3].replace(",", "")) for row in steps] == [
        tokens[outcome.step == i].sum() for i in range(4)
    ]


def test_the_recipe_stands_there_in_words_and_as_json(tmp_path: Path) -> None:
    table = scored()
    outcome = run(table)
    page = make(tmp_path, table, outcome)
    assert json.loads(page.all("pre")[0].text) == json.loads(json.dumps(outcome.fitted.recipe.to_json()))
    words = [row[1] for row in cells(page, 1)]
    assert words[0] == "Keep documents with n_tokens at least 20"
    assert words[1] == "Exact deduplication: keep one of each set of identical texts"
    assert words[2].startswith("Keep documents with perplexity at most ")
    assert words[2].endswith(" (quantile 0.9 of the sample); drop those without it")
    assert words[3] == "Keep a random share of the documents (fraction 0.8)"


@pytest.mark.parametrize(
    ("step", "words"),
    [
        ({"select": "band", "score": "n_tokens"}, "Keep documents with n_tokens of any value"),
        (
            {"select": "band", "score": "n_tokens", "low": 1000.5, "high": 2e6, "unscored": "keep"},
            "Keep documents with n_tokens at least 1,000.5 and at most 2e+06; keep those without it",
        ),
        (
            {"select": "category", "score": "language", "values": ["en", "de"]},
            "Keep documents of the named categories (score language, values en, de)",
        ),
    ],
)
def test_a_step_in_words(step: dict[str, object], words: str) -> None:
    recipe = parse_recipe(json.dumps({"format": "selection-recipe/1", "seed": 0, "steps": [step]}))
    assert describe(recipe.steps[0]) == words


def test_a_sample_has_intervals_and_a_whole_corpus_has_none(tmp_path: Path) -> None:
    whole, part = scored(), scored(rate=0.1)
    outcome = run(whole)
    text = make(tmp_path, whole, outcome, expected=expectations(whole, outcome)).text
    assert "interval" not in text
    assert "A corpus of 152 documents of 4 sources; all of them was scored." in text
    assert "7 rows could not be read and were quarantined." in text
    outcome = run(part)
    expected = expectations(part, outcome)
    page = make(tmp_path, part, outcome, expected=expected)
    estimate = expected.all["n_documents"]
    assert f"of the corpus: {estimate.value:,.0f} ({estimate.low:,.0f} to {estimate.high:,.0f})" in page.text
    assert "A corpus of 1,520 documents of 4 sources; a sample of 152 of them was scored." in page.text
    rows = cells(page, 1)
    assert [row[0] for row in rows] == ["all", *sorted(SIZES)]
    code = expected.by_source["code"]["n_tokens"]
    assert rows[2][2] == f"{code.value:,.0f}{code.low:,.0f} to {code.high:,.0f}"


def test_copies_make_the_estimate_an_upper_bound(tmp_path: Path) -> None:
    table = scored(rate=0.5)
    with_copies, without = run(table), run(table, STEPS[:1])
    assert (
        "upper bounds" in make(tmp_path, table, with_copies, expected=expectations(table, with_copies)).text
    )
    text = make(tmp_path, table, without, expected=expectations(table, without)).text
    assert "upper bounds" not in text
    assert "with 95% intervals" in text


def test_each_thresholded_score_has_a_histogram(tmp_path: Path) -> None:
    table = scored()
    outcome = run(table)
    page = make(tmp_path, table, outcome)
    pictures = [svg for svg in page.all("svg") if svg.attributes.get("role") == "img"]
    assert [svg.attributes["aria-label"] for svg in pictures] == [
        "Histogram of n_tokens",
        "Histogram of perplexity",
    ]
    for svg, score in zip(pictures, ("n_tokens", "perplexity"), strict=True):
        height = {
            kind: sum(float(r.attributes["height"]) for r in svg.all("rect", kind))
            for kind in ("kept", "dropped")
        }
        has = ~np.isnan(table.scores[score])
        kept = (outcome.keep & has).sum() / has.sum()
        # The areas of the two colours are the shares of documents; heights have two decimals.
        assert height["kept"] / (height["kept"] + height["dropped"]) == pytest.approx(kept, abs=0.003)
        assert len(svg.all("line", "mark")) == 1
        bars = [r.attributes for r in svg.all("rect")]
        assert all(0 <= float(r["x"]) <= 720 and float(r["y"]) > 0 for r in bars)
    assert [t.text for t in pictures[0].all("text", "mark")] == ["≥ 20"]
    assert "8 documents have no such score." in page.text


def test_a_score_that_no_document_has_is_said(tmp_path: Path) -> None:
    table = scored()
    table.scores["perplexity"][:] = np.nan
    steps = [{"select": "band", "score": "perplexity", "low": 3, "unscored": "keep"}]
    assert "No document has this score." in make(tmp_path, table, run(table, steps)).text


def test_many_sources_are_cut_to_the_largest(tmp_path: Path) -> None:
    sources = [f"site{i:03d}" for i in range(130)] + [f"site{i:03d}" for i in range(20, 110)]
    table = scored(sources=sources)
    page = make(tmp_path, table, run(table))
    names = [row[0] for row in cells(page, 0)]
    assert "The 100 largest of 130 sources." in page.text
    assert len(names) == 100
    assert names == sorted(names)
    assert {f"site{i:03d}" for i in range(20, 110)} <= set(names)


# ------------------------------------------------------------------------------------------------- documents


def shown(page: Node) -> tuple[list[Node], list[Node]]:
    """The kept and the dropped documents; dropped ones have a reason."""
    documents = page.all("div", "document")
    is_dropped = [any(p.text.startswith("Step ") for p in d.all("p")) for d in documents]
    return (
        [d for d, dropped in zip(documents, is_dropped, strict=True) if not dropped],
        [d for d, dropped in zip(documents, is_dropped, strict=True) if dropped],
    )


def test_ten_kept_and_ten_dropped_documents_of_several_sources(tmp_path: Path) -> None:
    table = scored()
    outcome = run(table)
    kept, dropped = shown(make(tmp_path, table, outcome))
    for documents, rows in ((kept, outcome.keep), (dropped, ~outcome.keep)):
        assert len(documents) == 10
        names = [d.all("code")[0].text for d in documents]
        assert len(set(names)) == 10
        places = [table.sample.doc_ids.index(name) for name in names]
        assert rows[places].all()
        sources = {s for s, is_in in zip(table.sample.sources, rows, strict=True) if is_in}
        # One of each source before a second of any.
        assert {table.sample.sources[i] for i in places[: len(sources)]} == sources
    for document in dropped:
        row = table.sample.doc_ids.index(document.all("code")[0].text)
        step = int(outcome.step[row])
        select_name = outcome.fitted.recipe.steps[step].select
        assert document.all("p")[1].text == f"Step {step + 1}, {select_name}: {outcome.reason(row)}"


def test_only_the_beginning_of_a_long_text_is_shown(tmp_path: Path) -> None:
    long = "".join(chr(0x4E00 + i) for i in range(5000))
    table = scored(texts=["x" * 300, long], sources=["a", "a"])
    kept, _ = shown(make(tmp_path, table, run(table, [])))
    texts = {d.all("pre")[0].text: [p.text for p in d.all("p")[1:]] for d in kept}
    assert texts == {"x" * 300: [], long[:300] + "…": ["The first 300 of 5,000 characters."]}


def test_fewer_documents_than_ten_and_none_at_all(tmp_path: Path) -> None:
    table = scored(sources=["a"] * 4)
    page = make(tmp_path, table, run(table, [{"select": "random", "fraction": 0.0}]))
    kept, dropped = shown(page)
    assert (len(kept), len(dropped)) == (0, 4)
    assert "There are none." in page.text
    assert "4 of 4, drawn at random from each source in turn." in page.text


def test_the_same_selection_gives_the_same_bytes_and_another_seed_other_documents(tmp_path: Path) -> None:
    def ids(seed: int) -> list[str]:
        table = scored()
        page = make(tmp_path, table, run(table, STEPS[:1], seed))
        return [d.all("code")[0].text for d in page.all("div", "document")]

    table = scored()
    one = write_report(tmp_path / "one.html", table, run(table)).read_bytes()
    assert write_report(tmp_path / "two.html", table, run(table)).read_bytes() == one
    assert ids(0) == ids(0)
    assert ids(0) != ids(1)


# -------------------------------------------------------------------------------------------------- hostile

ELEMENTS = {
    *(
        "html",
        "head",
        "meta",
        "title",
        "style",
        "body",
        "main",
        "h1",
        "h2",
        "h3",
        "p",
        "div",
        "b",
        "bdi",
        "code",
        "pre",
    ),
    *("table", "thead", "tbody", "tr", "th", "td", "svg", "rect", "line", "text"),
}
ATTRIBUTES = {
    *(
        "lang",
        "charset",
        "http-equiv",
        "content",
        "name",
        "class",
        "role",
        "aria-label",
        "aria-hidden",
        "viewbox",
    ),
    *("preserveaspectratio", "x", "y", "width", "height", "x1", "x2", "y1", "y2", "text-anchor"),
}


def hostile_table(*, benign: bool) -> Table:
    """Payloads as texts, ids, sources, and in the definition of a model; or as many plain words in their places."""
    words = [f"plain-{i:03d}" for i in range(len(PAYLOADS))] if benign else [p[:200] for p in PAYLOADS]
    # Ids and sources in an order that is the same for both, since the report sorts by them.
    ids = [f"{i:03d}{word}" for i, word in enumerate(words)]
    sources = [f"{i % 12:02d}{words[i % 12]}" for i in range(len(words))]
    # None is longer than what is shown: the note below a cut text would differ with the documents drawn.
    texts = [word.ljust(200) for word in words]
    table = scored(texts=texts, ids=ids, sources=sources)
    table.scores["n_tokens"] = np.arange(len(words), dtype=np.float32)
    table.definitions["perplexity"] = {"models": {words[6]: {"id": words[7], "revision": words[8]}}}
    return table


def hostile_outcome(table: Table) -> Outcome:
    return run(table, [{"select": "band", "score": "n_tokens", "low": 26}])


def test_hostile_texts_ids_and_sources_add_no_element_and_no_attribute(tmp_path: Path) -> None:
    shapes = []
    for benign in (True, False):
        table = hostile_table(benign=benign)
        page = make(tmp_path, table, hostile_outcome(table))
        shapes.append(page.shape)
        nodes = [page]
        while nodes:
            node = nodes.pop()
            nodes += node.children
            assert node.tag in ELEMENTS | {""}
            assert set(node.attributes) <= ATTRIBUTES
    assert shapes[0] == shapes[1]


def test_every_payload_shows_as_text(tmp_path: Path) -> None:
    assert len(PAYLOADS) >= 60
    for start in range(0, len(PAYLOADS), 10):
        words = [payload[:200] for payload in PAYLOADS[start : start + 10]]
        table = scored(texts=words, ids=words, sources=words)
        page = make(tmp_path, table, run(table, []))
        visible = [plain_text(word) for word in words]
        assert sorted(d.all("pre")[0].text for d in page.all("div", "document")) == sorted(visible)
        assert sorted(d.all("code")[0].text for d in page.all("div", "document")) == sorted(visible)
        assert sorted(row[0] for row in cells(page, 0)) == sorted(visible)


def plain_text(text: str) -> str:
    """As the report shows it: a box for what controls, turns the reading direction or ends a line unseen."""
    unseen = ("Cc", "Cf", "Zl", "Zp")
    return "".join("\ufffd" if unicodedata.category(c) in unseen and c != "\n" else c for c in text)


def test_control_characters_become_boxes(tmp_path: Path) -> None:
    nasty = "a\x00b\x07c\x1b[31md\x7fe\x85f\u202eg\u2066h\ufffei\tj\nk"
    table = scored(texts=[nasty], ids=["i\x00d"], sources=["s\u202e"])
    page = make(tmp_path, table, run(table, []))
    document = page.all("div", "document")[0]
    assert document.all("pre")[0].text == "a�b�c�[31md�e�f�g�h�i\tj\nk"
    assert document.all("code")[0].text == "i�d"
    raw = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert not any(ord(c) < 32 and c not in "\n\t" for c in raw)
    assert "\u202e" not in raw


def test_the_page_allows_no_script_and_asks_for_nothing(tmp_path: Path) -> None:
    table = hostile_table(benign=False)
    page = make(tmp_path, table, hostile_outcome(table))
    policy = next(m.attributes["content"] for m in page.all("meta") if m.attributes.get("http-equiv"))
    assert policy.startswith("default-src 'none'; style-src 'unsafe-inline'; img-src data:")
    # The policy must stand before anything that it is to govern.
    assert [node.tag for node in page.all("head")[0].children][:2] == ["meta", "meta"]
    style = page.all("style")[0].text
    assert "url(" not in style
    assert "@import" not in style


@pytest.mark.browser
def test_nothing_runs_in_a_browser_and_no_request_is_made(tmp_path: Path) -> None:
    from playwright.sync_api import sync_playwright

    table = hostile_table(benign=False)
    path = write_report(tmp_path / "report.html", table, hostile_outcome(table))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find(), args=list(FLAGS))
        try:
            page = browser.new_page(viewport={"width": 420, "height": 900})
            asked: list[str] = []
            page.on("request", lambda request: asked.append(request.url))
            page.goto(path.as_uri())
            page.wait_for_timeout(300)
            assert asked == [path.as_uri()]
            assert page.evaluate(f"window.{FLAG}") is None
            assert page.locator(f"[{MARK}]").count() == 0
            assert page.locator(".document").count() == 20
            # It fits a phone: wide tables scroll by themselves.
            assert page.evaluate("document.documentElement.scrollWidth") <= 420
        finally:
            browser.close()


# -------------------------------------------------------------------------------------------------- the file


def test_the_manifest_is_named_with_its_digest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = scored()
    found = SimpleNamespace(digest="ab" * 32, evidence=[])
    monkeypatch.setattr(whole, "read_manifest", lambda folder: found)
    page = make(tmp_path, table, run(table), manifest=tmp_path / "web <b>.manifest")
    assert page.all("title")[0].text == "Selection report: web <b>.manifest"
    assert f"Manifest {'ab' * 32}" in page.text


def evidence_of(kind: str, **more: object) -> dict[str, object]:
    shares = {"value": 0.875, "low": 0.5, "high": 0.975}
    return {"kind": kind, "precision": shares, "recall": {**shares, "value": None, "low": 0.0}, **more}


VOTES = evidence_of(
    "blind_votes", kept={"n_votes": 8, "n_good": 7}, dropped={"n_votes": 9, "n_good": 2}, n_skipped=3
)
REGION = evidence_of("held_out_region", step=2, name=PAYLOADS[0], n_fitted=60, n_held_out=61)


def test_evidence_is_told_in_words(tmp_path: Path) -> None:
    table = scored()
    page = make(tmp_path, table, run(table), evidence=[VOTES, REGION])
    assert "worth keeping 7 of 8 kept documents and 2 of 9 dropped ones; 3 were skipped." in page.text
    assert f"Step 2, region {PAYLOADS[0]}" in page.text
    assert "fitted in the same way to 60 documents was tried on 61 others" in page.text
    shown = [
        row
        for i in range(len(page.all("tbody")))
        for row in cells(page, i)
        if "recall" in row[0] or "precision" in row[0]
    ]
    assert [row[1:] for row in shown] == 2 * [
        ["87.5 %", "50.0 % to 97.5 %"],
        ["not known", "0.0 % to 97.5 %"],
    ]
    assert page.text.index("Evidence") < page.text.index("Recipe")
    assert "Evidence" not in make(tmp_path, table, run(table)).text


@pytest.mark.parametrize(
    "item",
    [
        {"kind": PAYLOADS[1]},
        {"no kind": PAYLOADS[1]},
        {"kind": ["blind_votes"], "x": PAYLOADS[1]},
        {**VOTES, "n_skipped": PAYLOADS[1]},
        {**VOTES, "precision": {"value": 10**400, "low": 0, "high": 1}, "x": PAYLOADS[1]},
        {**REGION, "name": {"a": PAYLOADS[1]}},
        {**REGION, "step": True, "x": PAYLOADS[1]},
    ],
)
def test_evidence_of_another_kind_or_form_is_shown_as_it_is(tmp_path: Path, item: dict[str, object]) -> None:
    table = scored()
    shown = [node.text for node in make(tmp_path, table, run(table), evidence=[item]).all("pre")]
    assert json.dumps(item, indent=2, ensure_ascii=False) in shown


def test_a_manifest_that_cannot_be_read_is_one_sentence_and_no_file(tmp_path: Path) -> None:
    table = scored()
    with pytest.raises(ManifestError, match=r"absent\.manifest"):
        write_report(tmp_path / "report.html", table, run(table), manifest=tmp_path / "absent.manifest")
    assert not list(tmp_path.iterdir())


def test_models_and_versions_are_named(tmp_path: Path) -> None:
    table = scored()
    table.definitions["n_tokens"] = {
        "models": {"tokenizer": {"id": "small-lm", "files": {"tokenizer.json": "c0ffee"}}}
    }
    table.definitions["perplexity"] = {"models": {"lm": {"id": "small-lm", "dtype": "bfloat16"}}}
    page = make(tmp_path, table, run(table))
    models, versions = cells(page, 2), cells(page, 3)
    assert [row[0] for row in models] == ["lm", "tokenizer"]
    assert json.loads(models[1][1]) == {"id": "small-lm", "files": {"tokenizer.json": "c0ffee"}}
    assert dict(versions)["numpy"] == np.__version__


def test_a_table_without_counts_is_reported_in_documents(tmp_path: Path) -> None:
    table = scored()
    del table.scores["n_tokens"], table.scores["n_bytes"]
    page = make(tmp_path, table, run(table, STEPS[2:]))
    assert len(page.all("div", "tile")) == 1


def test_a_full_disk_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*args: object, **kwargs: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    table = scored()
    outcome = run(table)
    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(
        StoreError, match=r"report\.html can't be written in .*: No space left on device; free space"
    ):
        write_report(tmp_path / "report.html", table, outcome)
    assert not list(tmp_path.iterdir())
