"""Documents that mostly stood before, held to a search over strings."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.checks import Array, strings
from workbench.errors import InputError
from workbench.scores.base import as_ragged
from workbench.scores.normal import simplify
from workbench.scores.unit_hashes import hash_units
from workbench.scores.units import Kind, split_units
from workbench.selectors.base import Selection
from workbench.selectors.spans import SPEC, SpansParams

KIND: dict[str, Kind] = {
    "sentences3": "sentence",
    "sentence": "sentence",
    "line": "line",
    "paragraph": "paragraph",
}
PARTS = [
    "One came. ",
    "Two went. ",
    "3 cats sat. ",
    "4 cats sat! ",
    "-- \n",
    "A line\n",
    "\n\n",
    "End? ",
    " ",
    "Ünder. ",
]


def shares(texts: dict[str, str], unit: str) -> tuple[list[float], list[str]]:
    """The share of each text that stood before, and the document that is named for it."""
    scan = SPEC.scan
    assert scan is not None
    kind = KIND[unit]
    columns: dict[str, Array] = {
        "doc_id": strings(texts),
        f"{kind}_hashes": as_ragged([hash_units(text, kind) for text in texts.values()]),
    }
    found = scan(columns, SpansParams(unit), {}, 0)  # type: ignore[arg-type]
    return found["duplicate_fraction"].tolist(), found["first_copy"].tolist()


def by_strings(texts: dict[str, str], unit: str) -> tuple[list[float], list[str]]:
    """The same by comparing every span with every one before it."""
    n = 3 if unit == "sentences3" else 1
    seen: list[tuple[str, tuple[str, ...]]] = []
    out: dict[str, tuple[float, str]] = {}
    for doc_id in sorted(texts):
        parts = split_units(texts[doc_id], KIND[unit])
        words = [simplify(part) for part in parts]
        sizes = [len(part.strip()) if word else 0 for part, word in zip(parts, words, strict=True)]
        repeated, holder = [False] * len(parts), ""
        for i in range(len(parts) - n + 1):
            span = tuple(words[i : i + n])
            if not any(span):
                continue
            first = next((other for other, before in seen if before == span), None)
            if first is not None:
                repeated[i : i + n] = [True] * n
                holder = holder or (first if first != doc_id else "")
            seen.append((doc_id, span))
        total = sum(sizes)
        out[doc_id] = (sum(s for s, r in zip(sizes, repeated, strict=True) if r) / max(total, 1), holder)
    return [out[i][0] for i in texts], [out[i][1] for i in texts]


@given(
    st.dictionaries(
        st.text("abz#9", min_size=1, max_size=3), st.lists(st.sampled_from(PARTS), max_size=9), max_size=7
    ),
    st.sampled_from(list(KIND)),
)
@settings(max_examples=150, deadline=None)
def test_the_shares_are_those_of_a_search_over_strings(documents: dict[str, list[str]], unit: str) -> None:
    texts = {doc_id: "".join(parts) for doc_id, parts in documents.items()}
    found, holders = shares(texts, unit)
    expected, named = by_strings(texts, unit)
    assert found == pytest.approx(expected)
    assert holders == named


def select(fraction: list[float], holder: list[str], limit: float) -> Selection:
    columns = {"duplicate_fraction": np.array(fraction), "first_copy": strings(holder)}
    return SPEC.select(columns, SpansParams("line", limit), {}, 0)


def test_a_share_at_the_limit_is_kept_and_one_above_is_told_with_its_first_holder() -> None:
    selection = select([0.5, 0.51, 1.0, 0.0], ["a", "a", "", ""], 0.5)
    assert selection.keep.tolist() == [True, False, False, True]
    assert selection.explain(1) == (
        "51.0% of its characters lie in lines that stood before, first of all in a; 50.0% may"
    )
    assert (
        selection.explain(2) == "100.0% of its characters lie in lines that stood before in itself; 50.0% may"
    )


def test_an_unknown_unit_is_refused() -> None:
    columns = {"doc_id": strings(["a"]), "sentence_hashes": as_ragged([hash_units("One came.", "sentence")])}
    assert SPEC.scan is not None
    with pytest.raises(
        InputError, match="unit must be one of sentences3, sentence, line, paragraph, got 'word'"
    ):
        SPEC.scan(columns, SpansParams("word"), {}, 0)  # type: ignore[arg-type]
