"""Documents that the text signals are held against datatrove on, split by datatrove itself."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import polars as pl
import pytest

CORPUS = Path(__file__).parents[2] / "data_samples" / "corpus"

ADVERSARIAL = [
    "",
    " ",
    " \t\r\n \u2028 ",
    "\n\n\n",
    "word",
    "word.",
    "no newline at the end of these words",
    "one\r\ntwo\r\n\r\none\r\ntwo\r\n",
    "one\u2028two.\u2029three\u0085four\x0bfive\x0csix\x1cseven",
    "...",
    "!?.,;:-—…",
    "# # # #",
    "line\n" * 50,
    "A whole paragraph, twice.\n\n" * 2,
    "\n\nleading and trailing\n\n",
    "a b c d e a b c d e",
    "a a a a a a a a a a a a a a a a a a a a a a a a",
    ".. . .. . .. . .. .",
    "ab c a bc ab c a bc ab c a bc",
    "- a\n• b\n  - c\n* d\nwait...\nwait…\nwait… \n",
    "The The THE the be to of and that have with",
    "Lorem ipsum dolor sit amet.",
    "function f() { return 1; }",
    "All of it is javascript {really}.\nLorem ipsum with JavaScript in it.",
    "He said \"yes.\"\nShe said 'no.'\nA fact.[1] Another.[edit]\nBy the way [citation needed].[2]",
    "We use cookies on this site.\nRead our Privacy Policy here.\nThese are the Terms of Use.",
    "x" * 1000 + " is as long as it may be.\n" + "x" * 1001 + " is too long, by one.",
    'Mr. Smith went to Washington D.C. today. Really? Yes! (He did.) "Good." etc... and so on.',
    "我们今天去公园。天气很好！你呢？我们今天去公园。",
    "آیا این درست است؟ بله، درست است۔",
    "👩‍👩‍👧‍👦🎉🎉 party 🎉 :) :-( xD",
    "ﬁne ǅ İstanbul ıI ẞß",
    "don't can't I'm we've they'll let's U.S. e.g. 10km $5 5% 3-4 x=y foo(bar):",
    "https://example.com/a,b?c=d#e user@example.com www.example.org.",
]


@cache
def _documents() -> list[tuple[str, list[str]]]:
    from datatrove.utils.text import split_into_words

    texts = list(ADVERSARIAL)
    for path in sorted(CORPUS.glob("*.parquet")):
        texts += pl.read_parquet(path, columns=["text"])["text"].sample(40, seed=0).to_list()
    return [(text, split_into_words(text)) for text in texts]


@pytest.fixture(scope="session")
def documents() -> list[tuple[str, list[str]]]:
    """More than 300 real documents and some odd ones, each with datatrove's words for it."""
    documents = _documents()
    assert len(documents) >= 300 + len(ADVERSARIAL)
    return documents


@pytest.fixture
def datatrove_words(monkeypatch: pytest.MonkeyPatch, documents: list[tuple[str, list[str]]]) -> None:
    """Let datatrove's filters take the words from `documents`, since each would split every text anew."""
    from datatrove.pipeline.filters import (
        fineweb_quality_filter,
        gopher_quality_filter,
        gopher_repetition_filter,
    )

    known = dict(documents)
    for module in (fineweb_quality_filter, gopher_quality_filter, gopher_repetition_filter):
        monkeypatch.setattr(module, "split_into_words", lambda text, language: known[text])


@pytest.fixture
def reason() -> Callable[..., str | None]:
    """A function that says why a datatrove filter drops a text; None if it keeps it."""
    from datatrove.data import Document

    def give(datatrove_filter, text: str) -> str | None:
        verdict = datatrove_filter.filter(Document(text=text, id="0"))
        return verdict[1] if isinstance(verdict, tuple) else None

    return give
