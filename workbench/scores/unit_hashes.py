"""Hashes of a document's sentences, lines and paragraphs: what copies of them are found by."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b

import numpy as np

from workbench.checks import Array
from workbench.scores.base import Compute, Inputs, NoParams, ScoreSpec, State, as_ragged
from workbench.scores.normal import simplify
from workbench.scores.units import Kind, split_units


def hash_units(text: str, kind: Kind) -> Array:
    r"""Of each sentence, line or paragraph a hash and its characters, uint64 (2 m,): h0, n0, h1, n1, ...

    The hash is the first 8 bytes of blake2b of the unit as `simplify` leaves it. A unit without a word has 0 of both.

    Examples
    --------
    >>> hash_units("Page 1\n---\npage 2!", "line").reshape(-1, 2)[:, 1].tolist()
    [6, 0, 7]
    """
    numbers: list[int] = []
    for part in split_units(text, kind):
        words = simplify(part)
        if words:
            digest = blake2b(words.encode(errors="replace"), digest_size=8).digest()
            numbers += (max(int.from_bytes(digest, "little"), 1), len(part.strip()))
        else:
            numbers += (0, 0)
    return np.array(numbers, dtype=np.uint64)


def compute_sentence_hashes(inputs: Inputs, params: NoParams, state: State) -> Mapping[str, Array]:
    """`sentence_hashes`, (n,) of uint64 arrays as `hash_units` makes them; a document without sentences has an empty
    one.
    """
    return {"sentence_hashes": as_ragged([hash_units(text, "sentence") for text in inputs.texts])}


def compute_line_hashes(inputs: Inputs, params: NoParams, state: State) -> Mapping[str, Array]:
    """`line_hashes`, as `compute_sentence_hashes`."""
    return {"line_hashes": as_ragged([hash_units(text, "line") for text in inputs.texts])}


def compute_paragraph_hashes(inputs: Inputs, params: NoParams, state: State) -> Mapping[str, Array]:
    """`paragraph_hashes`, as `compute_sentence_hashes`; what blank lines part is a paragraph."""
    return {"paragraph_hashes": as_ragged([hash_units(text, "paragraph") for text in inputs.texts])}


def _spec(name: str, title: str, compute: Compute) -> ScoreSpec:
    return ScoreSpec(
        name=name,
        version=1,
        title=title,
        unit="64-bit hash and characters",
        better="neither",
        needs=("text",),
        compute=compute,
        dtype="uint64",
        vector=True,
        ragged=True,
        paper="after Raffel et al. 2020, arXiv:1910.10683",
    )


SPECS: tuple[ScoreSpec, ...] = (
    _spec("sentence_hashes", "Hash and length of each sentence", compute_sentence_hashes),
    _spec("line_hashes", "Hash and length of each line", compute_line_hashes),
    _spec("paragraph_hashes", "Hash and length of each paragraph", compute_paragraph_hashes),
)
