"""The line rules of RefinedWeb, and the verdict by them."""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.scores.conftest import ADVERSARIAL
from workbench.errors import InputError
from workbench.scores.refinedweb import removed_words_fraction
from workbench.selectors.refinedweb import SPEC, RefinedwebParams

COUNTED = "likes shares comments retweets reposts quotes bookmarks upvotes downvotes downloads views followers".split()


def is_counter(line: str) -> bool:
    """A number, perhaps in thousands, then what it counts, with marks alone around."""
    found = re.search(r"^\W*(\d[\d.,]*)([kmb]?)\s+(\w+)\W*$", line.lower())
    return found is not None and found[3] in COUNTED


def plain(text: str) -> float:
    """DCLM's way: one rule after the other over all lines that are left."""
    lines = text.split("\n")
    n_words = sum(len(line.split()) for line in lines)
    lines = [line for line in lines if not line or sum(c.isupper() for c in line) / len(line) <= 0.5]
    lines = [line for line in lines if not line or not all(c.isdigit() for c in line)]
    lines = [line for line in lines if not is_counter(line)]
    lines = [line for line in lines if len(line.split()) >= 2]
    for pattern in (r"\s?items in cart", r"\s?read more\.\.\.$", r"^sign-in\s?"):
        lines = [re.sub(pattern, " ", x, flags=re.I) if len(x.split()) <= 10 else x for x in lines]
    return (n_words - sum(len(line.split()) for line in lines)) / n_words if n_words else math.nan


@pytest.mark.parametrize(
    ("text", "removed"),
    [
        ("one whole line of prose\nand one more", 0),
        ("one whole line of prose\nHOME", 1),
        ("one whole line of prose\nBUY NOW and save", 0),  # 6 capitals of 16 characters
        ("one whole line of prose\nBUY IT NOW", 3),
        ("one whole line of prose\n12345", 1),
        ("one whole line of prose\n1.2K shares!", 2),
        ("one whole line of prose\n3 likes and more", 0),
        ("one whole line of prose\n3 items in cart", 3),
        ("one whole line of prose\nclick here to Read more...", 2),
        ("one whole line of prose\nSign-in to your account", 1),
        ("one whole line of prose\nplease sign-in here", 0),  # not at the start
        ("there are items in cart number four and many more words behind it", 0),  # a long line
    ],
)
def test_each_rule_takes_out_its_words(text: str, removed: int) -> None:
    assert removed_words_fraction(text) == removed / len(text.split())
    assert plain(text) == removed / len(text.split())


WORDS = [
    "",
    "3",
    "1,2k",
    "likes",
    "VIEWS",
    "Read",
    "more...",
    "items",
    "in",
    "cart",
    "sign-in",
    "prose",
    "ABC",
    "\n",
    "\n",
    "!",
]


@given(st.lists(st.sampled_from(WORDS), max_size=40).map(" ".join) | st.text())
def test_any_text_agrees_with_rule_after_rule(text: str) -> None:
    assert removed_words_fraction(text) == pytest.approx(plain(text), nan_ok=True, abs=0)


def test_the_hard_texts_agree_with_rule_after_rule() -> None:
    for text in ADVERSARIAL:
        assert removed_words_fraction(text) == pytest.approx(plain(text), nan_ok=True, abs=0)


def verdict(values: list[float], **given: Any) -> Any:
    columns = {"refinedweb_removed_words_fraction": np.array(values, dtype=np.float32)}
    return SPEC.run(columns, RefinedwebParams(**given), {}, 0)


def test_a_document_goes_above_five_percent() -> None:
    selection = verdict([0.0, 0.05, 0.051, np.nan])
    assert selection.keep.tolist() == [True, True, False, False]
    assert selection.explain(2) == "refinedweb_removed_words_fraction 0.051 is above 0.05"
    assert verdict([0.3], max_removed_words_fraction=0.3).keep.all()


def test_a_percentage_is_refused() -> None:
    with pytest.raises(InputError, match=r"max_removed_words_fraction must lie in 0\.\.1"):
        verdict([0.1], max_removed_words_fraction=5)
