"""How far a document can be compressed: a cheap sign of repetition."""

from __future__ import annotations

import math
import zlib
from collections.abc import Mapping

from workbench.checks import Array
from workbench.scores.base import Inputs, NoParams, ScoreSpec, State, as_column

# zlib's default level. Part of the score's definition: another level gives other numbers.
_LEVEL = 6


def compression_ratio(text: str) -> float:
    """Bytes of `text` in UTF-8 over the bytes that zlib makes of them; a higher ratio means more repetition.

    Parameters
    ----------
    text
        Any text.

    Returns
    -------
    float
        Above 0. English prose of some thousand bytes lies at about 2, boilerplate and repeated lines far
        above; NaN for the empty text.

    Notes
    -----
    The direction is raw over compressed; papers use both. The ratio grows with length, since
    zlib has more to refer back to (up to 32 KiB) and its header and tables weigh less: a text below about
    100 bytes has a ratio of about 1 or less whatever it says. Compare documents of like length, or add a
    band on `n_bytes`.

    The level is 6. A Python that is built against another implementation of deflate (zlib-ng) gives slightly
    other numbers.

    Examples
    --------
    >>> compression_ratio("to be or not to be " * 100) > 30
    True
    """
    raw = text.encode()
    return len(raw) / len(zlib.compress(raw, _LEVEL)) if raw else math.nan


def compute(inputs: Inputs, params: NoParams, state: State) -> Mapping[str, Array]:
    """`compression_ratio` of each text, float32 (n,)."""
    return {"compression_ratio": as_column([compression_ratio(text) for text in inputs.texts])}


SPECS: tuple[ScoreSpec, ...] = (
    ScoreSpec(
        name="compression_ratio",
        version=1,
        title="Bytes over zlib-compressed bytes; NaN for an empty text, short texts lie low",
        unit="ratio",
        better="neither",
        needs=("text",),
        compute=compute,
        # There it is taken of a whole sample; here of each document.
        paper="Chang et al. 2024, arXiv:2410.03083",
        status="variant",
    ),
)
