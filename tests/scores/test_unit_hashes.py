"""Hashes of sentences, lines and paragraphs, and all tokens."""

from __future__ import annotations

from hashlib import blake2b
from types import SimpleNamespace

import numpy as np
import pytest

from workbench.errors import InputError
from workbench.scores.base import Inputs
from workbench.scores.token_ids import compute_token_ids
from workbench.scores.unit_hashes import hash_units


def test_a_unit_has_the_hash_of_its_simplified_text_and_its_characters_without_the_space_around() -> None:
    found = hash_units("  Page 12: Café!  \n***\npage 7 cafe\n", "line").reshape(-1, 2).tolist()
    expected = int.from_bytes(blake2b(b"page 0 cafe", digest_size=8).digest(), "little")
    assert found == [[expected, 14], [0, 0], [expected, 11]]


def test_a_lone_surrogate_has_a_hash() -> None:
    assert hash_units("a\ud800b", "line")[0] > 0


def test_a_text_without_units_has_no_hashes() -> None:
    for text in ("", " \n\n "):
        found = hash_units(text, "paragraph")
        assert (found.shape, found.dtype) == ((0,), np.dtype(np.uint64))


def test_all_tokens_of_every_text_come_in_order() -> None:
    texts = [f"{'x' * (i % 5)}{i}" for i in range(300)]
    tokenizer = SimpleNamespace(
        keep=lambda some, most: [SimpleNamespace(ids=np.array([ord(c) for c in t])[:most]) for t in some]
    )
    inputs = Inputs(texts, texts, texts, models=SimpleNamespace(tokenizer=tokenizer))  # type: ignore[arg-type]
    found = compute_token_ids(inputs, None, {})["token_ids"]
    assert ["".join(map(chr, row)) for row in found] == texts
    with pytest.raises(InputError, match="token_ids needs a tokenizer"):
        compute_token_ids(Inputs(["a"], ["s"], ["text"]), None, {})
