"""Sentences, lines or paragraphs that the sample has more than once, and how much of a document they make."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Literal

import numpy as np

from workbench.checks import Array, BoolArray, strings
from workbench.errors import InputError
from workbench.scores.base import Inputs, ScoreSpec, State, as_column
from workbench.scores.normal import simplify
from workbench.scores.units import Kind, split_units

Unit = Literal["sentences3", "sentence", "line", "paragraph"]

_SPAN = {"sentences3": 3, "sentence": 1, "line": 1, "paragraph": 1}
_KIND: dict[str, Kind] = {
    "sentences3": "sentence",
    "sentence": "sentence",
    "line": "line",
    "paragraph": "paragraph",
}


@dataclass(frozen=True)
class SpanDupParams:
    """What is compared.

    Attributes
    ----------
    unit
        "sentences3": each three sentences in a row, as in C4. "sentence", "line" or "paragraph" (what blank lines
        part): each by itself.
    """

    unit: Unit = "sentences3"


def repeated_units(documents: Iterable[Sequence[str]], span: int) -> list[BoolArray]:
    """Which units of each document lie in a span that stood before, in the same document or in an earlier one.

    Parameters
    ----------
    documents
        The units of each in order, as `simplify` leaves them, in the order that says which copy is the first. A span
        without any word is no span.
    span
        How many units in a row are compared.

    Returns
    -------
    For each document bool (n,).

    Examples
    --------
    >>> [found.tolist() for found in repeated_units([["one", "two"], ["new", "one", "two"]], 2)]
    [[False, False], [False, True, True]]
    """
    seen: set[bytes] = set()
    out = []
    for units in documents:
        repeated = np.zeros(len(units), dtype=bool)
        for start in range(len(units) - span + 1):
            words = " ".join(units[start : start + span])
            if not words.strip():
                continue
            digest = blake2b(words.encode(), digest_size=16).digest()
            if digest in seen:
                repeated[start : start + span] = True
            seen.add(digest)
        out.append(repeated)
    return out


def compute_span_dup(inputs: Inputs, params: SpanDupParams, state: State) -> Mapping[str, Array]:
    """The share of each document's sentences, lines or paragraphs that stood in the sample before.

    Returns
    -------
    duplicate_span_fraction : float32 (n,), 0..1
        The first copy, which is that of the smallest doc_id and within a document the first, doesn't count. NaN for a
        document without words.

    Raises
    ------
    InputError
        If `unit` isn't one of its values.

    Notes
    -----
    Raffel et al. 2020, arXiv:1910.10683 (C4): of a three-sentence span that occurs more than once all but one are
    discarded. datatrove's sentence dedup marks the same spans; it finds sentences by spaCy, here by one regular
    expression, and it cuts them out where here no document is edited: a band on the share leaves out those that are
    mostly repeated. What a sample repeats is a lower bound of what its corpus does.
    """
    if params.unit not in _SPAN:
        raise InputError(f"unit must be one of {', '.join(_SPAN)}, got {params.unit!r}")
    order = np.argsort(strings(inputs.doc_ids), kind="stable")
    units = [[simplify(part) for part in split_units(inputs.texts[i], _KIND[params.unit])] for i in order]
    shares = np.full(len(inputs), np.nan)
    for i, one, found in zip(order, units, repeated_units(units, _SPAN[params.unit]), strict=True):
        # Units without a word are no part of the whole either.
        has_words = np.array([bool(words) for words in one], dtype=bool)
        if has_words.any():
            shares[i] = found[has_words].mean()
    return {"duplicate_span_fraction": as_column(shares)}


SPECS: tuple[ScoreSpec, ...] = (
    ScoreSpec(
        name="duplicate_span_fraction",
        version=1,
        title="Sentences, lines or paragraphs that the sample has had before",
        unit="fraction",
        better="lower",
        needs=("text",),
        params=SpanDupParams,
        compute=compute_span_dup,
        scope="sample",
        paper="after Raffel et al. 2020, arXiv:1910.10683",
        status="variant",
    ),
)
