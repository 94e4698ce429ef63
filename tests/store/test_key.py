"""Keys: everything that defines a column's numbers changes its folder, and nothing else does."""

from __future__ import annotations

from itertools import combinations

import pytest

from workbench.store import ColumnKey

FALSY = [{}, {"p": None}, {"p": 0}, {"p": 0.0}, {"p": False}, {"p": ""}, {"p": []}, {"p": {}}, {"q": 0}]


@pytest.mark.parametrize(("a", "b"), list(combinations(FALSY, 2)))
def test_falsy_params_count_like_any_other(a: dict[str, object], b: dict[str, object]) -> None:
    assert ColumnKey("s", {"params": a}).folder != ColumnKey("s", {"params": b}).folder


def test_a_deep_change_changes_the_key() -> None:
    def key(revision: str) -> str:
        return ColumnKey("s", {"models": {"lm": {"files": {"model.safetensors": revision}}}}).digest

    assert key("a") != key("b")


def test_the_order_of_names_does_not() -> None:
    assert ColumnKey("s", {"a": 1, "b": {"c": 2, "d": 3}}) != ColumnKey("s", {})
    one, two = (
        ColumnKey("s", {"a": 1, "b": {"c": 2, "d": 3}}),
        ColumnKey("s", {"b": {"d": 3, "c": 2}, "a": 1}),
    )
    assert one.folder == two.folder


def test_another_name_is_another_key() -> None:
    assert ColumnKey("s", {}).digest != ColumnKey("t", {}).digest


def test_the_folder_is_readable_and_safe() -> None:
    folder = ColumnKey("c4_curly", {"version": 1}).folder
    name, digest = folder.rsplit("-", 1)
    assert name == "c4_curly"
    assert len(digest) == 16
    assert set(digest) <= set("0123456789abcdef")


def test_a_key_is_the_same_in_every_release() -> None:
    # A changed digest would make every store of every user stale: it is part of the format.
    assert ColumnKey("n_chars", {"version": 1, "params": {}, "x": None}).folder == "n_chars-6c8ae8792db49454"


def test_a_definition_without_a_json_form_is_an_error() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        _ = ColumnKey("s", {"p": float("nan")}).digest
