"""How texts are compared: as datatrove's dedup steps do."""

from __future__ import annotations

import importlib

from workbench.corpus import read
from workbench.embedded import sample_corpus
from workbench.scores.normal import PUNCTUATION, simplify


def test_a_text_is_simplified_as_by_datatrove() -> None:
    theirs = importlib.import_module("datatrove.utils.text")
    assert set(theirs.PUNCTUATION) == PUNCTUATION
    texts = [text[:3_000] for text in read(sample_corpus()).sample(400, seed=2).texts]
    hard = [
        "",
        " ",
        "...",
        "١٢٫٥ und 12,50,3",
        "Ünïcödé\u2028x\u0085y\x1fz",
        "\u037e\u1fef a",
        "１２ ％",
        "İx",
        "\u0301",
    ]
    for text in [*texts, *hard]:
        assert simplify(text) == theirs.simplify_text(text)
