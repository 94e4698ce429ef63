"""How long a document is: characters, bytes, tokens."""

from __future__ import annotations

from collections.abc import Mapping

from workbench.checks import Array
from workbench.errors import InputError
from workbench.scores.base import Compute, Inputs, NoParams, ScoreSpec, State, as_column


def compute_sizes(inputs: Inputs, params: NoParams, state: State) -> Mapping[str, Array]:
    """`n_chars` and `n_bytes`, each float32 (n,), 0 or more; an empty text has 0 of both.

    Examples
    --------
    >>> sizes = compute_sizes(Inputs(doc_ids=["a"], sources=["web"], texts=["né"]), NoParams(), {})
    >>> [(name, column.tolist()) for name, column in sizes.items()]
    [('n_chars', [2.0]), ('n_bytes', [3.0])]
    """
    return {
        "n_chars": as_column([len(text) for text in inputs.texts]),
        "n_bytes": as_column([len(text.encode()) for text in inputs.texts]),
    }


def compute_tokens(inputs: Inputs, params: NoParams, state: State) -> Mapping[str, Array]:
    """`n_tokens`, float32 (n,): the tokens that the tokenizer in use makes of each text.

    Raises
    ------
    InputError
        If no models were given.
    """
    if inputs.models is None:
        raise InputError("n_tokens needs a tokenizer and no models were given; name one with --lm")
    return {"n_tokens": as_column(inputs.models.tokenizer.count(inputs.texts))}


def _spec(name: str, title: str, unit: str, compute: Compute, *needs: str) -> ScoreSpec:
    return ScoreSpec(
        name=name,
        version=1,
        title=title,
        unit=unit,
        better="neither",
        needs=("text", *needs),
        compute=compute,
    )


SPECS: tuple[ScoreSpec, ...] = (
    _spec("n_chars", "Characters (Unicode code points)", "characters", compute_sizes),
    _spec("n_bytes", "Bytes in UTF-8", "bytes", compute_sizes),
    _spec("n_tokens", "Tokens of the tokenizer in use", "tokens", compute_tokens, "tokenizer"),
)
