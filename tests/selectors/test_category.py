"""Keeping documents by a categorical score."""

from __future__ import annotations

import pytest

from workbench.checks import strings
from workbench.errors import InputError
from workbench.selectors.base import Selection
from workbench.selectors.category import CategoryParams, select_category

LANGUAGES = ["en", "de", "en", "zh", "de", "fr"]


def select(*values: str, labels: list[str] = LANGUAGES) -> Selection:
    return select_category({"language": strings(labels)}, CategoryParams("language", values), {}, 0)


def test_the_named_categories_stay() -> None:
    assert select("de", "fr").keep.tolist() == [False, True, False, False, True, True]


def test_a_category_that_no_document_has_keeps_none() -> None:
    assert not select("xx").keep.any()


def test_a_value_matches_whole_and_in_its_case() -> None:
    assert not select("e", "EN", "en-GB").keep.any()


def test_the_reason_names_the_category_and_what_is_kept() -> None:
    assert select("de", "fr").explain(3) == "language is zh, not de or fr"


def test_no_value_is_refused() -> None:
    with pytest.raises(
        InputError, match="category of language needs at least one value to keep; name one, or drop the step"
    ):
        select()


def test_no_documents() -> None:
    assert select("de", labels=[]).keep.shape == (0,)
