"""The tokens of a document, all of them."""

from __future__ import annotations

import sys
from collections.abc import Mapping

import numpy as np

from workbench.checks import Array
from workbench.errors import InputError
from workbench.scores.base import Inputs, NoParams, ScoreSpec, State, as_ragged

_BATCH = 256


def compute_token_ids(inputs: Inputs, params: NoParams, state: State) -> Mapping[str, Array]:
    """`token_ids`, (n,) of uint32 arrays: what the tokenizer in use makes of each whole text; empty for an empty one.

    Raises
    ------
    InputError
        If no models were given.
    """
    if inputs.models is None:
        raise InputError("token_ids needs a tokenizer and no models were given; name one with --lm")
    return {
        "token_ids": as_ragged(
            [
                kept.ids.astype(np.uint32)
                for first in range(0, len(inputs), _BATCH)
                for kept in inputs.models.tokenizer.keep(inputs.texts[first : first + _BATCH], sys.maxsize)
            ]
        )
    }


SPECS: tuple[ScoreSpec, ...] = (
    ScoreSpec(
        name="token_ids",
        version=1,
        title="The tokens of the whole text",
        unit="token id",
        better="neither",
        needs=("text", "tokenizer"),
        compute=compute_token_ids,
        dtype="uint32",
        vector=True,
        ragged=True,
    ),
)
